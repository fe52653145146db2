"""The figures of a regression, in numpy: each is one small function of two arrays.

Values agree with scikit-learn's functions, except that what is undefined raises here where
scikit-learn puts a number in its place. A value too large for a float64 comes out as infinity.
The module must not know which figures a model is given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def mae(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error, 0 and up, in the unit of the target.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.
    """
    return float(np.abs(actual - predicted).mean())


def rmse(actual: Floats, predicted: Floats) -> float:
    """Return the root of the mean squared error, 0 and up, in the unit of the target.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.
    """
    return float(np.sqrt(np.square(actual - predicted).mean()))


def r2(actual: Floats, predicted: Floats) -> float:
    """Return the share of the target's variance that is explained, 1 and down.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.

    Raises:
        ValueError: the target is constant, so there is no variance to explain.

    Source: Wright 1921, the coefficient of determination.
    """
    if actual.min() == actual.max():
        raise ValueError("undefined where the target is constant")
    unexplained = np.square(actual - predicted).sum()
    return float(1 - unexplained / np.square(actual - actual.mean()).sum())


def mape(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error relative to the target, 0 and up; 0.1 is ten percent.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.

    Raises:
        ValueError: a target is 0.

    Source: de Myttenaere et al. 2016.
    """
    if not actual.all():
        raise ValueError("undefined where a target is 0")
    return float(np.abs((actual - predicted) / actual).mean())


class Ordered(NamedTuple):
    """Values in order.

    Attributes:
        values: (n_values,) ascending.
        reached: (n_values,) share of the weight at and below each.
        rows: how many there are; with weights, the effective number.
    """

    values: Floats
    reached: Floats | None
    rows: float

    def at(self, share: float) -> float:
        """Return the value below which this share of the weight lies.

        Where it lies between two values it is their mean, so that one half is the median.

        Args:
            share: 0 to 1.

        Source: Hyndman & Fan 1996, definition 2.
        """
        last = self.values.size - 1
        if self.reached is None:
            place = share * self.values.size
            whole = round(place)
            if abs(place - whole) < 1e-9 * max(place, 1.0):
                low, high = whole - 1, whole
            else:
                low = high = int(place)
        else:
            low = int(np.searchsorted(self.reached, share - 1e-12, side="left"))
            high = int(np.searchsorted(self.reached, share + 1e-12, side="right"))
        low, high = min(max(low, 0), last), min(max(high, 0), last)
        return float(self.values[low] / 2 + self.values[high] / 2)


def ordered(values: Floats, weights: Floats | None) -> Ordered:
    """Return values in order.

    Args:
        values: (n_rows,) at least one.
        weights: (n_rows,) above 0; None where each row counts once.
    """
    if weights is None:
        return Ordered(np.sort(values), None, values.size)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    reached /= reached[-1]
    return Ordered(values[order], reached, float(weights.sum() ** 2 / (weights @ weights)))


def pinball_parts(actual: Floats, predicted: Floats, *, share: float) -> Floats:
    """Return each row's loss as a forecast of a quantile, 0 and up: (n_rows,).

    Args:
        actual: (n_rows,).
        predicted: (n_rows,).
        share: which quantile, 0 to 1; at one half it is half the absolute error.

    Source: Koenker & Bassett 1978.
    """
    over = predicted - actual
    return np.maximum(over * (1 - share), over * -share)


class Ranks(NamedTuple):
    """The places of values in their order, ties sharing theirs.

    Attributes:
        middle: (n_rows,) weight of the rows below, and half of that of the tied ones, as a share.
        place: (n_rows,) which of the distinct values each is, from the lowest.
    """

    middle: Floats
    place: npt.NDArray[np.intp]

    def at_or_above(self, values: Floats) -> Floats:
        """Return for each row the sum of others' values over rows above it, half of ties: (n,)."""
        tied = np.bincount(self.place, values)
        return np.asarray((np.cumsum(tied[::-1])[::-1] - tied / 2)[self.place])


def ranks(values: Floats, weights: Floats | None) -> Ranks:
    """Return each value's place in the order.

    Args:
        values: (n_rows,).
        weights: (n_rows,) above 0; None where each row counts once.
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    first = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    weight = np.ones(values.size) if weights is None else weights[order]
    tied = np.add.reduceat(weight, first)
    middle = np.cumsum(tied)
    middle -= tied / 2
    place = np.empty(values.size, np.intp)
    place[order] = np.repeat(np.arange(first.size), np.diff(np.append(first, values.size)))
    return Ranks((middle / weight.sum())[place], place)
