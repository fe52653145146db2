from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.errors import UnseenClass
from brinery.evaluate.run import METRICS, run
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Sequence

BINARY, MULTICLASS = PredictionType.BINARY, PredictionType.MULTICLASS
REGRESSION, OTHER = PredictionType.REGRESSION, PredictionType.OTHER
CLASSES = {BINARY: ("no", "yes"), MULTICLASS: ("a", "b", "c"), REGRESSION: (), OTHER: ()}
NO_PROBABILITIES = "the model gives no probabilities"


def objects(values: Sequence[object]) -> npt.NDArray[np.object_]:
    return np.array(values, np.object_)


def binary_scores(*chances: float, labels: tuple[object, object] = ("no", "yes")) -> Scores:
    chance = np.array(chances, np.float64)
    return Scores(
        predictions=objects([labels[int(value > 0.5)] for value in chances]),
        probabilities=np.column_stack([1 - chance, chance]),
    )


def regression(actual: object, predictions: object) -> Evaluation:
    target: npt.NDArray[Any] = np.asarray(actual)
    return run(REGRESSION, target, scores=Scores(predictions=np.asarray(predictions)))


def some_scores(family: PredictionType, n_rows: int) -> Scores:
    """Answers that fit the classes of the family."""
    n_classes = len(CLASSES[family])
    if not n_classes:
        return Scores(predictions=np.arange(n_rows, dtype=np.float64))
    return Scores(
        predictions=np.array(CLASSES[family])[np.arange(n_rows) % n_classes],
        probabilities=np.full((n_rows, n_classes), 1 / n_classes),
    )


def test_binary_figures() -> None:
    """A binary model has its ten figures, as scikit-learn gives them, in the order shown."""
    actual = objects(["no", "no", "yes", "yes", "no", "yes"])
    chance = np.array([0.1, 0.5, 0.4, 0.9, 0.2, 0.4])
    evaluation = run(BINARY, actual, scores=binary_scores(*chance), classes=("no", "yes"))
    positive = actual == "yes"
    best = metrics.f1_score(positive, chance >= 0.4)
    assert evaluation.metrics == pytest.approx(
        {
            "accuracy": 4 / 6,
            "roc_auc": metrics.roc_auc_score(positive, chance),
            "average_precision": metrics.average_precision_score(positive, chance),
            "log_loss": metrics.log_loss(positive, chance),
            "brier": metrics.brier_score_loss(positive, chance),
            "precision": 1 / 2,
            "recall": 1 / 3,
            "f1": 2 / 5,
            "f1_best": best,
            "f1_best_threshold": 0.4,
        }
    )
    assert tuple(evaluation.metrics) == METRICS[BINARY]
    assert evaluation.not_computed == {}
    assert (evaluation.rows, evaluation.rows_left_out) == (6, 0)
    assert (evaluation.classes, evaluation.positive) == (("no", "yes"), "yes")


def test_binary_confusions() -> None:
    """A binary model is counted at its own labels, at 0.5 and at the best threshold."""
    actual = objects(["no", "no", "yes", "yes", "no", "yes"])
    scores = binary_scores(0.1, 0.5, 0.4, 0.9, 0.2, 0.4)
    own, half, best = run(BINARY, actual, scores=scores, classes=("no", "yes")).confusion
    assert (own.threshold, own.counts) == (None, ((3, 0), (2, 1)))
    assert (half.threshold, half.counts) == (0.5, ((2, 1), (2, 1)))
    assert (best.threshold, best.counts) == (0.4, ((2, 1), (0, 3)))
    assert own.labels == half.labels == best.labels == ("no", "yes")


def test_binary_without_probabilities() -> None:
    """Without probabilities, precision, recall and F1 come from the predicted labels."""
    actual = objects(["no", "yes", "yes", "no"])
    scores = Scores(predictions=np.array(["no", "yes", "no", "no"]))
    evaluation = run(BINARY, actual, scores=scores, classes=("no", "yes"))
    assert evaluation.metrics == pytest.approx(
        {"accuracy": 0.75, "precision": 1.0, "recall": 0.5, "f1": 2 / 3}
    )
    absent = ("roc_auc", "average_precision", "log_loss", "brier", "f1_best", "f1_best_threshold")
    assert evaluation.not_computed == dict.fromkeys(absent, NO_PROBABILITIES)
    assert [confusion.threshold for confusion in evaluation.confusion] == [None]


def test_binary_data_of_negatives_only() -> None:
    """Data without a positive row says so instead of a recall of 0."""
    scores = binary_scores(0.1, 0.6)
    evaluation = run(BINARY, objects(["no", "no"]), scores=scores, classes=("no", "yes"))
    assert set(evaluation.metrics) == {"accuracy", "log_loss", "brier"}
    single = "every row of the data is of class 'no'"
    none = "no row of the data is of the positive class 'yes'"
    assert evaluation.not_computed == {
        "roc_auc": single,
        "average_precision": single,
        "precision": none,
        "recall": none,
        "f1": none,
        "f1_best": single,
        "f1_best_threshold": single,
    }
    assert [confusion.threshold for confusion in evaluation.confusion] == [None, 0.5]


def test_binary_data_of_positives_only() -> None:
    """Data without a negative row has a recall, but nothing to tell apart."""
    scores = binary_scores(0.4, 0.6)
    evaluation = run(BINARY, objects(["yes", "yes"]), scores=scores, classes=("no", "yes"))
    assert evaluation.metrics["recall"] == 0.5
    absent = ("roc_auc", "average_precision", "f1_best", "f1_best_threshold")
    single = "every row of the data is of class 'yes'"
    assert evaluation.not_computed == dict.fromkeys(absent, single)


@pytest.mark.parametrize(
    ("probabilities", "why"),
    [
        ([[0.5, math.nan], [1, 0]], "some of the model's probabilities are not between 0 and 1"),
        ([[-0.5, 1.5], [1, 0]], "some of the model's probabilities are not between 0 and 1"),
        ([[0.2, 0.3, 0.5], [1, 0, 0]], "the model gives 3 probabilities for 2 classes"),
    ],
)
def test_unusable_probabilities(probabilities: list[list[float]], why: str) -> None:
    """Probabilities that are none are named as the reason, and the labels still count."""
    scores = Scores(predictions=np.array(["no", "yes"]), probabilities=np.array(probabilities))
    evaluation = run(BINARY, objects(["no", "yes"]), scores=scores, classes=("no", "yes"))
    assert set(evaluation.not_computed.values()) == {why}
    assert evaluation.metrics == {"accuracy": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_probabilities_rounded_past_one_are_used() -> None:
    """What a float32 softmax rounds past 0 and 1 is not held against the model."""
    scores = binary_scores(-1e-7, 1 + 1e-7)
    evaluation = run(BINARY, objects(["no", "yes"]), scores=scores, classes=("no", "yes"))
    assert evaluation.not_computed == {}
    assert evaluation.metrics["brier"] == 0.0


def test_predictions_outside_the_classes() -> None:
    """A model that predicts what is none of its classes loses the figures of its labels only."""
    scores = Scores(predictions=np.array([0, 1]), probabilities=np.array([[0.8, 0.2], [0.2, 0.8]]))
    evaluation = run(BINARY, objects(["no", "yes"]), scores=scores, classes=("no", "yes"))
    why = "the model predicts labels that are not among its classes"
    assert evaluation.not_computed == {"accuracy": why}
    assert [confusion.threshold for confusion in evaluation.confusion] == [0.5, 0.8]


@pytest.mark.parametrize(
    ("actual", "classes"),
    [
        (np.array([False, True, True]), (False, True)),
        (objects(["False", "true", "True"]), (False, True)),
        (np.array([0, 1, 1]), (0, 1)),
        (np.array([0.0, 1.0, 1.0]), (np.int64(0), np.int64(1))),
        (np.array(["no", "yes", "yes"]), ("no", "yes")),
        (objects([np.str_("no"), "yes", np.str_("yes")]), (np.str_("no"), np.str_("yes"))),
    ],
)
def test_labels_of_every_type(actual: npt.NDArray[Any], classes: Any) -> None:
    """Bool, int, float, str and numpy labels give the same figures, and a record that is JSON."""
    scores = binary_scores(0.1, 0.9, 0.4, labels=classes)
    evaluation = run(BINARY, actual, scores=scores, classes=classes)
    assert evaluation.metrics["accuracy"] == pytest.approx(2 / 3)
    assert evaluation.metrics["roc_auc"] == 1.0
    again = msgspec.json.decode(msgspec.json.encode(evaluation), type=Evaluation)
    assert again == evaluation


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_multiclass_agrees_with_scikit_learn(data: st.DataObject) -> None:
    """Every multiclass figure is scikit-learn's, and they come in the order shown."""
    others = data.draw(st.lists(st.sampled_from("abc"), max_size=25))
    actual = np.array([*"abc", *others])
    weight = st.sampled_from([0.0, 0.5, 1.0, 2.0])
    row = st.lists(weight, min_size=3, max_size=3).filter(any)
    given_weights = data.draw(st.lists(row, min_size=actual.size, max_size=actual.size))
    probabilities = np.array(given_weights) / np.sum(given_weights, axis=1, keepdims=True)
    predicted = np.array([*"abc"])[probabilities.argmax(axis=1)]
    scores = Scores(predictions=predicted, probabilities=probabilities)
    evaluation = run(MULTICLASS, actual, scores=scores, classes=("a", "b", "c"))
    expected = {
        "accuracy": metrics.accuracy_score(actual, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
    }
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            theirs = getattr(metrics, f"{name}_score")
            value = theirs(actual, predicted, average=average, zero_division=0)
            expected[f"{name}_{average}"] = value
    for average in ("macro", "weighted"):
        area = metrics.roc_auc_score(actual, probabilities, multi_class="ovr", average=average)
        expected[f"roc_auc_{average}"] = area
    expected["log_loss"] = metrics.log_loss(actual, probabilities)
    assert evaluation.metrics == pytest.approx(expected)
    assert tuple(evaluation.metrics) == METRICS[MULTICLASS]
    assert evaluation.positive is None
    counts = metrics.confusion_matrix(actual, predicted)
    assert [list(row) for row in evaluation.confusion[0].counts] == counts.tolist()


def test_multiclass_data_without_one_of_the_classes() -> None:
    """A class without rows has no ROC AUC, so the plain mean is absent and the weighted is not."""
    actual = objects(["a", "c", "a", "c"])
    evaluation = run(MULTICLASS, actual, scores=some_scores(MULTICLASS, 4), classes=("a", "b", "c"))
    assert evaluation.not_computed == {"roc_auc_macro": "no row of the data is of class 'b'"}
    assert evaluation.metrics["roc_auc_weighted"] == 0.5


def test_multiclass_data_of_one_class() -> None:
    """Data of one class cannot be ranked; the other figures remain."""
    evaluation = run(
        MULTICLASS, objects(["a", "a"]), scores=some_scores(MULTICLASS, 2), classes=tuple("abc")
    )
    single = "every row of the data is of class 'a'"
    assert evaluation.not_computed == {"roc_auc_macro": single, "roc_auc_weighted": single}
    assert evaluation.metrics["balanced_accuracy"] == 0.5


def test_multiclass_without_probabilities() -> None:
    """Without probabilities the figures of the labels remain."""
    scores = Scores(predictions=np.array([*"abc"]))
    evaluation = run(MULTICLASS, objects([*"abc"]), scores=scores, classes=("a", "b", "c"))
    absent = ("roc_auc_macro", "roc_auc_weighted", "log_loss")
    assert evaluation.not_computed == dict.fromkeys(absent, NO_PROBABILITIES)
    assert set(evaluation.metrics.values()) == {1.0}


def test_regression_figures() -> None:
    """A regression has its four figures in the order shown, and no classes."""
    evaluation = regression([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    assert evaluation.metrics == pytest.approx(
        {"mae": 0.5, "rmse": math.sqrt(1.25 / 3), "r2": 1 - 1.25 / (14 / 3), "mape": 0.25}
    )
    assert tuple(evaluation.metrics) == METRICS[REGRESSION]
    assert (evaluation.classes, evaluation.positive, evaluation.confusion) == ((), None, ())


def test_regression_on_a_constant_target() -> None:
    """R2 of a constant target is absent with its reason, also for a single row."""
    for rows in (1, 3):
        evaluation = regression(np.full(rows, 0.1), np.full(rows, 0.2))
        assert evaluation.not_computed == {"r2": "the target has the same value in every row"}


def test_regression_on_a_target_with_zeros() -> None:
    """MAPE of a target with zeros is absent with its reason, and is no huge number."""
    evaluation = regression([0, 1], [1, 1])
    why = "the target is 0 in some rows, and no error is a share of 0"
    assert evaluation.not_computed == {"mape": why}


@pytest.mark.parametrize(
    ("actual", "predictions", "why"),
    [
        (
            [1.0, 2.0],
            [1.0, math.nan],
            "1 of the 2 values of the model's predictions are not finite",
        ),
        ([1.0, math.inf], [1.0, 2.0], "1 of the 2 values of the target are not finite"),
        (["1", "many"], [1.0, 2.0], "not every value of the target is a number"),
        ([1.0, 2.0], ["1", "many"], "not every value of the model's predictions is a number"),
    ],
)
def test_regression_without_numbers(actual: object, predictions: object, why: str) -> None:
    """Without a finite number on both sides of every row there is no figure, and it says why."""
    evaluation = regression(actual, predictions)
    assert evaluation.metrics == {}
    assert evaluation.not_computed == dict.fromkeys(METRICS[REGRESSION], why)


def test_regression_beyond_floating_point() -> None:
    """A figure that overflows is absent: a figure is always finite."""
    evaluation = regression([1e200, 1.0], [-1e200, 1.0])
    assert list(evaluation.metrics) == ["mae", "mape"]
    why = "the errors are too large or too small for a floating-point number"
    assert evaluation.not_computed == {"rmse": why, "r2": why}


def test_regression_of_python_numbers() -> None:
    """A target kept as Python objects with gaps is scored like an array of floats."""
    scores = Scores(predictions=np.array([1.0, 9.0, 3.0]))
    evaluation = run(REGRESSION, objects([1, None, 2.0]), scores=scores)
    assert evaluation.metrics["mae"] == 0.5
    assert (evaluation.rows, evaluation.rows_left_out) == (2, 1)


def test_other_models_have_no_figures() -> None:
    """A model that is neither kind says so, and its rows are counted."""
    evaluation = run(OTHER, objects(["x", None]), scores=some_scores(OTHER, 2))
    assert evaluation.metrics == {}
    assert evaluation.not_computed == {
        "metrics": "the model is neither a classifier nor a regression"
    }
    assert (evaluation.rows, evaluation.rows_left_out) == (1, 1)


@pytest.mark.parametrize("family", [family for family in PredictionType if family is not OTHER])
@pytest.mark.parametrize("n_rows", [0, 2])
def test_no_labels_at_all(family: PredictionType, n_rows: int) -> None:
    """Where every label is missing, every figure is absent for that reason."""
    actual = objects([None, math.nan])[:n_rows]
    evaluation = run(family, actual, scores=some_scores(family, n_rows), classes=CLASSES[family])
    assert evaluation.not_computed == dict.fromkeys(
        METRICS[family], "no row of the data has a label"
    )
    assert (evaluation.metrics, evaluation.confusion) == ({}, ())
    assert (evaluation.rows, evaluation.rows_left_out) == (0, n_rows)


def test_missing_labels_are_left_out_and_counted() -> None:
    """Rows without a label change nothing but the count of rows left out."""
    scores = binary_scores(0.1, 0.8, 0.7, 0.9, 0.3)
    gaps = run(
        BINARY, objects(["no", None, "yes", math.nan, "yes"]), scores=scores, classes=("no", "yes")
    )
    kept = Scores(
        predictions=scores.predictions[[0, 2, 4]],
        probabilities=binary_scores(0.1, 0.7, 0.3).probabilities,
    )
    full = run(BINARY, objects(["no", "yes", "yes"]), scores=kept, classes=("no", "yes"))
    assert gaps == msgspec.structs.replace(full, rows_left_out=2)


def test_unseen_classes_are_refused() -> None:
    """A label that is no class of the model is refused with its row in the whole data."""
    scores = binary_scores(0.1, 0.2, 0.3)
    with pytest.raises(UnseenClass, match=r"'maybe' \(1 row, first in row 3\)"):
        run(BINARY, objects([None, "no", "maybe"]), scores=scores, classes=("no", "yes"))


def test_binary_takes_two_classes() -> None:
    """A binary model with another number of classes is a mistake of the caller."""
    with pytest.raises(ValueError, match="unpack"):
        run(BINARY, objects(["a"]), scores=some_scores(MULTICLASS, 1), classes=("a", "b", "c"))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_every_figure_is_finite_or_explained(data: st.DataObject) -> None:
    """Whatever the scores, each figure is either a finite float or absent for a reason."""
    family = data.draw(st.sampled_from([BINARY, MULTICLASS, REGRESSION]))
    classes = CLASSES[family]
    label = st.sampled_from([*classes, None]) if classes else st.none() | st.floats(width=32)
    actual = objects(data.draw(st.lists(label, max_size=12)))
    scores = some_scores(family, actual.size)
    if scores.probabilities is not None:
        value = st.floats(0, 1) | st.sampled_from([math.nan, 0.0, 1.0])
        flat = st.lists(
            value, min_size=scores.probabilities.size, max_size=scores.probabilities.size
        )
        probabilities = np.array(data.draw(flat)).reshape(scores.probabilities.shape)
        scores = Scores(predictions=scores.predictions, probabilities=probabilities)
    evaluation = run(family, actual, scores=scores, classes=classes)
    assert {*evaluation.metrics, *evaluation.not_computed} == {*METRICS[family]}
    assert not {*evaluation.metrics} & {*evaluation.not_computed}
    assert all(type(x) is float and math.isfinite(x) for x in evaluation.metrics.values())
    assert all(evaluation.not_computed.values())
    msgspec.json.encode(evaluation)


def test_the_room_needs_numpy_alone() -> None:
    """Importing the room loads neither scikit-learn nor pandas nor MLflow."""
    code = (
        "import sys, brinery.evaluate.run as _; "
        "print([m for m in ('sklearn', 'pandas', 'scipy', 'mlflow') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_probabilities_that_do_not_sum_to_one() -> None:
    """They rank as they are, and have no log loss, with the reason."""
    shares = np.array([[0.9, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    scores = Scores(predictions=np.array(["a", "b", "c"]), probabilities=shares)
    found = run(
        PredictionType.MULTICLASS, np.array(["a", "b", "c"]), scores=scores, classes=("a", "b", "c")
    )
    assert found.not_computed["log_loss"] == "the probabilities of 1 of 3 rows do not sum to 1"
    assert found.metrics["accuracy"] == 1.0
