from __future__ import annotations

import math
import subprocess
import sys
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.errors import UnseenClass
from brinery.evaluate.options import Options
from brinery.evaluate.run import METRICS, complete, run
from brinery.records.curves import Curves
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.scores import Scores
from brinery.records.threshold import Aim, Gains

if TYPE_CHECKING:
    from collections.abc import Sequence

BINARY, MULTICLASS = PredictionType.BINARY, PredictionType.MULTICLASS
REGRESSION, OTHER = PredictionType.REGRESSION, PredictionType.OTHER
CLASSES = {BINARY: ("no", "yes"), MULTICLASS: ("a", "b", "c"), REGRESSION: (), OTHER: ()}
RANKED = ("roc_auc", "average_precision", "f1_best", "f1_best_threshold", "ks", "lift_10")
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
    """A binary model has its figures, as scikit-learn gives them, in the order shown."""
    actual = objects(["no", "no", "yes", "yes", "no", "yes"])
    chance = np.array([0.1, 0.5, 0.4, 0.9, 0.2, 0.4])
    evaluation = run(BINARY, actual, scores=binary_scores(*chance), classes=("no", "yes"))
    positive = actual == "yes"
    said = chance > 0.5  # one half is no more than a half: the model says no
    best = metrics.f1_score(positive, chance >= 0.4)
    assert evaluation.metrics == pytest.approx(
        {
            "accuracy": 4 / 6,
            "roc_auc": metrics.roc_auc_score(positive, chance),
            "average_precision": metrics.average_precision_score(positive, chance),
            "log_loss": metrics.log_loss(positive, chance),
            "brier": metrics.brier_score_loss(positive, chance),
            "precision": 1.0,
            "recall": 1 / 3,
            "f1": 1 / 2,
            "f1_best": best,
            "f1_best_threshold": 0.4,
            "balanced_accuracy": metrics.balanced_accuracy_score(positive, said),
            "specificity": 1.0,
            "f2": metrics.fbeta_score(positive, said, beta=2),
            "mcc": metrics.matthews_corrcoef(positive, said),
            "kappa": metrics.cohen_kappa_score(positive, said),
            "ece": (0.1 + 0.2 + (2 - 2 * 0.4) + 0.5 + (1 - 0.9)) / 6,
            "ks": 2 / 3,
            "lift_10": 2.0,
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
        {
            "accuracy": 0.75,
            "precision": 1.0,
            "recall": 0.5,
            "f1": 2 / 3,
            "balanced_accuracy": 0.75,
            "specificity": 1.0,
            "f2": 2.5 / 4.5,
            "mcc": 1 / math.sqrt(3),
            "kappa": 0.5,
        }
    )
    absent = (*RANKED, "log_loss", "brier", "ece")
    assert evaluation.not_computed == dict.fromkeys(absent, NO_PROBABILITIES)
    assert [confusion.threshold for confusion in evaluation.confusion] == [None]


def test_binary_data_of_negatives_only() -> None:
    """Data without a positive row says so instead of a recall of 0."""
    scores = binary_scores(0.1, 0.6)
    evaluation = run(BINARY, objects(["no", "no"]), scores=scores, classes=("no", "yes"))
    assert set(evaluation.metrics) == {"accuracy", "log_loss", "brier", "specificity", "ece"}
    single = "every row of the data is of class 'no'"
    none = "no row of the data is of the positive class 'yes'"
    assert evaluation.not_computed == {
        "roc_auc": single,
        "average_precision": single,
        "precision": none,
        "recall": none,
        "f1": none,
        "f2": none,
        "f1_best": single,
        "f1_best_threshold": single,
        "balanced_accuracy": single,
        "mcc": single,
        "kappa": single,
        "ks": single,
        "lift_10": single,
    }
    assert [confusion.threshold for confusion in evaluation.confusion] == [None, 0.5]


def test_binary_data_of_positives_only() -> None:
    """Data without a negative row has a recall, but nothing to tell apart."""
    scores = binary_scores(0.4, 0.6)
    evaluation = run(BINARY, objects(["yes", "yes"]), scores=scores, classes=("no", "yes"))
    assert evaluation.metrics["recall"] == 0.5
    absent = (*RANKED, "balanced_accuracy", "mcc", "kappa")
    single = "every row of the data is of class 'yes'"
    assert evaluation.not_computed == dict.fromkeys(absent, single) | {
        "specificity": "no row of the data is of class 'no'"
    }


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
    assert set(evaluation.metrics.values()) == {1.0}
    assert {"accuracy", "precision", "recall", "f1", "mcc"} < set(evaluation.metrics)


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
    labelled = {"accuracy", "precision", "recall", "f1", "f2", "mcc", "kappa"}
    labelled |= {"balanced_accuracy", "specificity"}
    assert evaluation.not_computed == dict.fromkeys(labelled, why)
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


def test_classes_that_are_parted_without_a_fault_have_an_area_with_an_interval() -> None:
    """An area of exactly 1 may still be chance: its interval is that of the smaller class."""
    actual = np.repeat(["no", "yes"], [40, 10])
    scores = binary_scores(*np.linspace(0.01, 0.99, 50), labels=("no", "yes"))
    evaluation = run(BINARY, actual, scores=scores, classes=("no", "yes"))
    assert evaluation.metrics["roc_auc"] == 1.0
    interval = evaluation.intervals["roc_auc"]
    assert interval.high == 1.0
    z2 = NormalDist().inv_cdf(0.975) ** 2
    assert interval.low == pytest.approx(10 / (10 + z2))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_multiclass_agrees_with_scikit_learn(data: st.DataObject) -> None:
    """Every multiclass figure but the calibration error is scikit-learn's, in the order shown."""
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
    expected["mcc"] = metrics.matthews_corrcoef(actual, predicted)
    expected["kappa"] = metrics.cohen_kappa_score(actual, predicted)
    for name in ("precision", "recall", "f1"):
        expected[f"{name}_micro"] = expected["accuracy"]
    hit = actual[:, np.newaxis] == np.array([*"abc"])
    for average in ("macro", "weighted", "micro"):
        value = metrics.average_precision_score(hit, probabilities, average=average)
        expected[f"average_precision_{average}"] = value
    expected["roc_auc_micro"] = metrics.roc_auc_score(hit, probabilities, average="micro")
    expected["brier"] = metrics.brier_score_loss(actual, probabilities, scale_by_half=False)
    expected["top_2_accuracy"] = metrics.top_k_accuracy_score(actual, probabilities, k=2)
    computed = dict(evaluation.metrics)
    assert 0 <= computed.pop("ece") <= 1
    assert computed == pytest.approx(expected)
    assert tuple(evaluation.metrics) == (*METRICS[MULTICLASS], "top_2_accuracy")
    assert evaluation.positive is None
    counts = metrics.confusion_matrix(actual, predicted)
    assert [list(row) for row in evaluation.confusion[0].counts] == counts.tolist()


def test_multiclass_data_without_one_of_the_classes() -> None:
    """A class without rows has no ranking, so plain means are absent and weighted ones are not."""
    actual = objects(["a", "c", "a", "c"])
    evaluation = run(MULTICLASS, actual, scores=some_scores(MULTICLASS, 4), classes=("a", "b", "c"))
    why = "no row of the data is of class 'b'"
    absent = ("roc_auc_macro", "average_precision_macro")
    assert evaluation.not_computed == dict.fromkeys(absent, why)
    assert evaluation.per_class[1].not_computed == dict.fromkeys(
        ("roc_auc", "average_precision"), why
    )
    assert evaluation.metrics["roc_auc_weighted"] == 0.5


def test_multiclass_data_of_one_class() -> None:
    """Data of one class cannot be ranked; the other figures remain."""
    evaluation = run(
        MULTICLASS, objects(["a", "a"]), scores=some_scores(MULTICLASS, 2), classes=tuple("abc")
    )
    single = "every row of the data is of class 'a'"
    names = ("roc_auc", "average_precision")
    absent = [f"{name}_{average}" for name in names for average in ("macro", "weighted")]
    assert evaluation.not_computed == dict.fromkeys(absent, single)
    assert evaluation.metrics["balanced_accuracy"] == 0.5


def test_multiclass_without_probabilities() -> None:
    """Without probabilities the figures of the labels remain."""
    scores = Scores(predictions=np.array([*"abc"]))
    evaluation = run(MULTICLASS, objects([*"abc"]), scores=scores, classes=("a", "b", "c"))
    averages = ("macro", "weighted", "micro")
    absent = [f"{name}_{each}" for name in ("roc_auc", "average_precision") for each in averages]
    absent += ["log_loss", "brier", "ece", "top_2_accuracy"]
    assert evaluation.not_computed == dict.fromkeys(absent, NO_PROBABILITIES)
    assert set(evaluation.metrics.values()) == {1.0}


def test_regression_figures() -> None:
    """A regression has its figures in the order shown, and no classes."""
    evaluation = regression([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    assert evaluation.metrics == pytest.approx(
        {
            "mae": 0.5,
            "rmse": math.sqrt(1.25 / 3),
            "r2": 1 - 1.25 / (14 / 3),
            "mape": 0.25,
            "mse": 1.25 / 3,
            "rmsle": metrics.root_mean_squared_log_error([1.0, 2.0, 4.0], [1.5, 2.0, 3.0]),
            "explained_variance": metrics.explained_variance_score([1, 2, 4], [1.5, 2, 3]),
            "pearson": np.corrcoef([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])[0, 1],
            "spearman": 1.0,
            "pinball_10": (0.45 + 0.1) / 3,
            "pinball_50": 0.25,
            "pinball_90": (0.05 + 0.9) / 3,
            "median_ae": 0.5,
            "error_p05": -1.0,
            "error_p25": -1.0,
            "error_p50": 0.0,
            "error_p75": 0.5,
            "error_p95": 0.5,
        }
    )
    assert tuple(evaluation.metrics) == METRICS[REGRESSION]
    assert (evaluation.classes, evaluation.positive, evaluation.confusion) == ((), None, ())


def test_regression_on_a_constant_target() -> None:
    """R2 of a constant target is absent with its reason, also for a single row."""
    for rows in (1, 3):
        evaluation = regression(np.full(rows, 0.1), np.full(rows, 0.2))
        absent = ("r2", "explained_variance", "pearson", "spearman")
        why = "the target has the same value in every row"
        assert evaluation.not_computed == dict.fromkeys(absent, why)


def test_regression_on_a_target_with_zeros() -> None:
    """MAPE of a target with zeros is absent with its reason, and is no huge number."""
    evaluation = regression([0, 1], [1, 2])
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
    why = "the errors are too large or too small for a floating-point number"
    for name in ("rmse", "mse", "r2", "explained_variance"):
        assert evaluation.not_computed[name] == why
    assert {"mae", "mape", "median_ae", "pearson"} < set(evaluation.metrics)


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
    top = {"top_2_accuracy"} if family is MULTICLASS else set()
    assert {*evaluation.metrics, *evaluation.not_computed} | top == {*METRICS[family]} | top
    assert not {*evaluation.metrics} & {*evaluation.not_computed}
    assert not {*evaluation.intervals} & {*evaluation.no_interval}
    assert {*evaluation.intervals, *evaluation.no_interval} == {*evaluation.metrics}
    for name, interval in evaluation.intervals.items():
        assert math.isfinite(interval.low), name
        assert math.isfinite(interval.high), name
        assert interval.low <= evaluation.metrics[name] <= interval.high, name
    assert all(type(x) is float and math.isfinite(x) for x in evaluation.metrics.values())
    assert all(evaluation.not_computed.values())
    again = msgspec.json.decode(msgspec.json.encode(evaluation), type=Evaluation)
    assert again == evaluation
    _, drawn = complete(family, actual, scores=scores, classes=classes)
    assert msgspec.json.decode(msgspec.json.encode(drawn), type=Curves) == drawn


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


def test_records_of_before_are_read() -> None:
    """A version that was evaluated before there were intervals is still read."""
    old = b'{"type":"binary","rows":2,"metrics":{"accuracy":1.0},"classes":["a","b"]}'
    evaluation = msgspec.json.decode(old, type=Evaluation)
    assert (evaluation.metrics, evaluation.intervals) == ({"accuracy": 1.0}, {})


@pytest.mark.parametrize("family", [BINARY, MULTICLASS, REGRESSION])
def test_a_weight_counts_as_so_many_rows(family: PredictionType) -> None:
    """A row of weight 2 gives each figure what two such rows give; of weight 0, none."""
    source = np.random.default_rng(3)
    n_rows = 60
    repeats = source.integers(0, 4, n_rows)
    classes = CLASSES[family]
    if classes:
        actual = np.array(classes)[source.integers(0, len(classes), n_rows)]
        chances = source.dirichlet(np.ones(len(classes)), n_rows)
        scores = Scores(np.array(classes)[chances.argmax(axis=1)], chances)
    else:
        actual = source.normal(size=n_rows)
        scores = Scores(predictions=actual + source.normal(size=n_rows))
    rows = np.repeat(np.arange(n_rows), repeats)
    weighted = run(family, actual, scores=scores, classes=classes, weights=repeats)
    repeated = run(family, actual[rows], scores=scores.take(rows), classes=classes)
    assert weighted.metrics == pytest.approx(repeated.metrics)
    assert weighted.weighted
    assert not repeated.weighted
    assert weighted.rows == np.count_nonzero(repeats)
    assert weighted.rows_left_out == n_rows - weighted.rows


@pytest.mark.parametrize("family", [BINARY, MULTICLASS, REGRESSION])
def test_equal_weights_change_nothing(family: PredictionType) -> None:
    """Weights of 1 give the very figures and intervals that rows without weights have."""
    source = np.random.default_rng(4)
    classes = CLASSES[family]
    scores = some_scores(family, 50)
    if classes:
        actual = np.array(classes)[source.integers(0, len(classes), 50)]
    else:
        actual = source.normal(size=50)
    plain = run(family, actual, scores=scores, classes=classes)
    weighted = run(family, actual, scores=scores, classes=classes, weights=np.ones(50))
    assert weighted.metrics == pytest.approx(plain.metrics)
    assert [*weighted.intervals] == [*plain.intervals]
    for name, interval in plain.intervals.items():
        assert weighted.intervals[name].low == pytest.approx(interval.low), name
        assert weighted.intervals[name].high == pytest.approx(interval.high), name


def test_weights_of_zero_leave_nothing() -> None:
    """Where no row has a weight every figure is absent for that reason."""
    weights = np.zeros(2)
    evaluation = run(REGRESSION, np.ones(2), scores=some_scores(REGRESSION, 2), weights=weights)
    why = "no row of the data has a label and a weight above 0"
    assert evaluation.not_computed == dict.fromkeys(METRICS[REGRESSION], why)


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ([1.0, -1.0], "some of the weights are below 0"),
        ([1.0, math.nan], "1 of the 2 values of the weights are not finite"),
        ([1.0], "there are 1 weights for 2 rows"),
        (["a", "b"], "not every value of the weights is a number"),
    ],
)
def test_weights_that_are_none(weights: list[Any], why: str) -> None:
    """Weights that are no numbers from 0 up, or too few, are a mistake of the caller."""
    with pytest.raises(ValueError, match=why):
        run(
            REGRESSION,
            np.ones(2),
            scores=some_scores(REGRESSION, 2),
            weights=np.array(weights),
        )


def test_options() -> None:
    """Beta, gains and the figure of the threshold are chosen; the figures say which they are."""
    actual = objects(["no", "no", "yes", "yes", "no", "yes"])
    scores = binary_scores(0.1, 0.6, 0.4, 0.9, 0.2, 0.7)
    gains = Gains(true_positive=10, false_positive=-4, false_negative=-1)
    options = Options(beta=0.5, gains=gains, aim=Aim.GAIN, seed=7, draws=50)
    evaluation = run(BINARY, actual, scores=scores, classes=("no", "yes"), options=options)
    theirs = metrics.fbeta_score(actual == "yes", [0, 1, 0, 1, 0, 1], beta=0.5)
    assert evaluation.metrics["f0.5"] == pytest.approx(theirs)
    assert evaluation.metrics["gain"] == pytest.approx((2 * 10 - 4 - 1) / 6)
    assert evaluation.threshold is not None
    assert evaluation.threshold.aim is Aim.GAIN
    assert evaluation.threshold.threshold == 0.4
    assert evaluation.threshold.naive == pytest.approx((3 * 10 - 4) / 6)
    assert (evaluation.threshold.seed, evaluation.threshold.rows) == (7, 6)
    again = run(BINARY, actual, scores=scores, classes=("no", "yes"), options=options)
    assert again == evaluation


@pytest.mark.parametrize("weight", [1e-300, 1e-10, 1e10, 1e300])
def test_only_the_proportions_of_weights_count(weight: float) -> None:
    """Weights that are all as large, however large, give what weights of 1 give."""
    actual = objects(["no", "yes", "no", "yes", "yes"])
    scores = binary_scores(0.1, 0.2, 0.3, 0.9, 0.8)
    one, other = (
        run(BINARY, actual, scores=scores, classes=("no", "yes"), weights=np.full(5, each))
        for each in (1.0, weight)
    )
    assert other.metrics == pytest.approx(one.metrics)
    assert [*other.intervals] == [*one.intervals]


@pytest.mark.parametrize(
    ("actual", "predicted"),
    [
        ([0.0], [0.0]),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [3.0, 3.0, 3.0]),
        ([1e308, -1e308, 1.0], [1.0, 2.0, 3.0]),
        ([1e-320, 2e-320, 0.0], [0.0, 0.0, 1e-320]),
    ],
)
def test_extreme_regressions(actual: list[float], predicted: list[float]) -> None:
    """One row, no error, and errors beyond floating point have figures and curves, or reasons."""
    scores = Scores(predictions=np.array(predicted))
    evaluation, drawn = complete(REGRESSION, np.array(actual), scores=scores)
    assert {*evaluation.metrics, *evaluation.not_computed} == {*METRICS[REGRESSION]}
    assert (drawn.regression is None) == bool(drawn.not_computed)
    again = msgspec.json.decode(msgspec.json.encode(drawn), type=Curves)
    assert again == drawn
