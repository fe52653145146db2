"""How far one more row would move a figure; its square, summed over the rows, is the variance.

A figure is a function of how the rows are distributed, and its influence function is that
function's derivative towards one row (Hampel 1974). What rows of one cell of a confusion matrix,
or of one distinct score, have in common is worked out once for all of them. The module knows
figures; it must not know intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from brinery.evaluate import classification as cls
from brinery.evaluate.ranking import Floats, Ranking


class Influence(NamedTuple):
    """What a row with each distinct score moves, per share of all rows.

    Attributes:
        positives: (n_scores,) where the row is positive.
        negatives: (n_scores,) where it is negative.
    """

    positives: Floats
    negatives: Floats

    def variance(self, ranking: Ranking) -> float:
        """Return the variance of the figure over the rows of a ranking."""
        total = ranking.positives.sum() + ranking.negatives.sum()
        moved = ranking.positive_squares @ np.square(self.positives)
        moved += ranking.negative_squares @ np.square(self.negatives)
        return float(moved / total**2)


def variance(moved: Floats, counts: cls.Counts, *, squares: cls.Counts) -> float:
    """Return the variance of a figure of a confusion matrix.

    Args:
        moved: (k, k) its influence.
        counts: (k, k) confusion matrix.
        squares: (k, k) of the squares of the weights; the counts where there are none.
    """
    return float((squares * np.square(moved)).sum() / counts.sum() ** 2)


def precision(counts: cls.Counts, weights: Floats) -> Floats:
    """Return the influence of a weighted sum of the classes' precisions: (k, k).

    Args:
        counts: (k, k) confusion matrix.
        weights: (k,) of the classes; a class that is never predicted moves nothing.
    """
    share = cls.precision(counts)
    each = _over(weights, counts.sum(axis=0) / counts.sum())
    return np.diag(each) - share * each


def recall(counts: cls.Counts, weights: Floats) -> Floats:
    """Return the influence of a weighted sum of the classes' recalls: (k, k).

    Args:
        counts: (k, k) confusion matrix.
        weights: (k,) of the classes; a class that has no row moves nothing.
    """
    share = cls.recall(counts)
    each = _over(weights, counts.sum(axis=1) / counts.sum())
    return np.diag(each) - (share * each)[:, np.newaxis]


def f_beta(counts: cls.Counts, weights: Floats, *, beta: float) -> Floats:
    """Return the influence of a weighted sum of the classes' F-betas: (k, k).

    Args:
        counts: (k, k) confusion matrix.
        weights: (k,) of the classes; a class that neither is nor is predicted moves nothing.
        beta: 1 for F1.

    Source: Takahashi et al. 2022 give the same variance for the macro F1.
    """
    square = beta**2
    share = cls.f_beta(counts, beta)
    whole = square * counts.sum(axis=1) + counts.sum(axis=0)
    each = _over(weights, whole / counts.sum())
    return np.diag((1 + square) * each) - square * (share * each)[:, np.newaxis] - share * each


def support(counts: cls.Counts, values: Floats) -> Floats:
    """Return what a mean that is weighted by the classes' rows adds to its influence: (k, 1).

    Args:
        counts: (k, k) confusion matrix.
        values: (k,) what is averaged.
    """
    average = np.average(values, weights=counts.sum(axis=1))
    return np.asarray((values - average)[:, np.newaxis])


def kappa(counts: cls.Counts) -> Floats:
    """Return the influence of Cohen's kappa: (k, k).

    Args:
        counts: (k, k) confusion matrix for which kappa is defined.

    Source: Fleiss, Cohen & Everitt 1969.
    """
    right, chance, right_moved, chance_moved = _agreement(counts)
    return right_moved / (1 - chance) - (1 - right) / (1 - chance) ** 2 * chance_moved


def matthews(counts: cls.Counts) -> Floats:
    """Return the influence of the Matthews correlation: (k, k).

    Args:
        counts: (k, k) confusion matrix with at least two actual and two predicted classes.

    Source: the delta method for the phi coefficient, Bishop, Fienberg & Holland 1975.
    """
    right, chance, right_moved, chance_moved = _agreement(counts)
    shares = counts / counts.sum()
    predicted, actual = shares.sum(axis=0), shares.sum(axis=1)
    of_predicted, of_actual = 1 - predicted @ predicted, 1 - actual @ actual
    value = (right - chance) / np.sqrt(of_predicted * of_actual)
    moved = (right_moved - chance_moved) / np.sqrt(of_predicted * of_actual)
    # The variances move by twice what a class's share exceeds the mean share by.
    moved += value * (predicted - predicted @ predicted) / of_predicted
    moved += value * ((actual - actual @ actual) / of_actual)[:, np.newaxis]
    return np.asarray(moved)


def area(ranking: Ranking) -> Influence:
    """Return the influence of the area under the ROC curve.

    Args:
        ranking: of rows of both classes.
    """
    positives, negatives = ranking.positives.sum(), ranking.negatives.sum()
    total = positives + negatives
    below = 1 - (np.cumsum(ranking.negatives) - ranking.negatives / 2) / negatives
    above = (np.cumsum(ranking.positives) - ranking.positives / 2) / positives
    value = ranking.positives @ below / positives
    return Influence(
        (below - value) * (total / positives),
        (above - value) * (total / negatives),
    )


def average_precision(ranking: Ranking) -> Influence:
    """Return the influence of the average precision.

    A row adds its own precision where it is positive, and changes the precision of every cut
    that it is caught by.

    Args:
        ranking: with at least one positive row.
    """
    precision = np.cumsum(ranking.positives)
    rows = np.cumsum(ranking.negatives)
    rows += precision
    total, share = precision[-1], precision[-1] / rows[-1]
    np.divide(precision, rows, out=precision)
    value = ranking.positives @ precision / total
    # What the cuts at and below each score gain and lose by one more row.
    gained = np.divide(ranking.positives, rows, out=rows)
    lost = (gained * precision)[::-1]
    lost = np.cumsum(lost, out=lost)[::-1]
    precision -= value
    precision -= lost
    precision += np.cumsum(gained[::-1])[::-1]
    precision /= share
    lost /= -share
    return Influence(precision, lost)


def _agreement(counts: cls.Counts) -> tuple[float, float, Floats, Floats]:
    """Return accuracy, that of chance, and the influence of both: (k, k)."""
    shares = counts / counts.sum()
    predicted, actual = shares.sum(axis=0), shares.sum(axis=1)
    right, chance = float(np.trace(shares)), float(predicted @ actual)
    return (
        right,
        chance,
        np.eye(len(counts)) - right,
        predicted[:, np.newaxis] + actual - 2 * chance,
    )


def _over(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
