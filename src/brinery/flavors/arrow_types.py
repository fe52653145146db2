"""What an Arrow schema says of columns that a model takes, before a row of them is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import pyarrow as pa

from brinery.errors import ColumnMismatch
from brinery.records.signature import Column, ColumnType, Signature

_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
# Found types whose values may yet be what a column of the first type takes.
_CONVERTED = {
    ColumnType.INTEGER: (*_NUMERIC, ColumnType.STRING),
    ColumnType.NUMBER: (*_NUMERIC, ColumnType.STRING),
    ColumnType.DATETIME: (ColumnType.DATETIME, ColumnType.STRING),
    ColumnType.STRING: (ColumnType.STRING,),
    ColumnType.BOOLEAN: (ColumnType.BOOLEAN,),
}


def stated(kind: Any) -> Optional[ColumnType]:
    """Return the type that an Arrow type states; None where only its values tell."""
    kind = plain(kind)
    if pa.types.is_boolean(kind):
        return ColumnType.BOOLEAN
    if pa.types.is_integer(kind):
        return ColumnType.INTEGER
    if pa.types.is_floating(kind):
        return ColumnType.NUMBER
    if pa.types.is_timestamp(kind):
        return ColumnType.DATETIME
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return ColumnType.STRING if text else None


def plain(kind: Any) -> Any:
    """Return the type of a column's values, that of its dictionary where it has one."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def check(signature: Signature, types: Mapping[str, Any]) -> None:
    """Check that the columns of a file are of types that the model takes.

    Args:
        signature: of the model.
        types: name to Arrow type, of the columns that are there.

    Raises:
        ColumnMismatch: one is not.
    """
    for column in signature.columns:
        found = stated(types[column.name]) if column.name in types else None
        if column.required and found is not None and found not in _CONVERTED[column.type]:
            takes = "text" if column.type is ColumnType.STRING else column.type
            raise ColumnMismatch(
                f"column '{column.name}' is of type {types[column.name]} where the model takes "
                f"{takes}",
                hint=f"cast '{column.name}' where the file is written",
            )


def fits(column: Column, kind: Any) -> bool:
    """Return whether a column's values are for the model as they are."""
    if pa.types.is_float16(kind) or column.type is ColumnType.DATETIME:
        return False
    if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
        return False
    found = stated(kind)
    return found is column.type or (found in _NUMERIC and column.type in _NUMERIC)
