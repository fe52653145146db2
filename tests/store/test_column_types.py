"""The types of columns: Arrow's and ours, there and back."""

from __future__ import annotations

import pyarrow as pa
import pytest

from brinery.errors import InvalidSchema
from brinery.records.dataset import Column, ColumnType
from brinery.store.column_types import arrow_type, cast, columns_of, given_columns, type_of


@pytest.mark.parametrize("kind", ColumnType)
def test_every_type_has_one_of_arrow(kind: ColumnType) -> None:
    """What Arrow keeps a column as is of that column's type again; what has no shape is text."""
    shapeless = {"array", "map", "object", "geopoint", "geometry"}
    expected = ColumnType.STRING if kind in shapeless else kind
    assert type_of(arrow_type(Column(name="a", type=kind))) is expected


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.dictionary(pa.int8(), pa.string()), ColumnType.STRING),
        (pa.uint8(), ColumnType.SMALLINT),
        (pa.uint32(), ColumnType.BIGINT),
        (pa.timestamp("ns", tz="Europe/Paris"), ColumnType.DATE),
        (pa.timestamp("ms"), ColumnType.DATETIME_NO_TZ),
        (pa.list_(pa.int64()), ColumnType.ARRAY),
        (pa.struct([("x", pa.int64())]), ColumnType.OBJECT),
        (pa.map_(pa.string(), pa.int64()), ColumnType.MAP),
        (pa.decimal128(10, 2), ColumnType.DOUBLE),
        (pa.null(), ColumnType.STRING),
    ],
)
def test_every_kind_of_arrow_is_one_of_ours(arrow: pa.DataType, expected: ColumnType) -> None:
    """Categories are of the type of their values, nested values are told by their shape."""
    assert type_of(arrow) is expected


def test_the_index_of_pandas_is_no_column() -> None:
    """What pandas kept of an index beside the columns is not one of them."""
    schema = pa.schema([("a", pa.int64()), ("__index_level_0__", pa.int64())])
    assert [one.name for one in columns_of(schema)] == ["a"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ([{"name": "a", "type": "strng"}], "did you mean string"),
        ([{"type": "int"}], "no name"),
        ([{"name": "a"}, {"name": "a"}], "two columns are named 'a'"),
    ],
)
def test_a_wrong_schema_is_told(declared: list[dict[str, str]], said: str) -> None:
    """A type that there is not, no name and a name twice are refused with what is meant."""
    with pytest.raises(InvalidSchema, match=said):
        given_columns(declared)


def test_rows_take_the_types_of_a_schema() -> None:
    """Columns come in the schema's order and types; a value of another type is named."""
    rows = pa.table({"b": ["1", "2"], "a": [1, 2]})
    columns = given_columns([{"name": "a", "type": "double"}, {"name": "b", "type": "bigint"}])
    done = cast(rows, columns)
    assert done.column_names == ["a", "b"]
    assert [str(one) for one in done.schema.types] == ["double", "int64"]
    with pytest.raises(InvalidSchema, match="column 'b' is declared bigint"):
        cast(pa.table({"a": [1], "b": ["x"]}), columns)
    with pytest.raises(InvalidSchema, match="no column 'b'"):
        cast(pa.table({"a": [1]}), columns)
