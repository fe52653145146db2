"""Rows in the order of their scores, ties as one: what every figure of a ranking is made from.

One sort, then each figure is a sum over distinct scores. The module knows what a cut catches; it
must not know which figures a model is given, nor how sure they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


class Ranking(NamedTuple):
    """Rows grouped by distinct score, the highest first; all (n_scores,).

    Attributes:
        score: descending, each once.
        positives: weight of the positive rows that have it; their number without weights.
        negatives: weight of the negative rows that have it.
        positive_squares: sum of the squares of the positive rows' weights.
        negative_squares: sum of the squares of the negative rows' weights.
    """

    score: Floats
    positives: Floats
    negatives: Floats
    positive_squares: Floats
    negative_squares: Floats


def rank(positive: Bools, score: Floats, *, weights: Floats | None = None) -> Ranking:
    """Return the rows grouped by distinct score.

    Args:
        positive: (n_rows,) whether a row is of the positive class; at least one row.
        score: (n_rows,) finite.
        weights: (n_rows,) finite, 0 and up; None where each row counts once.
    """
    if weights is not None:
        return rank_rows(positive, score, weights=weights)[0]
    values = score + 0.0  # -0.0 becomes 0.0, whose bits sort as its value does
    if values.min() < 0:
        return rank_rows(positive, values)[0]
    # The bits of floats from 0 up sort as whole numbers do, and leave the sign's bit for the class:
    # one sort of plain numbers, which numpy does several times faster than one of places.
    keys = values.view(np.uint64)
    keys <<= np.uint64(1)
    keys |= positive
    keys.sort()
    caught = np.cumsum(keys & np.uint64(1), dtype=np.uint32)
    keys >>= np.uint64(1)
    last = np.append(np.flatnonzero(keys[1:] != keys[:-1]), keys.size - 1)
    distinct = keys[last].view(np.float64)
    positives = np.diff(caught[last].astype(np.float64), prepend=0.0)
    negatives = np.diff(last.astype(np.float64), prepend=-1.0) - positives
    positives, negatives = positives[::-1], negatives[::-1]
    return Ranking(distinct[::-1], positives, negatives, positives, negatives)


def rank_rows(
    positive: Bools, score: Floats, *, weights: Floats | None = None
) -> tuple[Ranking, Indices]:
    """Return the rows grouped by distinct score, and (n_rows,) which of the scores each row has.

    Args:
        positive: (n_rows,) whether a row is of the positive class; at least one row.
        score: (n_rows,) finite.
        weights: (n_rows,) finite, 0 and up; None where each row counts once.
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order] + 0.0
    first = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    told = positive[order]
    weight = np.ones(score.size) if weights is None else weights[order]
    sums = _sums(told, weight, first=first)
    squares = sums if weights is None else _sums(told, np.square(weight), first=first)
    places = np.empty(score.size, np.intp)
    places[order] = np.repeat(np.arange(first.size), np.diff(np.append(first, score.size)))
    return Ranking(ranked[first], *sums, *squares), places


def _sums(positive: Bools, weight: Floats, *, first: Indices) -> tuple[Floats, Floats]:
    return (
        np.add.reduceat(np.where(positive, weight, 0.0), first),
        np.add.reduceat(np.where(positive, 0.0, weight), first),
    )


class Cut(NamedTuple):
    """A threshold and what a figure is there.

    Attributes:
        value: of the figure.
        threshold: the score at and above which a row counts as positive.
        place: which of the distinct scores that is.
    """

    value: float
    threshold: float
    place: int


def area(ranking: Ranking) -> float:
    """Return how often a positive row outranks a negative one, 0 to 1; a tie counts half.

    Args:
        ranking: of rows of both classes.

    Source: Mann & Whitney 1947; Hanley & McNeil 1982.
    """
    below = np.cumsum(ranking.negatives)
    negatives = below[-1]
    below -= ranking.negatives / 2
    total = ranking.positives.sum()
    return float(1 - ranking.positives @ below / (total * negatives))


def average_precision(ranking: Ranking) -> float:
    """Return the precision at each cut, weighted by the recall gained there, above 0 to 1.

    Args:
        ranking: with at least one positive row.

    Source: Manning et al. 2008, without interpolation.
    """
    precision = np.cumsum(ranking.positives)
    caught = precision.copy()
    caught += np.cumsum(ranking.negatives)
    total = precision[-1]
    np.divide(precision, caught, out=precision)
    return float(ranking.positives @ precision / total)


def best(values: Floats, score: Floats) -> Cut:
    """Return the cut where a figure is highest.

    Of equal ones it is the one whose score is nearest to 0.5, and of two as near, the higher.

    Args:
        values: (n_scores,) the figure at each cut.
        score: (n_scores,) descending.
    """
    highest = values.max()
    # Equal figures may differ in the last bits where they are sums of weights.
    tied = np.flatnonzero(values >= highest - 1e-13 * abs(highest))
    place = int(tied[np.abs(score[tied] - 0.5).argmin()])
    return Cut(float(values[place]), float(score[place]), place)


def best_f1(ranking: Ranking) -> Cut:
    """Return the cut with the highest F1, of all the distinct scores.

    Args:
        ranking: with at least one positive row.
    """
    caught = np.cumsum(ranking.positives)
    whole = np.cumsum(ranking.negatives)
    whole += caught
    whole += caught[-1]
    return best(2 * caught / whole, ranking.score)


def separation(ranking: Ranking) -> Cut:
    """Return the largest distance between what a cut catches of either class, 0 to 1.

    Args:
        ranking: of rows of both classes.

    Source: Kolmogorov 1933 and Smirnov 1939, the two-sample statistic.
    """
    apart = np.cumsum(ranking.positives)
    apart /= apart[-1]
    caught = np.cumsum(ranking.negatives)
    caught /= caught[-1]
    apart -= caught
    np.abs(apart, out=apart)
    place = int(apart.argmax())
    return Cut(float(apart[place]), float(ranking.score[place]), place)


def taken(caught: Floats, rows: Floats, *, share: Floats) -> Floats:
    """Return how much of the positive weight is among the highest scores.

    Where a share ends within a tie, the rows of the tie are taken in proportion.

    Args:
        caught: (n_scores,) weight of the positive rows at and above each score, above 0 at last.
        rows: (n_scores,) weight of all rows at and above each score.
        share: (n_shares,) of the weight of all rows, 0 to 1.

    Returns:
        (n_shares,) 0 to 1.
    """
    wanted = share * rows[-1]
    last = np.searchsorted(rows, wanted, side="left").clip(0, rows.size - 1)
    before = np.where(last > 0, rows[last - 1], 0.0)
    held = np.where(last > 0, caught[last - 1], 0.0)
    part = (wanted - before) / (rows[last] - before)
    return np.asarray((held + part * (caught[last] - held)) / caught[-1])
