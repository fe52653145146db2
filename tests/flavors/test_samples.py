"""Rows made up from a signature."""

from __future__ import annotations

import pandas as pd
import pytest

from brinery.flavors import samples
from brinery.flavors.signature import column_type
from brinery.records.signature import Column, ColumnType, Signature
from brinery.store.tables import to_arrow

SIGNATURE = Signature(
    columns=(
        Column(name="age", type=ColumnType.INTEGER),
        Column(name="rate", type=ColumnType.NUMBER, nullable=True),
        Column(name="job", type=ColumnType.STRING, categories=("a", "b")),
        Column(name="text", type=ColumnType.STRING),
        Column(name="flag", type=ColumnType.BOOLEAN),
        Column(name="day", type=ColumnType.DATETIME),
        Column(name="kind", type=ColumnType.STRING, categories=("x", "y"), categorical=True),
    ),
    example={
        "age": 30,
        "rate": 0.5,
        "job": "b",
        "text": "hello",
        "flag": True,
        "day": "2024-02-01",
        "kind": "x",
    },
)


TYPED = SIGNATURE.columns[:2] + SIGNATURE.columns[3:6]


def test_the_first_row_is_the_example() -> None:
    """The example is the first row, in the signature's order and types."""
    made = samples.rows(SIGNATURE)
    assert list(made.columns) == [column.name for column in SIGNATURE.columns]
    first = made.iloc[0].to_dict()
    assert {**first, "day": "2024-02-01"} == SIGNATURE.example
    assert first["day"] == pd.Timestamp("2024-02-01")
    assert isinstance(made["kind"].dtype, pd.CategoricalDtype)
    assert made["age"].dtype.kind == "i"


def test_rows_are_spread() -> None:
    """Numbers and categories vary, known categories only, and what may be missing sometimes is."""
    made = samples.rows(SIGNATURE)
    assert made["age"].nunique() > 20
    assert set(made["job"]) == {"a", "b"}
    assert set(made["flag"]) == {True, False}
    assert 0 < made["rate"].isna().sum() < samples.ROWS
    assert made.drop(columns="rate").notna().all(axis=None)


@pytest.mark.parametrize("kind", list(ColumnType))
def test_what_may_be_missing_sometimes_is(kind: ColumnType) -> None:
    """A column of any type has gaps where it may, but for the first row, and keeps its type."""
    example = SIGNATURE.example[{column.type: column.name for column in TYPED}[kind]]
    made = samples.rows(
        Signature(columns=(Column(name="x", type=kind, nullable=True),), example={"x": example})
    )["x"]
    assert 0 < made.isna().sum() < samples.ROWS
    assert made.notna()[0]
    wanted = ColumnType.NUMBER if kind is ColumnType.INTEGER else kind
    assert column_type(made) is wanted
    assert to_arrow(made.to_frame())["x"].null_count == made.isna().sum()


def test_rows_are_the_same_every_time() -> None:
    """Two calls make the same rows."""
    pd.testing.assert_frame_equal(samples.rows(SIGNATURE), samples.rows(SIGNATURE))
