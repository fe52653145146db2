"""How many of the rows of the other class each row is on the right side of, in every group at once.

The area under a ROC curve is the mean of these shares, and how much they differ tells how sure it
is. Rows are sorted by score once; each column then only needs them parted by group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate.rowwise import Ranked

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

_SMALL: int = np.iinfo(np.int16).max


class Sorted(NamedTuple):
    """Rows by rising score.

    Attributes:
        order: (n_rows,) places of the rows, by score.
        rank: (n_rows,) in that order: the number of the score among the distinct ones.
        positive: (n_rows,) in that order: whether a row is of the positive class.
        weights: (n_rows,) in that order.
    """

    order: Codes
    rank: Codes
    positive: npt.NDArray[np.bool_]
    weights: Floats


class Areas(NamedTuple):
    """The area under the ROC curve in each group; all (n_groups,).

    Attributes:
        value: 0 to 1; NaN where one class has no row.
        positives: weight of the rows of the positive class.
        negatives: weight of the others.
        placements: (n_rows,) of each row in its own group, 0 to 1: the share of the other class's
            weight that it is on the right side of; ties count half.
    """

    value: Floats
    positives: Floats
    negatives: Floats
    placements: Floats


def by_score(ranked: Ranked, *, weights: Floats) -> Sorted:
    """Return the rows by rising score.

    Args:
        ranked: (n_rows,) classes and finite scores.
        weights: (n_rows,) 0 and up.
    """
    order = np.argsort(ranked.score, kind="stable")
    score = ranked.score[order]
    rank = np.append(0, np.cumsum(score[1:] != score[:-1])) if score.size else order
    return Sorted(order, rank, ranked.positive[order], weights[order])


def areas(rows: Sorted, codes: Codes, *, n_groups: int) -> Areas:
    """Return the area under the ROC curve in each group.

    Args:
        rows: by score.
        codes: (n_rows,) the group of each row, in the order of the data.
        n_groups: how many there are.

    Source: DeLong, DeLong & Clarke-Pearson 1988; the placements by ranks, Sun & Xu 2014.
    """
    group = codes[rows.order]
    # Whole numbers of 16 bits are sorted without comparing them.
    small = group.astype(np.int16) if n_groups <= _SMALL else group
    parted = np.argsort(small, kind="stable")
    group, rank = group[parted], rows.rank[parted]
    positive, weights = rows.positive[parted], rows.weights[parted]
    first = np.flatnonzero(np.append(True, (group[1:] != group[:-1]) | (rank[1:] != rank[:-1])))
    run = np.diff(np.append(first, group.size))
    of_run = group[first]
    won = np.add.reduceat(np.where(positive, weights, 0.0), first)
    lost = np.add.reduceat(np.where(positive, 0.0, weights), first)
    positives = _totals(of_run, won, n_groups)
    negatives = _totals(of_run, lost, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        beaten = _within(lost, of_run, negatives) / negatives[of_run]
        above = 1 - _within(won, of_run, positives) / positives[of_run]
        hits = np.bincount(of_run, weights=won * beaten, minlength=n_groups)
        value = np.where(negatives > 0, hits / positives, np.nan)
    placements = np.empty(group.size)
    placed = np.where(positive, np.repeat(beaten, run), np.repeat(above, run))
    placements[rows.order[parted]] = placed
    return Areas(value, positives, negatives, placements)


def _totals(of_run: Codes, amounts: Floats, n_groups: int) -> Floats:
    return np.bincount(of_run, weights=amounts, minlength=n_groups).astype(np.float64, copy=False)


def _within(amounts: Floats, of_run: Codes, totals: Floats) -> Floats:
    """Return the sum of the amounts below each run in its group, and half of the run's own."""
    before = np.cumsum(totals) - totals
    return np.cumsum(amounts) - amounts / 2 - before[of_run]
