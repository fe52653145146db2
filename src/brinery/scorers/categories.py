"""Values looked up among known ones: scikit-learn's encoders of categories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.scorers.data import Array, Data, Declined, Sparse, is_nan, listed, rows_of, width_of
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.origin import Origin, Origins, lost

# What stands for a value that has no code.
_NONE = -1
_DECLINED = -2
_UNFOUND = -3
_ELSE = repeat(_UNFOUND)


class Lookup(Struct, frozen=True, kw_only=True, dict=True):
    """The known values of a column, each with its code.

    Attributes:
        values: text, numbers or booleans, none twice.
        codes: (n_values,) int64, -1 for none.
        unknown: the code of any other value; -2 where the library refuses it.
        missing: the code of a missing value; likewise.
    """

    values: tuple[Scalar, ...]
    codes: np.ndarray
    unknown: int
    missing: int

    def __post_init__(self) -> None:
        """Check that each value has a code."""
        require(self.codes.shape == (len(self.values),), "a lookup with another number of codes")
        require(min(self.lowest, self.unknown, self.missing) >= _DECLINED, "a lookup without codes")

    @property
    def lowest(self) -> int:
        """Return the lowest code of a value."""
        return int(self.codes.min(initial=0))

    @property
    def highest(self) -> int:
        """Return the highest code there is; -1 where there is none."""
        return max(int(self.codes.max(initial=_NONE)), self.unknown, self.missing)

    @cached_property
    def _get(self) -> Callable[[Any, int], int]:
        return dict(zip(self.values, self.codes.tolist())).get

    def find(self, values: list[Any]) -> list[int]:
        """Return the code of each value: (n_rows,).

        Raises:
            Declined: the library refuses a value that it does not know, or that is missing.
        """
        found = list(map(self._get, values, _ELSE))
        if _UNFOUND in found:
            for row, value in enumerate(values):
                if found[row] == _UNFOUND:
                    found[row] = self.missing if is_nan(value) else self.unknown
            if _DECLINED in found:
                raise Declined("a category that was not there at the fit")
        return found


class OneHot(Struct, Step, frozen=True, kw_only=True, tag=True):
    """For each column a group of columns, of which that of its category is 1.

    Attributes:
        lookups: of each column: category to its place among all output columns.
        width: how many output columns there are.
        sparse: whether they are a sparse table.
    """

    lookups: tuple[Lookup, ...]
    width: int
    sparse: bool

    def __post_init__(self) -> None:
        """Check that no code lies outside of the output."""
        require(
            all(one.highest < self.width for one in self.lookups), "an encoder that is too narrow"
        )
        # Beside the values of a column, None and NaN may have an output of their own.
        most = sum(len(one.values) + 2 for one in self.lookups)
        require(self.width <= most, "an encoder that is too wide")

    def transform(self, data: Data) -> Data:
        """Return the ones and zeros."""
        codes = _codes(self.lookups, data)
        n_rows, per_row = codes.shape
        ones = codes >= 0
        if per_row and np.count_nonzero(ones) == codes.size:
            starts, columns = np.arange(0, codes.size + 1, per_row), codes.reshape(-1)
        else:
            starts, columns = np.zeros(n_rows + 1, dtype=np.int64), codes[ones]
            np.cumsum(np.count_nonzero(ones, axis=1), out=starts[1:])
        values = np.empty(len(columns))
        values.fill(1.0)
        table = Sparse(starts, columns, values, width=self.width)
        return table if self.sparse else table.dense()

    def trace(self, origins: Origins) -> Origins:
        """Return which column each output is of; none tells its value."""
        if origins is None:
            return None
        found: list[Optional[Origin]] = [None] * self.width
        for lookup, one in zip(self.lookups, origins):
            for code in {*lookup.codes.tolist(), lookup.unknown, lookup.missing}:
                if one is not None and code >= 0:
                    found[code] = one.lost()
        return found


class Encode(Struct, Step, frozen=True, kw_only=True, tag=True):
    """For each column one or more numbers that its category stands for.

    Attributes:
        lookups: of each column: category to its row in the table.
        tables: of each column: (n_codes, n_outputs) float64.
    """

    lookups: tuple[Lookup, ...]
    tables: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        """Check that each code has its row."""
        require(len(self.tables) == len(self.lookups), "an encoder with too few tables")
        for lookup, table in zip(self.lookups, self.tables):
            require(table.ndim == 2 and lookup.highest < len(table), "an encoder without numbers")  # noqa: PLR2004
            require(min(lookup.lowest, 0) >= 0, "an encoder with a category without a number")

    def transform(self, data: Data) -> Data:
        """Return the numbers."""
        codes = _codes(self.lookups, data)
        return np.hstack([table[codes[:, place]] for place, table in enumerate(self.tables)])

    def trace(self, origins: Origins) -> Origins:
        """Return which column each output is of; none tells its value."""
        if origins is None:
            return None
        return [
            one
            for table, made in zip(self.tables, lost(origins))
            for one in [made] * table.shape[1]
        ]


def _codes(lookups: Sequence[Lookup], data: Data) -> Array:
    """Return the codes of every column: (n_rows, n_columns) int64."""
    require(width_of(data) == len(lookups), "an encoder of other columns")
    found = [one.find(values) for one, values in zip(lookups, listed(data))]
    return np.array(found, dtype=np.int64).reshape(len(lookups), rows_of(data)).T


def read_one_hot_encoder(encoder: Any, _: Reader) -> Step:
    """Return the node of a fitted `OneHotEncoder`."""
    grouped = getattr(encoder, "_infrequent_enabled", False)
    drops = getattr(encoder, "_drop_idx_after_grouping", getattr(encoder, "drop_idx_", None))
    lookups, offset = [], 0
    for place, learned in enumerate(encoder.categories_):
        mapping = encoder._default_to_infrequent_mappings[place] if grouped else None
        codes = np.arange(len(learned)) if mapping is None else np.asarray(mapping, dtype=np.int64)
        count = int(codes.max(initial=-1)) + 1
        drop = None if drops is None else drops[place]
        places = np.arange(count)
        if drop is not None:
            places = np.where(places == drop, _NONE, places - (places > drop))
            count -= 1
        columns = np.where(places >= 0, places + offset, _NONE)
        unknown = _unknown_column(encoder, place, mapping=mapping, columns=columns)
        lookups.append(_lookup(learned, columns[codes], unknown=unknown))
        offset += count
    is_sparse = getattr(encoder, "sparse_output", getattr(encoder, "sparse", True))
    if np.dtype(encoder.dtype) != np.float64:
        raise Unsupported(f"OneHotEncoder of dtype {np.dtype(encoder.dtype)}")
    return OneHot(lookups=tuple(lookups), width=offset, sparse=bool(is_sparse))


def _unknown_column(encoder: Any, place: int, *, mapping: Any, columns: Array) -> int:
    """Return the column of a category that was not there at the fit."""
    if encoder.handle_unknown == "error":
        return _DECLINED
    if mapping is None or encoder.handle_unknown == "ignore":
        return _NONE
    # The infrequent categories share one code.
    return int(columns[mapping[encoder._infrequent_indices[place][0]]])


def read_ordinal_encoder(encoder: Any, _: Reader) -> Step:
    """Return the node of a fitted `OrdinalEncoder`."""
    grouped = getattr(encoder, "_infrequent_enabled", False)
    missing_places = getattr(encoder, "_missing_indices", {})
    if np.dtype(encoder.dtype) != np.float64:
        raise Unsupported(f"OrdinalEncoder of dtype {np.dtype(encoder.dtype)}")
    lookups, tables = [], []
    for place, learned in enumerate(encoder.categories_):
        codes = np.arange(len(learned))
        mapping = encoder._default_to_infrequent_mappings[place] if grouped else None
        if mapping is not None:
            codes[: len(mapping)] = mapping  # a missing value, the last, is not grouped
        numbers = codes.astype(np.float64)
        hole = missing_places.get(
            place, next((i for i, v in enumerate(learned) if is_nan(v)), None)
        )
        if hole is not None:
            numbers[hole] = getattr(encoder, "encoded_missing_value", np.nan)
        unknown = _DECLINED
        if encoder.handle_unknown == "use_encoded_value":
            unknown = len(numbers)
            numbers = np.append(numbers, float(encoder.unknown_value))
        lookups.append(_lookup(learned, np.arange(len(learned)), unknown=unknown))
        tables.append(numbers.reshape(-1, 1))
    return Encode(lookups=tuple(lookups), tables=tuple(tables))


def read_target_encoder(encoder: Any, _: Reader) -> Step:
    """Return the node of a fitted `TargetEncoder`."""
    means = np.atleast_1d(encoder.target_mean_)
    count = len(means)
    lookups, tables = [], []
    for place, learned in enumerate(encoder.categories_):
        if any(value is None for value in learned.tolist()):
            # A scorer cannot tell it from NaN, which the library can.
            raise Unsupported("TargetEncoder with None as a category")
        # Of several classes, each has its encodings, those of one feature side by side.
        encodings = encoder.encodings_[place * count : (place + 1) * count]
        known = np.column_stack([np.asarray(one, dtype=np.float64) for one in encodings])
        lookups.append(_lookup(learned, np.arange(len(learned)), unknown=len(learned)))
        tables.append(floats(np.vstack([known, means])))
    return Encode(lookups=tuple(lookups), tables=tuple(tables))


def _lookup(learned: Any, codes: Array, *, unknown: int) -> Lookup:
    """Return the lookup of an encoder's categories, of which one may stand for missing values."""
    listed = learned.tolist()
    if not all(isinstance(value, (str, int, float, bool)) or value is None for value in listed):
        raise Unsupported("categories that are neither text nor numbers")
    known = [
        (value, code)
        for value, code in zip(listed, codes.tolist())
        if value is not None and not is_nan(value)
    ]
    missing = next((code for value, code in zip(listed, codes.tolist()) if is_nan(value)), unknown)
    values = tuple(value for value, _ in known)
    if len(set(values)) < len(values):
        raise Unsupported("categories that are equal")
    return Lookup(
        values=values,
        codes=np.array([code for _, code in known], dtype=np.int64),
        unknown=unknown,
        missing=missing,
    )


NODES = (OneHot, Encode)
READERS = {
    "sklearn.OneHotEncoder": read_one_hot_encoder,
    "sklearn.OrdinalEncoder": read_ordinal_encoder,
    "sklearn.TargetEncoder": read_target_encoder,
}
