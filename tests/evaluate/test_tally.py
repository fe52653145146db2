from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from brinery.evaluate import influence
from brinery.evaluate import tally as tl
from brinery.evaluate.intervals import wilson
from brinery.evaluate.ranking import rank
from brinery.records.estimate import Estimate

COUNTS = np.array([[44, 5, 1], [7, 20, 3], [9, 5, 6]])


def given(counts: Any) -> tl.Tally:
    return tl.Tally(np.asarray(counts), np.asarray(counts), 0.95)


def test_variance_of_kappa_is_that_of_statsmodels() -> None:
    """Kappa's variance is Fleiss, Cohen and Everitt's, as statsmodels has it."""
    theirs = cohens_kappa(COUNTS)
    found = influence.variance(influence.kappa(COUNTS), COUNTS, squares=COUNTS)
    assert found == pytest.approx(theirs.var_kappa)
    ours = tl.kappa(given(COUNTS))
    assert isinstance(ours, Estimate)
    assert ours.value == pytest.approx(theirs.kappa)


def test_interval_of_f1_holds_as_its_share_does() -> None:
    """F1 has the interval of the share of hits among all that is or is called positive."""
    found = tl.f1(given([[50, 10], [20, 30]]), 1).interval
    share = wilson(30 / 60, 60, level=0.95)
    assert found is not None
    assert found.low == pytest.approx(2 * share.low / (1 + share.low))
    assert found.high == pytest.approx(2 * share.high / (1 + share.high))


def test_a_model_without_mistakes_has_intervals() -> None:
    """Where no row is wrong the shares still have a lower end below 1."""
    perfect = given([[30, 0], [0, 20]])
    for found in (
        tl.accuracy(perfect),
        tl.balanced_accuracy(perfect),
        tl.recall(perfect, 1),
        tl.precision(perfect, 0),
        tl.f1(perfect, 1),
    ):
        assert found.interval is not None
        assert found.interval.low < found.interval.high == found.value == 1.0


def test_a_mistake_that_was_not_made_is_said() -> None:
    """A class without rows, or without predictions, has the reason where its interval would be."""
    blind = given([[30, 0], [20, 0]])
    assert tl.precision(blind, 1) == Estimate(
        value=0.0, reason="no row is predicted to be of the class"
    )
    assert tl.recall(given([[30, 5], [0, 0]]), 1).reason == "the class has no row"
    assert tl.matthews(blind).reason == "all rows are of one class, or are predicted to be"
    assert tl.kappa(given([[5, 0], [0, 0]])) == "every row is of one class, and is predicted to be"


def test_weights_widen_an_interval() -> None:
    """Uneven weights leave fewer effective rows, and wider intervals for the same shares."""
    source = np.random.default_rng(0)
    actual, predicted = source.integers(0, 2, 400), source.integers(0, 2, 400)
    weights = source.choice([0.2, 5.0], 400)
    uneven = tl.tally(actual, predicted, n_classes=2, weights=weights, level=0.95)
    even = tl.Tally(uneven.counts * 400 / weights.sum(), uneven.counts * 400 / weights.sum(), 0.95)
    for figure in (tl.accuracy, tl.f1_macro, tl.matthews):
        wide, narrow = figure(uneven), figure(even)
        assert wide.value == pytest.approx(narrow.value)
        assert wide.interval is not None
        assert narrow.interval is not None
        assert wide.interval.high - wide.interval.low > narrow.interval.high - narrow.interval.low


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.31, 0.9, 1.0])
def test_tally_at_a_threshold(threshold: float) -> None:
    """A score that equals the threshold counts as positive, in counts and in squares."""
    source = np.random.default_rng(0)
    positive, score = source.random(50) < 0.5, source.random(50).round(1)
    weights = source.choice([0.5, 2.0], 50)
    found = tl.tally_at(rank(positive, score, weights=weights), threshold, level=0.95)
    caught = (score >= threshold).astype(np.intp)
    direct = tl.tally(positive.astype(np.intp), caught, n_classes=2, weights=weights, level=0.95)
    assert found.counts == pytest.approx(direct.counts)
    assert found.squares == pytest.approx(direct.squares)
    assert not math.isnan(tl.accuracy(found).value)
