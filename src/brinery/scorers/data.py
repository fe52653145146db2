"""What flows between the steps of a scorer: columns as they came, or a dense or sparse table.

Numbers are float64 (float32 where the library's step makes that), a missing one is NaN. Text is an
object array of `str`, a missing one is NaN too, as a frame has it. What a step cannot take as its
library would is `Declined`, and the library answers instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brinery.scorers import kernel

Array = npt.NDArray[Any]
Held = Union[Array, list[str]]
Picker = Callable[[Any], tuple[Any, ...]]

# More columns than these are for the library, and more values with their zeros: where a table
# widens from step to step, a small file could fill the memory.
_WIDEST = 1 << 24
_MOST_VALUES = 1 << 27
_LARGEST_SINGLE = float(np.finfo(np.float32).max)


class Declined(Exception):
    """These rows are for the library: here they might be answered otherwise than there."""


class Columns(Struct, frozen=True, eq=False, dict=True):
    """Columns of different types.

    Attributes:
        names: of each; numbers as text where they came without names.
        held: (n_rows,) each: a float64 array, an array of objects, or a list of text; numbers
            also as the rows of one array.
        n_rows: count.
        table: (n_rows, width) float64, the same, none of them infinite; None where nobody has it
            yet.
        bounded: whether none of the table is missing, and all are within float32's range: who needs
            that need not look again.
    """

    names: tuple[str, ...]
    held: Union[tuple[Held, ...], Array]
    n_rows: int
    table: Optional[Array] = None
    bounded: bool = False

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return len(self.held)

    @cached_property
    def arrays(self) -> tuple[Array, ...]:
        """Return the columns: (n_rows,) each, float64 or of objects."""
        return tuple(map(_array, self.held))

    def column(self, place: int) -> Array:
        """Return one of them: (n_rows,) float64 or of objects."""
        return _array(self.held[place])

    def listed(self) -> list[list[Any]]:
        """Return the values of each column."""
        return [one if isinstance(one, list) else one.tolist() for one in self.held]

    def pick(self, picker: Picker) -> Columns:
        """Return some of them."""
        return Columns(picker(self.names), picker(self.held), self.n_rows)

    def select(self, places: Array) -> Columns:
        """Return some of them."""
        return self.pick(picker(places.tolist()))

    def dense(self) -> Array:
        """Return them as one table of numbers: (n_rows, width) float64, which nobody may change.

        Raises:
            Declined: one holds text.
        """
        return self._dense if self.table is None else self.table

    @cached_property
    def _dense(self) -> Array:
        width = len(self.held)
        _check_size(self.n_rows, width)
        if not width:
            return np.empty((self.n_rows, 0))
        if list in map(type, self.held):
            raise Declined("text where numbers are taken")
        values = np.concatenate(self.held)
        if values.dtype == object:
            raise Declined("text where numbers are taken")
        made = np.ascontiguousarray(values.reshape(width, self.n_rows).T, dtype=np.float64)
        made.flags.writeable = False
        return made


def picker(keys: Sequence[Any]) -> Picker:
    """Return what takes the values of some keys, as a tuple also where there is but one."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda values: tuple([values[key] for key in keys])


def _array(column: Held) -> Array:
    if isinstance(column, np.ndarray):
        return column
    made: Array = np.empty(len(column), dtype=object)
    made[:] = column
    return made


class Sparse:
    """A table of mostly zeros, row by row; within a row no column comes twice.

    Args:
        starts: (n_rows + 1,) int64, where each row's values begin.
        columns: (n_values,) int64, ascending within a row unless the library's are not.
        values: (n_values,) float64 or float32.
        width: count of columns.
    """

    def __init__(self, starts: Array, columns: Array, values: Array, *, width: int) -> None:
        self._held = starts, columns, values
        self.width = width

    @property
    def starts(self) -> Array:
        """Return where each row's values begin: (n_rows + 1,) int64."""
        return self._figures()[0]

    @property
    def columns(self) -> Array:
        """Return the column of each value: (n_values,) int64."""
        return self._figures()[1]

    @property
    def values(self) -> Array:
        """Return the values: (n_values,) float64 or float32."""
        return self._figures()[2]

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return len(self.starts) - 1

    def _figures(self) -> tuple[Array, Array, Array]:
        return self._held

    def rows(self) -> Array:
        """Return the row of each value: (n_values,)."""
        starts = self.starts
        return np.repeat(np.arange(self.n_rows), starts[1:] - starts[:-1])

    def column(self, place: int) -> Array:
        """Return one column: (n_rows,)."""
        found = np.zeros(self.n_rows, dtype=self.values.dtype)
        held = self.columns == place
        found[self.rows()[held]] = self.values[held]
        return found

    def part(self, start: int, stop: int) -> Sparse:
        """Return some rows that follow each other."""
        starts = self.starts[start : stop + 1]
        held = slice(int(starts[0]), int(starts[-1]))
        return Sparse(starts - starts[0], self.columns[held], self.values[held], width=self.width)

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
        return Sparse(starts, columns, self.values[taken], width=len(places))

    def dense(self, *, absent: float = 0.0) -> Array:
        """Return it with its zeros: (n_rows, width).

        Args:
            absent: what they are written as.
        """
        _check_size(self.n_rows, self.width)
        shape, dtype = (self.n_rows, self.width), self._type()
        table = np.full(shape, absent, dtype) if absent else np.zeros(shape, dtype)
        self._write(table, absent=absent)
        return table

    def _write(self, table: Array, *, absent: float) -> None:
        """Write the values into a table of the same size that holds what is absent."""
        del absent
        starts, columns, values = self._figures()
        if len(starts) == 2:  # noqa: PLR2004 - one row
            table[0][columns] = values
        else:
            table[self.rows(), columns] = values

    def _type(self) -> np.dtype[Any]:
        return self._held[2].dtype

    def dot(self, other: Array) -> Array:
        """Return its product with a table: (n_rows, other_width) float64.

        Args:
            other: (width, other_width).

        Raises:
            IndexError: a value has no row in it.
        """
        starts, columns, values = self._figures()
        count = int(starts[-1])
        if values.shape != (count,) or columns.shape != (count,):
            raise IndexError("a sparse table without its values")
        # As a number without a sign, a negative one is a large one.
        if count and columns.view(np.uint64).max() >= len(other):
            raise IndexError("a sparse table that is wider than it says")
        return kernel.sparse_dot(
            starts=np.ascontiguousarray(starts, dtype=np.int64),
            columns=np.ascontiguousarray(columns, dtype=np.int64),
            values=np.ascontiguousarray(values, dtype=np.float64),
            dense=np.ascontiguousarray(other, dtype=np.float64),
        )


class Joined(Sparse):
    """Tables side by side as a sparse one: joined where its values are asked for, not before.

    Args:
        parts: (n_rows, …) each, one at least.
        width: how many columns they have together.
    """

    def __init__(self, parts: Sequence[Data], width: int) -> None:
        self._parts = parts
        self.width = width

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return rows_of(self._parts[0])

    @cached_property
    def _joined(self) -> tuple[Array, Array, Array]:
        """Return the figures of the table, its values in the order of the parts."""
        tables = [sparse(part) for part in self._parts]
        offsets = np.cumsum([0, *(table.width for table in tables)])
        rows = np.concatenate([table.rows() for table in tables])
        columns = np.concatenate([t.columns + offset for t, offset in zip(tables, offsets)])
        values = np.concatenate([table.values for table in tables])
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=self.n_rows)
        return np.concatenate([[0], np.cumsum(counts)]), columns[order], values[order]

    def _figures(self) -> tuple[Array, Array, Array]:
        return self._joined

    def _write(self, table: Array, *, absent: float) -> None:
        at = 0
        for part in self._parts:
            held = table[:, at : at + width_of(part)]
            at += held.shape[1]
            if isinstance(part, Sparse):
                part._write(held, absent=absent)
            elif absent:
                values = dense(part)
                np.copyto(held, values, where=values != 0.0)
            else:
                # Of two zeros the one without a sign, as where none is written.
                np.add(dense(part), 0.0, out=held)

    def _type(self) -> np.dtype[Any]:
        types = {
            part._type() if isinstance(part, Sparse) else dense(part).dtype for part in self._parts
        }
        return types.pop() if len(types) == 1 else np.result_type(*types)


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


def listed(data: Data) -> list[list[Any]]:
    """Return the values of each column: (n_columns, n_rows)."""
    if isinstance(data, Columns):
        return data.listed()
    return [column_of(data, place).tolist() for place in range(width_of(data))]


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


def complete(data: Data) -> Array:
    """Return a table of numbers, each of them finite: as of `dense`.

    Raises:
        Declined: a column holds text, or a value is missing or infinite.
    """
    return dense(data) if is_bounded(data) else finite(dense(data))


def is_bounded(data: Data) -> bool:
    """Return whether it is known that every value is a finite number, in float32 too."""
    return isinstance(data, Columns) and data.bounded


def finite(table: Array) -> Array:
    """Return a table in which every value is a finite number.

    Raises:
        Declined: a value is missing or infinite, which the library's step refuses.
    """
    if not is_finite(table):
        raise Declined("a value is missing or infinite")
    return table


def is_finite(table: Array) -> bool:
    """Return whether every value is a finite number."""
    return np.count_nonzero(np.isfinite(table)) == table.size


def unbounded(data: Data) -> Array:
    """Return a table of numbers in which no value is infinite; some may be missing.

    Raises:
        Declined: a value is infinite, or a column holds text.
    """
    if isinstance(data, Columns) and data.table is not None:
        return data.table
    table = dense(data)
    if np.count_nonzero(np.isinf(table)):
        raise Declined("a value is infinite")
    return table


def fits_single(table: Array) -> bool:
    """Return whether every value is a finite number, in float32 too."""
    return np.count_nonzero(np.abs(table) <= _LARGEST_SINGLE) == table.size


def single(table: Array) -> Array:
    """Return a table of numbers in float32, in which a larger one is infinite: a new table."""
    if fits_single(table):
        return table.astype(np.float32)
    with np.errstate(over="ignore"):
        return table.astype(np.float32)


def beside(parts: Sequence[Data]) -> Data:
    """Return tables side by side: dense if all are numbers, else as columns.

    Sparse ones become dense: who wants them sparse joins them with `sparse_beside`.
    """
    if len(parts) == 1:
        return parts[0]
    if not any(isinstance(part, Columns) and _holds_text(part) for part in parts):
        tables = [dense(part) for part in parts]
        _check_size(len(tables[0]), sum([table.shape[1] for table in tables]))
        return np.concatenate(tables, axis=1)
    _check_size(rows_of(parts[0]), sum(map(width_of, parts)))
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
    return any(isinstance(one, list) or one.dtype == object for one in columns.held)


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
    return Sparse(starts, columns, table[rows, columns], width=table.shape[1])


def sparse_beside(parts: Sequence[Data]) -> Sparse:
    """Return tables side by side as one sparse table, its values in the order of the parts."""
    width = sum(map(width_of, parts))
    if width > _WIDEST:
        raise Declined("a table that is too wide")
    return Joined(parts, width)
