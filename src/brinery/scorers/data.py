"""What flows between the steps of a scorer: columns as they came, or a dense or sparse table.

Numbers are float64 (float32 where the library's step makes that), a missing one is NaN. Text is an
object array of `str`, a missing one is NaN too, as a frame has it. What a step cannot take as its
library would is `Declined`, and the library answers instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from brinery.scorers import kernel

Array = npt.NDArray[Any]

# More columns than these are for the library, and more values with their zeros: where a table
# widens from step to step, a small file could fill the memory.
_WIDEST = 1 << 24
_MOST_VALUES = 1 << 27


class Declined(Exception):
    """These rows are for the library: here they might be answered otherwise than there."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of different types.

    Attributes:
        names: of each; numbers as text where they came without names.
        arrays: (n_rows,) each, float64 or of objects.
        n_rows: count.
    """

    names: tuple[str, ...]
    arrays: tuple[Array, ...]
    n_rows: int

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return len(self.arrays)

    def column(self, place: int) -> Array:
        """Return one of them: (n_rows,)."""
        return self.arrays[place]

    def select(self, places: Array) -> Columns:
        """Return some of them."""
        chosen = places.tolist()
        names = tuple([self.names[place] for place in chosen])
        return Columns(names, tuple([self.arrays[place] for place in chosen]), self.n_rows)

    def dense(self) -> Array:
        """Return them as one table of numbers: (n_rows, width) float64.

        Raises:
            Declined: one holds text.
        """
        _check_size(self.n_rows, len(self.arrays))
        table = np.empty((self.n_rows, len(self.arrays)))
        for place, array in enumerate(self.arrays):
            if array.dtype == object:
                raise Declined("text where numbers are taken")
            table[:, place] = array
        return table


@dataclass(frozen=True, eq=False)
class Sparse:
    """A table of mostly zeros, row by row.

    Attributes:
        starts: (n_rows + 1,) int64, where each row's values begin.
        columns: (n_values,) int64, ascending within a row unless the library's are not.
        values: (n_values,) float64 or float32.
        width: count of columns.
    """

    starts: Array
    columns: Array
    values: Array
    width: int

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return len(self.starts) - 1

    def rows(self) -> Array:
        """Return the row of each value: (n_values,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.starts))

    def column(self, place: int) -> Array:
        """Return one column: (n_rows,)."""
        return self.dense()[:, place]

    def part(self, start: int, stop: int) -> Sparse:
        """Return some rows that follow each other."""
        starts = self.starts[start : stop + 1]
        held = slice(int(starts[0]), int(starts[-1]))
        return Sparse(starts - starts[0], self.columns[held], self.values[held], self.width)

    def select(self, places: Array) -> Sparse:
        """Return some columns, in their order here; one may be there several times."""
        new = np.argsort(places, kind="stable")
        counts = np.bincount(places, minlength=self.width)
        copies = counts[self.columns]
        taken = np.repeat(np.arange(len(copies)), copies)
        before = (np.cumsum(counts) - counts)[self.columns] - (np.cumsum(copies) - copies)
        columns = new[before[taken] + np.arange(len(taken))]
        held = np.bincount(self.rows()[taken], minlength=self.n_rows)
        starts = np.concatenate([[0], np.cumsum(held)])
        return Sparse(starts, columns, self.values[taken], len(places))

    def dense(self) -> Array:
        """Return it with its zeros: (n_rows, width)."""
        _check_size(self.n_rows, self.width)
        table = np.zeros((self.n_rows, self.width), dtype=self.values.dtype)
        np.add.at(table, (self.rows(), self.columns), self.values)
        return table

    def dot(self, other: Array) -> Array:
        """Return its product with a table: (n_rows, other_width) float64.

        Args:
            other: (width, other_width).

        Raises:
            IndexError: a value has no row in it.
        """
        count = int(self.starts[-1])
        if self.values.shape != (count,) or self.columns.shape != (count,):
            raise IndexError("a sparse table without its values")
        # As a number without a sign, a negative one is a large one.
        if count and self.columns.view(np.uint64).max() >= len(other):
            raise IndexError("a sparse table that is wider than it says")
        return kernel.sparse_dot(
            starts=np.ascontiguousarray(self.starts, dtype=np.int64),
            columns=np.ascontiguousarray(self.columns, dtype=np.int64),
            values=np.ascontiguousarray(self.values, dtype=np.float64),
            dense=np.ascontiguousarray(other, dtype=np.float64),
        )


Data = Union[Columns, Sparse, Array]


def is_nan(value: Any) -> bool:
    """Return whether a value is NaN, which stands for a missing one."""
    return isinstance(value, float) and math.isnan(value)


def missing_in(array: Array) -> Array:
    """Return where values are missing: (n_rows,) booleans."""
    if array.dtype != object:
        return np.isnan(array)
    return np.fromiter(map(is_nan, array), dtype=bool, count=len(array))


def rows_of(data: Data) -> int:
    """Return how many rows there are."""
    return len(data) if isinstance(data, np.ndarray) else data.n_rows


def width_of(data: Data) -> int:
    """Return how many columns there are."""
    return int(data.shape[1]) if isinstance(data, np.ndarray) else data.width


def column_of(data: Data, place: int) -> Array:
    """Return one column: (n_rows,)."""
    return data[:, place] if isinstance(data, np.ndarray) else data.column(place)


def select(data: Data, places: Array) -> Data:
    """Return some columns: an array of their places says which, and in which order."""
    if isinstance(data, np.ndarray):
        _check_size(len(data), len(places))
        return data[:, places]
    return data.select(places)


def dense(data: Data) -> Array:
    """Return a table of numbers: (n_rows, width) float64, or float32 where a step made that.

    Raises:
        Declined: a column holds text.
    """
    return data if isinstance(data, np.ndarray) else data.dense()


def doubles(data: Data) -> Array:
    """Return a table of numbers: (n_rows, width) float64.

    Raises:
        Declined: a column holds text, or a step before made less precise numbers, with which the
            library would go on calculating.
    """
    table = dense(data)
    if table.dtype != np.float64:
        raise Declined("numbers of less precision")
    return table


def finite(table: Array) -> Array:
    """Return a table in which every value is a finite number.

    Raises:
        Declined: a value is missing or infinite, which the library's step refuses.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduce(table, axis=None)
    if not np.isfinite(total) and not np.isfinite(table).all():
        raise Declined("a value is missing or infinite")
    return table


def unbounded(table: Array) -> Array:
    """Return a table in which no value is infinite; some may be missing.

    Raises:
        Declined: a value is infinite.
    """
    if np.isinf(table).any():
        raise Declined("a value is infinite")
    return table


def beside(parts: Sequence[Data]) -> Data:
    """Return tables side by side: dense if all are numbers, else as columns.

    Sparse ones become dense: who wants them sparse joins them with `sparse_beside`.
    """
    if len(parts) == 1:
        return parts[0]
    _check_size(rows_of(parts[0]), sum(map(width_of, parts)))
    if all(
        (isinstance(part, Columns) and _holds_text(part) is False) or not isinstance(part, Columns)
        for part in parts
    ):
        return np.hstack([dense(part) for part in parts])
    names: list[str] = []
    arrays: list[Array] = []
    for part in parts:
        width = width_of(part)
        known = part.names if isinstance(part, Columns) else tuple(map(str, range(width)))
        names.extend(known)
        arrays.extend(column_of(part, place) for place in range(width))
    return Columns(tuple(names), tuple(arrays), rows_of(parts[0]))


def _check_size(n_rows: int, width: int) -> None:
    """Raise where a table would be larger than anyone's.

    Raises:
        Declined: it would.
    """
    if width > _WIDEST or n_rows * width > _MOST_VALUES:
        raise Declined("a table that is too large")


def _holds_text(columns: Columns) -> bool:
    return any(array.dtype == object for array in columns.arrays)


def sparse(data: Data) -> Sparse:
    """Return a table as its values that are not zero.

    Raises:
        Declined: a column holds text.
    """
    if isinstance(data, Sparse):
        return data
    table = dense(data)
    rows, columns = np.nonzero(table)
    counts = np.bincount(rows, minlength=len(table))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return Sparse(starts, columns, table[rows, columns], table.shape[1])


def sparse_beside(parts: Sequence[Data]) -> Sparse:
    """Return tables side by side as one sparse table, its values in the order of the parts."""
    tables = [sparse(part) for part in parts]
    offsets = np.cumsum([0, *(table.width for table in tables)])
    if offsets[-1] > _WIDEST:
        raise Declined("a table that is too wide")
    rows = np.concatenate([table.rows() for table in tables])
    columns = np.concatenate([t.columns + offset for t, offset in zip(tables, offsets)])
    values = np.concatenate([table.values for table in tables])
    order = np.argsort(rows, kind="stable")
    counts = np.bincount(rows, minlength=tables[0].n_rows)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return Sparse(starts, columns[order], values[order], int(offsets[-1]))
