"""One-sided tests of a bound: against their definitions, and how often they err."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from brinery.evaluate import margins, moves, shifted

RANDOM = np.random.default_rng(7)


def test_the_interval_is_the_test_turned_around() -> None:
    """A bound at the interval's lower end has just the p-value that its level leaves over."""
    base, other = RANDOM.random(300) < 0.7, RANDOM.random(300) < 0.8
    found = shifted.shares(base, other, above=0.01, level=0.97).estimate.interval
    assert found is not None
    at_end = shifted.shares(base, other, above=found.low, level=0.97)
    assert at_end.p_value == pytest.approx(0.03, abs=1e-6)
    one, two = (moves.mean(RANDOM.random(300), np.ones(300)) for _ in range(2))
    low = shifted.moved(one, two, above=0.0, level=0.97).estimate.interval
    assert low is not None
    assert shifted.moved(one, two, above=low.low, level=0.97).p_value == pytest.approx(0.03)


def test_a_share_is_tested_exactly() -> None:
    """A share of rows is tested by the binomial itself."""
    right = np.arange(50) < 45
    assert shifted.share(right, above=0.8, level=0.95).p_value == binom.sf(44, 50, 0.8)
    found = shifted.share(right, above=0.8, level=0.95).estimate.interval
    assert found is not None
    assert binom.sf(44, 50, found.low) == pytest.approx(0.05)
    assert binom.cdf(45, 50, found.high) == pytest.approx(0.05)


def test_labels_move_a_figure_as_a_row_more_does() -> None:
    """The slope of a figure of labels is what a row that weighs more does to it."""
    actual, said = (RANDOM.integers(0, 3, 200) for _ in range(2))
    for figure in margins.multiclass_figures().values():
        found = shifted.by_labels(actual, said, n_classes=3, figure=figure)
        weights = np.ones(200)
        weights[11] += 1e-3
        heavier = margins.tally(actual, said, weights=weights, n_classes=3)
        slope = (float(figure(heavier)) - found.value) / 1e-3
        assert found.slope[11] == pytest.approx(slope, rel=0.02, abs=1e-6)
        assert found.slope.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("base", "other", "above", "passes"),
    [
        (0.5, 0.5, 0.0, False),
        (0.5, 0.5, -0.1, True),
        (0.5, 0.9, 0.0, True),
        (0.9, 0.5, 0.0, False),
        (0.5, 0.6, 0.2, False),
    ],
)
def test_figures_that_no_row_tells_apart(
    base: float, other: float, above: float, *, passes: bool
) -> None:
    """Where every row moves a figure alike, all of them speak for the same side."""
    flat = np.zeros(40)
    found = shifted.moved(
        moves.Moved(base, flat), moves.Moved(other, flat), above=above, level=0.95, rows=40
    )
    assert found.p_value is not None
    assert (found.p_value < 0.01) is passes
    assert found.estimate.interval is None
    assert found.estimate.reason


def test_a_perfect_model_beats_a_constant_one() -> None:
    """An area of 1 against one of one half is told apart, though no draw of rows changes either."""
    positive = np.arange(60) < 30
    found = shifted.areas(
        positive, base=np.zeros(60), other=positive.astype(float), above=0.0, level=0.95
    )
    assert found.p_value == 0.5**30


def test_one_row_of_a_class_does_not_tell() -> None:
    """A class with a single row does not tell how far chance moves an area: there is no p-value."""
    positive = np.arange(30) == 3
    base, other = RANDOM.random((2, 30))
    found = shifted.areas(positive, base=base, other=other, above=0.0, level=0.95)
    assert found.p_value is None


def of_shares(above: float) -> float | None:
    """The p-value of two shares whose true difference is the bound."""
    hard, other = RANDOM.random(400), RANDOM.random(400)
    return shifted.shares(
        hard < 0.7, (hard < 0.65) | (other < (0.05 + above) / 0.35), above=above, level=0.95
    ).p_value


def of_areas(above: float) -> float | None:
    """The p-value of two scores that are equally good."""
    del above
    positive = np.arange(400) < 100
    shared = RANDOM.normal(size=400) + positive
    one, two = (shared + RANDOM.normal(size=400) for _ in range(2))
    return shifted.areas(positive, base=one, other=two, above=0.0, level=0.95).p_value


def of_means(above: float) -> float | None:
    """The p-value of two means whose true difference is the bound."""
    one, two = (moves.mean(RANDOM.exponential(size=400), np.ones(400)) for _ in range(2))
    return shifted.moved(one, moves.Moved(two.value + above, two.slope), above=above, level=0.95)[1]


@pytest.mark.parametrize(
    ("kind", "above"),
    [
        *((of_shares, above) for above in (0.0, -0.03, 0.03)),
        *((of_means, above) for above in (0.0, -0.03, 0.03)),
        (of_areas, 0.0),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_how_often_a_test_errs(kind: Callable[[float], float | None], above: float) -> None:
    """Where the true difference is the bound, a test passes about as often as its level says."""
    draws = 1500
    passed = sum((kind(above) or 0.0) <= 0.05 for _ in range(draws))
    assert binom.ppf(0.0005, draws, 0.05) <= passed <= binom.ppf(0.9995, draws, 0.05)
