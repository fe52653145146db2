from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from brinery.evaluate import ranking as rk
from brinery.evaluate.ranking import Bools, Floats, rank

modest = settings(max_examples=80, deadline=None)
score = st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0, 5e-324, 1 - 1e-16]) | st.floats(0, 1)
Rows = tuple[Bools, Floats, Floats]


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    """Scores and weights of rows of both classes."""
    row = st.tuples(score, st.sampled_from([0.5, 1.0, 3.0]))
    positives = draw(st.lists(row, min_size=1, max_size=20))
    negatives = draw(st.lists(row, min_size=1, max_size=20))
    positive = np.repeat([True, False], [len(positives), len(negatives)])
    order = np.array(draw(st.permutations(range(positive.size))))
    scores, weights = np.array(positives + negatives).T
    return positive[order], scores[order], weights[order]


@given(rows())
@modest
def test_every_way_to_rank_is_the_same(given_rows: Rows) -> None:
    """The sort of bits, that of places and that with weights of 1 group the rows alike."""
    positive, scores, _ = given_rows
    fast = rank(positive, scores)
    slow, places = rk.rank_rows(positive, scores)
    weighed = rank(positive, scores, weights=np.ones(scores.size))
    for other in (slow, weighed):
        for one, same in zip(fast, other, strict=True):
            assert one.tolist() == same.tolist()
    assert (slow.score[places] == scores).all()
    assert np.all(np.diff(fast.score) < 0)
    assert fast.positives.sum() == np.count_nonzero(positive)


@given(rows())
@modest
def test_scores_of_any_sign_are_ranked(given_rows: Rows) -> None:
    """Scores below 0 are ranked as their order says."""
    positive, scores, _ = given_rows
    assert rk.area(rank(positive, scores - 0.5)) == pytest.approx(
        metrics.roc_auc_score(positive, scores - 0.5)
    )


@given(rows())
@modest
def test_separation_is_scipys(given_rows: Rows) -> None:
    """The Kolmogorov-Smirnov distance is scipy's."""
    positive, scores, _ = given_rows
    with warnings.catch_warnings():
        # Of its p-value, which is not what is compared.
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = stats.ks_2samp(scores[positive], scores[~positive]).statistic
    assert rk.separation(rank(positive, scores)).value == pytest.approx(theirs)


@given(rows())
@modest
def test_weighted_figures_agree_with_scikit_learn(given_rows: Rows) -> None:
    """Weighted area and average precision are scikit-learn's."""
    positive, scores, weights = given_rows
    ranking = rank(positive, scores, weights=weights)
    area = metrics.roc_auc_score(positive, scores, sample_weight=weights)
    assert rk.area(ranking) == pytest.approx(area)
    precise = metrics.average_precision_score(positive, scores, sample_weight=weights)
    assert rk.average_precision(ranking) == pytest.approx(precise)


@given(rows())
@modest
def test_taken_shares_rise_to_all(given_rows: Rows) -> None:
    """The share of the positive rows taken rises from none to all, and splits ties evenly."""
    ranking = rank(*given_rows[:2])
    caught = np.cumsum(ranking.positives)
    all_rows = caught + np.cumsum(ranking.negatives)
    found = rk.taken(caught, all_rows, share=np.linspace(0, 1, 30))
    assert (found[0], found[-1]) == pytest.approx((0.0, 1.0), abs=1e-12)
    assert np.all(np.diff(found) >= -1e-12)
    knots = np.append(0.0, all_rows), np.append(0.0, caught / caught[-1])
    assert found == pytest.approx(np.interp(np.linspace(0, 1, 30) * all_rows[-1], *knots))
