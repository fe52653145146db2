from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.conftest import stable

from brinery.errors import PredictionRefused
from brinery.flavors import answers
from brinery.flavors.tables import pack_scores, unpack, unpack_scores
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

SHARES = np.array([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("predicted", "kept"),
    [
        (["no", "yes", "no"], ["no", "yes", "no"]),
        (("no", "yes", "no"), ["no", "yes", "no"]),
        (np.array(["no", "yes", "no"]), ["no", "yes", "no"]),
        (np.array([np.str_("no"), np.str_("yes"), np.str_("no")], object), ["no", "yes", "no"]),
        ([True, False, True], [True, False, True]),
        (np.array([True, False, True]), [True, False, True]),
        (pd.Series([1, 2, 3], index=[9, 8, 7]), [1, 2, 3]),
        (pd.DataFrame({"prediction": [1.5, 2.5, 3.5]}), [1.5, 2.5, 3.5]),
        (np.array([[1.5], [2.5], [3.5]]), [1.5, 2.5, 3.5]),
        ([[1.5], [2.5], [3.5]], [1.5, 2.5, 3.5]),
        (np.array([1.5, np.nan, 3.5]), [1.5, None, 3.5]),
        (pd.Series(["a", "b", "a"], dtype="category"), ["a", "b", "a"]),
        (pd.Series([1, 2, 3], dtype="Int64"), [1, 2, 3]),
    ],
    ids=stable,
)
def test_predictions_of_any_kind(predicted: Any, kept: list[Any]) -> None:
    """Whatever a model puts its predictions in, they are a plain value per row at the other end."""
    sent = unpack_scores(unpack(pack_scores(answers.scores(predicted, rows=3))), ())
    found = [None if value != value else value for value in sent.predictions.tolist()]  # noqa: PLR0124 - NaN
    assert found == kept
    assert [type(one) for one in found] == [type(one) for one in kept]


@pytest.mark.parametrize(
    ("predicted", "kept"),
    [
        ([["no"], ["yes"], ["no"]], ["no", "yes", "no"]),
        ([("no",), ("yes",), ("no",)], ["no", "yes", "no"]),
        ([[True], [False], [True]], [True, False, True]),
        (pd.Series(["no", None, "yes"]), ["no", None, "yes"]),
        (np.array(["no", np.nan, "yes"], object), ["no", None, "yes"]),
        (pd.Series([1, None, 3], dtype="Int64"), [1, None, 3]),
        ([None, None, None], [None, None, None]),
        (pd.Series([pd.NaT] * 3), [None, None, None]),
    ],
    ids=stable,
)
def test_predictions_in_lists_and_with_gaps(predicted: Any, kept: list[Any]) -> None:
    """A list of one-value lists is a value per row; a missing answer is missing at the end too."""
    sent = unpack_scores(unpack(pack_scores(answers.scores(predicted, rows=3))), ())
    assert [None if value != value else value for value in sent.predictions.tolist()] == kept  # noqa: PLR0124 - NaN


@pytest.mark.parametrize(
    ("predicted", "said", "hint"),
    [
        (["no", 1, "no"], "text ('no') for some rows and a number (1) for others", "str(…)"),
        (np.array([True, 2, 3], object), "a truth value (True) for some rows and a number", "str("),
        ([{"x": 1}] * 3, "answers a row with a dict", "out of the dict"),
        ([object()] * 3, "answers a row with an object", "a number, a text or a truth value"),
        ([date(2020, 1, 2)] * 3, "answers a row with a datetime.date", "str(…)"),
        (np.array(["2020-01-02"] * 3, "datetime64[D]"), "a numpy.datetime64", "str(…)"),
        (pd.Series(pd.to_datetime(["2020-01-02"] * 3)), "a numpy.datetime64", "str(…)"),
        (np.array([b"a", b"b", b"c"]), "a numpy.bytes_", "decode()"),
        (np.array([1j, 2j, 3j]), "a numpy.complex128", "a number, a text or a truth value"),
        (np.array([{1}, {2}, {3}]), "answers a row with a set", "out of the set"),
        ((one for one in "abc"), "answers a generator for 3 rows", "list(…)"),
        (iter([1, 2, 3]), "answers a list_iterator for 3 rows", "list(…)"),
        ({"prediction": [1, 2, 3]}, "answers a dict for 3 rows", "a list or an array"),
        (object(), "answers an object for 3 rows", "a number, a text or a truth value"),
        ([2**70, 1, 2], "of a type (object) that no table holds", "64 bits"),
    ],
    ids=stable,
)
def test_what_is_no_plain_value(predicted: Any, said: str, hint: str) -> None:
    """What is no number, text or truth value is named in our words, with what to do about it."""
    with pytest.raises(PredictionRefused) as caught:
        pack_scores(answers.scores(predicted, rows=3))
    assert said in caught.value.message
    assert hint in caught.value.hint
    for inside in ("pyarrow", "Arrow", "Expected bytes", "1-dimensional", "numpy scalar"):
        assert inside not in caught.value.message


@pytest.mark.parametrize(
    ("predicted", "error", "said"),
    [
        (np.zeros((3, 0)), PredictionRefused, r"shape \(3, 0\) for 3 rows"),
        (np.zeros((3, 2, 2)), PredictionRefused, r"shape \(3, 2, 2\) for 3 rows"),
        (np.zeros((2, 2)), PredictionRefused, r"shape \(2, 2\) for 3 rows"),
        (np.zeros(2), PredictionRefused, r"shape \(2,\) for 3 rows"),
        (np.float64(3), PredictionRefused, r"one value \(3.0\) for 3 rows"),
        (None, PredictionRefused, "answers None"),
        ([[1], [2, 3], [4]], PredictionRefused, "no table: its rows are of different lengths$"),
    ],
    ids=stable,
)
def test_no_prediction_per_row(predicted: Any, error: type[Exception], said: str) -> None:
    """What is not one prediction per row is refused in words."""
    with pytest.raises(error, match=said):
        answers.scores(predicted, rows=3)


@pytest.mark.parametrize(
    "given",
    [
        SHARES,
        SHARES.tolist(),
        pd.DataFrame(SHARES),
        SHARES[:, 1],
        SHARES[:, 1:],
        SHARES.astype(object),
    ],
    ids=["array", "lists", "frame", "second", "column", "objects"],
)
def test_probabilities_of_any_kind(given: Any) -> None:
    """One column for two classes is the probability of the second."""
    found = answers.per_class(given, rows=3, n_classes=2)
    assert found.dtype == np.float64
    assert found == pytest.approx(SHARES)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.array([[0.5, np.nan]] * 3), "gives nan as a probability"),
        (np.array([[0.5, 1.2]] * 3), "gives 1.2 as a probability"),
        (np.array([[-0.5, 1.5]] * 3), "gives -0.5 as a probability"),
        (np.zeros((3, 3)), r"shape \(3, 3\) for 3 rows and 2 classes"),
        (np.array([["a", "b"]] * 3), "not numbers"),
    ],
)
def test_no_probabilities(given: Any, said: str) -> None:
    """What is no probability is refused, and which is said."""
    with pytest.raises(PredictionRefused, match=said):
        answers.scores([0, 1, 0], rows=3, classes=(0, 1), probabilities=given)


def test_probabilities_that_do_not_sum_to_one() -> None:
    """Of a model that judges each class by itself they are taken as they are."""
    shares = np.array([[0.9, 0.8, 0.1]])
    scores = answers.scores(["a"], rows=1, classes=("a", "b", "c"), probabilities=shares)
    assert scores.probabilities is not None
    assert scores.probabilities.tolist() == shares.tolist()


def test_nameless_table() -> None:
    """A table of probabilities is one where it may be: its predictions are indices."""
    scores = answers.scores(SHARES, rows=3, nameless=True)
    assert scores.classes == ()
    assert scores.predictions.tolist() == [0, 1, 0]
    sent = unpack_scores(unpack(pack_scores(scores)), ())
    assert sent.probabilities is not None
    assert sent.classes == ()


def test_a_frame_names_its_probabilities() -> None:
    """The columns of a frame are the classes, and cross the process with the answers."""
    frame = pd.DataFrame(SHARES, columns=["no", "yes"])
    scores = unpack_scores(unpack(pack_scores(answers.scores(frame, rows=3, nameless=True))), ())
    assert scores.classes == ("no", "yes")
    assert scores.predictions.tolist() == ["no", "yes", "no"]


@pytest.mark.parametrize(
    "table", [SHARES * 2, SHARES - 1, np.array([["a", "b"]] * 3), SHARES[:, :1]], ids=stable
)
def test_what_is_no_table_of_probabilities(table: Any) -> None:
    """Numbers that are no probabilities are outputs, one or several for each row."""
    scores = answers.scores(table, rows=3, nameless=True)
    assert scores.probabilities is None
    assert len(scores.outputs) == (0 if table.shape[1] == 1 else 2)


@pytest.mark.parametrize(
    "table",
    [
        np.array([[0.7, 0.3], [np.nan, np.nan], [0.5, 0.5]]),
        np.full((3, 2), np.nan),
        pd.DataFrame({"no": [0.7, 0.4, 0.5], "yes": [0.3, 0.6, np.nan]}),
    ],
    ids=["array", "nothing", "frame"],
)
def test_a_table_of_probabilities_with_gaps(table: Any) -> None:
    """A table of probabilities with NaN in it is said to have NaN, and not two outputs."""
    with pytest.raises(PredictionRefused, match="answers NaN as a probability") as caught:
        answers.scores(table, rows=3, nameless=True)
    assert "missing" in caught.value.hint


def test_a_table_of_a_model_that_names_its_classes() -> None:
    """A `predict` that answers probabilities is of the model's classes, a frame's in any order."""
    plain = answers.scores(SHARES, rows=3, classes=("no", "yes"), nameless=True)
    assert plain.predictions.tolist() == ["no", "yes", "no"]
    turned = pd.DataFrame(SHARES[:, ::-1], columns=["yes", "no"])
    scores = answers.scores(turned, rows=3, classes=("no", "yes"), nameless=True)
    assert scores.predictions.tolist() == ["no", "yes", "no"]
    assert scores.probabilities is not None
    assert scores.probabilities.tolist() == SHARES.tolist()


@pytest.mark.parametrize("columns", [[("a", 1), ("a", 2)], ["a", "a"]], ids=["pairs", "twice"])
def test_columns_that_name_no_classes(columns: list[Any]) -> None:
    """A frame whose columns are pairs, or alike, leaves its classes without names."""
    frame = pd.DataFrame(SHARES)
    frame.columns = pd.Index(columns)
    scores = answers.scores(frame, rows=3, nameless=True)
    assert scores.classes == ()
    assert scores.predictions.tolist() == [0, 1, 0]


def test_columns_in_another_order_than_at_import() -> None:
    """A frame's columns are told by their names, wherever they stand."""
    scores = Scores(np.array(["no", "yes", "no"]), SHARES[:, ::-1], classes=("yes", "no"))
    named = answers.named(scores, ("no", "yes"))
    assert named.predictions.tolist() == ["no", "yes", "no"]
    assert named.probabilities is not None
    assert named.probabilities.tolist() == SHARES.tolist()


@pytest.mark.parametrize(
    ("answered", "classes", "labels"),
    [
        (["no", "yes"], ("no", "yes"), ["no", "yes"]),
        ([1, 0], ("no", "yes"), ["yes", "no"]),
        ([True, False], ("no", "yes"), ["yes", "no"]),
        ([True, False], (False, True), [True, False]),
        ([1.0, 2.0], (1, 2), [1, 2]),
    ],
    ids=stable,
)
def test_labels_alone(answered: list[Any], classes: tuple[Any, ...], labels: list[Any]) -> None:
    """Labels without probabilities are the classes themselves, or their positions."""
    found = answers.labelled(Scores(np.array(answered)), classes)
    assert found.predictions.tolist() == labels
    assert found.classes == classes
    assert found.probabilities is None


@pytest.mark.parametrize(
    ("answered", "classes"),
    [(["maybe"], ("no", "yes")), ([0], (1, 2)), ([2], ("no", "yes")), ([np.nan], (0, 1))],
)
def test_labels_that_are_no_class(answered: list[Any], classes: tuple[Any, ...]) -> None:
    """A label that the model was not known to answer is refused, and named."""
    with pytest.raises(PredictionRefused, match=f"{answered[0]}.*, which is none of its 2 classes"):
        answers.labelled(Scores(np.array(answered)), classes)


def test_probabilities_of_what_answered_labels() -> None:
    """Probabilities are refused where the model answered labels when it was imported."""
    with pytest.raises(PredictionRefused, match="answered labels when it was imported"):
        answers.labelled(Scores(np.array([0, 1, 0]), SHARES), ("no", "yes"))


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (Scores(predictions=np.array([0, 1, 0]), probabilities=SHARES), ["no", "yes", "no"]),
        (Scores(predictions=np.array([0, 1, 0]), classes=(0, 1)), ["no", "yes", "no"]),
        (Scores(predictions=np.array([False, True]), classes=(False, True)), ["no", "yes"]),
        (Scores(predictions=np.array([1.0, 0.0]), classes=(0, 1)), ["yes", "no"]),
    ],
    ids=stable,
)
def test_classes_are_named_by_their_place(scores: Scores, labels: list[str]) -> None:
    """0 and 1, or indices of classes without names, become the names they are given."""
    named = answers.named(scores, ("no", "yes"))
    assert named.predictions.tolist() == labels
    assert named.classes == ("no", "yes")
    assert named.probabilities is scores.probabilities


def test_other_numbers_of_names() -> None:
    """As many names as classes are needed."""
    with pytest.raises(PredictionRefused, match="none of its 3 classes"):
        answers.named(Scores(predictions=np.array([0]), classes=(0, 1)), ("a", "b", "c"))


def test_categories() -> None:
    """A column of text becomes the categories that a model knows; a strange one is refused."""
    frame = pd.DataFrame({"job": ["b", None, "a"], "age": [1, 2, 3]})
    made = answers.categorical(frame, {"job": ("a", "b"), "gone": ("x",)})
    assert made["job"].cat.codes.tolist() == [1, -1, 0]
    assert made["age"] is not None
    with pytest.raises(PredictionRefused, match="column 'job' holds 'b', which is none of the 1"):
        answers.categorical(frame, {"job": ("a",)})


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        ((), PredictionType.OTHER),
        ((0, 1), PredictionType.BINARY),
        ((0, 1, 2), PredictionType.MULTICLASS),
    ],
)
def test_type_of(classes: tuple[int, ...], kind: PredictionType) -> None:
    """Two classes are binary."""
    assert answers.type_of(classes) is kind
