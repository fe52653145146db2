"""The rows of a request, checked: columns of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from brinery.records.signature import ColumnType

_ARROW = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.STRING: pa.string(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATETIME: pa.timestamp("us"),
}


@dataclass(frozen=True)
class Batch:
    """Rows, column by column.

    Attributes:
        values: column name to (n_rows,) values of its type, None for a missing one.
        types: of the columns.
        n_rows: how many rows there are.
    """

    values: Mapping[str, Sequence[Any]]
    types: Mapping[str, ColumnType]
    n_rows: int

    def table(self) -> pa.Table:
        """Return them as an Arrow table: (n_rows, n_columns)."""
        arrays = [
            pa.array(given, type=_ARROW[self.types[name]]) for name, given in self.values.items()
        ]
        return pa.table(arrays, names=list(self.values))
