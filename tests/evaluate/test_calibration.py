from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from brinery.evaluate import calibration
from brinery.evaluate.ranking import rank

modest = settings(max_examples=80, deadline=None)
score = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1)


@given(st.lists(st.tuples(st.booleans(), score), min_size=2, max_size=40), st.integers(1, 12))
@modest
def test_bins_are_those_of_scikit_learn(rows: list[tuple[bool, float]], n_bins: int) -> None:
    """The bins and their means are scikit-learn's, and the error is their mean distance."""
    positive = np.array([actual for actual, _ in rows])
    chance = np.array([value for _, value in rows])
    found = calibration.curve(calibration.bins(rank(positive, chance), n_bins=n_bins), level=0.95)
    if positive.any() and not positive.all():
        observed, predicted = calibration_curve(positive, chance, n_bins=n_bins)
        assert found.observed == pytest.approx(observed)
        assert found.predicted == pytest.approx(predicted)
    assert sum(found.rows) == len(rows)
    apart = np.abs(np.subtract(found.observed, found.predicted))
    assert found.error is not None
    assert found.error.value == pytest.approx(np.average(apart, weights=found.rows))
    assert np.less_equal(found.low, found.observed).all()
    assert np.less_equal(found.observed, found.high).all()


def test_probabilities_that_are_right() -> None:
    """Where every probability is right the interval of the error begins at 0."""
    source = np.random.default_rng(0)
    chance = source.random(2000)
    bins = calibration.bins(rank(source.random(2000) < chance, chance), n_bins=10)
    found = calibration.error(bins, level=0.95)
    assert found.interval is not None
    assert found.interval.low == 0.0
    assert found.value > 0.0


def test_probabilities_that_are_wrong() -> None:
    """Where they are 0.1 off the interval is around 0.1."""
    source = np.random.default_rng(0)
    chance = source.uniform(0.2, 0.8, 20_000)
    bins = calibration.bins(rank(source.random(20_000) < chance + 0.1, chance), n_bins=10)
    found = calibration.error(bins, level=0.95).interval
    assert found is not None
    assert 0.08 < found.low < 0.1 < found.high < 0.12
