"""The reader that decodes right bodies at once says what the one that looks closely says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.conftest import make_signature

from brinery.records.signature import Column, ColumnType
from brinery.serve.problems import Problem
from brinery.serve.rows import RowsReader
from brinery.serve.typed import TypedReader

SIGNATURE = make_signature(
    Column(name="age", type=ColumnType.INTEGER),
    Column(name="größe", type=ColumnType.NUMBER, nullable=True),
    Column(name="job", type=ColumnType.STRING, categories=("cook", "rows", 'q":')),
    Column(name="note", type=ColumnType.STRING, required=False),
    Column(name="fit", type=ColumnType.BOOLEAN),
)
NAMES = [column.name for column in SIGNATURE.columns]

values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=True)
    | st.sampled_from(["cook", "rows", 'q":', "x"])
    | st.lists(st.integers(), max_size=2)
)
right = st.fixed_dictionaries(
    {
        "age": st.integers(-(2**63), 2**63 - 1),
        "größe": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "job": st.sampled_from(["cook", "rows", 'q":']),
        "note": st.text(max_size=5),
        "fit": st.booleans(),
    }
)
wrong = st.dictionaries(st.sampled_from([*NAMES, "rows", "columns", "id"]), values)
mixed = st.tuples(right, wrong).map(lambda pair: {**pair[0], **pair[1]})
documents = (
    right
    | mixed
    | st.fixed_dictionaries({"rows": st.lists(right | mixed, max_size=3)}, optional={"id": values})
    | st.fixed_dictionaries(
        {"columns": st.fixed_dictionaries({name: st.lists(values, max_size=3) for name in NAMES})},
        optional={"id": values},
    )
)
strict = pytest.mark.parametrize("unknown_categories", [False, True])


def typed(*, unknown_categories: bool) -> TypedReader:
    found = TypedReader.of(SIGNATURE, unknown_categories=unknown_categories)
    assert found is not None
    return found


def closely(body: bytes, *, unknown_categories: bool) -> Any:
    """Return what the careful reader makes of a body; None where it refuses it."""
    reader = RowsReader(SIGNATURE, unknown_categories=unknown_categories)
    reader._typed = None
    try:
        asked = reader.asked(body)
    except Problem:
        return None
    return asked.batch.rows, asked.id


@strict
@settings(max_examples=300, deadline=None)
@given(document=documents)
def test_it_never_says_otherwise(unknown_categories: bool, document: Any) -> None:  # noqa: FBT001
    """What it reads is what the careful reader reads, and what that refuses it leaves to it."""
    body = json.dumps(document, ensure_ascii=False).encode()
    found = typed(unknown_categories=unknown_categories).asked(body)
    if found is not None:
        expected = closely(body, unknown_categories=unknown_categories)
        assert (found.batch.rows, found.id) == expected


@strict
@given(row=right, many=st.integers(1, 3))
def test_it_reads_what_is_right(unknown_categories: bool, row: Any, many: int) -> None:  # noqa: FBT001
    """A right body is not looked at twice, unless its text holds what looks like a key."""
    reader = typed(unknown_categories=unknown_categories)
    row = {**row, "job": "cook", "note": "plain"}
    for document in (
        row,
        {"rows": [row] * many},
        {"rows": [row] * many, "id": "7"},
        {"columns": {name: [row[name]] * many for name in NAMES}},
    ):
        found = reader.asked(json.dumps(document).encode())
        assert found is not None
        assert found.batch.rows == [tuple(row[name] for name in NAMES)] * found.batch.n_rows


@pytest.mark.parametrize(
    "body",
    [
        '{"age": 1, "größe": 1, "job": "cook", "note": "", "fit": true, "age": 2}',
        '{"rows": [{"age": 1, "größe": 1, "job": "cook", "note": "", "fit": true, "fit": false}]}',
    ],
)
def test_a_key_that_is_there_twice_is_left_to_the_other(body: str) -> None:
    """Which refuses it."""
    assert typed(unknown_categories=False).asked(body.encode()) is None
    assert closely(body.encode(), unknown_categories=False) is None


def test_what_the_decoder_has_no_word_for_is_left_to_the_other() -> None:
    """Times, categories that are no text, and names that it takes for no field."""
    for column in (
        Column(name="when", type=ColumnType.DATETIME),
        Column(name="grade", type=ColumnType.NUMBER, categories=(1.0, 2.0)),
        *(Column(name=name, type=ColumnType.NUMBER) for name in ('5" pipe', "a\\b", "a\nb")),
    ):
        assert TypedReader.of(make_signature(column), unknown_categories=False) is None
