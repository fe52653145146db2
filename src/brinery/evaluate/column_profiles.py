"""What the columns of a table are like, each in a few figures and a histogram."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from brinery.records.column_profile import ColumnProfile

_BINS: Final = 24
_VALUES: Final = 12
_NANOSECONDS: Final = 1e9
_LONGEST: Final = 60


def profiles(frame: pd.DataFrame) -> tuple[ColumnProfile, ...]:
    """Return the profile of each column of a table."""
    return tuple(profile(str(name), frame[name]) for name in frame.columns)


def profile(name: str, column: pd.Series[Any]) -> ColumnProfile:
    """Return what a column is like.

    Args:
        name: of the column.
        column: (n_rows,) of any type; what is not finite counts as missing among numbers.
    """
    if pd.api.types.is_bool_dtype(column):
        return _counted(name, column)
    if pd.api.types.is_datetime64_any_dtype(column):
        seconds = pd.to_datetime(column, utc=True).dropna().astype("datetime64[ns, UTC]")
        found = seconds.astype("int64").to_numpy() / _NANOSECONDS
        return _measured(name, column, found, times=True)
    if pd.api.types.is_numeric_dtype(column):
        values = column.dropna().to_numpy(dtype=float)
        return _measured(name, column, values[np.isfinite(values)], times=False)
    return _counted(name, column)


def _measured(
    name: str, column: pd.Series[Any], values: np.ndarray[Any, Any], *, times: bool
) -> ColumnProfile:
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    if values.size:
        found, bounds = np.histogram(values, bins=_BINS)
        edges, counts = tuple(bounds.tolist()), tuple(found.tolist())
    numbers = values.size > 0 and not times
    return ColumnProfile(
        name=name,
        type=str(column.dtype),
        rows=len(column),
        missing=len(column) - int(values.size),
        distinct=int(np.unique(values).size),
        low=float(values.min()) if values.size else None,
        high=float(values.max()) if values.size else None,
        mean=float(values.mean()) if numbers else None,
        std=float(values.std(ddof=1)) if numbers and values.size > 1 else None,
        median=float(np.median(values)) if numbers else None,
        edges=edges,
        counts=counts,
        times=times,
    )


def _counted(name: str, column: pd.Series[Any]) -> ColumnProfile:
    there = column.dropna()
    try:
        counts = there.value_counts()
    except TypeError:  # lists and the like cannot be compared as they are
        counts = there.astype(str).value_counts()
    most = counts.head(_VALUES)
    return ColumnProfile(
        name=name,
        type=str(column.dtype),
        rows=len(column),
        missing=len(column) - len(there),
        distinct=len(counts),
        counts=tuple(int(one) for one in most),
        values=tuple(_short(str(one)) for one in most.index),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
