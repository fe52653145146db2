"""Missing values filled in: scikit-learn's `SimpleImputer`."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.scorers import rows
from brinery.scorers.data import (
    Columns,
    Data,
    beside,
    column_of,
    dense,
    finite,
    is_finite,
    is_nan,
    missing_in,
    rows_of,
    unbounded,
    width_of,
)
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.origin import Origins, lost


class Impute(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Numbers, where one is missing another.

    Attributes:
        fills: (n_features,) what is filled in; NaN where the column is dropped.
        missing: the number that means a missing one, beside NaN; None where NaN does.
        indicators: (n_indicators,) int64, of which columns is told, as 1, that they were missing.
        kept: whether columns without a value to fill in are kept.
    """

    fills: np.ndarray
    missing: Optional[float] = None
    indicators: np.ndarray
    kept: np.ndarray

    def __post_init__(self) -> None:
        """Check the places."""
        require(self.fills.ndim == 1, "an imputer of strange columns")
        count = len(self.fills)
        for places in (self.indicators, self.kept):
            inside = places.size == 0 or 0 <= places.min() <= places.max() < count
            require(places.ndim == 1 and inside, "an imputer of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return the numbers, none missing, and the indicators behind them."""
        table = dense(data)
        require(table.shape[1] == len(self.fills), "an imputer of other columns")
        usual = self.missing is None and not len(self.indicators)
        if usual and len(self.kept) == len(self.fills) and is_finite(table):
            return table
        if self.missing is None:
            holes = np.isnan(table)
            unbounded(table)
        else:
            holes = table == self.missing
            finite(table)
        filled = np.where(holes, self.fills, table) if holes.any() else table
        if len(self.kept) < len(self.fills):
            filled = filled[:, self.kept]
        if len(self.indicators):
            return np.hstack([filled, holes[:, self.indicators]])
        return filled

    def row(self) -> Optional[rows.Step]:
        """Return what leaves a single row as it is, which is one without a missing value."""
        if self.missing is not None or len(self.indicators) or len(self.kept) < len(self.fills):
            return None
        return rows.Same(len(self.fills))

    def trace(self, origins: Origins) -> Origins:
        """Return the columns that are kept; an indicator does not tell its column's value."""
        if origins is None:
            return None
        told = lost([origins[place] for place in self.indicators.tolist()])
        return [*(origins[place] for place in self.kept.tolist()), *told]


class ImputeText(Struct, Step, frozen=True, kw_only=True, tag=True):
    """Columns of any values, where one is missing another.

    Attributes:
        fills: what is filled into each.
        indicators: (n_indicators,) int64, of which columns is told, as 1, that they were missing.
    """

    fills: tuple[Scalar, ...]
    indicators: np.ndarray

    def transform(self, data: Data) -> Data:
        """Return the columns, none with a missing value, and the indicators behind them."""
        require(width_of(data) == len(self.fills), "an imputer of other columns")
        filled, holes = [], []
        for place, fill in enumerate(self.fills):
            array = column_of(data, place)
            hole = missing_in(array)
            if hole.any():
                array = array.astype(object)
                array[hole] = fill
            filled.append(array)
            holes.append(hole)
        names = data.names if isinstance(data, Columns) else tuple(map(str, range(len(filled))))
        columns = Columns(names, tuple(filled), rows_of(data))
        if not len(self.indicators):
            return columns
        told = np.column_stack([holes[place] for place in self.indicators.tolist()])
        return beside([columns, told.astype(np.float64)])

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns; an indicator does not tell its column's value."""
        if origins is None:
            return None
        return [*origins, *lost([origins[place] for place in self.indicators.tolist()])]


def read_simple_imputer(imputer: Any, _: Reader) -> Step:
    """Return the node of a fitted `SimpleImputer`."""
    statistics = np.asarray(imputer.statistics_)
    indicator = getattr(imputer, "indicator_", None)
    indicators = (
        np.zeros(0, np.int64) if indicator is None else indicator.features_.astype(np.int64)
    )
    missing = imputer.missing_values
    usual = missing is None or is_nan(missing)
    fitted = getattr(imputer, "_fit_dtype", statistics.dtype)
    if statistics.dtype == object and fitted.kind in "biuf":
        statistics = statistics.astype(np.float64)
    if statistics.dtype == object:
        if not usual:
            raise Unsupported("SimpleImputer with missing values that are text")
        fills = tuple(statistics.tolist())
        if any(is_nan(fill) or not isinstance(fill, (str, int, float)) for fill in fills):
            raise Unsupported("SimpleImputer of a column that was always missing")
        return ImputeText(fills=fills, indicators=indicators)
    if not usual and not isinstance(missing, (int, float, np.number)):
        raise Unsupported("SimpleImputer with missing values that are text")
    empty = np.isnan(statistics)
    kept = np.arange(len(statistics)) if _keeps_empty(imputer) else np.flatnonzero(~empty)
    if len(kept) == len(statistics) and empty.any():
        raise Unsupported("SimpleImputer that keeps a column without a value to fill in")
    return Impute(
        fills=floats(statistics),
        missing=None if usual else float(missing),
        indicators=indicators,
        kept=kept.astype(np.int64),
    )


def _keeps_empty(imputer: Any) -> bool:
    return bool(getattr(imputer, "keep_empty_features", False))


NODES = (Impute, ImputeText)
READERS = {"sklearn.SimpleImputer": read_simple_imputer}
