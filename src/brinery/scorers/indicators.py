"""Which values were missing: scikit-learn's `MissingIndicator`."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.data import (
    Array,
    Columns,
    Data,
    Declined,
    Sparse,
    complete,
    dense,
    sparse,
    unbounded,
    width_of,
)
from brinery.scorers.interface import Reader, Step, Unsupported, require
from brinery.scorers.origin import Origins, lost


class Indicate(Struct, Step, frozen=True, kw_only=True, tag=True):
    """1 for each missing value of some columns, 0 for others.

    Attributes:
        places: (n_indicators,) int64, which columns.
        of: how many there must be.
        missing: the number that stands for a missing value; None where NaN does.
        strict: whether the library refuses missing values in other columns.
        sparse: whether the result is a sparse table; None where it is if the data is.
    """

    places: np.ndarray
    of: int
    missing: Optional[float] = None
    strict: bool
    sparse: Optional[bool] = None

    def __post_init__(self) -> None:
        """Check the places."""
        within = self.places.size == 0 or 0 <= self.places.min() <= self.places.max() < self.of
        require(self.places.ndim == 1 and within, "indicators of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return the ones and zeros."""
        require(width_of(data) == self.of, "indicators of other columns")
        holes = self._holes(data)
        found = holes[:, self.places]
        if self.strict and np.count_nonzero(holes) > np.count_nonzero(found):
            raise Declined("a value is missing where none was at the fit")
        wanted = isinstance(data, Sparse) if self.sparse is None else self.sparse
        table = found.astype(np.float64)
        return sparse(table) if wanted else table

    def _holes(self, data: Data) -> Array:
        """Return which values are missing: (n_rows, n_columns) bool."""
        if self.missing is not None:
            if isinstance(data, Sparse) and self.missing == 0:
                raise Declined("a sparse table of which zeros are missing")
            return complete(data) == self.missing
        if isinstance(data, Columns) and any(array.dtype == object for array in data.arrays):
            return np.column_stack([array != array for array in data.arrays])  # noqa: PLR0124
        return np.isnan(unbounded(dense(data)))

    def trace(self, origins: Origins) -> Origins:
        """Return the columns that are told of; none tells its value."""
        return None if origins is None else lost([origins[at] for at in self.places.tolist()])


def read_missing_indicator(indicator: Any, _: Reader) -> Step:
    """Return the node of a fitted `MissingIndicator`."""
    missing = indicator.missing_values
    if isinstance(missing, bool) or not isinstance(missing, (int, float, np.number)):
        raise Unsupported("MissingIndicator with missing values that are no numbers")
    wanted = indicator.sparse
    return Indicate(
        places=np.asarray(indicator.features_, dtype=np.int64),
        of=int(indicator.n_features_in_),
        missing=None if np.isnan(missing) else float(missing),
        strict=bool(indicator.features == "missing-only" and indicator.error_on_new),
        sparse=None if wanted == "auto" else bool(wanted),
    )


NODES = (Indicate,)
READERS = {"sklearn.MissingIndicator": read_missing_indicator}
