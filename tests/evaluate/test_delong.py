from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate import delong
from brinery.evaluate.ranking import Bools, Floats, rank

modest = settings(max_examples=60, deadline=None)
score = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 1e-300]) | st.floats(0, 1)


@st.composite
def ranked(draw: st.DrawFn) -> tuple[Bools, Floats, Floats]:
    """Two scores for rows of both classes, at least two of each."""
    pair = st.tuples(score, score)
    positives = draw(st.lists(pair, min_size=2, max_size=15))
    negatives = draw(st.lists(pair, min_size=2, max_size=15))
    positive = np.repeat([True, False], [len(positives), len(negatives)])
    shuffled = np.array(draw(st.permutations(range(positive.size))))
    one, other = np.array(positives + negatives).T
    return positive[shuffled], one[shuffled], other[shuffled]


def brute(positive: Bools, *scores: Floats) -> tuple[Floats, Floats]:
    """Return areas and their covariance from every pair of a positive and a negative row."""
    kernels = []
    for each in scores:
        high, low = each[positive][:, np.newaxis], each[~positive]
        kernels.append((high > low) + 0.5 * (high == low))
    of_positives = np.array([kernel.mean(axis=1) for kernel in kernels])
    of_negatives = np.array([kernel.mean(axis=0) for kernel in kernels])
    covariance = np.atleast_2d(np.cov(of_positives)) / of_positives.shape[1]
    covariance += np.atleast_2d(np.cov(of_negatives)) / of_negatives.shape[1]
    return np.array([kernel.mean() for kernel in kernels]), covariance


@given(ranked())
@modest
def test_covariance_is_that_of_every_pair(rows: tuple[Bools, Floats, Floats]) -> None:
    """Areas and their covariance are those of the U-statistics over every pair of rows."""
    positive, one, other = rows
    values, covariance = brute(positive, one, other)
    found = delong.areas(positive, [one, other])
    assert found.values == pytest.approx(values)
    assert found.covariance == pytest.approx(covariance, abs=1e-14)
    single = delong.area(rank(positive, one))
    assert single.value == pytest.approx(metrics.roc_auc_score(positive, one))
    assert single.variance == pytest.approx(covariance[0, 0], abs=1e-14)


@given(ranked())
@modest
def test_a_score_compared_with_itself(rows: tuple[Bools, Floats, Floats]) -> None:
    """The difference of a score and a rising function of it has neither size nor variance."""
    positive, one, _ = rows
    found = delong.areas(positive, [one, 2 * one])
    assert found.covariance == pytest.approx(np.full((2, 2), found.covariance[0, 0]), abs=1e-14)


@given(rows=ranked(), data=st.data())
@modest
def test_weighted_areas_agree_with_scikit_learn(
    rows: tuple[Bools, Floats, Floats], data: st.DataObject
) -> None:
    """A weighted area is scikit-learn's, and both functions agree on its variance."""
    positive, one, other = rows
    weight = st.sampled_from([0.5, 1.0, 2.0, 3.7])
    weights = np.array(data.draw(st.lists(weight, min_size=one.size, max_size=one.size)))
    found = delong.areas(positive, [one, other], weights=weights)
    theirs = [metrics.roc_auc_score(positive, s, sample_weight=weights) for s in (one, other)]
    assert found.values == pytest.approx(theirs)
    single = delong.area(rank(positive, one, weights=weights))
    assert single.value == pytest.approx(theirs[0])
    assert single.variance == pytest.approx(found.covariance[0, 0], abs=1e-14)


def test_a_lone_row_has_no_variance() -> None:
    """With one row of a class the area has a value, and no variance that could be known."""
    found = delong.area(rank(np.array([True, False, False]), np.array([0.9, 0.1, 0.2])))
    assert found.value == 1.0
    assert math.isnan(found.variance)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_has_no_area(label: bool) -> None:  # noqa: FBT001
    """Data of one class is refused by both."""
    positive, given_score = np.array([label] * 3), np.array([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="one class"):
        delong.area(rank(positive, given_score))
    with pytest.raises(ValueError, match="one class"):
        delong.areas(positive, [given_score])
