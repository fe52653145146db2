"""How likely a group of rows is to be this far from the whole, were it drawn from it by lot.

The sum of some rows' values is compared with what a draw of as many rows without replacement sums
up to: its first three moments are known exactly, and Pearson's type III has them too. So no row is
drawn, and a rare error or a long tail does not make small groups look more different than they are.
The module knows sums; it must not know figures.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincc, ndtr, stdtr

Floats = npt.NDArray[np.float64]

# Below this skewness, the normal distribution cannot be told from Pearson's, which would overflow.
_LEAST_SKEW = 1e-4


class Moments(NamedTuple):
    """The moments of the sums of draws; all (n_groups,), or one value where all are alike.

    Attributes:
        variance: of the sum.
        third: its third central moment.
    """

    variance: Floats
    third: Floats

    def scaled(self, factor: Floats) -> Moments:
        """Return the moments of the sums times a factor: (n_groups,)."""
        return Moments(self.variance * factor**2, self.third * factor**3)

    def plus(self, other: Moments) -> Moments:
        """Return the moments of the sums of these and others that are drawn apart."""
        return Moments(self.variance + other.variance, self.third + other.third)


class Population(NamedTuple):
    """All rows, as far as draws of them depend on their values.

    Attributes:
        rows: how many.
        second: the mean of their squares.
        third: the mean of their cubes.
    """

    rows: int
    second: float
    third: float

    @classmethod
    def of(cls, values: Floats) -> Population:
        """Return that of some values: (n_rows,) whose sum is 0."""
        squares = np.square(values)
        rows = max(values.size, 1)
        return cls(values.size, float(squares.sum()) / rows, float(values @ squares) / rows)


def of_draws(population: Population, sizes: Floats) -> Moments:
    """Return the moments of the sum of rows that are drawn by lot, without replacement.

    Args:
        population: all rows.
        sizes: (n_groups,) how many rows are drawn, 0 to all.

    Source: Cochran 1977, section 2.6; Sukhatme 1944 for the third moment.
    """
    rows = population.rows
    left = rows - sizes
    variance = sizes * left / max(rows - 1, 1) * population.second
    skewed = sizes * left * (left - sizes) / max((rows - 1) * (rows - 2), 1) * population.third
    return Moments(variance, skewed)


def two_sided(sums: Floats, moments: Moments) -> Floats:
    """Return how likely a sum is to be at least this far out on its side, doubled: (n_groups,).

    Args:
        sums: (n_groups,) as found; they would be 0 on average.
        moments: of sums under chance; those without variance give NaN.

    Source: Mielke, Berry & Johnson 1976 for Pearson's type III with the moments of a permutation.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(moments.variance)
        z = sums / deviation
        skew = moments.third / deviation**3
        side = np.where(skew < 0, -1.0, 1.0)
        size = np.maximum(np.abs(skew), _LEAST_SKEW)
        shape = 4 / size**2
        at = np.maximum(shape + side * z * 2 / size, 0.0)
        below = np.where(size > _LEAST_SKEW, gammainc(shape, at), ndtr(side * z))
        above = np.where(size > _LEAST_SKEW, gammaincc(shape, at), ndtr(-side * z))
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))


def welch(
    difference: Floats, *, variances: tuple[Floats, Floats], sizes: tuple[Floats, Floats]
) -> Floats:
    """Return how likely two means are to differ by this much, were they equal: (n_groups,).

    Args:
        difference: (n_groups,) of the means.
        variances: of the one mean and of the other, each (n_groups,).
        sizes: how many rows they are of, each (n_groups,) and above 1.

    Source: Welch 1947.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(difference) / np.sqrt(variances[0] + variances[1])
        return np.asarray(2 * stdtr(freedom(variances, sizes=sizes), -t))


def freedom(variances: tuple[Floats, Floats], *, sizes: tuple[Floats, Floats]) -> Floats:
    """Return the degrees of freedom of the sum of two variances: (n_groups,).

    Args:
        variances: of two means, each (n_groups,).
        sizes: how many rows they are of, each (n_groups,) and above 1.

    Source: Satterthwaite 1946; Welch 1947.
    """
    parts = [np.square(one) / (size - 1) for one, size in zip(variances, sizes, strict=True)]
    return np.asarray(np.square(variances[0] + variances[1]) / (parts[0] + parts[1]))
