from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from brinery.evaluate.chance import Floats, Moments, Population, of_draws, two_sided, welch

few = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=4, max_size=9)


@given(few, st.data())
@settings(max_examples=60, deadline=None)
def test_moments_are_those_of_every_draw(values: list[float], data: st.DataObject) -> None:
    """The moments of a draw's sum are those over all the draws that there are."""
    given = np.array(values) - np.mean(values)
    size = data.draw(st.integers(1, given.size))
    sums = np.array([given[list(one)].sum() for one in combinations(range(given.size), size)])
    found = of_draws(Population.of(given), np.array([float(size)]))
    assert found.variance[0] == pytest.approx(sums.var(), abs=1e-6)
    assert found.third[0] == pytest.approx((sums**3).mean(), rel=1e-6, abs=1e-3)


def test_shares_as_by_the_hypergeometric_distribution() -> None:
    """The moments of a number of hits are those of the hypergeometric distribution."""
    hits = np.repeat([1.0, 0.0], [30, 70])
    found = of_draws(Population.of(hits - hits.mean()), np.array([20.0]))
    variance, skew = stats.hypergeom(100, 30, 20).stats("vs")
    assert found.variance[0] == pytest.approx(variance)
    assert found.third[0] / found.variance[0] ** 1.5 == pytest.approx(skew)


@pytest.mark.parametrize("skew", [-1.5, -0.3, 0.0, 0.3, 1.5])
def test_tails_are_those_of_pearsons_third(skew: float) -> None:
    """A sum is placed by the distribution of type III that has its first three moments."""
    z = np.array([-3.0, -1.0, 0.0, 0.5, 2.0, 4.0])
    deviation = 2.0
    moments = Moments(np.full(z.size, deviation**2), np.full(z.size, skew * deviation**3))
    law = stats.pearson3(skew)
    expected = np.minimum(2 * np.minimum(law.cdf(z), law.sf(z)), 1.0)
    assert two_sided(z * deviation, moments) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_nothing_to_tell() -> None:
    """Where every draw sums up to the same, there is no p-value."""
    none = np.zeros(1)
    assert np.isnan(two_sided(none, Moments(none, none))).all()


def rarely_wrong(rng: np.random.Generator, rows: int) -> Floats:
    return (rng.random(rows) < 0.02).astype(np.float64)


def long_tailed(rng: np.random.Generator, rows: int) -> Floats:
    return rng.exponential(size=rows) ** 2


@pytest.mark.parametrize("draw", [rarely_wrong, long_tailed])
def test_small_groups_raise_no_false_alarms(draw: object) -> None:
    """Groups of 40 rows drawn by lot are alarms at their level, rare errors or long tails alike."""
    assert callable(draw)
    rng = np.random.default_rng(3)
    values = draw(rng, 5_000)
    values = values - values.mean()
    sums = np.array([rng.permutation(values)[:40].sum() for _ in range(4_000)])
    p_values = two_sided(sums, of_draws(Population.of(values), np.full(sums.size, 40.0)))
    for level in (0.05, 0.01, 0.002):
        allowed = level * 4_000 + 3 * np.sqrt(level * 4_000)
        assert np.count_nonzero(p_values <= level) <= allowed


@given(st.integers(3, 30), st.integers(3, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_welch_is_scipys(one: int, other: int, seed: int) -> None:
    """The test of two means with variances of their own is that of scipy."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=one), rng.normal(1, 3, size=other)
    expected = stats.ttest_ind(left, right, equal_var=False).pvalue
    found = welch(
        np.array([left.mean() - right.mean()]),
        variances=(np.array([left.var(ddof=1) / one]), np.array([right.var(ddof=1) / other])),
        sizes=(np.array([float(one)]), np.array([float(other)])),
    )
    assert found[0] == pytest.approx(expected)
