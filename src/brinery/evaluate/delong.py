"""How sure the area under a ROC curve is, and the difference of two on the same rows.

An area is the mean of what each positive row outranks; how much these differ from row to row says
how sure the mean is. The module knows areas, variances and covariances; it must not know levels of
confidence, nor which models are compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from brinery.evaluate.ranking import Bools, Floats, Ranking


class Area(NamedTuple):
    """The area under a ROC curve.

    Attributes:
        value: 0 to 1.
        variance: of the value; NaN where a class has a single row.
    """

    value: float
    variance: float


class Areas(NamedTuple):
    """The areas of several scores of the same rows.

    Attributes:
        values: (n_scores,) 0 to 1.
        covariance: (n_scores, n_scores) of the values; NaN where a class has a single row.
    """

    values: Floats
    covariance: Floats


def area(ranking: Ranking) -> Area:
    """Return the area under the ROC curve of one score, with its variance.

    Args:
        ranking: of rows of both classes.

    Raises:
        ValueError: only one class is present.

    Source: DeLong, DeLong & Clarke-Pearson 1988, by midranks as Sun & Xu 2014.
    """
    positives, negatives = ranking.positives.sum(), ranking.negatives.sum()
    if not (positives and negatives):
        raise ValueError("undefined where only one class is present")
    # Each positive row's share of the negatives that it outranks, and the other way round.
    below = np.cumsum(ranking.negatives)
    below -= ranking.negatives / 2
    below = np.subtract(negatives, below, out=below)
    below /= negatives
    value = float(ranking.positives @ below / positives)
    spread = _variance(below, ranking.positives, squares=ranking.positive_squares, mean=value)
    above = np.cumsum(ranking.positives)
    above -= ranking.positives / 2
    above /= positives
    spread += _variance(above, ranking.negatives, squares=ranking.negative_squares, mean=value)
    return Area(value, float(spread))


def areas(positive: Bools, scores: Sequence[Floats], *, weights: Floats | None = None) -> Areas:
    """Return the areas of several scores of the same rows, with their covariance.

    Args:
        positive: (n_rows,) whether a row is of the positive class.
        scores: (n_scores,) arrays of (n_rows,) each, finite; only their order matters.
        weights: (n_rows,) 0 and up; None where each row counts once.

    Raises:
        ValueError: only one class is present.

    Source: DeLong, DeLong & Clarke-Pearson 1988, by midranks as Sun & Xu 2014.
    """
    if positive.all() or not positive.any():
        raise ValueError("undefined where only one class is present")
    weight = np.ones(positive.size) if weights is None else weights
    parts = [_parts(positive, score, weight=weight) for score in scores]
    covariance = np.zeros((len(scores), len(scores)))
    values = np.zeros(len(scores))
    for caught in (True, False):
        rows = positive == caught
        share = weight[rows] / weight[rows].sum()
        components = np.array([part[rows] for part in parts])
        values = components @ share
        centred = (components - values[:, np.newaxis]) * share
        covariance += centred @ centred.T * _unbiased((share**2).sum())
    return Areas(values, covariance)


def _parts(positive: Bools, score: Floats, *, weight: Floats) -> Floats:
    """Return for each row the share of the other class that it is on the right side of.

    Ties count half: (n_rows,).
    """
    order = np.argsort(score, kind="stable")
    ranked, told, weighed = score[order], positive[order], weight[order]
    first = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    sizes = np.diff(np.append(first, score.size))
    found = np.empty(score.size)
    for caught in (True, False):
        other = np.add.reduceat(np.where(told == caught, 0.0, weighed), first)
        below = np.cumsum(other) - other / 2
        share = below / other.sum()
        found[order[told == caught]] = np.repeat(share, sizes)[told == caught]
    return np.where(positive, found, 1 - found)


def _variance(values: Floats, weights: Floats, *, squares: Floats, mean: float) -> float:
    total = weights.sum()
    centred = values - mean
    np.square(centred, out=centred)
    return float(squares @ centred / total**2) * _unbiased(squares.sum() / total**2)


def _unbiased(concentration: float) -> float:
    """Return n / (n - 1) for 1 / n; with weights n is the effective number of rows."""
    return float(1 / (1 - concentration)) if concentration < 1 else math.nan
