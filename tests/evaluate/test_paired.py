from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from brinery.evaluate import moves, paired
from brinery.evaluate.paired import Bools, Floats
from brinery.records.estimate import Interval

modest = settings(max_examples=60, deadline=None)


def outcomes(*, both: int, first: int, second: int, neither: int) -> tuple[Bools, Bools]:
    """Return which rows each of two has right, from the four counts."""
    counts = [both, first, second, neither]
    one = np.repeat([True, True, False, False], counts)
    other = np.repeat([True, False, True, False], counts)
    return one, other


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


def test_mcnemar_has_the_published_figures() -> None:
    """On Bentur's 21 children, p-value and interval are those of Fagerland et al. 2013 and 2014."""
    before, after = outcomes(both=1, first=1, second=7, neither=12)
    found = paired.mcnemar(before, after)
    assert found.difference.value == pytest.approx(6 / 21)
    assert found.p_value == pytest.approx(0.0391, abs=5e-5)
    assert ends(found.difference.interval) == pytest.approx((0.026, 0.517), abs=5e-4)
    assert found.test == "McNemar, mid-p"


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5))
@modest
def test_mid_p_is_the_mean_of_two_exact_ones(won: int, lost: int, rest: int) -> None:
    """One-sided, it lies halfway between the binomial's chance of as much and of more."""
    base, other = outcomes(both=rest, first=lost, second=won, neither=1)
    found = paired.mcnemar(base, other)
    tries = won + lost
    as_much = sum(stats.binom.pmf(k, tries, 0.5) for k in range(won, tries + 1))
    more = sum(stats.binom.pmf(k, tries, 0.5) for k in range(won + 1, tries + 1))
    assert found.p_above == pytest.approx((as_much + more) / 2)
    turned = paired.mcnemar(other, base)
    assert turned.p_below == pytest.approx(found.p_above)
    assert turned.p_value == pytest.approx(found.p_value)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
@modest
def test_tangos_interval_holds_what_its_score_test_does_not_reject(
    won: int, lost: int, rest: int
) -> None:
    """It holds the difference, 0 where McNemar's z does not reject, and turns with the sides."""
    rows = won + lost + rest + 1
    low, high = paired.tango(won, lost, rows=rows)
    assert -1 <= low <= (won - lost) / rows <= high <= 1
    z = (won - lost) / np.sqrt(won + lost) if won + lost else 0.0
    if abs(abs(z) - 1.959964) > 1e-3:
        assert (low < 0 < high) == (abs(z) < 1.959964)
    turned = paired.tango(lost, won, rows=rows)
    assert turned == pytest.approx((-high, -low), abs=1e-9)


def test_tangos_interval_is_as_sure_as_it_says() -> None:
    """Over every outcome of 30 rows it covers the true difference about 95 times in a hundred."""
    rows, shares = 30, (0.25, 0.1, 0.65)
    covered = 0.0
    for won, lost in itertools.product(range(rows + 1), repeat=2):
        if won + lost <= rows:
            low, high = paired.tango(won, lost, rows=rows)
            chance = stats.multinomial.pmf([won, lost, rows - won - lost], rows, shares)
            covered += float(chance) * (low <= shares[0] - shares[1] <= high)
    assert 0.94 <= covered <= 0.965


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=40),
)
@modest
def test_means_are_compared_as_by_a_paired_test(pairs: list[tuple[float, float]]) -> None:
    """Without weights, the deviation of a difference of means is that of the paired t-test."""
    one, other = np.array(pairs).T
    gaps = other - one
    if np.std(gaps) < 1e-6:
        return
    even = np.ones(one.size)
    found = paired.by_moves(moves.mean(one, even), moves.mean(other, even), weights=even)
    low, high = ends(found.difference.interval)
    assert (high - low) / 2 / stats.norm.isf(0.025) == pytest.approx(stats.sem(gaps))
    z = gaps.mean() / stats.sem(gaps)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-9)
    assert found.p_above == pytest.approx(stats.norm.sf(z), abs=1e-9)
    assert found.p_below == pytest.approx(1 - stats.norm.sf(z), abs=1e-9)


def test_weights_are_drawn_with_their_rows() -> None:
    """With weights, the deviation is that of drawing rows, weight and all."""
    random = np.random.default_rng(1)
    rows = 400
    one, other = random.random(rows), random.random(rows) ** 1.2
    weights = random.gamma(1.0, size=rows)
    found = paired.by_moves(moves.mean(one, weights), moves.mean(other, weights), weights=weights)
    low, high = ends(found.difference.interval)
    drawn = random.integers(0, rows, (4000, rows))
    gaps = ((other - one)[drawn] * weights[drawn]).sum(1) / weights[drawn].sum(1)
    assert (high - low) / 2 / stats.norm.isf(0.025) == pytest.approx(gaps.std(), rel=0.06)


def test_what_no_draw_would_change_has_no_interval() -> None:
    """Two that move alike have a difference of 0, a p-value of 1, and the reason."""
    even = np.ones(5)
    figure = moves.mean(np.arange(5.0), even)
    found = paired.by_moves(figure, figure, weights=even)
    assert (found.difference.value, found.p_value) == (0.0, 1.0)
    assert found.difference.interval is None
    assert found.difference.reason == paired.SAME_ANSWERS
    single = paired.by_moves(figure, figure, weights=even[:1])
    assert single.p_value is None
    assert single.difference.reason
    shifted = moves.Moved(figure.value + 1, figure.slope)
    certain = paired.by_moves(figure, shifted, weights=even)
    assert certain.p_value is None
    assert certain.difference.reason


@given(st.integers(1, 300), st.integers(0, 300))
@modest
def test_draws_are_inverted(below: int, above: int) -> None:
    """The p-values count the draws beyond 0, never as none, and the interval agrees with them."""
    draws: Floats = np.concatenate([-np.linspace(1, 2, below), np.linspace(1, 2, above)])
    found = paired.by_draws(float(draws.mean()), draws)
    if np.ptp(draws) == 0:
        return
    total = below + above + 1
    assert found.p_above == pytest.approx((below + 1) / total)
    assert found.p_below == pytest.approx((above + 1) / total)
    assert found.p_value == pytest.approx(min(1, 2 * (min(below, above) + 1) / total))
    low, high = ends(found.difference.interval)
    assert low == pytest.approx(np.quantile(draws, 0.025))
    assert high == pytest.approx(np.quantile(draws, 0.975))
