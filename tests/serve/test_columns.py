"""Columns of JSON values become a typed table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from tests.serve.conftest import make_signature

from brinery.records.signature import Column, ColumnType, Scalar
from brinery.serve.columns import Reader, Rules
from brinery.serve.problems import MAX_ERRORS, FieldError, Problem

STRICT = Rules()
MLFLOW = Rules(unknown_categories=True, mlflow=True)
NAN = float("nan")


def column(
    kind: ColumnType, *, nullable: bool = False, categories: tuple[Scalar, ...] | None = None
) -> Column:
    return Column(name="x", type=kind, nullable=nullable, categories=categories)


def reader(column: Column, rules: Rules = STRICT) -> Reader:
    return Reader(make_signature(column), rules, lambda row, name: f"/rows/{row}/{name}")


def read(column: Column, given: Sequence[Any], rules: Rules = STRICT) -> list[Any]:
    values = reader(column, rules).batch({"x": given}, len(given)).table().column("x").to_pylist()
    assert isinstance(values, list)
    return values


def faults(column: Column, given: Sequence[Any], rules: Rules = STRICT) -> tuple[FieldError, ...]:
    with pytest.raises(Problem) as caught:
        read(column, given, rules)
    assert caught.value.status == 422
    return caught.value.errors


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (ColumnType.INTEGER, [1, 2.0, -0.0, 2**63 - 1, -(2**63)], [1, 2, 0, 2**63 - 1, -(2**63)]),
        (ColumnType.NUMBER, [1, 2.5, -0.0, 5e-324], [1.0, 2.5, -0.0, 5e-324]),
        (ColumnType.STRING, ["", "a\0b", "😀"], ["", "a\0b", "😀"]),
        (ColumnType.BOOLEAN, [True, False], [True, False]),
    ],
)
def test_a_value_of_the_type_is_taken(
    kind: ColumnType, given: list[Any], expected: list[Any]
) -> None:
    """Each type takes its own values; a whole number may be written with a decimal point."""
    assert read(column(kind), given) == expected


TAKEN: dict[ColumnType, list[Any]] = {
    ColumnType.INTEGER: [1],
    ColumnType.NUMBER: [1, 1.5],
    ColumnType.STRING: ["x"],
    ColumnType.BOOLEAN: [True],
    ColumnType.DATETIME: [],
}


@pytest.mark.parametrize("kind", ColumnType)
def test_a_value_of_another_type_is_refused(kind: ColumnType) -> None:
    """Every type but the column's own is refused, with row, column and pointer."""
    own = [(type(value), value) for value in TAKEN[kind]]
    for value in (True, 1, 1.5, "x", [1], {"a": 1}, 10**400):
        if (type(value), value) not in own:
            (fault,) = faults(column(kind), [value])
            assert fault.code in ("wrong-type", "out-of-range")
            assert (fault.row, fault.column, fault.pointer) == (0, "x", "/rows/0/x")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.INTEGER, 2**63),
        (ColumnType.NUMBER, float("inf")),
        (ColumnType.NUMBER, 10**400),
    ],
)
def test_a_number_out_of_range_is_refused(kind: ColumnType, value: float) -> None:
    """A whole number of more than 64 bits, and one that no float can hold, is out of range."""
    (fault,) = faults(column(kind, nullable=True), [value])
    assert fault.code == "out-of-range"


@pytest.mark.parametrize("kind", [ColumnType.INTEGER, ColumnType.NUMBER])
def test_nan_is_no_missing_value(kind: ColumnType) -> None:
    """NaN is refused where null would be taken, and the message says to write null."""
    (fault,) = faults(column(kind, nullable=True), [NAN])
    assert fault.code == "not-a-number"
    assert "null" in fault.message


@pytest.mark.parametrize("kind", ColumnType)
def test_a_missing_value_is_taken_where_the_model_fills_it_in(kind: ColumnType) -> None:
    """Null is taken in a nullable column, and refused in any other."""
    assert read(column(kind, nullable=True), [None, None]) == [None, None]
    (fault,) = faults(column(kind), [None])
    assert fault.code == "missing-value"


def test_an_absent_column_is_missing_in_every_row() -> None:
    """A column that is not given is null throughout, with its own type."""
    table = reader(column(ColumnType.INTEGER)).batch({}, 3).table()
    assert table.column("x").to_pylist() == [None, None, None]
    assert str(table.schema.field("x").type) == "int64"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12)),  # noqa: DTZ001 - data has no zone
        ("2026-01-31", datetime(2026, 1, 31)),  # noqa: DTZ001
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12)),  # noqa: DTZ001
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10)),  # noqa: DTZ001
    ],
)
def test_a_time_is_read_as_utc(text: str, expected: datetime) -> None:
    """An offset is counted, not dropped; without one the time is taken as it stands."""
    assert read(column(ColumnType.DATETIME), [text]) == [expected]


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "0001-01-01T00:00:00+10:00", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A text that is no time, or one outside the calendar, is refused with an example."""
    (fault,) = faults(column(ColumnType.DATETIME), [text])
    assert "2026-01-31T12:00:00" in fault.message


def test_an_unknown_category_is_refused_with_the_nearest() -> None:
    """The message names the category that was meant, or else some that are known."""
    job = column(ColumnType.STRING, categories=("admin.", "student"))
    (near,) = faults(job, ["admin"])
    (far,) = faults(job, ["zzz"])
    assert near.code == far.code == "unknown-category"
    assert near.message == "has no category 'admin': did you mean 'admin.'?"
    assert far.message == "has no category 'zzz': the model knows admin., student"


@pytest.mark.parametrize("value", ["never seen", None, NAN])
def test_an_unknown_category_goes_to_the_model_where_it_may(value: Any) -> None:
    """Where unknown categories are let through, a missing value is one of them."""
    given = None if value is NAN else value
    job = column(ColumnType.STRING, categories=("admin.",))
    assert read(job, [value], MLFLOW) == [given]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (ColumnType.INTEGER, "42", 42),
        (ColumnType.INTEGER, "9007199254740993", 9007199254740993),
        (ColumnType.NUMBER, "1.5", 1.5),
    ],
)
def test_mlflow_may_write_a_number_as_text(kind: ColumnType, text: str, expected: float) -> None:
    """Under MLflow's rules text that states a number is that number, to its last digit."""
    assert read(column(kind), [text], MLFLOW) == [expected]
    assert faults(column(kind), [text])[0].code == "wrong-type"


def test_mlflow_writes_a_missing_value_as_nan() -> None:
    """Under MLflow's rules NaN is a missing value where the model fills it in."""
    assert read(column(ColumnType.NUMBER, nullable=True), [NAN], MLFLOW) == [None]
    assert faults(column(ColumnType.NUMBER), [NAN], MLFLOW)[0].code == "missing-value"


def test_the_faults_come_in_the_order_of_the_rows() -> None:
    """Faults of several columns are sorted by row, and only the first of them are kept."""
    two = make_signature(
        Column(name="a", type=ColumnType.INTEGER), Column(name="b", type=ColumnType.INTEGER)
    )
    n_rows = 1000
    with pytest.raises(Problem) as caught:
        Reader(two, STRICT, lambda *_: None).batch({"a": ["x"] * n_rows, "b": [[]] * n_rows}, 1000)
    found = [(fault.row, fault.column) for fault in caught.value.errors]
    assert found == [(row, name) for row in range(MAX_ERRORS // 2) for name in "ab"]


def test_no_message_repeats_a_long_text() -> None:
    """However long a category or a name is, in the body or the model, the fault stays short."""
    long = "z" * 100_000
    job = column(ColumnType.STRING, categories=(f"y{long}",))
    unknown = reader(job).unknown_column(long, 0)
    assert all(len(fault.message) < 200 for fault in (*faults(job, [long]), unknown))
    assert len(str(unknown.column)) < 50
    assert unknown.pointer is None


def test_an_unknown_column_is_named_with_the_nearest() -> None:
    """The message names the column that was meant."""
    fault = reader(Column(name="duration", type=ColumnType.NUMBER)).unknown_column("duratoin", 2)
    assert fault.message == "is not a column of this model: did you mean 'duration'?"
    assert (fault.row, fault.column, fault.pointer) == (2, "duratoin", "/rows/2/duratoin")
