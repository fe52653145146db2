"""Bodies in bulk: what is refused, and how it is told, in every format alike."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import stable
from tests.serve.conftest import make_signature

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.arrays import ArraysReader
from brinery.serve.arrow_stream import ArrowReader
from brinery.serve.asked import Asked
from brinery.serve.columns import Rules
from brinery.serve.csv_text import CsvReader
from brinery.serve.parquet import ParquetReader
from brinery.serve.problems import Problem

SIGNATURE = make_signature(
    Column(name="n", type=ColumnType.INTEGER),
    Column(name="x", type=ColumnType.NUMBER, nullable=True),
    Column(name="job", type=ColumnType.STRING, categories=("a", "b")),
)
TYPED = make_signature(
    Column(name="n", type=ColumnType.INTEGER, nullable=True),
    Column(name="flag", type=ColumnType.BOOLEAN, nullable=True),
    Column(name="day", type=ColumnType.DATETIME, nullable=True),
    Column(name="text", type=ColumnType.STRING, nullable=True),
)
LIMIT = 1_000_000

Read = Callable[[bytes], Asked]


def reader(form: str, signature: Signature = SIGNATURE, rules: Rules | None = None) -> Read:
    """Return what reads a format."""
    rules = rules or Rules()
    arrays = ArraysReader(signature, rules, max_body_bytes=LIMIT)
    if form == "arrow":
        return ArrowReader(arrays).asked
    if form == "parquet":
        return ParquetReader(signature, arrays).asked
    return CsvReader(signature, arrays, rules).asked


def arrow(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as stream:
        stream.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def comma(table: pa.Table) -> bytes:
    content: str = table.to_pandas(integer_object_nulls=True).to_csv(index=False)
    return content.encode()


WRITE: dict[str, Callable[[pa.Table], bytes]] = {"arrow": arrow, "parquet": parquet, "csv": comma}
forms = pytest.mark.parametrize("form", WRITE)
GOOD: dict[str, list[Any]] = {"n": [1, 2, 3], "x": [0.5, None, 2.0], "job": ["a", "b", "a"]}


def refused(form: str, content: bytes, signature: Signature = SIGNATURE) -> Problem:
    with pytest.raises(Problem) as caught:
        reader(form, signature)(content)
    return caught.value


def faults(problem: Problem) -> list[tuple[int | None, str | None, str]]:
    assert problem.status == 422
    return [(fault.row, fault.column, fault.code) for fault in problem.errors]


@forms
def test_good_rows_are_read(form: str) -> None:
    """As numbers and text, a missing number as NaN for a scorer and as null for a library."""
    batch = reader(form)(WRITE[form](pa.table(GOOD))).batch
    assert batch.n_rows == 3
    values = dict(batch.values)
    assert [list(values[name]) for name in ("n", "job")] == [GOOD["n"], GOOD["job"]]
    np.testing.assert_array_equal(values["x"], [0.5, np.nan, 2.0])
    assert batch.table().to_pydict() == GOOD
    assert batch.rows == list(zip(*GOOD.values(), strict=True))


@forms
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"n": [1, None, 3]}, (1, "n", "missing-value")),
        ({"n": [1.0, 2.5, 3.0]}, (1, "n", "wrong-type")),
        ({"n": [1.0, 1e300, 3.0]}, (1, "n", "out-of-range")),
        ({"n": pa.array([1, 2**64 - 1, 3], pa.uint64())}, (1, "n", "out-of-range")),
        ({"x": [0.5, float("inf"), 2.0]}, (1, "x", "out-of-range")),
        ({"job": ["a", "c", "a"]}, (1, "job", "unknown-category")),
        ({"job": ["a", None, "a"]}, (1, "job", "missing-value")),
        ({"extra": [1, 2, 3]}, (None, "extra", "unknown-column")),
        ({"n": None}, (None, "n", "missing-column")),
    ],
    ids=stable,
)
def test_a_bad_value_is_named(
    form: str, change: dict[str, Any], expected: tuple[int | None, str, str]
) -> None:
    """Row, column and what is wrong, in the words that JSON's reader has."""
    columns = {name: held for name, held in {**GOOD, **change}.items() if held is not None}
    assert faults(refused(form, WRITE[form](pa.table(columns)))) == [expected]


@forms
def test_all_faults_are_told_in_the_order_of_rows_up_to_a_hundred(form: str) -> None:
    """Of all columns together."""
    n = 300
    columns = {"n": [1, *[None] * (n - 1)], "x": [float("inf")] * n, "job": ["c"] * n}
    found = faults(refused(form, WRITE[form](pa.table(columns))))
    assert len(found) == 100
    assert found[:5] == [
        *[(0, "x", "out-of-range"), (0, "job", "unknown-category")],
        *[(1, "n", "missing-value"), (1, "x", "out-of-range"), (1, "job", "unknown-category")],
    ]


@forms
def test_nan_is_a_missing_value(form: str) -> None:
    """Taken where a value may be missing, and refused elsewhere."""
    nan = [0.5, float("nan"), 2.0]
    table = pa.table({**GOOD, "x": nan})
    assert reader(form)(WRITE[form](table)).batch.table().column("x").null_count == 1
    refusal = refused(form, WRITE[form](pa.table({**GOOD, "n": [*nan[1:2], 1.0, 2.0]})))
    assert faults(refusal) == [(0, "n", "missing-value")]


@forms
def test_integers_are_exact(form: str) -> None:
    """Beyond 2^53 too, also in a column with missing values."""
    values = [2**53 + 1, None, -(2**63), 2**63 - 1]
    table = pa.table(
        {"n": values, "flag": [True] * 4, "day": ["2026-01-31"] * 4, "text": ["é, \"'"] * 4}
    )
    assert reader(form, TYPED)(WRITE[form](table)).batch.table().column("n").to_pylist() == values


@forms
def test_a_table_without_rows_is_refused(form: str) -> None:
    """As a list without rows is."""
    schema = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("job", pa.string())])
    assert refused(form, WRITE[form](schema.empty_table())).code == "no-rows"


@forms
def test_a_body_without_a_byte_is_refused(form: str) -> None:
    """And said to be empty."""
    assert refused(form, b"").code == "empty-body"


@forms
def test_names_may_be_of_any_language(form: str) -> None:
    """And are told so where they are at fault."""
    signature = make_signature(
        Column(name='größe, 大小 "q"', type=ColumnType.NUMBER),
        Column(name="🦊", type=ColumnType.INTEGER),
    )
    name, fox = (column.name for column in signature.columns)
    content = WRITE[form](pa.table({name: [1.5], fox: [1]}))
    assert reader(form, signature)(content).batch.rows == [(1.5, 1)]
    content = WRITE[form](pa.table({name: [1.5], fox: [1.5]}))
    assert faults(refused(form, content, signature)) == [(0, fox, "wrong-type")]


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2], [3]]),
        pa.array([{"a": 1}] * 3),
        pa.array([b"1", b"2", b"3"]),
        pa.array([True, False, True]),
        pa.array(["1", "2", "3"]),
        pa.array(["1", "2", "3"]).dictionary_encode(),
        pa.array([1, 2, 3], pa.timestamp("us")),
        pa.array([1, 2, 3], pa.time32("s")),
        pa.array([1, 2, 3], pa.duration("s")),
        pa.array([1, 2, 3], pa.decimal128(10, 2)),
    ],
    ids=lambda array: str(array.type),
)
def test_a_column_of_another_type_is_named_once(form: str, column: pa.Array) -> None:
    """With the type that it is of, and before a value of it is looked at."""
    problem = refused(form, WRITE[form](pa.table({**GOOD, "n": column})))
    assert faults(problem) == [(None, "n", "wrong-type")]


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.dictionary(pa.int8(), pa.int64())],
    ids=str,
)
def test_numbers_of_every_width_are_taken(kind: pa.DataType) -> None:
    """An integer where a number is meant, and a whole number where an integer is."""
    values = pa.array([1, 2, 3], kind.value_type if pa.types.is_dictionary(kind) else kind)
    array = values.dictionary_encode() if pa.types.is_dictionary(kind) else values
    batch = reader("arrow")(arrow(pa.table({**GOOD, "n": array, "x": array}))).batch
    assert batch.table().to_pydict() == {**GOOD, "n": [1, 2, 3], "x": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["a", "b", "a"], pa.large_string()),
        pa.array(["a", "b", "a"], pa.string_view()),
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["a", "b", "never used"]),
    ],
    ids=lambda array: str(array.type),
)
def test_text_of_every_layout_is_taken(array: pa.Array) -> None:
    """Categories that a dictionary has and no row uses are no fault."""
    batch = reader("arrow")(arrow(pa.table({**GOOD, "job": array}))).batch
    assert batch.table().to_pydict() == GOOD
    assert dict(batch.values)["job"][1] == "b"


def test_a_dictionary_may_hold_a_missing_value() -> None:
    """Which is then refused where none may be missing."""
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), ["a", None])
    content = arrow(pa.table({**GOOD, "job": array}))
    assert faults(refused("arrow", content)) == [
        (1, "job", "missing-value"),
        (2, "job", "missing-value"),
    ]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([0, 1_000_000_001], pa.timestamp("ns")), "1970-01-01T00:00:01"),
        (pa.array([0, 1], pa.timestamp("s", "Europe/Paris")), "1970-01-01T00:00:01"),
        (pa.array([0, 1], pa.date32()), "1970-01-02T00:00:00"),
        (pa.array([0, 86_400_000], pa.date64()), "1970-01-02T00:00:00"),
        (pa.array(["", "1970-01-02T01:00:00+01:00"])[1:].take([None, 0]), "1970-01-02T00:00:00"),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_times_of_every_unit_are_taken(array: pa.Array, expected: str) -> None:
    """In UTC, to the microsecond; a day is its midnight."""
    table = pa.table({"n": [1, 1], "flag": [None, True], "day": array, "text": ["", None]})
    batch = reader("arrow", TYPED)(arrow(table)).batch
    assert pd.Timestamp(batch.table().column("day")[1].as_py()) == pd.Timestamp(expected)
    assert batch.rows[0][1:2] == (None,)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_time_that_python_has_not_is_refused(unit: str) -> None:
    """Arrow's years go further than 1 to 9999."""
    day = pa.array([0, 2**62, -(2**62)], pa.timestamp(unit))
    table = pa.table({"n": [1] * 3, "flag": [True] * 3, "day": day, "text": ["a"] * 3})
    assert faults(refused("arrow", arrow(table), TYPED)) == [
        (1, "day", "out-of-range"),
        (2, "day", "out-of-range"),
    ]


def test_a_column_twice_is_refused() -> None:
    """Which of the two is meant no one can tell."""
    names = ["n", "x", "job", "n"]
    table = pa.table([pa.array(GOOD[name]) for name in names], names=names)
    assert faults(refused("arrow", arrow(table))) == [(None, "n", "duplicate-column")]
    assert faults(refused("csv", b"n,x,job,n\n1,,a,1\n")) == [(None, "n", "duplicate-column")]


def test_an_id_may_be_in_the_metadata() -> None:
    """Of the schema, where Arrow and Parquet have room for it."""
    table = pa.table(GOOD).replace_schema_metadata({"id": "ü-7"})
    assert reader("arrow")(arrow(table)).id == reader("parquet")(parquet(table)).id == "ü-7"
    assert reader("csv")(comma(table)).id is None


# What is hostile.


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_compressed_buffers_are_bounded_by_what_they_say(codec: str) -> None:
    """A small stream that becomes a vast one is refused before it is unpacked."""
    table = pa.table({"n": np.zeros(5_000_000, np.int64)})
    content = arrow(table, compression=codec)
    assert len(content) < LIMIT
    problem = refused("arrow", content, make_signature(SIGNATURE.columns[0]))
    assert (problem.status, problem.code) == (413, "body-too-large")


def test_rows_are_bounded() -> None:
    """Rows that take no room, for they are all missing, are counted too."""
    signature = make_signature(Column(name="x", type=ColumnType.NUMBER, nullable=True))
    vast = pa.table({"x": pa.nulls(10_000_000)})
    for form in ("arrow", "parquet"):
        problem = refused(form, WRITE[form](vast), signature)
        assert problem.code == "body-too-large"


@pytest.mark.parametrize("view", [False, True])
def test_text_that_is_meant_many_times_is_bounded(view: bool) -> None:  # noqa: FBT001 - two cases
    """A long text that lies in the body once and is meant by every row."""
    signature = make_signature(Column(name="text", type=ColumnType.STRING))
    long = "x" * 500_000
    array = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int8()), [long])
    if view:
        views = np.array([[len(long), 0x78787878, 0, 0]] * 1000, "<i4")
        buffers = [None, pa.py_buffer(views), pa.py_buffer(long.encode())]
        array = pa.Array.from_buffers(pa.string_view(), 1000, buffers)
    content = arrow(pa.table({"text": array}))
    assert len(content) < LIMIT
    assert refused("arrow", content, signature).code == "body-too-large"


def test_a_parquet_that_becomes_too_large_is_refused() -> None:
    """A few bytes that are millions of equal numbers, or a compressed page of them."""
    table = pa.table({"n": np.zeros(5_000_000, np.int64)})
    for options in ({}, {"use_dictionary": False, "compression": "zstd"}):
        content = parquet(table, **options)
        assert len(content) < LIMIT
        problem = refused("parquet", content, make_signature(SIGNATURE.columns[0]))
        assert problem.code == "body-too-large"


def test_pages_are_measured_by_their_own_headers() -> None:
    """Few rows in a page that becomes large, which the count of rows does not tell."""
    signature = make_signature(Column(name="text", type=ColumnType.STRING))
    table = pa.table({"text": ["x" * 5_000_000] * 3})
    content = parquet(table, compression="zstd", use_dictionary=False)
    assert len(content) < LIMIT
    assert refused("parquet", content, signature).code == "body-too-large"


def test_an_encoding_that_does_not_tell_its_size_is_refused() -> None:
    """Texts that each begin as the one before."""
    signature = make_signature(Column(name="text", type=ColumnType.STRING))
    content = parquet(
        pa.table({"text": ["x" * 1000] * 100}),
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
    )
    assert refused("parquet", content, signature).code == "unsupported-encoding"


def test_half_a_stream_is_refused() -> None:
    """Also where it is cut between two batches, and what is left could be read."""
    batches = pa.table(GOOD).to_batches()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as stream:
        stream.write_batch(batches[0])
        cut = sink.tell()
        stream.write_batch(batches[0])
    content = sink.getvalue().to_pybytes()
    assert reader("arrow")(content).batch.n_rows == 6
    for length in (cut, len(content) - 8, len(content) - 1, len(content) // 2):
        assert refused("arrow", content[:length]).status == 400
    assert refused("arrow", content + content).status == 400


CONTENTS = {form: write(pa.table(GOOD)) for form, write in WRITE.items()} | {
    "arrow dictionaries": arrow(
        pa.table({name: pa.array(held).dictionary_encode() for name, held in GOOD.items()})
    ),
    "arrow compressed": arrow(
        pa.table({name: held * 500 for name, held in GOOD.items()}), compression="zstd"
    ),
    "arrow typed": arrow(
        pa.table(
            {
                "n": pa.array([1, None], pa.uint16()),
                "x": pa.array([1, 2], pa.timestamp("s")),
                "job": pa.array(["a", "b"], pa.string_view()),
            }
        )
    ),
    "parquet plain": parquet(pa.table(GOOD), use_dictionary=False, compression="none"),
    "parquet version 2": parquet(pa.table(GOOD), data_page_version="2.0", compression="zstd"),
}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a body that was cut, or in which bytes were changed."""
    name = draw(st.sampled_from(sorted(CONTENTS)))
    content = bytearray(CONTENTS[name])
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(content) - 1))
        content[place] = draw(
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
        )
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    return name.partition(" ")[0], bytes(content)


@settings(max_examples=500, deadline=None)
@given(damaged())
def test_a_damaged_body_is_read_or_refused(case: tuple[str, bytes]) -> None:
    """Never a fault of ours, and never rows that are not of the signature."""
    form, content = case
    try:
        batch = reader(form)(content).batch
    except Problem as problem:
        assert problem.status in (400, 413, 422)  # noqa: PT017 - it may be read as well
        return
    assert batch.table().num_rows == batch.n_rows == len(batch.rows)
    assert set(batch.table().column("job").to_pylist()) <= {"a", "b"}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WRITE)), st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused(form: str, content: bytes) -> None:
    """Also where they begin or end as the format does."""
    for body in (content, b"PAR1" + content + b"PAR1", b"\xff\xff\xff\xff" + content):
        with pytest.raises(Problem) as refusal:
            reader(form)(body)
        assert refusal.value.status in (400, 413, 422)
