from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from brinery.errors import PredictionRefused
from brinery.evaluate.observed import Observed, drawable, drawn, finite
from brinery.evaluate.response import Response, log_odds, response
from brinery.records.contributions import Unit
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores


def observed(scores: Scores, kind: PredictionType, **known: Any) -> Observed:
    table = pa.table({"x": np.arange(len(scores))})
    return Observed(table=table, scores=scores, type=kind, **known)


def test_binary_is_the_positive_class() -> None:
    """Of two classes it is the second, and what is true is whether it was that."""
    chances = np.array([[0.25, 0.75], [0.5, 0.5]])
    scores = Scores(np.array(["a", "b"]), chances)
    made = response(observed(scores, PredictionType.BINARY, classes=("a", "b")))
    assert isinstance(made, Response)
    assert made.classes == ("b",)
    assert made.of(scores).tolist() == [[0.75], [0.5]]
    assert made.in_log_odds().of(scores)[:, 0] == pytest.approx([np.log(3), 0])
    truth = made.truth(np.array(["b", None, "a", "other"], dtype=object))
    assert np.array_equal(truth[:, 0], [1, np.nan, 0, np.nan], equal_nan=True)


def test_log_odds_are_finite() -> None:
    """Probabilities of 0 and 1 have finite log-odds, as far apart as any."""
    found = log_odds(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(found).all()
    assert found == pytest.approx([-found[2], 0, found[2]])


def test_value_has_no_log_odds() -> None:
    """Of a regression it is the value, and it is no probability."""
    scores = Scores(np.array([[1], [2]]))
    made = response(observed(scores, PredictionType.REGRESSION))
    assert isinstance(made, Response)
    assert made.unit is Unit.VALUE
    assert made.in_log_odds() == made
    assert made.of(scores).tolist() == [[1.0], [2.0]]
    assert made.truth(np.array([3, 4])).tolist() == [[3.0], [4.0]]


def test_what_is_no_number_is_refused() -> None:
    """NaN among later answers is an error of the model's, with the number of rows."""
    made = Response(unit=Unit.VALUE)
    with pytest.raises(PredictionRefused, match="2 of 3 rows with no number"):
        made.of(Scores(np.array([1.0, np.nan, np.inf])))
    classes = Response(unit=Unit.PROBABILITY, model_classes=("a", "b"), places=(1,))
    with pytest.raises(PredictionRefused, match="gives no probabilities"):
        classes.of(Scores(np.array(["a"])))


def test_reasons() -> None:
    """No rows, or probabilities of other classes, are said in words."""
    nothing = observed(Scores(np.zeros(0)), PredictionType.REGRESSION)
    assert response(nothing) == "there are no rows"
    two = Scores(np.array(["a"]), np.array([[0.5, 0.5]]))
    three = observed(two, PredictionType.MULTICLASS, classes=("a", "b", "c"))
    assert response(three) == "the model gives 2 probabilities for 3 classes"


def test_finite_is_nan_where_there_is_no_number() -> None:
    """Missing, infinite and text values are NaN."""
    mixed = np.array([1, None, 2.5, np.inf], dtype=object)
    assert np.array_equal(finite(mixed), [1, np.nan, 2.5, np.nan], equal_nan=True)
    assert np.isnan(finite(np.array(["a", "1"]))).all()


def test_drawable_has_seven_digits() -> None:
    """What is drawn is rounded by the size of the largest, whatever that is."""
    for scale in (1e-300, 1.0, 1e300):
        exact = np.array([1.23456789012, -9.87654321098, 0.0]) * scale
        assert drawable(exact) == pytest.approx(exact, abs=1e-6 * scale)
    assert drawable(np.array([0.123456789])).tolist() == [0.1234568]
    assert drawable(np.zeros(2)).tolist() == [0.0, 0.0]


def test_labelled_rows_have_a_label_that_counts() -> None:
    """A row without a label, of an unknown class, or of weight 0 is not labelled."""
    scores = Scores(np.array(["a"] * 4), np.full((4, 2), 0.5))
    actual = np.array(["a", None, "c", "b"], dtype=object)
    known = observed(scores, PredictionType.BINARY, classes=("a", "b"), actual=actual)
    assert known.labelled().tolist() == [0, 3]
    weighed = observed(
        scores,
        PredictionType.BINARY,
        classes=("a", "b"),
        actual=actual,
        weights=np.array([1.0, 1.0, 1.0, 0.0]),
    )
    assert weighed.labelled().tolist() == [0]


def test_drawn_rows_are_in_order_and_alike() -> None:
    """A draw keeps the order of the data, depends on the seed alone, and favours no row."""
    rows = np.arange(100, 200)
    one = drawn(rows, 10, seed=4)
    assert one.tolist() == sorted(set(one.tolist()))
    assert one.tolist() == drawn(rows, 10, seed=4).tolist()
    assert drawn(rows, 100, seed=4) is rows
    counts = np.bincount(
        np.concatenate([drawn(rows, 10, seed=seed) for seed in range(2_000)]), minlength=200
    )[100:]
    assert counts.min() > 140
    assert counts.max() < 260
