"""The rows of a request, checked: row by row as they came, or column by column, or in Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from brinery.records.signature import ColumnType

ARROW = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.STRING: pa.string(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATETIME: pa.timestamp("us"),
}

_BULKY = 64


class Batch(Struct, eq=False):
    """Rows of one signature; what makes one from the other is done when it is asked for.

    Attributes:
        types: column name to type, in the order of the signature.
        n_rows: how many rows there are.
        in_rows: (n_rows,) each a tuple of a value per column, None for a missing one.
        in_columns: column name to (n_rows,) values.
        in_arrays: column name to (n_rows,) an array of the type in `ARROW`, text also as a
            dictionary; one of the three is given.
        singly: whether each row was asked for by itself.
    """

    types: Mapping[str, ColumnType]
    n_rows: int
    in_rows: list[tuple[Any, ...]] | None = None
    in_columns: Mapping[str, Sequence[Any]] | None = None
    in_arrays: Mapping[str, pa.Array] | None = None
    singly: bool = False

    @property
    def bulky(self) -> bool:
        """Return whether it is scored by itself: to join its columns with others' costs more."""
        return self.n_rows > _BULKY and (self.in_columns is not None or self.in_arrays is not None)

    @property
    def by_row(self) -> bool:
        """Return whether it came row by row, and nobody has asked for its columns."""
        return self.in_rows is not None and self.in_columns is None

    @property
    def values(self) -> Mapping[str, Sequence[Any]]:
        """Return column name to (n_rows,) values; numbers of arrays have NaN for a missing one."""
        if self.in_columns is None and self.in_arrays is not None:
            arrays = self.in_arrays
            self.in_columns = {n: _values(arrays[n], kind) for n, kind in self.types.items()}
        if self.in_columns is None:
            columns = zip(*self.in_rows or (), strict=True)
            self.in_columns = dict(zip(self.types, columns, strict=True))
        return self.in_columns

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Return a tuple of values per row."""
        if self.in_rows is None:
            columns = self.values if self.in_arrays is None else _lists(self.in_arrays)
            self.in_rows = list(zip(*[columns[name] for name in self.types], strict=True))
        return self.in_rows

    def table(self) -> pa.Table:
        """Return them as an Arrow table: (n_rows, n_columns)."""
        if self.in_arrays is not None:
            arrays = [_decoded(self.in_arrays[name]) for name in self.types]
        else:
            values = self.values
            arrays = [pa.array(values[name], type=ARROW[kind]) for name, kind in self.types.items()]
        return pa.table(arrays, names=list(self.types))


def joined(batches: Sequence[Batch]) -> Batch:
    """Return the rows of several batches of one signature as one, in their order."""
    if len(batches) == 1:
        return batches[0]
    rows: list[tuple[Any, ...]] = []
    for batch in batches:
        rows += batch.in_rows or batch.rows
    return Batch(batches[0].types, len(rows), in_rows=rows, singly=len(rows) == len(batches))


def of_table(types: Mapping[str, ColumnType], table: pa.Table) -> Batch:
    """Return the rows of an Arrow table that is known to fit; a column that it lacks is missing."""
    columns = {
        name: table.column(name).to_pylist()
        if name in table.column_names
        else [None] * table.num_rows
        for name in types
    }
    return Batch(types, table.num_rows, in_columns=columns)


def _values(array: pa.Array, kind: ColumnType) -> Any:
    """Return an array as a scorer takes it: numbers at once, text as objects that are shared."""
    if pa.types.is_dictionary(array.type):
        known = np.append(array.dictionary.to_numpy(zero_copy_only=False), [None])
        return known.take(pc.fill_null(array.indices, len(known) - 1).to_numpy())
    if kind in (ColumnType.STRING, ColumnType.DATETIME):
        return array.to_pylist()
    if kind is ColumnType.BOOLEAN and array.null_count:
        array = array.cast(pa.float64())
    return array.to_numpy(zero_copy_only=False)


def _lists(arrays: Mapping[str, pa.Array]) -> dict[str, list[Any]]:
    return {name: array.to_pylist() for name, array in arrays.items()}


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
