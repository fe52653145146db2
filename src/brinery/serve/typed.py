"""Bodies of our own form that are right, decoded at once into what the signature says.

What is refused here, or may be, is read again by the reader that can say why: this one only ever
says yes. So its types may be stricter than the rules are, and never less strict.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.asked import Asked
from brinery.serve.batch import Batch

_INTEGER = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: dict[ColumnType, Any] = {
    ColumnType.INTEGER: _INTEGER,
    ColumnType.NUMBER: float,
    ColumnType.STRING: str,
    ColumnType.BOOLEAN: bool,
}
_HEAD = 16  # bytes in which the first key of a wrapped body begins
# What msgspec takes in no name of a field.
_UNNAMED = re.compile(r'[\\"\x00-\x1f]')


class TypedReader:
    """Decodes bodies of one signature; use `of`, which says where it cannot.

    Args:
        signature: what the model takes.
        fields: of a row, as msgspec takes them.
    """

    def __init__(self, signature: Signature, fields: list[tuple[str, Any]]) -> None:
        self._types = {column.name: column.type for column in signature.columns}
        self._n_columns = len(fields)
        names = {
            field: column.name for (field, _), column in zip(fields, signature.columns, strict=True)
        }
        absent = [() if column.required else (None,) for column in signature.columns]
        row = _struct(
            "Row", [(*one, *default) for one, default in zip(fields, absent, strict=True)], names
        )
        lists: list[Any] = [(field, list.__class_getitem__(kind)) for field, kind in fields]
        wrapped: list[Any] = [
            ("rows", list.__class_getitem__(row)),
            ("id", str | None, None),
        ]
        turned: list[Any] = [("columns", _struct("Columns", lists, names)), wrapped[1]]
        self._bare = msgspec.json.Decoder(row)
        self._wrapped = msgspec.json.Decoder(_struct("Rows", wrapped, {}))
        self._turned = msgspec.json.Decoder(_struct("Turned", turned, {}))

    @classmethod
    def of(cls, signature: Signature, *, unknown_categories: bool) -> TypedReader | None:
        """Return the reader of a signature; None where a type or a name is none for msgspec.

        Args:
            signature: what the model takes.
            unknown_categories: whether a category the model never saw is let through.
        """
        fields = []
        for place, column in enumerate(signature.columns):
            kind = _type(column, unknown_categories=unknown_categories)
            if kind is None or _UNNAMED.search(column.name):
                return None
            fields.append((f"f{place}", kind))
        return cls(signature, fields)

    def asked(self, body: bytes) -> Asked | None:
        """Return what a body asks; None where it must be looked at more closely."""
        try:
            row = self._bare.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._of_wrapped(body)
        if body.count(b'":') != self._n_columns:
            return None  # a key twice, perhaps
        return Asked(Batch(self._types, 1, in_rows=[astuple(row)]))

    def _of_wrapped(self, body: bytes) -> Asked | None:
        """Return what a body asks that is not one bare row."""
        head = body[:_HEAD]
        try:
            if b'"rows"' in head:
                return self._rows(body)
            if b'"columns"' in head:
                return self._columns(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return None

    def _rows(self, body: bytes) -> Asked | None:
        found = self._wrapped.decode(body)
        n_rows = len(found.rows)
        if n_rows == 0:
            return None
        if body.count(b'":') != n_rows * self._n_columns + 1 + (found.id is not None):
            return None
        return Asked(
            Batch(self._types, n_rows, in_rows=[astuple(row) for row in found.rows]), id=found.id
        )

    def _columns(self, body: bytes) -> Asked | None:
        found = self._turned.decode(body)
        columns = astuple(found.columns)
        n_rows = len(columns[0])
        if n_rows == 0 or any(len(values) != n_rows for values in columns):
            return None
        if body.count(b'":') != self._n_columns + 1 + (found.id is not None):
            return None
        values = dict(zip(self._types, columns, strict=True))
        return Asked(Batch(self._types, n_rows, in_columns=values), id=found.id)


def _type(column: Column, *, unknown_categories: bool) -> Any:
    """Return the type of a column's values; None where msgspec has no word for it."""
    kind = _TYPES.get(column.type)
    if column.categories is not None and not unknown_categories:
        if not all(type(value) is str for value in column.categories) or not column.categories:
            return None
        if column.type is not ColumnType.STRING:
            return None
        kind = Literal[column.categories]
    may_be_missing = column.nullable or (unknown_categories and column.categories is not None)
    return kind | None if kind is not None and may_be_missing else kind


def _struct(name: str, fields: list[Any], names: dict[str, str]) -> Any:
    """Return a type whose fields are named in JSON as the columns are."""
    return msgspec.defstruct(
        name, fields, rename=names or None, forbid_unknown_fields=True, kw_only=True, gc=False
    )
