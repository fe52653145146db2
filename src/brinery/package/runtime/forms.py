"""The JSON of a request: one object, a list of them, rows, columns, or the forms of MLflow.

What is wrong with it is told as a problem (RFC 9457) that names the row and the column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from brinery.records import column_value
from brinery.records.column_value import READERS, WrongValue
from brinery.records.signature import Column, Signature

MAX_ERRORS = 100

_ID = "id"
_BAD_REQUEST, _UNPROCESSABLE = 400, 422


class Form(Enum):
    """How a request holds its rows, and so how it is answered."""

    ONE = "one"
    LIST = "list"
    ROWS = "rows"
    VALUES = "values"


class Asked(NamedTuple):
    """What a request asks.

    Attributes:
        columns: name to (n_rows,) values, of every column of the signature.
        n_rows: how many rows there are.
        form: how they were given.
        id: that the client gave; None where it gave none.
    """

    columns: dict[str, list[Any]]
    n_rows: int
    form: Form
    id: str | None = None


class Problem(Exception):
    """A request that is refused.

    Args:
        status: of the answer.
        code: stable, kebab-case.
        detail: one sentence for people.
        errors: every fault found, up to `MAX_ERRORS`.
    """

    def __init__(
        self, status: int, code: str, *, detail: str, errors: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)


class Reader:
    """Reads the requests of one signature.

    Args:
        signature: what the model takes.
        aliases: other names of its columns, as clients may write them, to the columns.
    """

    def __init__(self, signature: Signature, aliases: Mapping[str, str]) -> None:
        self._columns = {column.name: column for column in signature.columns}
        self._aliases = dict(aliases)
        self._known = {
            column.name: frozenset(column.categories)
            for column in signature.columns
            if column.categories is not None
        }
        self._spoken = {column: alias for alias, column in aliases.items()}

    def asked(self, body: bytes) -> Asked:
        """Return what the body of a request asks.

        Raises:
            Problem: 400 for what is not JSON, 422 for what the model does not take.
        """
        value = _decoded(body)
        if isinstance(value, list):
            return self._of_records(value, Form.LIST)
        if not isinstance(value, dict):
            raise _wrong_shape("the body is neither an object of columns nor a list of them")
        return self._wrapped(value) or self._of_records([value], Form.ONE)

    def _wrapped(self, value: dict[str, Any]) -> Asked | None:
        """Return what an object asks that wraps rows; None where it is a row itself."""
        if self._wraps(value, "rows", list):
            return self._of_records(value["rows"], Form.ROWS, given_id=value.get(_ID))
        if self._wraps(value, "columns", dict):
            return self._of_columns(value["columns"], Form.ROWS, given_id=value.get(_ID))
        for key in ("instances", "dataframe_records", "inputs"):
            if self._wraps(value, key, list):
                return self._of_instances(value[key])
        if self._wraps(value, "inputs", dict):
            return self._of_columns(value["inputs"], Form.VALUES)
        if self._wraps(value, "dataframe_split", dict):
            return self._of_split(value["dataframe_split"])
        return None

    def _wraps(self, value: dict[str, Any], key: str, kind: type) -> bool:
        """Return whether an object is a wrapper, and no row that has a column of that name."""
        if not isinstance(value.get(key), kind):
            return False
        return key not in self._columns and set(value) <= {key, _ID, "parameters", "signature_name"}

    def _of_instances(self, content: list[Any]) -> Asked:
        if content and isinstance(content[0], list):
            return self._of_matrix(list(self._columns), content)
        return self._of_records(content, Form.VALUES)

    def _of_split(self, content: dict[str, Any]) -> Asked:
        names, rows = content.get("columns"), content.get("data")
        if not isinstance(names, list) or not isinstance(rows, list):
            raise _wrong_shape("'dataframe_split' takes an object of 'columns' and 'data'")
        return self._of_matrix([str(name) for name in names], rows)

    def _of_matrix(self, names: list[str], rows: list[Any]) -> Asked:
        for number, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(names):
                raise _wrong_shape(f"row {number} is no list of {len(names)} values")
        return self._of_records([dict(zip(names, row)) for row in rows], Form.VALUES)

    def _of_columns(self, columns: dict[str, Any], form: Form, *, given_id: Any = None) -> Asked:
        lengths = {len(one) if isinstance(one, list) else -1 for one in columns.values()}
        if -1 in lengths or len(lengths) != 1:
            raise _wrong_shape("the columns are no object of lists, all of one length")
        rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
        return self._of_records(rows, form, given_id=given_id)

    def _of_records(self, rows: list[Any], form: Form, *, given_id: Any = None) -> Asked:
        if not (given_id is None or isinstance(given_id, str)):
            raise _wrong_shape("'id' takes text")
        if not rows:
            raise Problem(_UNPROCESSABLE, "no-rows", detail="there are no rows to score")
        faults: list[dict[str, Any]] = []
        made: dict[str, list[Any]] = {name: [] for name in self._columns}
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                faults.append(_fault("wrong-type", "is not an object of columns", row=number))
            else:
                self._row(row, number, made=made, faults=faults)
            if len(faults) >= MAX_ERRORS:
                break
        if faults:
            raise _invalid(faults[:MAX_ERRORS])
        return Asked(made, len(rows), form, given_id)

    def _row(
        self,
        row: dict[str, Any],
        number: int,
        *,
        made: dict[str, list[Any]],
        faults: list[dict[str, Any]],
    ) -> None:
        """Add the values of a row to the columns, and what is wrong with them to the faults."""
        given: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in row.items():
            name = key if key in self._columns else self._aliases.get(key, key)
            if name not in self._columns:
                faults.append(self._unknown_column(key, number))
            elif name in given:
                faults.append(_fault("column-twice", "is there twice", row=number, column=key))
            else:
                given[name] = value
                spelled[name] = key
        for name, column in self._columns.items():
            if name not in given:
                if column.required:
                    spoken = self._spoken.get(name, name)
                    fault = _fault("missing-column", "is required", row=number, column=spoken)
                    faults.append(fault)
                made[name].append(None)
                continue
            try:
                made[name].append(self._value(column, given[name]))
            except WrongValue as wrong:
                faults.append(_fault(wrong.code, wrong.message, row=number, column=spelled[name]))
                made[name].append(None)

    def _value(self, column: Column, value: Any) -> Any:
        if value is None:
            if column.nullable:
                return None
            raise column_value.missing()
        read = READERS[column.type](value)
        known = self._known.get(column.name)
        if known is not None and read not in known:
            said = column_value.unknown_category(column, value)
            raise WrongValue("unknown-category", said)
        return read

    def _unknown_column(self, name: str, row: int) -> dict[str, Any]:
        said = column_value.unknown_column(name, [*self._columns, *self._aliases])
        return _fault("unknown-column", said, row=row, column=column_value.short(name))


def _decoded(body: bytes) -> Any:
    if not body.strip():
        raise Problem(_BAD_REQUEST, "empty-body", detail="the body is empty: send JSON")
    try:
        return json.loads(body)
    except RecursionError:
        raise Problem(
            _BAD_REQUEST, "not-json", detail="the body is nested too deeply to be read"
        ) from None
    except ValueError as error:
        raise Problem(_BAD_REQUEST, "not-json", detail=f"the body is not JSON: {error}") from None


def _wrong_shape(detail: str) -> Problem:
    return Problem(_UNPROCESSABLE, "wrong-shape", detail=detail)


def _fault(code: str, message: str, *, row: int, column: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"code": code, "message": message, "row": row}
    return told if column is None else {**told, "column": column}


def _invalid(faults: Sequence[dict[str, Any]]) -> Problem:
    first, others = faults[0], len(faults) - 1
    about = f"row {first['row']}: "
    about += f"'{first['column']}' " if "column" in first else ""
    more = f", and {others} more" if others else ""
    detail = f"{about}{first['message']}{more}"
    return Problem(_UNPROCESSABLE, "invalid-rows", detail=detail, errors=faults)
