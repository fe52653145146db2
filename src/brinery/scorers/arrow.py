"""Arrow tables as a scorer takes them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from brinery.records.signature import ColumnType
from brinery.scorers.data import Array
from brinery.scorers.plan import Input


def columns(table: pa.Table, inputs: Sequence[Input]) -> dict[str, Array]:
    """Return the columns of a table by name: (n_rows,) each, numbers with NaN for a null.

    Args:
        table: (n_rows, ≥ n_inputs), which has a column for each input.
        inputs: what a scorer takes.
    """
    return {one.name: _values(table.column(one.name), one.type) for one in inputs if one.given}


def _values(column: pa.ChunkedArray, kind: ColumnType) -> Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kind is ColumnType.BOOLEAN and pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.float64())
    found: Array = column.to_numpy()
    return found
