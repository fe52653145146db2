from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from brinery.errors import ColumnMismatch, ColumnMissing
from brinery.flavors.signature import check_columns, column_type, complete, conform, infer
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType, Signature


def describe(*names: str, **uses: ColumnUse) -> Description:
    return Description(
        framework="scikit-learn",
        framework_version="1",
        outline="X",
        type=PredictionType.BINARY,
        feature_names=names,
        n_features=len(names),
        columns=uses,
    )


def unnamed(n_features: int | None) -> Description:
    return Description(
        framework="scikit-learn",
        framework_version="1",
        outline="X",
        type=PredictionType.BINARY,
        n_features=n_features,
    )


def takes(kind: ColumnType, *, required: bool = True, name: str = "x") -> Signature:
    return Signature(columns=(Column(name=name, type=kind, required=required),), example={})


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pd.Series([1, 2]), ColumnType.INTEGER),
        (pd.Series([1, None], dtype="Int64"), ColumnType.INTEGER),
        (pd.Series([1, None]), ColumnType.NUMBER),
        (pd.Series([None, None], dtype="float64"), ColumnType.NUMBER),
        (pd.Series([True, False]), ColumnType.BOOLEAN),
        (pd.Series([True, None], dtype="boolean"), ColumnType.BOOLEAN),
        (pd.Series([True, None], dtype=object), ColumnType.BOOLEAN),
        (pd.Series([np.True_, np.nan], dtype=object), ColumnType.BOOLEAN),
        (pd.Series(["a", None]), ColumnType.STRING),
        (pd.Series(["a", None], dtype=object), ColumnType.STRING),
        (pd.Series(["a", None], dtype="string"), ColumnType.STRING),
        (pd.Series([None, None], dtype=object), ColumnType.STRING),
        (pd.Series(["a", 1], dtype=object), ColumnType.STRING),
        (pd.Series([1, 2], dtype=object), ColumnType.INTEGER),
        (pd.Series([1, 2.5, None], dtype=object), ColumnType.NUMBER),
        (pd.Series(["2020-01-01", None], dtype="datetime64[us]"), ColumnType.DATETIME),
        (pd.Series(pd.to_datetime(["2020-01-01T00:00Z"])), ColumnType.DATETIME),
        (pd.Series([pd.Timestamp("2020"), None], dtype=object), ColumnType.DATETIME),
        (pd.Series(["a", "b"], dtype="category"), ColumnType.STRING),
        (pd.Series([1, 2], dtype="category"), ColumnType.INTEGER),
        (pd.Series([1.5, None], dtype="category"), ColumnType.NUMBER),
    ],
)
def test_column_type(series: pd.Series[Any], kind: ColumnType) -> None:
    """The type is that of the values which are there, however pandas keeps them."""
    assert column_type(series) is kind


def test_missing_column() -> None:
    """A column the model reads and the data lacks is named, with the nearest there is."""
    with pytest.raises(ColumnMissing, match="a column 'balance'") as caught:
        check_columns(describe("age", "balance"), ["age", "Balance"])
    assert caught.value.hint == "is it 'Balance'? rename that column to 'balance'"
    with pytest.raises(ColumnMissing) as caught:
        check_columns(describe("age"), ["job"])
    assert caught.value.hint == "add a column 'age' to the data; it has job"


def test_column_that_is_not_read() -> None:
    """A column the model names and does not read may be missing."""
    check_columns(describe("age", "home", home=ColumnUse(used=False)), ["extra", "age"])


def test_unnamed_columns() -> None:
    """A model without names wants its number of columns; one that has none wants nothing."""
    check_columns(unnamed(2), ["a", "b"])
    check_columns(unnamed(None), ["a", "b"])
    with pytest.raises(ColumnMismatch, match="2 unnamed columns and the data has 3: a, b, c"):
        check_columns(unnamed(2), ["a", "b", "c"])


def test_complete() -> None:
    """Columns the model names and the data lacks are added as missing; others stay."""
    frame = pd.DataFrame({"age": [1, 2]})
    full = complete(describe("age", "home"), frame)
    assert list(full.columns) == ["age", "home"]
    assert full["home"].isna().all()
    assert complete(describe("age"), frame) is frame
    assert complete(unnamed(1), frame) is frame


def test_infer() -> None:
    """The signature has the data's columns in order, with what the model does with each."""
    described = describe(
        "age",
        "job",
        "home",
        "unread",
        job=ColumnUse(categories=("a", "b")),
        home=ColumnUse(categories=("own",), missing=True),
        unread=ColumnUse(used=False),
    )
    frame = pd.DataFrame(
        {
            "job": ["a", "b"],
            "extra": [1, 2],
            "unread": [True, False],
            "age": [None, 30.5],
            "home": ["own", "own"],
        }
    )
    found = infer(described, frame, may_be_missing=("age", "job", "home"))
    assert found.columns == (
        Column(name="job", type=ColumnType.STRING, categories=("a", "b")),
        Column(name="extra", type=ColumnType.INTEGER, required=False, nullable=True),
        Column(name="unread", type=ColumnType.BOOLEAN, required=False, nullable=True),
        Column(name="age", type=ColumnType.NUMBER, nullable=True),
        Column(name="home", type=ColumnType.STRING, nullable=True, categories=("own",)),
    )
    assert found.example == {"job": "b", "extra": 2, "unread": False, "age": 30.5, "home": "own"}


def test_not_nullable() -> None:
    """A column whose value the model does not do without is not nullable, imputer or not."""
    described = describe("age", "home", home=ColumnUse(categories=("own",), missing=True))
    frame = pd.DataFrame({"age": [1.0], "home": ["own"]})
    found = infer(described, frame, may_be_missing=())
    assert [column.nullable for column in found.columns] == [False, False]


def test_categorical() -> None:
    """A column that the data held as categorical is said to be, with the type of its values."""
    frame = pd.DataFrame({"kind": pd.Categorical(["a"]), "size": pd.Categorical([1]), "text": "a"})
    columns = infer(unnamed(3), frame, may_be_missing=()).columns
    assert [column.categorical for column in columns] == [True, True, False]
    assert columns[1].type is ColumnType.INTEGER


def test_unnamed_model_reads_all() -> None:
    """A model without names reads every column."""
    found = infer(unnamed(2), pd.DataFrame({"a": [1], "b": ["x"]}), may_be_missing=("a",))
    assert [column.required for column in found.columns] == [True, True]
    assert [column.nullable for column in found.columns] == [True, False]


def test_example() -> None:
    """The example is the first full row, or the first where none is full, as JSON has it."""
    frame = pd.DataFrame(
        {
            "n": [np.nan, 2.0],
            "when": pd.to_datetime(["2020-01-01T00:00:00", "2020-01-02T03:04:05"]),
            "yes": [True, False],
            "kind": pd.Categorical(["a", "b"]),
        }
    )
    found = infer(unnamed(4), frame, may_be_missing=()).example
    assert found == {"n": 2.0, "when": "2020-01-02T03:04:05", "yes": False, "kind": "b"}
    assert [type(value) for value in found.values()] == [float, str, bool, str]
    gaps = pd.DataFrame({"a": [None, 1.0], "b": ["x", None]})
    assert infer(unnamed(2), gaps, may_be_missing=()).example == {"a": None, "b": "x"}


def test_conform_orders_and_drops() -> None:
    """The columns are those of the signature, in its order; the index stays."""
    wanted = Signature(
        columns=(
            Column(name="a", type=ColumnType.INTEGER),
            Column(name="b", type=ColumnType.STRING),
        ),
        example={},
    )
    frame = pd.DataFrame({"b": ["x"], "extra": [0], "a": [1]}, index=[7])
    pd.testing.assert_frame_equal(
        conform(wanted, frame), pd.DataFrame({"a": [1], "b": ["x"]}, index=[7])
    )


def test_conform_missing_column() -> None:
    """A column that is required and not there is named; one that is not required is missing."""
    with pytest.raises(ColumnMissing, match="a column 'x'"):
        conform(takes(ColumnType.INTEGER), pd.DataFrame({"y": [1]}))
    found = conform(takes(ColumnType.INTEGER, required=False), pd.DataFrame({"y": [1, 2]}))
    assert found["x"].isna().tolist() == [True, True]


def test_conform_numbered_columns() -> None:
    """Columns that are named by numbers are found by their text."""
    found = conform(takes(ColumnType.INTEGER, name="0"), pd.DataFrame([[1], [2]]))
    assert found["0"].tolist() == [1, 2]


def test_conform_repeated_column() -> None:
    """Two columns of one name are refused: which is meant is not known."""
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(ColumnMismatch, match="two columns 'x'"):
        conform(takes(ColumnType.INTEGER), frame)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ColumnType.INTEGER, [1.0, None]),
        (ColumnType.NUMBER, [1, 2]),
        (ColumnType.STRING, [None, None]),
        (ColumnType.BOOLEAN, [True, False]),
        (ColumnType.STRING, ["a", None]),
    ],
)
def test_conform_keeps(kind: ColumnType, given: list[Any]) -> None:
    """Values of the type, whole numbers as numbers, and nothing at all are taken as they are."""
    frame = pd.DataFrame({"x": given})
    pd.testing.assert_frame_equal(conform(takes(kind), frame), frame)


@pytest.mark.parametrize("dtype", ["float64", "category", "str", object])
def test_conform_empty_text(dtype: Any) -> None:
    """A column without a value is one of missing texts, not of numbers, where text is taken."""
    empty = pd.Series([np.nan, np.nan], dtype=dtype)
    found = conform(takes(ColumnType.STRING), pd.DataFrame({"x": empty}))["x"]
    assert found.dtype == object
    assert found.isna().all()


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (ColumnType.NUMBER, ["1.5", None], [1.5, np.nan]),
        (ColumnType.INTEGER, ["1", "2"], [1, 2]),
        (ColumnType.DATETIME, ["2020-01-31", None], [pd.Timestamp("2020-01-31"), pd.NaT]),
        (
            ColumnType.DATETIME,
            ["2020-01-31T12:00:00+02:00", "2020-01-31 12:00:00"],
            [pd.Timestamp("2020-01-31T10:00"), pd.Timestamp("2020-01-31T12:00")],
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["str", object])
def test_conform_reads_text(
    kind: ColumnType, given: list[Any], expected: list[Any], dtype: Any
) -> None:
    """Numbers and times that are written as text are read, as from a csv file."""
    found = conform(takes(kind), pd.DataFrame({"x": pd.Series(given, dtype=dtype)}))
    assert str(found["x"].tolist()) == str(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ColumnType.NUMBER, "many"),
        (ColumnType.INTEGER, "nan"),
        (ColumnType.DATETIME, "31/01/2020"),
        (ColumnType.DATETIME, "soon"),
    ],
)
def test_conform_names_the_row(kind: ColumnType, text: str) -> None:
    """Text that is neither is refused with its row."""
    good = "2020-01-31" if kind is ColumnType.DATETIME else "1"
    with pytest.raises(ColumnMismatch, match=f"'x' holds text in row 3 where .* takes {kind}"):
        conform(takes(kind), pd.DataFrame({"x": [good, None, text, good]}))


@pytest.mark.parametrize(
    ("kind", "given", "found"),
    [
        (ColumnType.STRING, [1, 2], "integer"),
        (ColumnType.STRING, [1.5], "number"),
        (ColumnType.STRING, [True], "boolean"),
        (ColumnType.NUMBER, [True], "boolean"),
        (ColumnType.BOOLEAN, [1], "integer"),
        (ColumnType.DATETIME, [1], "integer"),
        (ColumnType.NUMBER, [pd.Timestamp("2020")], "datetime"),
    ],
)
def test_conform_refuses(kind: ColumnType, given: list[Any], found: str) -> None:
    """A column of another type is refused by name, with both types."""
    with pytest.raises(ColumnMismatch, match=f"column 'x' holds {found} where the model takes"):
        conform(takes(kind), pd.DataFrame({"x": given}))


def test_conform_ignores_what_is_not_read() -> None:
    """A column the model does not read may hold anything."""
    frame = pd.DataFrame({"x": ["a"]})
    pd.testing.assert_frame_equal(conform(takes(ColumnType.INTEGER, required=False), frame), frame)
