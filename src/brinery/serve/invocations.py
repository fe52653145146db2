"""The body of MLflow's own scoring route, in its four forms, read as `mlflow models serve` does.

Columns may come in any order, columns the model does not have are left out, a number may be
written as text and a missing one as NaN, and a category the model never saw goes to the model.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from brinery.records.signature import Signature
from brinery.serve.asked import Asked
from brinery.serve.columns import Reader, Rules
from brinery.serve.document import decode
from brinery.serve.problems import FieldError, Problem, invalid
from brinery.serve.rows import no_rows

_SPLIT = "dataframe_split"
_RECORDS = "dataframe_records"
_INSTANCES = "instances"
_INPUTS = "inputs"
_FORMS = (_SPLIT, _RECORDS, _INSTANCES, _INPUTS)


class InvocationsReader:
    """Reads bodies of MLflow's forms for one signature."""

    def __init__(self, signature: Signature) -> None:
        self._names = [column.name for column in signature.columns]
        self._required = [column.name for column in signature.columns if column.required]
        self._reader = Reader(
            signature,
            Rules(unknown_categories=True, mlflow=True),
            lambda *_: None,  # the four forms place a value in four ways
        )

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is not JSON or none of the forms, 422 for what the model does
                not take.
        """
        columns, n_rows = self._columns(decode(body))
        if n_rows == 0:
            raise no_rows()
        missing = [self._reader.missing_column(n) for n in self._required if n not in columns]
        if missing:
            raise invalid(missing)
        return Asked(self._reader.batch(columns, n_rows))

    def _columns(self, value: Any) -> tuple[dict[str, list[Any]], int]:
        """Return column name to values, and the number of rows."""
        forms = [form for form in _FORMS if isinstance(value, dict) and form in value]
        if len(forms) != 1:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "wrong-shape",
                "the body has none of dataframe_split, dataframe_records, instances and inputs"
                if not forms
                else f"the body has both {forms[0]} and {forms[1]}",
                hint='send {"dataframe_records": [{…}]}',
            )
        content = value[forms[0]]
        if forms[0] == _SPLIT:
            return _from_split(content)
        if forms[0] == _RECORDS:
            return _from_records(content, _RECORDS)
        if isinstance(content, dict):
            return _from_columns(content, forms[0])
        if isinstance(content, list) and content and isinstance(content[0], dict):
            return _from_records(content, forms[0])
        return _from_matrix(content, self._names, forms[0])


def _wrong_shape(message: str, row: int | None = None) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-shape",
        message,
        errors=[FieldError(code="wrong-shape", message=message, row=row)]
        if row is not None
        else (),
    )


def _from_split(content: Any) -> tuple[dict[str, list[Any]], int]:
    if not isinstance(content, dict) or not isinstance(content.get("columns"), list):
        raise _wrong_shape("dataframe_split takes an object with 'columns' and 'data'")
    names = [str(name) for name in content["columns"]]
    if len(set(names)) < len(names):
        raise _wrong_shape("dataframe_split names a column twice")
    return _from_matrix(content.get("data"), names, _SPLIT)


def _from_matrix(content: Any, names: list[str], form: str) -> tuple[dict[str, list[Any]], int]:
    if not isinstance(content, list):
        raise _wrong_shape(f"{form} takes a list of rows")
    if len(names) == 1 and not any(isinstance(row, list) for row in content):
        return {names[0]: content}, len(content)
    for number, row in enumerate(content):
        if not isinstance(row, list) or len(row) != len(names):
            found = len(row) if isinstance(row, list) else "no list of"
            raise _wrong_shape(f"row {number} has {found} values, not {len(names)}", number)
    return {name: [row[i] for row in content] for i, name in enumerate(names)}, len(content)


def _from_records(content: Any, form: str) -> tuple[dict[str, list[Any]], int]:
    if not isinstance(content, list):
        raise _wrong_shape(f"{form} takes a list of objects")
    for number, row in enumerate(content):
        if not isinstance(row, dict):
            raise _wrong_shape(f"row {number} is not an object of columns", number)
    names = dict.fromkeys(name for row in content for name in row)
    return {name: [row.get(name) for row in content] for name in names}, len(content)


def _from_columns(content: dict[str, Any], form: str) -> tuple[dict[str, list[Any]], int]:
    columns = {
        name: values if isinstance(values, list) else [values] for name, values in content.items()
    }
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise _wrong_shape(f"the columns of {form} are of different lengths")
    return columns, lengths.pop() if lengths else 0
