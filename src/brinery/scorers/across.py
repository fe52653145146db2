"""Figures of each row of a table: column by column where the rows are short.

numpy takes its time over short rows, and none over long columns. To the last bit they are what its
own `max` and `sum` along the rows give.
"""

from __future__ import annotations

import numpy as np

from brinery.scorers.data import Array, Declined

# From so many numbers on numpy adds up a row in so many sums, which it adds up at the end.
_LANES = 8
# Up to so many columns are sooner copied, to lie one after the other, than rows are gone through.
_NARROW = 32
# Up to so many columns, in that many rows, comparing them is sooner than numpy's own search.
_COMPARED = 4
_MANY = 1024
# How near the likelihoods of two classes may come.
_LIKE = 1e-9


def largest(x: Array) -> Array:
    """Return the largest value of each row: (n_rows, 1)."""
    if x.shape[1] > _NARROW:
        return x.max(axis=1, keepdims=True)
    return np.maximum.reduce(x.T.copy(), axis=0)[:, None]


def total(x: Array) -> Array:
    """Return the sum of each row: (n_rows, 1)."""
    if x.shape[1] >= _LANES:
        return x.sum(axis=1, keepdims=True)
    return added(x.T.copy())[:, None]


def added(columns: Array) -> Array:
    """Return the sum of each row, of columns that lie one after the other: (n_rows,).

    Args:
        columns: (n_columns, n_rows), at most 128 columns, which may be changed: numpy adds up
            longer rows in halves.
    """
    if len(columns) < _LANES:
        return np.add.reduce(columns, axis=0)
    lanes, rest = columns[:_LANES], len(columns) % _LANES
    stop = len(columns) - rest
    for first in range(_LANES, stop, _LANES):
        lanes += columns[first : first + _LANES]
    while len(lanes) > 1:
        lanes = lanes[0::2] + lanes[1::2]
    sums: Array = lanes[0]
    for column in columns[stop:]:
        sums += column
    return sums


def likeliest(x: Array) -> Array:
    """Return the place of the largest value of each row, the first of equal ones: (n_rows,) int64.

    A value that is no number counts as the largest, as for numpy.

    Args:
        x: (n_rows, n_classes), at least one class.
    """
    if len(x) < _MANY or x.shape[1] > _COMPARED:
        return x.argmax(axis=1)
    columns = x.T.copy()
    most = np.maximum.reduce(columns, axis=0)
    if np.isnan(most).any():
        return x.argmax(axis=1)
    # How many of the first columns are all below the largest is the place of the first that is not.
    below = columns[0] < most
    places = below.astype(np.int64)
    for column in columns[1:-1]:
        below &= column < most
        places += below
    return places


def tied(x: Array, *, within: float) -> Array:
    """Return whether the two largest values of each row are as good as equal: (n_rows,) booleans.

    Args:
        x: (n_rows, n_classes).
        within: how far apart they may be, in parts of the largest where that is above 1.
    """
    most = largest(x)
    near = x >= most - within * np.maximum(1.0, np.abs(most))
    return np.add.reduce(near.T, axis=0, dtype=np.int64) > 1


def told_apart(likelihoods: Array) -> Array:
    """Return the logarithms of likelihoods, of which no row has two classes as good as tied.

    Their last bits hang on how a table lies, so a label may not hang on them.

    Args:
        likelihoods: (n_rows, n_classes).

    Raises:
        Declined: a row has.
    """
    if tied(likelihoods, within=_LIKE).any():
        raise Declined("two classes are as good as tied")
    return likelihoods


def softmax(x: Array) -> Array:
    """Return the softmax of each row: (n_rows, n_classes)."""
    powers = np.exp(x - largest(x))
    shares: Array = powers / total(powers)
    return shares
