"""The JSON of our own prediction route: rows, columns, or one bare object."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from brinery.records.signature import Signature
from brinery.serve.asked import Asked
from brinery.serve.batch import Batch
from brinery.serve.columns import Reader, Rules
from brinery.serve.document import decode
from brinery.serve.problems import MAX_ERRORS, FieldError, Problem, invalid
from brinery.serve.typed import TypedReader

_WRAPPERS: dict[str, type] = {"rows": list, "columns": dict}
_ID = "id"


class RowsReader:
    """Reads bodies of our own form for one signature.

    Args:
        signature: what the model takes.
        unknown_categories: whether a category the model never saw is let through.
    """

    def __init__(self, signature: Signature, *, unknown_categories: bool) -> None:
        self._signature = signature
        self._required = [column.name for column in signature.columns if column.required]
        self._names = {column.name for column in signature.columns}
        rules = Rules(unknown_categories=unknown_categories)
        self._typed = TypedReader.of(signature, unknown_categories=unknown_categories)
        self._batch = Reader(signature, rules, lambda row, name: f"/rows/{row}/{escape(name)}")
        self._bare = Reader(signature, rules, lambda _, name: f"/{escape(name)}")
        self._turned = Reader(signature, rules, lambda row, name: f"/columns/{escape(name)}/{row}")

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is not JSON, 422 for what the model does not take.
        """
        found = self._typed.asked(body) if self._typed is not None else None
        return found if found is not None else self._looked_at(decode(body))

    def _looked_at(self, value: Any) -> Asked:
        """Return what a document asks; a list or an object where a value is wraps the rows."""
        if isinstance(value, dict):
            for key, kind in _WRAPPERS.items():
                if isinstance(value.get(key), kind) and value.keys() <= {key, _ID}:
                    return self._wrapped(value[key], value.get(_ID))
            if all(key not in value or key in self._names for key in _WRAPPERS):
                return Asked(self._of_rows([value], self._bare))
        raise wrong_shape(
            'the body is none of {"rows": [{…}, …]}, {"columns": {…}} and a bare object of columns'
        )

    def _wrapped(self, content: Any, given_id: Any) -> Asked:
        """Return what a list of rows, or an object of columns, asks."""
        if not isinstance(given_id, str | None):
            raise wrong_shape("'id' takes text")
        batch = (
            self._of_rows(content, self._batch)
            if isinstance(content, list)
            else self._of_columns(content)
        )
        return Asked(batch, id=given_id)

    def _of_rows(self, rows: list[Any], reader: Reader) -> Batch:
        if not rows:
            raise no_rows()
        faults = self._shape_faults(rows, reader)
        if not all(type(row) is dict for row in rows):
            raise invalid(faults)
        values = {
            name: [row.get(name) for row in rows]
            for name in self._names
            if any(name in row for row in rows)
        }
        return reader.batch(values, len(rows), faults=faults)

    def _of_columns(self, columns: dict[str, Any]) -> Batch:
        faults = [self._turned.unknown_column(name) for name in columns if name not in self._names]
        faults += [self._turned.missing_column(n) for n in self._required if n not in columns]
        if faults:
            raise invalid(faults[:MAX_ERRORS])
        lengths = {len(values) if isinstance(values, list) else -1 for values in columns.values()}
        if -1 in lengths or len(lengths) > 1:
            raise wrong_shape("'columns' takes an object of lists, all of one length")
        n_rows = lengths.pop() if lengths else 0
        if n_rows == 0:
            raise no_rows()
        return self._turned.batch(columns, n_rows)

    def _shape_faults(self, rows: list[Any], reader: Reader) -> list[FieldError]:
        """Return what is wrong with the rows before any value is looked at."""
        faults = (
            fault
            for number, row in enumerate(rows)
            if type(row) is not dict or row.keys() != self._names
            for fault in self._row_faults(number, row, reader)
        )
        return list(islice(faults, MAX_ERRORS))

    def _row_faults(self, number: int, row: Any, reader: Reader) -> Iterator[FieldError]:
        if type(row) is not dict:
            yield FieldError(
                code="wrong-type",
                message="is not an object of columns",
                row=number,
                pointer=f"/rows/{number}",
            )
            return
        for name in row:
            if name not in self._names:
                yield reader.unknown_column(name, number)
        for name in self._required:
            if name not in row:
                yield reader.missing_column(name, number)


def wrong_shape(detail: str) -> Problem:
    """Return the problem of a document that is of none of the forms."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-shape",
        detail,
        hint="/docs has an example to send",
    )


def no_rows() -> Problem:
    """Return the problem of a body in which there is nothing to score."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no-rows", "there are no rows to score")


def escape(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
