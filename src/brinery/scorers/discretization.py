"""Numbers told only as lying above thresholds: `Binarizer` and `KBinsDiscretizer`."""

from __future__ import annotations

import copy
import warnings
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers.blocks import in_blocks
from brinery.scorers.data import Array, Data, Declined, Sparse, doubles, finite
from brinery.scorers.interface import Reader, Step, Unsupported, require
from brinery.scorers.origin import Origins, lost

# By how much older versions of scikit-learn raise a value before they look for its bin.
_ABSOLUTE, _RELATIVE = 1e-8, 1e-5
# Up to so many comparisons, all at once are quicker than one after the other.
_AT_ONCE = 1 << 14


class Encoding(TextEnum):
    """How the bin of a value is told."""

    PLACE = "ordinal"
    COLUMNS = "onehot-dense"
    SPARSE_COLUMNS = "onehot"


class Binarize(Struct, Step, frozen=True, kw_only=True, tag=True):
    """1 for each value above a threshold, 0 for others.

    Attributes:
        threshold: the same for all columns.
    """

    threshold: float

    def transform(self, data: Data) -> Data:
        """Return the ones and zeros."""
        if not isinstance(data, Sparse):
            return (finite(doubles(data)) > self.threshold).astype(np.float64)
        if self.threshold < 0:
            raise Declined("a sparse table with a threshold below 0")
        above = finite(doubles(data.values)) > self.threshold
        counts = np.bincount(data.rows()[above], minlength=data.n_rows)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Sparse(starts, data.columns[above], np.ones(int(starts[-1])), width=data.width)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns; none tells its value."""
        return None if origins is None else lost(origins)


class Discretize(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """Each value's bin, by the edges between the bins of its column.

    Attributes:
        edges: (n_features, n_edges) float64, each row rising, infinities at its end where it has
            less.
        encoding: how the bins are told.
        raises: whether a value just below an edge counts as above it, as it does in older versions.
    """

    edges: np.ndarray
    encoding: Encoding
    raises: bool

    def __post_init__(self) -> None:
        """Check that the edges are a table of numbers."""
        shaped = self.edges.ndim == 2 and self.edges.dtype == np.float64  # noqa: PLR2004
        require(shaped and not np.isnan(self.edges).any(), "bins without edges")

    @cached_property
    def _offsets(self) -> Array:
        """Return the first output column of each feature, behind them how many there are."""
        return np.concatenate([[0], np.cumsum((self.edges < np.inf).sum(axis=1) + 1)])

    def transform(self, data: Data) -> Data:
        """Return the bins: one column for each feature, or one for each bin."""
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = finite(doubles(data))
        n_rows, width = table.shape
        require(width == len(self.edges), "bins of other columns")
        bins = in_blocks(self._bins, table)
        if self.encoding is Encoding.PLACE:
            return bins.astype(np.float64)
        offsets = self._offsets
        columns, count = bins + offsets[:-1], int(offsets[-1])
        if self.encoding is Encoding.SPARSE_COLUMNS:
            starts = (
                np.arange(0, (n_rows + 1) * width, width) if width else np.zeros(n_rows + 1, int)
            )
            return Sparse(starts, columns.ravel(), np.ones(columns.size), width=count)
        found = np.zeros((n_rows, count))
        found[np.arange(n_rows)[:, np.newaxis], columns] = 1.0
        return found

    def _bins(self, table: Array) -> Array:
        """Return how many edges lie at or below each value: (n_rows, n_features) int64."""
        if self.raises:
            with np.errstate(over="ignore"):
                table = table + (_ABSOLUTE + _RELATIVE * np.abs(table))
            # What became infinite lies below the infinities behind the edges, too.
            table = np.minimum(table, np.finfo(np.float64).max)
        if len(table) * self.edges.size <= _AT_ONCE:
            return np.count_nonzero(table[:, :, np.newaxis] >= self.edges, axis=2)
        found = np.zeros(table.shape, dtype=np.int64)
        for edges in self.edges.T:
            found += table >= edges
        return found

    def trace(self, origins: Origins) -> Origins:
        """Return which column each bin is of; none tells its value."""
        if origins is None or self.encoding is Encoding.PLACE:
            return None if origins is None else lost(origins)
        counts = np.diff(self._offsets).tolist()
        return [one for count, made in zip(counts, lost(origins)) for one in [made] * count]


def read_binarizer(binarizer: Any, _: Reader) -> Step:
    """Return the node of a fitted `Binarizer`."""
    return Binarize(threshold=float(binarizer.threshold))


def read_k_bins_discretizer(discretizer: Any, _: Reader) -> Step:
    """Return the node of a fitted `KBinsDiscretizer`."""
    dtype = getattr(discretizer, "dtype", None)
    if dtype is not None and np.dtype(dtype) != np.float64:
        raise Unsupported(f"KBinsDiscretizer with dtype {np.dtype(dtype)}")
    if (np.asarray(discretizer.n_bins_) < 1).any():
        raise Unsupported("KBinsDiscretizer of a column without a bin")
    inner = [np.asarray(edges, dtype=np.float64)[1:-1] for edges in discretizer.bin_edges_]
    table = np.full((len(inner), max(map(len, inner), default=0)), np.inf)
    for row, edges in zip(table, inner):
        if not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
            raise Unsupported("KBinsDiscretizer with edges that do not rise")
        row[: len(edges)] = edges
    return Discretize(
        edges=table, encoding=Encoding(discretizer.encode), raises=_raises(discretizer, table)
    )


def _raises(discretizer: Any, edges: Array) -> bool:
    """Return whether a value just below the first edge of a feature is put above it."""
    if not edges.size:
        return False
    asked = copy.copy(discretizer)
    asked.encode = "ordinal"
    below = np.nextafter(np.where(edges[:, 0] < np.inf, edges[:, 0], 0.0), -np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bins = np.asarray(asked.transform(below.reshape(1, -1)))
    return bool((bins > 0).any())


NODES = (Binarize, Discretize)
READERS = {
    "sklearn.Binarizer": read_binarizer,
    "sklearn.KBinsDiscretizer": read_k_bins_discretizer,
}
