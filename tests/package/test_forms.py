"""Requests as a package reads them: every form of a row, and what is wrong with it."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import pytest
from tests.package.conftest import ROW

from brinery.package.runtime.forms import Form, Problem, Reader
from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve import columns

NAMES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
VALUES = list(ROW.values())
OWN = dict(zip(NAMES, VALUES, strict=True))
SPLIT = {"columns": list(ROW), "data": [VALUES]}
TAKES = Signature(
    columns=tuple(Column(name=name, type=ColumnType.NUMBER) for name in NAMES), example={}
)
MIXED = Signature(
    columns=(
        Column(name="age", type=ColumnType.INTEGER),
        Column(name="job", type=ColumnType.STRING, categories=("admin.", "retired")),
        Column(name="balance", type=ColumnType.NUMBER, nullable=True),
        Column(name="loan", type=ColumnType.BOOLEAN),
        Column(name="at", type=ColumnType.DATETIME),
        Column(name="day", type=ColumnType.INTEGER, required=False, nullable=True),
    ),
    example={},
)
GOOD = {"age": 30, "job": "retired", "balance": None, "loan": True, "at": "2026-01-31T12:00:00Z"}


def reader(takes: Signature = TAKES) -> Reader:
    """Return what reads requests of a signature."""
    return Reader(takes, dict(zip(ROW, NAMES, strict=True)) if takes is TAKES else {})


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (ROW, Form.ONE),
        (OWN, Form.ONE),
        ([ROW], Form.LIST),
        ({"rows": [ROW], "id": "7"}, Form.ROWS),
        ({"columns": {name: [value] for name, value in ROW.items()}}, Form.ROWS),
        ({"instances": [ROW]}, Form.VALUES),
        ({"instances": [VALUES]}, Form.VALUES),
        ({"inputs": {name: [value] for name, value in ROW.items()}}, Form.VALUES),
        ({"dataframe_records": [ROW]}, Form.VALUES),
        ({"dataframe_split": SPLIT}, Form.VALUES),
    ],
)
def test_every_form_is_the_same_row(body: Any, form: Form) -> None:
    """A row is read the same in every form, by its aliases and by its columns."""
    asked = reader().asked(json.dumps(body).encode())
    assert asked.form is form
    assert asked.n_rows == 1
    assert asked.columns == {name: [value] for name, value in OWN.items()}


def test_every_type_is_read() -> None:
    """A whole number, a category, a missing value, a truth value and a time keep their types."""
    asked = reader(MIXED).asked(json.dumps([GOOD, {**GOOD, "age": 31.0, "day": 3}]).encode())
    assert asked.columns["age"] == [30, 31]
    assert asked.columns["balance"] == [None, None]
    assert asked.columns["loan"] == [True, True]
    assert asked.columns["at"][0] == datetime(2026, 1, 31, 12)  # noqa: DTZ001 - as models take it
    assert asked.columns["day"] == [None, 3]


def test_a_column_called_rows_is_a_column() -> None:
    """A model with a column of a wrapper's name takes a bare object that has it."""
    takes = Signature(columns=(Column(name="rows", type=ColumnType.NUMBER),), example={})
    assert Reader(takes, {}).asked(b'{"rows": 3}').form is Form.ONE


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        (b"", 400, "empty-body", "empty"),
        (b"{", 400, "not-json", "not JSON"),
        (b"[" * 100_000, 400, "not-json", ""),
        (b"\xff", 400, "not-json", "not JSON"),
        (b"3", 422, "wrong-shape", "neither"),
        (b"[]", 422, "no-rows", "no rows"),
        (b'{"rows": []}', 422, "no-rows", "no rows"),
        (b'{"columns": {"a": [1], "b": []}}', 422, "wrong-shape", "one length"),
        (b'{"dataframe_split": {"columns": ["a"]}}', 422, "wrong-shape", "data"),
        (b'{"instances": [[1]]}', 422, "wrong-shape", "4 values"),
        (b"[3]", 422, "wrong-type", "row 0: is not an object"),
        (b'{"rows": [{}], "id": 3}', 422, "wrong-shape", "'id'"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, status: int, code: str, said: str) -> None:
    """What is not JSON is a 400, what holds no rows a 422, and both say why."""
    with pytest.raises(Problem) as caught:
        reader().asked(body)
    problem = caught.value
    assert problem.status == status
    assert code in {problem.code, *(error["code"] for error in problem.errors)}
    assert said in problem.detail


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"age": "30"}, "wrong-type", "takes an integer, not text"),
        ({"age": 30.5}, "wrong-type", "takes a whole number"),
        ({"age": True}, "wrong-type", "not a boolean"),
        ({"age": 2**63}, "out-of-range", "64 bits"),
        ({"age": None}, "missing-value", "may not be missing"),
        ({"job": "retierd"}, "unknown-category", "did you mean 'retired'?"),
        ({"job": "zzz"}, "unknown-category", "the model knows admin., retired"),
        ({"balance": float("nan")}, "not-a-number", "null"),
        ({"balance": 10**400}, "out-of-range", "finite"),
        ({"loan": 1}, "wrong-type", "takes a boolean"),
        ({"at": "yesterday"}, "wrong-type", "takes a time"),
        ({"agee": 3}, "unknown-column", "did you mean 'age'?"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], code: str, said: str) -> None:
    """Each fault names the row, the column and what would be right."""
    with pytest.raises(Problem) as caught:
        reader(MIXED).asked(json.dumps([GOOD, {**GOOD, **change}]).encode())
    (error,) = caught.value.errors
    assert (error["row"], error["column"], error["code"]) == (1, next(iter(change)), code)
    assert said in error["message"]


def test_a_missing_column_is_called_as_clients_call_it() -> None:
    """The alias of a column that is missing is named, for it is what the client wrote."""
    with pytest.raises(Problem, match="'petal_width' is required"):
        reader().asked(json.dumps({k: v for k, v in ROW.items() if k != "petal_width"}).encode())


def test_a_wrong_value_is_told_under_the_name_that_the_client_wrote() -> None:
    """Its alias, or the column itself."""
    for name in ("sepal_length", NAMES[0]):
        with pytest.raises(Problem) as caught:
            reader().asked(json.dumps({name: "five", **dict(list(ROW.items())[1:])}).encode())
        assert caught.value.errors[0]["column"] == name
        assert f"'{name}' takes a number" in caught.value.detail


def test_a_column_under_two_names_is_refused() -> None:
    """An alias beside its column is told, and neither is taken."""
    with pytest.raises(Problem, match="is there twice"):
        reader().asked(json.dumps({**ROW, NAMES[0]: 1.0}).encode())


def test_faults_are_told_up_to_a_hundred() -> None:
    """A long list of wrong rows is answered with its first hundred faults."""
    with pytest.raises(Problem) as caught:
        reader().asked(json.dumps([{**ROW, "x": 1}] * 500).encode())
    assert len(caught.value.errors) == 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("age", value) for value in (1.5, "30", True, 2**70, None, math.nan, math.inf)),
        *(("balance", value) for value in (math.nan, math.inf, "1", 10**400)),
        *(("job", value) for value in ("retird", "x" * 90, 3, None)),
        *(("loan", value) for value in (1, "true")),
        *(("at", value) for value in ("yesterday", 3)),
        ("jb", "retired"),
    ],
)
def test_an_endpoint_refuses_it_in_the_same_words(name: str, value: Any) -> None:
    """What is wrong with a value is told with the code and the words of an endpoint."""
    row = {**GOOD, name: value}
    with pytest.raises(Problem) as caught:
        reader(MIXED).asked(json.dumps(row).encode())
    ours = [(one["code"], one["message"], one["column"]) for one in caught.value.errors]
    endpoint = columns.Reader(MIXED, columns.Rules(), lambda *_: None)
    known = {column.name: column for column in MIXED.columns}
    found = (
        endpoint.fault(known[name], value, row=0)
        if name in known
        else endpoint.unknown_column(name, 0)
    )
    assert found is not None
    assert ours == [(found.code, found.message, found.column)]
