"""The types of a dataset's columns, as Arrow has them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.types as kinds

from brinery.errors import InvalidSchema
from brinery.records.dataset import Column, ColumnType
from brinery.specs.names import nearest

_ARROW: Final[Mapping[ColumnType, pa.DataType]] = {
    ColumnType.STRING: pa.string(),
    ColumnType.BIGINT: pa.int64(),
    ColumnType.INT: pa.int32(),
    ColumnType.SMALLINT: pa.int16(),
    ColumnType.TINYINT: pa.int8(),
    ColumnType.DOUBLE: pa.float64(),
    ColumnType.FLOAT: pa.float32(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.timestamp("us", tz="UTC"),
    ColumnType.DATETIME_NO_TZ: pa.timestamp("us"),
    ColumnType.DATE_ONLY: pa.date32(),
    # What has no shape of its own is written as JSON.
    ColumnType.ARRAY: pa.string(),
    ColumnType.MAP: pa.string(),
    ColumnType.OBJECT: pa.string(),
    ColumnType.GEOPOINT: pa.string(),
    ColumnType.GEOMETRY: pa.string(),
}


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """Return the columns of a table; an index that pandas kept beside them is none."""
    return tuple(
        Column(name=one.name, type=type_of(one.type))
        for one in schema
        if not one.name.startswith("__index_level_")
    )


def type_of(kind: pa.DataType) -> ColumnType:
    """Return what values of one of Arrow's types are; text for what is none of ours."""
    if kinds.is_dictionary(kind):
        return type_of(kind.value_type)
    for fits, found in _KINDS:
        if fits(kind):
            return found
    if kinds.is_timestamp(kind):
        return ColumnType.DATE if kind.tz else ColumnType.DATETIME_NO_TZ
    return ColumnType.STRING


def arrow_type(column: Column) -> pa.DataType:
    """Return Arrow's type for the values of a column."""
    return _ARROW[column.type]


def given_columns(declared: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns that `{"name": …, "type": …}` say, as scripts write them.

    Raises:
        InvalidSchema: one has no name, a name comes twice, or a type is none.
    """
    found: dict[str, Column] = {}
    known = [str(one) for one in ColumnType]
    for one in declared:
        name, said = str(one.get("name") or ""), str(one.get("type") or ColumnType.STRING)
        if not name or name in found:
            raise InvalidSchema(
                f"two columns are named '{name}'" if name else "a column has no name",
                hint='each column is {"name": "age", "type": "bigint"}, of a name of its own',
            )
        if said not in known:
            near = nearest(said, known)
            raise InvalidSchema(
                f"column '{name}' is of type '{said}', which there is not"
                + (f": did you mean {near}?" if near else ""),
                hint=f"the types are {', '.join(known)}",
            )
        found[name] = Column(
            name=name, type=ColumnType(said), comment=str(one.get("comment") or "")
        )
    return tuple(found.values())


def cast(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """Return a table with the types of a schema, its columns in the schema's order.

    Raises:
        InvalidSchema: a column is missing, or has a value that is none of its type.
    """
    made = []
    for column in columns:
        if column.name not in table.column_names:
            near = nearest(column.name, table.column_names)
            raise InvalidSchema(
                f"the rows have no column '{column.name}'"
                + (f": did you mean {near}?" if near else ""),
                hint="the schema is what brinery dataset show has",
            )
        values = table.column(column.name)
        wanted = arrow_type(column)
        try:
            made.append(values if type_of(values.type) is column.type else values.cast(wanted))
        except pa.ArrowException as error:
            reason = " ".join(str(error).split())[:200]
            raise InvalidSchema(
                f"column '{column.name}' is declared {column.type}, and has a value that is none: "
                f"{reason}",
                hint="declare it string, or mend the value",
            ) from None
    return pa.table(made, names=[column.name for column in columns])


_KINDS: Final = (
    (kinds.is_boolean, ColumnType.BOOLEAN),
    (kinds.is_int8, ColumnType.TINYINT),
    (kinds.is_int16, ColumnType.SMALLINT),
    (kinds.is_uint8, ColumnType.SMALLINT),
    (kinds.is_int32, ColumnType.INT),
    (kinds.is_uint16, ColumnType.INT),
    (kinds.is_integer, ColumnType.BIGINT),
    (kinds.is_float32, ColumnType.FLOAT),
    (kinds.is_float16, ColumnType.FLOAT),
    (kinds.is_float64, ColumnType.DOUBLE),
    (kinds.is_decimal, ColumnType.DOUBLE),
    (kinds.is_date, ColumnType.DATE_ONLY),
    (kinds.is_map, ColumnType.MAP),
    (kinds.is_struct, ColumnType.OBJECT),
    (kinds.is_list, ColumnType.ARRAY),
    (kinds.is_large_list, ColumnType.ARRAY),
    (kinds.is_fixed_size_list, ColumnType.ARRAY),
)
