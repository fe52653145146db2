from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from brinery.evaluate import continuous
from brinery.evaluate import regression as reg

if TYPE_CHECKING:
    from collections.abc import Callable

Pairs = tuple[reg.Floats, reg.Floats]

modest = settings(max_examples=80, deadline=None)
values = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    rows = draw(st.lists(st.tuples(values, values), min_size=2, max_size=40))
    actual, predicted = np.array(rows, np.float64).T
    return actual, predicted


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(reg.mae, metrics.mean_absolute_error), (reg.rmse, metrics.root_mean_squared_error)],
)
@given(pair=pairs())
@settings(max_examples=80, deadline=None)
def test_errors_agree_with_scikit_learn(
    ours: Callable[[reg.Floats, reg.Floats], float],
    theirs: Callable[[reg.Floats, reg.Floats], float],
    pair: Pairs,
) -> None:
    """The errors in the target's unit are scikit-learn's."""
    assert ours(*pair) == pytest.approx(theirs(*pair), rel=1e-12)


@given(pairs().filter(lambda pair: np.ptp(pair[0]) > 1e-3))
@settings(max_examples=80, deadline=None)
def test_r2_agrees_with_scikit_learn(pair: Pairs) -> None:
    """R2 is scikit-learn's where the target varies."""
    assert reg.r2(*pair) == pytest.approx(metrics.r2_score(*pair), rel=1e-9)


@given(pairs().filter(lambda pair: bool(pair[0].all())))
@settings(max_examples=80, deadline=None)
def test_mape_agrees_with_scikit_learn(pair: Pairs) -> None:
    """MAPE is scikit-learn's where no target is 0."""
    theirs = metrics.mean_absolute_percentage_error(*pair)
    assert reg.mape(*pair) == pytest.approx(theirs, rel=1e-12)


def test_r2_needs_variance() -> None:
    """R2 of a constant target is refused, also where its mean is off by rounding."""
    with pytest.raises(ValueError, match="constant"):
        reg.r2(np.full(3, 0.1), np.array([0.1, 0.2, 0.3]))


def test_mape_needs_no_zero() -> None:
    """MAPE of a target that is 0 somewhere is refused, and is no huge number."""
    with pytest.raises(ValueError, match="0"):
        reg.mape(np.array([1.0, 0.0]), np.array([1.0, 1.0]))


def test_a_perfect_regression() -> None:
    """Predictions that equal the target have no error and explain everything."""
    target = np.array([1.0, -2.0, 3.5])
    assert (reg.mae(target, target), reg.rmse(target, target), reg.mape(target, target)) == (
        0,
        0,
        0,
    )
    assert reg.r2(target, target) == 1.0


@given(st.lists(values, min_size=1, max_size=30), st.sampled_from([0.05, 0.25, 0.5, 0.9]))
@modest
def test_quantiles_agree_with_numpy(drawn: list[float], share: float) -> None:
    """A quantile is numpy's of the second definition, with weights of 1 too; half is the median."""
    given_values = np.array(drawn)
    theirs = np.quantile(given_values, share, method="averaged_inverted_cdf")
    assert reg.ordered(given_values, None).at(share) == pytest.approx(theirs)
    assert reg.ordered(given_values, np.ones(len(drawn))).at(share) == pytest.approx(theirs)
    assert reg.ordered(given_values, None).at(0.5) == pytest.approx(np.median(given_values))


@given(st.lists(st.tuples(values, st.integers(1, 4)), min_size=1, max_size=20))
@modest
def test_weighted_quantiles_are_of_repeated_rows(rows: list[tuple[float, int]]) -> None:
    """A weight of 3 counts as three equal values."""
    amounts, repeats = np.array([v for v, _ in rows]), np.array([r for _, r in rows])
    repeated = reg.ordered(np.repeat(amounts, repeats), None)
    weighted = reg.ordered(amounts, repeats.astype(np.float64))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert weighted.at(share) == pytest.approx(repeated.at(share))


@given(st.lists(values, min_size=2, max_size=30))
@modest
def test_ranks_are_scipys(drawn: list[float]) -> None:
    """Ranks share ties as scipy's do."""
    found = reg.ranks(np.array(drawn), None).middle
    assert found * len(drawn) + 0.5 == pytest.approx(stats.rankdata(drawn))


@pytest.mark.parametrize("digits", [0, 6])
def test_correlations_are_scipys(digits: int) -> None:
    """Pearson's and Spearman's correlation are scipy's, with ties and without."""
    source = np.random.default_rng(0)
    actual = source.normal(size=200).round(digits)
    predicted = (actual + source.normal(size=200)).round(digits)
    found = continuous.figures(continuous.Rows(actual, predicted, None), level=0.95)
    pearson, spearman = found["pearson"], found["spearman"]
    assert not isinstance(pearson, str)
    assert not isinstance(spearman, str)
    assert pearson.value == pytest.approx(stats.pearsonr(actual, predicted).statistic)
    assert spearman.value == pytest.approx(stats.spearmanr(actual, predicted).statistic)


@given(pairs(), st.sampled_from([0.1, 0.5, 0.9]))
@modest
def test_pinball_agrees_with_scikit_learn(
    pair: tuple[reg.Floats, reg.Floats], share: float
) -> None:
    """The pinball loss is scikit-learn's."""
    theirs = metrics.mean_pinball_loss(*pair, alpha=share)
    assert reg.pinball_parts(*pair, share=share).mean() == pytest.approx(theirs)
