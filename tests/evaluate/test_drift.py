"""How far two sets of rows are apart, beside figures that are computed by hand or by scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brinery.evaluate.drift import (
    DriftOptions,
    column,
    drift,
    independent,
    right_guesses,
    stability,
)
from brinery.records.drift import Handling

ROWS = 800


def frame(seed: int = 1, shift: float = 0.0) -> pd.DataFrame:
    """Rows with a number that may be shifted, a category, noise and a code."""
    source = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "number": source.normal(shift, 1.0, ROWS),
            "category": np.where(source.random(ROWS) < 0.3, "a", "b"),
            "noise": source.normal(size=ROWS),
            "code": source.integers(0, 3, ROWS),
        }
    )


def test_rows_of_one_source_cannot_be_told_apart() -> None:
    """The accuracy is near one half, its interval holds it, and chance explains it."""
    found = drift(frame(3), frame(4))
    assert found.accuracy is not None
    assert found.accuracy.interval is not None
    assert found.accuracy.interval.low < 0.5 < found.accuracy.interval.high
    assert found.p_value is not None
    assert found.p_value > 0.01
    assert sum(found.importance.values()) == pytest.approx(1)


def test_the_column_that_moved_is_found() -> None:
    """A shifted column is told by the classifier, its importance, and its own test."""
    found = drift(frame(), frame(2, 2.0))
    assert found.accuracy is not None
    assert found.accuracy.value > 0.75
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert max(found.importance, key=lambda name: found.importance[name]) == "number"
    columns = {one.name: one for one in found.columns}
    assert columns["number"].ks is not None
    assert columns["number"].ks < 1e-6
    assert columns["number"].psi is not None
    assert columns["number"].psi > 0.25
    assert columns["noise"].psi is not None
    assert columns["noise"].psi < 0.1


def test_the_tests_of_a_number_are_scipys() -> None:
    """The p-value and the distance are those of the two samples, without what is missing."""
    one, other = frame()["number"], frame(2, 0.3)["number"]
    other = other.mask(other.index % 50 == 0)
    found = column("number", reference=one, current=other, options=DriftOptions())
    there = other.dropna()
    assert found.ks == pytest.approx(stats.ks_2samp(one, there).pvalue)
    assert found.distance == pytest.approx(stats.wasserstein_distance(one, there))
    assert found.current[-1] == pytest.approx(other.isna().mean())


def test_the_test_of_a_category_is_by_hand() -> None:
    """Chi-square of a 2 by 2 table, without a correction: n (ad - bc)² over the margins."""
    a, b, c, d = 30.0, 70.0, 45.0, 55.0
    square = (a + b + c + d) * (a * d - b * c) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
    p_value = independent(np.array([a, b]), np.array([c, d]))
    assert p_value == pytest.approx(stats.chi2.sf(square, 1))
    assert independent(np.array([5.0]), np.array([9.0])) == 1.0


def test_the_stability_index_is_by_hand() -> None:
    """The sum of (actual - expected) times the logarithm of their ratio; finite also at 0."""
    expected, actual = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    by_hand = -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    assert stability(expected, actual) == pytest.approx(by_hand)
    assert stability(expected, expected) == 0.0
    assert np.isfinite(stability(np.array([1.0, 0.0]), np.array([0.0, 1.0])))


def test_the_accuracy_is_tested_by_the_binomial() -> None:
    """60 of 100 right guesses: the p-value is the upper tail of 100 tosses of a coin."""
    accuracy, p_value = right_guesses(60, 100, level=0.95)
    assert p_value == pytest.approx(stats.binom.sf(59, 100, 0.5))
    by_scipy = stats.binomtest(60, 100).proportion_ci(0.95, method="wilson")
    assert accuracy.interval is not None
    assert (accuracy.interval.low, accuracy.interval.high) == pytest.approx(by_scipy, abs=1e-9)


def test_how_columns_are_compared_can_be_said() -> None:
    """A number may be compared by value, or left out; the default is told beside it."""
    one, other = frame(), frame(2)
    asked = DriftOptions(handling={"code": Handling.CATEGORICAL, "noise": Handling.IGNORED})
    columns = {found.name: found for found in drift(one, other, options=asked).columns}
    assert (columns["code"].handling, columns["code"].default) == (
        Handling.CATEGORICAL,
        Handling.NUMERICAL,
    )
    assert columns["code"].labels == ("0", "1", "2")
    assert columns["noise"].psi is None


def test_what_cannot_be_compared_says_why() -> None:
    """Columns of one side alone, and few rows, have a reason in place of a figure."""
    found = drift(frame().head(10), frame().drop(columns="noise"))
    assert "too few" in found.reason
    columns = {one.name: one for one in found.columns}
    assert "no such column" in columns["noise"].reason


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_answers_are_compared_as_a_column(kind: str) -> None:
    """Labels by chi-square, numbers by Kolmogorov and Smirnov, both by the stability index."""
    one = np.random.default_rng(3).random(ROWS)
    answers = (one, one + 0.5) if kind == "numbers" else (one > 0.5, one > 0.9)
    found = drift(frame(), frame(), answers=answers).predictions
    assert found is not None
    assert (found.chi_square is None) == (kind == "numbers")
    assert (found.ks is None) == (kind == "labels")
    assert found.psi is not None
    assert found.psi > 0.1
