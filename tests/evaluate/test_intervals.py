from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from brinery.evaluate.intervals import (
    FEW,
    SAME,
    Scale,
    around,
    estimate,
    mean,
    mean_of,
    shifted,
    student,
    wilson,
)
from brinery.records.estimate import Interval

modest = settings(max_examples=100, deadline=None)


@given(total=st.integers(1, 10_000), share=st.floats(0, 1), level=st.sampled_from([0.9, 0.95]))
@modest
def test_wilson_is_scipys(total: int, share: float, level: float) -> None:
    """Wilson's interval is scipy's, at both ends of the range too."""
    hits = round(share * total)
    theirs = stats.binomtest(hits, total).proportion_ci(level, method="wilson")
    found = wilson(hits / total, total, level=level)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert found.low <= hits / total <= found.high


@pytest.mark.parametrize("freedom", [5, 10, 30, 1000])
def test_student_is_scipys(freedom: int) -> None:
    """The expansion of Student's t is right to 0.2 % from 5 degrees of freedom on."""
    assert student(0.95, freedom=freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)


def test_interval_of_a_mean() -> None:
    """The interval of a mean is Student's."""
    values = np.random.default_rng(0).normal(3, 2, 40)
    found = mean(values, weights=None, level=0.95)
    low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-4)
    assert found.interval.method == "Student's t"


@given(
    value=st.floats(0.01, 0.99),
    variance=st.floats(1e-10, 0.05),
    scale=st.sampled_from(Scale),
)
@modest
def test_an_interval_stays_where_the_figure_may_be(
    value: float, variance: float, scale: Scale
) -> None:
    """An interval holds its figure and does not leave the range of its scale."""
    found = around(value, variance, scale=scale, level=0.95)
    assert isinstance(found, Interval)
    low, high = {
        Scale.PLAIN: (-math.inf, math.inf),
        Scale.LOG: (0.0, math.inf),
        Scale.LOGIT: (0.0, 1.0),
        Scale.FISHER: (-1.0, 1.0),
    }[scale]
    assert low <= found.low < value < found.high <= high


@pytest.mark.parametrize("scale", Scale)
def test_small_variances_give_the_same_interval_on_every_scale(scale: Scale) -> None:
    """Where chance moves little, all scales are the normal interval."""
    found = around(0.6, 1e-10, scale=scale, level=0.95)
    assert isinstance(found, Interval)
    assert (found.low, found.high) == pytest.approx((0.6 - 1.96e-5, 0.6 + 1.96e-5), abs=1e-8)


def test_what_the_rows_do_not_tell_is_said() -> None:
    """A variance that is unknown, or none, gives the reason instead of an interval."""
    assert around(0.5, math.nan, level=0.95) == FEW
    assert around(0.5, 0.0, level=0.95) == SAME
    assert around(1.0, 0.1, scale=Scale.LOGIT, level=0.95) == SAME
    assert around(-1.0, 0.1, scale=Scale.FISHER, level=0.95) == SAME
    assert mean(np.array([2.0]), weights=None, level=0.95).reason == FEW
    assert mean(np.array([2.0, 2.0]), weights=None, level=0.95).reason == SAME
    assert estimate(1.0, FEW).interval is None


def test_a_mean_of_shares_that_are_all_one() -> None:
    """The mean of shares has an interval also where no row was wrong."""
    part = wilson(1.0, 20, level=0.95)
    found = mean_of([1.0, 1.0], [part, part])
    assert found.high == 1.0
    assert part.low < found.low < 1.0


def test_an_interval_under_a_function() -> None:
    """The root of an interval is that of its ends; one less it, the ends turned."""
    inner = Interval(low=0.04, high=0.25, method="delta")
    root, rest = shifted(inner, "sqrt"), shifted(inner, "complement")
    assert isinstance(root, Interval)
    assert isinstance(rest, Interval)
    assert (root.low, root.high) == pytest.approx((0.2, 0.5))
    assert (rest.low, rest.high) == pytest.approx((0.75, 0.96))
    assert shifted("no", "sqrt") == "no"


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_published_examples_of_wilson(hits: int, total: int, low: float, high: float) -> None:
    """Wilson's intervals are those of the examples of Newcombe 1998, table I."""
    found = wilson(hits / total, total, level=0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
