from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate import regression as reg

if TYPE_CHECKING:
    from collections.abc import Callable

Pairs = tuple[reg.Floats, reg.Floats]

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
