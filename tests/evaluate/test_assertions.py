from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import InvalidAssertions
from brinery.evaluate.assertions import judge, refuse_unfit
from brinery.records.assertion import AssertionResult, Outcome
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.specs.assertions import Assertion

CLASSES = ("no", "yes")
TABLE = pa.table({"age": [30, 60, 70, 80, None], "job": ["a", "a", "b", "b", "b"]})
LABELS = np.array(["no", "yes", "yes", "no", "yes"], dtype=object)
CHANCES = np.array([0.1, 0.9, 0.6, 0.4, np.nan])
SCORES = Scores(LABELS, np.column_stack([1 - CHANCES, CHANCES]), CLASSES)
VALUES = Scores(np.array([1.0, 2.0, 3.0, np.nan, -1.0]))


def judged(given: Scores = SCORES, /, **declared: Any) -> AssertionResult:
    (found,) = judge([Assertion.model_validate(declared)], TABLE, scores=given)
    assert msgspec.json.decode(msgspec.json.encode(found), type=AssertionResult) == found
    return found


def test_a_class() -> None:
    """An assertion passes where the share of rows of the class is large enough."""
    found = judged(where="age >= 60", classes="yes", min_ratio=2 / 3)
    assert (found.outcome, found.rows, found.valid) == (Outcome.PASS, 3, 2)
    assert found.ratio == pytest.approx(2 / 3)
    assert found.examples == (3,)
    assert found.expected == "'yes'"
    assert judged(where="age >= 60", classes="yes").outcome is Outcome.FAIL
    assert judged(where="age >= 60", classes=["no", "yes"]).outcome is Outcome.PASS


def test_a_probability() -> None:
    """A probability may be asserted; one that is no number is in no range."""
    found = judged(probability={"of": "yes", "at_least": 0.5})
    assert (found.rows, found.valid, found.examples) == (5, 2, (0, 3, 4))
    found = judged(probability={"of": "no", "at_least": 0.4, "at_most": 0.6}, where="age > 60")
    assert (found.outcome, found.valid) == (Outcome.PASS, 2)


def test_a_value() -> None:
    """The values of a regression may be asserted; one that is no number is in no range."""
    found = judged(VALUES, value={"at_least": 1, "at_most": 3})
    assert (found.rows, found.valid, found.examples) == (5, 3, (3, 4))
    assert judged(VALUES, value={"at_most": 3}, min_ratio=0.8).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("scores", "declared", "why"),
    [
        (SCORES, {"where": "age > 99", "class": "yes"}, "no row matches"),
        (SCORES, {"where": "agee > 9", "class": "yes"}, "the data has no column 'agee': did you"),
        (SCORES, {"where": "age == 'x'", "class": "yes"}, "column 'age' holds numbers"),
        (SCORES, {"value": {"at_least": 0}}, "the model answers with classes, and no value"),
        (VALUES, {"probability": {"of": 1, "at_least": 0}}, "the model gives no probabilities"),
        (SCORES, {"probability": {"of": "so", "at_least": 0}}, "the model has no class 'so'"),
        (Scores(LABELS), {"value": {"at_least": 0}}, "not every answer of the model is a number"),
        (Scores(np.ones((5, 2))), {"class": 1}, "the model answers each row with several values"),
    ],
)
def test_what_cannot_be_told_is_undefined(
    scores: Scores, declared: dict[str, Any], why: str
) -> None:
    """An assertion that cannot be told is undefined, with the reason."""
    found = judged(scores, **declared)
    assert found.outcome is Outcome.UNDEFINED
    assert found.reason.startswith(why)
    assert found.ratio is None


def test_other_spellings_of_a_class() -> None:
    """A class is known in the spellings in which labels are known."""
    scores = Scores(np.array([1, 1, 1, 0, 1]), None, (0, 1))
    assert judged(scores, where="age == 60", classes=1.0).outcome is Outcome.PASS
    assert judged(scores, where="age == 60", classes="1").outcome is Outcome.PASS
    truth = Scores(np.array([True, True, True, False, True]), None, (False, True))
    assert judged(truth, where="age == 60", classes="True").outcome is Outcome.PASS


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.floats(0.01, 1))
def test_ratio(right: list[bool], least: float) -> None:
    """An assertion passes just where the ratio is at least what was asked."""
    table = pa.table({"x": [0] * len(right)})
    scores = Scores(np.where(right, 1.0, 0.0))
    declared = Assertion.model_validate({"value": {"at_least": 1}, "min_ratio": least})
    (found,) = judge([declared], table, scores=scores)
    assert found.ratio == sum(right) / len(right)
    enough = found.ratio >= least - 1e-12
    assert found.outcome is (Outcome.PASS if enough else Outcome.FAIL)
    assert len(found.examples) == min(10, right.count(False))


def test_every_misfit_at_once() -> None:
    """What does not fit the data or the model is told at once, before anything is judged."""
    declared = [
        Assertion.model_validate({"name": "a", "where": "agee > 1 and job > 2", "class": "yess"}),
        Assertion.model_validate({"name": "b", "value": {"at_least": 0}}),
        Assertion.model_validate({"name": "c", "probability": {"of": "maybe", "at_most": 1}}),
    ]
    with pytest.raises(InvalidAssertions) as caught:
        refuse_unfit(declared, TABLE.schema, type=PredictionType.BINARY, classes=CLASSES)
    assert caught.value.message.split("; ") == [
        "'a': the data has no column 'agee': did you mean 'age'?",
        "'a': column 'job' holds texts, and 2 is none",
        "'a': the model has no class 'yess': did you mean 'yes'?",
        "'b': the model answers with classes, and no value: expect a class, or a probability",
        "'c': the model has no class 'maybe': it has 'no', 'yes'",
    ]
    fit = [Assertion.model_validate({"where": "age > 1", "class": "yes"})]
    refuse_unfit(fit, TABLE.schema, type=PredictionType.BINARY, classes=CLASSES)
    with pytest.raises(InvalidAssertions, match="the model is a regression and has no classes"):
        refuse_unfit(fit, TABLE.schema, type=PredictionType.REGRESSION)
