"""The body of our own prediction route."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.serve.conftest import make_signature

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.document import decode
from brinery.serve.problems import MAX_ERRORS, Problem
from brinery.serve.rows import RowsReader

SIGNATURE = make_signature(
    Column(name="age", type=ColumnType.INTEGER),
    Column(name="größe/~", type=ColumnType.NUMBER, nullable=True),
    Column(name="note", type=ColumnType.STRING, required=False, nullable=True),
)
ROW: dict[str, Any] = {"age": 1, "größe/~": 2.5}


def rows(body: Any, signature: Signature = SIGNATURE) -> list[dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    table = RowsReader(signature, unknown_categories=False).asked(content).batch.table()
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def problem(body: Any, signature: Signature = SIGNATURE) -> Problem:
    with pytest.raises(Problem) as caught:
        rows(body, signature)
    return caught.value


def test_rows_and_a_bare_object_are_the_same() -> None:
    """One row may be sent without the list around it, and its keys in any order."""
    assert rows(ROW) == rows({"rows": [ROW]}) == rows(dict(reversed(ROW.items())))
    assert rows({"rows": [ROW, {**ROW, "age": 2}]})[1]["age"] == 2


def test_a_column_that_is_not_read_may_be_left_out() -> None:
    """What is not required is missing where it is absent, in some rows or in all."""
    assert [row["note"] for row in rows({"rows": [ROW, {**ROW, "note": "x"}]})] == [None, "x"]
    assert rows(ROW)[0]["note"] is None


def test_a_missing_and_an_unknown_column_are_named() -> None:
    """Each is a fault of its own, with the row and a pointer that is escaped."""
    found = problem({"rows": [ROW, {"age": 1, "gröse/~": 2}]})
    assert found.status == 422
    assert [(e.code, e.row, e.column, e.pointer) for e in found.errors] == [
        ("unknown-column", 1, "gröse/~", "/rows/1/gröse~1~0"),
        ("missing-column", 1, "größe/~", "/rows/1/größe~1~0"),
    ]
    assert problem({"age": 1}).errors[0].pointer == "/größe~1~0"


def test_every_fault_is_told_at_once() -> None:
    """A wrong value is told beside an unknown and a missing column, and no fault is told twice."""
    found = problem({"rows": [{"age": "old", "nota": "x"}, {**ROW, "age": 1.5}]})
    assert [(e.row, e.column, e.code) for e in found.errors] == [
        (0, "nota", "unknown-column"),
        (0, "größe/~", "missing-column"),
        (0, "age", "wrong-type"),
        (1, "age", "wrong-type"),
    ]


@pytest.mark.parametrize("row", [1, None, "x", [], [ROW]])
def test_a_row_is_an_object(row: Any) -> None:
    """Anything else in the list is refused, with its number."""
    found = problem({"rows": [ROW, row]})
    assert (found.errors[0].row, found.errors[0].pointer) == (1, "/rows/1")
    assert found.detail == "row 1 is not an object of columns"


@pytest.mark.parametrize(
    "body", [None, 1, "x", [], [ROW], {"rows": ROW}, {"rows": None}, {"rows": [ROW], "x": 1}]
)
def test_another_shape_is_refused(body: Any) -> None:
    """What is neither form is refused with both of them in the detail."""
    found = problem(body)
    assert (found.status, found.code) == (422, "wrong-shape")
    assert '{"rows"' in found.detail


def test_no_rows_are_refused() -> None:
    """An empty list is said to be one."""
    assert problem({"rows": []}).code == "no-rows"


@pytest.mark.parametrize("body", [b"", b" \n\t"])
def test_an_empty_body_is_refused(body: bytes) -> None:
    """An empty body is 400 and says so."""
    assert (problem(body).status, problem(body).code) == (400, "empty-body")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1,]",
        b"{'age': 1}",
        b"{} {}",
        b"\x00",
        b"\xff\xfe\xff",
        b'{"age": "\xed\xa0\x80"}',
        b'{"age": "\\ud800"}',
        b'{"\\ud800": NaN}',
        b'{"age": ' + b"1" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"NaN NaN",
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """Malformed JSON is 400, with where it is malformed and never what it held."""
    found = problem(body)
    assert (found.status, found.code) == (400, "malformed-json")
    assert len(found.detail) < 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 400])
def test_a_number_that_json_has_not_is_named(number: str) -> None:
    """NaN, infinity and what is too large are refused by row and column, not as malformed."""
    found = problem(f'{{"rows": [{{"age": 1, "größe/~": {number}}}]}}'.encode())
    (fault,) = found.errors
    assert found.status == 422
    assert (fault.row, fault.column) == (0, "größe/~")


def test_a_byte_order_mark_is_skipped() -> None:
    """What some editors write before the text is not a part of it."""
    assert decode(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1, "a": 2}',
        '{"rows": [{"a": 1, "b": 2, "a": 3}]}',
        '{"rows": [], "rows": []}',
        '{"a" : 1, "b": ":", "a": NaN}',
        '{"x": {"y": {"z": 1, "z": 2}}}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(body: str) -> None:
    """Which of its two values is meant no one can tell: nothing is guessed."""
    with pytest.raises(Problem, match="twice"):
        decode(body.encode())


def test_a_column_may_be_called_rows() -> None:
    """A model whose column is called `rows` takes both forms."""
    signature = make_signature(
        Column(name="rows", type=ColumnType.INTEGER), Column(name="x", type=ColumnType.INTEGER)
    )
    row = {"rows": 3, "x": 1}
    assert rows(row, signature) == rows({"rows": [row]}, signature) == [row]


def test_the_faults_are_bounded() -> None:
    """A body of many faults is refused with the first of them, whatever their kind."""
    many = 5000
    bodies: list[dict[str, Any]] = [
        {"rows": [{}] * many},
        {"rows": [1] * many},
        {"rows": [{**ROW, "age": "x"}] * many},
        {**ROW, **{f"c{i}": 1 for i in range(many)}},
    ]
    for body in bodies:
        found = problem(body)
        assert len(found.errors) == MAX_ERRORS
        assert len(found.body()) < 100 * 300
