"""Products of columns: scikit-learn's `PolynomialFeatures`."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.data import Array, Data, Declined, Sparse, doubles, finite, sparse
from brinery.scorers.interface import Reader, Step, Unsupported, require
from brinery.scorers.origin import Origins, lost, together

# A sparse table is expanded as a dense one; a larger one is for the library.
_LARGEST = 1 << 24
# Up to so many rows, all products are gathered at once; for more, they are made block by block.
_FEW = 32
# Of so many factors nobody makes products; a forged file could keep a scorer busy.
_HIGHEST = 64

# The first factor and the length of each.
Blocks = tuple[tuple[int, int], ...]


class Multiply(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """Products of columns, those of fewer factors first.

    Attributes:
        n_features: how many columns there must be.
        one: whether a column of 1 comes first.
        products: tables of (n_products, n_factors) int64, the columns of each.
    """

    n_features: int
    one: bool
    products: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        """Check the places of the factors."""
        for places in self.products:
            shaped = places.ndim == 2 and places.size > 0 and places.shape[1] <= _HIGHEST  # noqa: PLR2004
            within = shaped and 0 <= places.min() <= places.max() < self.n_features
            require(within, "products of columns that are not there")

    @cached_property
    def _blocks(self) -> tuple[Blocks, ...]:
        """Return, of each table, its blocks, where it has them: their first factor, their length.

        A block is that factor times as many products of the table before, the last ones.
        """
        found: list[Blocks] = [()]
        for before, places in zip(self.products, self.products[1:]):
            firsts, counts = np.unique(places[:, 0], return_counts=True)
            ends = [before[len(before) - count :] for count in counts]
            fits = np.array_equal(np.repeat(firsts, counts), places[:, 0])
            fits = fits and np.array_equal(np.vstack(ends), places[:, 1:])
            found.append(tuple(zip(firsts.tolist(), counts.tolist())) if fits else ())
        return tuple(found)

    def transform(self, data: Data) -> Data:
        """Return the products."""
        is_sparse = isinstance(data, Sparse)
        width = self.one + sum(map(len, self.products))
        if isinstance(data, Sparse) and data.n_rows * max(width, data.width) > _LARGEST:
            raise Declined("a sparse table that is large")
        table = finite(doubles(data))
        require(table.shape[1] == self.n_features, "products of other columns")
        found = np.empty((len(table), width))
        start = int(self.one)
        found[:, :start] = 1.0
        with np.errstate(over="ignore", under="ignore"):
            for places, blocks in zip(self.products, self._blocks):
                end = start + len(places)
                if blocks and len(table) > _FEW and not is_sparse:
                    _fill(found, table, start=start, blocks=blocks)
                else:
                    ordered = places if is_sparse else places[:, ::-1]
                    found[:, start:end] = _product(table, ordered)
                start = end
        return sparse(found) if is_sparse else found

    def trace(self, origins: Origins) -> Origins:
        """Return the columns that stand for themselves, and of which ones the products are."""
        if origins is None:
            return None
        # The 1 is of no column: which one it is said to be of does not matter.
        found = lost(origins[: self.one])
        for places in self.products:
            if places.shape[1] == 1:
                found += [origins[place] for place in places[:, 0].tolist()]
            else:
                found += [together(origins[place] for place in row) for row in places.tolist()]
        return found


def _product(table: Array, places: Array) -> Array:
    """Return products of columns, multiplied from the left: (n_rows, n_products)."""
    found = table[:, places[:, 0]]
    for factor in range(1, places.shape[1]):
        found = found * table[:, places[:, factor]]
    return found


def _fill(found: Array, table: Array, *, start: int, blocks: Blocks) -> None:
    """Put the blocks of a table of products behind the table before it."""
    at = start
    for factor, count in blocks:
        before = found[:, start - count : start]
        np.multiply(before, table[:, factor : factor + 1], out=found[:, at : at + count])
        at += count


def read_polynomial_features(expansion: Any, _: Reader) -> Step:
    """Return the node of a fitted `PolynomialFeatures`."""
    count = int(expansion.n_features_in_)
    least, most = getattr(expansion, "_min_degree", 0), getattr(expansion, "_max_degree", None)
    chosen = combinations if expansion.interaction_only else combinations_with_replacement
    if most is None:
        most = expansion.degree
    if most > _HIGHEST:
        raise Unsupported(f"PolynomialFeatures of degree {most}")
    products = []
    for degree in range(max(1, least), most + 1):
        places = list(chosen(range(count), degree))
        if places:
            products.append(np.array(places, dtype=np.int64))
    return Multiply(n_features=count, one=bool(expansion.include_bias), products=tuple(products))


NODES = (Multiply,)
READERS = {"sklearn.PolynomialFeatures": read_polynomial_features}
