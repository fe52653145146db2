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


# Albumin, total protein, K-G score and whether surgery would not help, of 43 patients: the example
# of DeLong et al. 1988, as SAS/STAT's guide to PROC LOGISTIC has it, with these results.
PATIENTS = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6  5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0  4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7  8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1  5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2  5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6  5 1
"""


def test_published_example() -> None:
    """Areas, standard errors and paired differences are those of DeLong's own example."""
    table = np.array(PATIENTS.split(), np.float64).reshape(-1, 4)
    albumin, protein, score, popind = table.T
    found = delong.areas(popind == 0, [-albumin, -protein, score])
    assert found.values == pytest.approx([0.7366, 0.6478, 0.7258], abs=5e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors == pytest.approx([0.0927, 0.1000, 0.1028], abs=5e-5)
    for other, difference, error, squared in (
        (0, 0.0108, 0.0953, 0.0127),
        (1, -0.0780, 0.1046, 0.5554),
    ):
        step = np.zeros(3)
        step[[other, 2]] = 1, -1
        apart, variance = step @ found.values, step @ found.covariance @ step
        assert apart == pytest.approx(difference, abs=5e-5)
        assert np.sqrt(variance) == pytest.approx(error, abs=5e-5)
        assert apart**2 / variance == pytest.approx(squared, abs=5e-5)
