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
        return _weighted(positive, score, weights)
    values = score + 0.0  # -0.0 becomes 0.0, whose bits sort as its value does
    if values.min() < 0:
        return _weighted(positive, values, None)
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


def _weighted(positive: Bools, score: Floats, weights: Floats | None) -> Ranking:
    order = np.argsort(-score, kind="stable")
    ranked = score[order] + 0.0
    first = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    told = positive[order]
    weight = np.ones(score.size) if weights is None else weights[order]
    positives = np.add.reduceat(np.where(told, weight, 0.0), first)
    negatives = np.add.reduceat(np.where(told, 0.0, weight), first)
    if weights is None:
        return Ranking(ranked[first], positives, negatives, positives, negatives)
    np.square(weight, out=weight)
    return Ranking(
        ranked[first],
        positives,
        negatives,
        np.add.reduceat(np.where(told, weight, 0.0), first),
        np.add.reduceat(np.where(told, 0.0, weight), first),
    )
