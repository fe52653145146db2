"""The figures of a confusion matrix, each with its interval.

Shares of rows have Wilson's interval; what is made of several cells has one from its influence
function. The module knows weights; it must not know thresholds, nor which figures a model is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from brinery.evaluate import classification as cls
from brinery.evaluate import influence
from brinery.evaluate.intervals import Bounds, Scale, around, estimate, mean_of, wilson
from brinery.evaluate.ranking import Floats, Ranking
from brinery.records.estimate import Estimate, Interval

ONE_PREDICTION: Final = "every row is predicted to be of one class"

_Influence = Callable[[cls.Counts, Floats], Floats]


class Tally(NamedTuple):
    """How often each class was predicted as each.

    Attributes:
        counts: (k, k) weight of the rows by actual and by predicted class; their number without
            weights.
        squares: (k, k) of the squares of the weights; the counts themselves without weights.
        level: of the intervals, 0 to 1.
    """

    counts: cls.Counts
    squares: cls.Counts
    level: float

    def around(self, value: float, moved: Floats, *, scale: Scale) -> Bounds:
        """Return the interval of a figure whose influence is known: (k, k)."""
        spread = influence.variance(moved, self.counts, squares=self.squares)
        return around(value, spread, scale=scale, level=self.level)


def tally(
    actual: cls.Codes,
    predicted: cls.Codes,
    *,
    n_classes: int,
    weights: Floats | None,
    level: float,
) -> Tally:
    """Return how often each class was predicted as each; (n_rows,) codes and weights."""
    counts = cls.confusion_matrix(actual, predicted, n_classes=n_classes, weights=weights)
    if weights is None:
        return Tally(counts, counts, level)
    squares = np.square(weights)
    return Tally(
        counts,
        cls.confusion_matrix(actual, predicted, n_classes=n_classes, weights=squares),
        level,
    )


def tally_at(ranking: Ranking, threshold: float, *, level: float) -> Tally:
    """Return the (2, 2) tally where a score at or above the threshold is positive."""
    cut = int(np.searchsorted(-ranking.score, -threshold, side="right"))
    counts, squares = (
        np.array(
            [
                [negatives[cut:].sum(), negatives[:cut].sum()],
                [positives[cut:].sum(), positives[:cut].sum()],
            ]
        )
        for negatives, positives in (
            (ranking.negatives, ranking.positives),
            (ranking.negative_squares, ranking.positive_squares),
        )
    )
    return Tally(counts, squares, level)


def accuracy(given: Tally) -> Estimate:
    """Return the share of rows predicted right. Source of the interval: Wilson 1927."""
    total = given.counts.sum() ** 2 / given.squares.sum()
    value = cls.accuracy(given.counts)
    return estimate(value, wilson(value, float(total), level=given.level))


def recall(given: Tally, code: int) -> Estimate:
    """Return the share of a class's rows that are found. Source of the interval: Wilson 1927.

    Of the negative class it is the specificity.
    """
    value = float(cls.recall(given.counts)[code])
    total = given.counts[code].sum()
    if not total:
        return estimate(value, "the class has no row")
    rows = float(total**2 / given.squares[code].sum())
    return estimate(value, wilson(value, rows, level=given.level))


def precision(given: Tally, code: int) -> Estimate:
    """Return the share of a class's predictions that are right. Source of the interval: Wilson."""
    value = float(cls.precision(given.counts)[code])
    total = given.counts[:, code].sum()
    if not total:
        return estimate(value, "no row is predicted to be of the class")
    rows = float(total**2 / given.squares[:, code].sum())
    return estimate(value, wilson(value, rows, level=given.level))


def f1(given: Tally, code: int) -> Estimate:
    """Return the harmonic mean of a class's precision and recall.

    Among the rows that are of the class, or are predicted to be, it is a function that rises of the
    share that are both, F1 = 2J / (1 + J), so that share's interval is taken over.

    Source of the interval: Lam, Gopal & Qian 2023, "Wilson indirect".
    """
    value = float(cls.f1(given.counts)[code])
    hits = given.counts[code, code]
    total = given.counts[code].sum() + given.counts[:, code].sum() - hits
    if not total:
        return estimate(value, "no row is of the class, or is predicted to be")
    squares = given.squares[code].sum() + given.squares[:, code].sum() - given.squares[code, code]
    inner = wilson(float(hits / total), float(total**2 / squares), level=given.level)
    low, high = (2 * end / (1 + end) for end in (inner.low, inner.high))
    return estimate(value, Interval(low=low, high=high, level=given.level, method="Wilson"))


def f_beta(given: Tally, code: int, *, beta: float) -> Estimate:
    """Return a class's F-beta; its interval is the delta method's on the logit scale."""
    value = float(cls.f_beta(given.counts, beta)[code])
    moved = influence.f_beta(given.counts, np.eye(len(given.counts))[code], beta=beta)
    return estimate(value, given.around(value, moved, scale=Scale.LOGIT))


def balanced_accuracy(given: Tally) -> Estimate:
    """Return the mean recall of the classes that have rows.

    Source of the interval: Zou & Donner 2008, of Wilson's for each recall.
    """
    codes = np.flatnonzero(given.counts.sum(axis=1) > 0)
    return _mean([recall(given, int(code)) for code in codes])


def recall_macro(given: Tally) -> Estimate:
    """Return the mean recall of the classes that are present or predicted.

    Source of the interval: Zou & Donner 2008, of Wilson's for each recall.
    """
    parts = [recall(given, int(code)) for code in np.flatnonzero(cls.met(given.counts))]
    whole = float(np.mean([part.value for part in parts]))
    told = [part for part in parts if part.interval is not None]
    inner = _mean(told).interval
    if inner is None or len(told) == len(parts):
        return estimate(whole, inner or "no class has a row")
    share = len(told) / len(parts)
    return estimate(
        whole,
        Interval(
            low=inner.low * share, high=inner.high * share, level=inner.level, method=inner.method
        ),
    )


def precision_macro(given: Tally) -> Estimate:
    """Return the mean precision of the classes that are present or predicted."""
    return _average(given, cls.precision, influence.precision)


def f1_macro(given: Tally) -> Estimate:
    """Return the mean F1 of the classes that are present or predicted.

    Source of the interval: Takahashi et al. 2022, on the logit scale.
    """
    return _average(given, cls.f1, _f1)


def precision_weighted(given: Tally) -> Estimate:
    """Return the mean precision of the classes, each weighted by its rows."""
    return _weighted(given, cls.precision, influence.precision)


def recall_weighted(given: Tally) -> Estimate:
    """Return the mean recall weighted by the classes' rows, which is the accuracy."""
    return accuracy(given)


def f1_weighted(given: Tally) -> Estimate:
    """Return the mean F1 of the classes, each weighted by its rows."""
    return _weighted(given, cls.f1, _f1)


def matthews(given: Tally) -> Estimate:
    """Return the Matthews correlation. Source of the interval: `influence.matthews`, on Fisher's z.

    Itaya et al. 2024 found that scale to cover best.
    """
    value = cls.matthews(given.counts)
    if min(np.count_nonzero(given.counts.sum(axis=axis)) for axis in (0, 1)) < cls.TWO:
        return estimate(value, "all rows are of one class, or are predicted to be")
    return estimate(
        value, given.around(value, influence.matthews(given.counts), scale=Scale.FISHER)
    )


def kappa(given: Tally) -> Estimate | str:
    """Return Cohen's kappa. Source of the interval: Fleiss, Cohen & Everitt 1969, on Fisher's z."""
    if np.count_nonzero(cls.met(given.counts)) < cls.TWO:
        return "every row is of one class, and is predicted to be"
    value = cls.kappa(given.counts)
    return estimate(value, given.around(value, influence.kappa(given.counts), scale=Scale.FISHER))


def gain(given: Tally, gains: Floats) -> Estimate:
    """Return the mean gain of a row.

    Args:
        given: (2, 2).
        gains: (2, 2) of a row by actual and by predicted class.

    Source of the interval: the normal interval of a mean.
    """
    value = float((given.counts * gains).sum() / given.counts.sum())
    return estimate(value, given.around(value, gains - value, scale=Scale.PLAIN))


def _f1(counts: cls.Counts, weights: Floats) -> Floats:
    return influence.f_beta(counts, weights, beta=1.0)


def _mean(parts: list[Estimate]) -> Estimate:
    value = float(np.mean([part.value for part in parts]))
    inner = [part.interval for part in parts if part.interval is not None]
    if len(inner) < len(parts) or not parts:
        return estimate(value, "a class has no row")
    return estimate(value, mean_of([part.value for part in parts], inner))


def _average(given: Tally, measure: cls.Measure, moves: _Influence) -> Estimate:
    present = cls.met(given.counts)
    value = cls.macro(measure, given.counts)
    moved = moves(given.counts, present / present.sum())
    return estimate(value, given.around(value, moved, scale=Scale.LOGIT))


def _weighted(given: Tally, measure: cls.Measure, moves: _Influence) -> Estimate:
    value = cls.weighted(measure, given.counts)
    share = given.counts.sum(axis=1) / given.counts.sum()
    moved = moves(given.counts, share) + influence.support(given.counts, measure(given.counts))
    return estimate(value, given.around(value, moved, scale=Scale.LOGIT))
