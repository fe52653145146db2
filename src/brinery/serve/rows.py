"""The body of our own prediction route: `{"rows": [{…}]}`, or one bare object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec

from brinery.records.signature import Signature
from brinery.serve.batch import Batch
from brinery.serve.columns import Reader, Rules
from brinery.serve.problems import MAX_ERRORS, FieldError, Problem, invalid

_ROWS = "rows"


def decode(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        Problem: it is empty or malformed; the detail says where.
    """
    if not body.strip():
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "empty-body",
            "the body is empty",
            hint="/docs has an example to send",
        )
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _decode_leniently(body, str(error))


def _decode_leniently(body: bytes, reason: str) -> Any:
    """Return the value of a body that is no JSON for the standard, but for many programs.

    That is one with NaN or Infinity, a number out of range, or a byte order mark. It is read so
    that a value which is refused can be named; the reason is given where it is not that either.
    """
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError):
        raise _malformed(reason) from None
    return value


def _malformed(reason: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-json", f"the body is not JSON: {reason}")


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
        self._batch = Reader(signature, rules, lambda row, name: f"/rows/{row}/{escape(name)}")
        self._bare = Reader(signature, rules, lambda _, name: f"/{escape(name)}")

    def batch(self, body: bytes) -> Batch:
        """Return the rows that a body states.

        Raises:
            Problem: 400 for what is not JSON, 422 for what the model does not take.
        """
        rows, reader = self._rows(decode(body))
        faults = self._shape_faults(rows, reader)
        if not all(type(row) is dict for row in rows):
            raise invalid(faults)
        values = {
            name: [row.get(name) for row in rows]
            for name in self._names
            if any(name in row for row in rows)
        }
        return reader.batch(values, len(rows), faults=faults)

    def _rows(self, value: Any) -> tuple[list[Any], Reader]:
        if isinstance(value, dict):
            batch = value.get(_ROWS)
            if isinstance(batch, list) and len(value) == 1:
                if not batch:
                    raise Problem(
                        HTTPStatus.UNPROCESSABLE_ENTITY, "no-rows", "'rows' is an empty list"
                    )
                return batch, self._batch
            if _ROWS not in value or _ROWS in self._names:
                return [value], self._bare
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "wrong-shape",
            'the body is neither {"rows": [{…}, …]} nor one bare object of columns',
            hint="/docs has an example to send",
        )

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


def escape(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
