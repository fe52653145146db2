"""Tables of a flat buffer, read where they lie without their schema or any library.

Every place is computed from numbers of the file, so each is checked against the bytes that are
there: what points outside of them is `Broken`.

Source: FlatBuffers internals, as its developers document them.
"""

from __future__ import annotations

import struct
from typing import Optional

from brinery.pickles.bounds import Broken

_UINT16, _INT32, _UINT32 = struct.Struct("<H"), struct.Struct("<i"), struct.Struct("<I")
_VTABLE_HEAD = 2  # its own size and its table's come before the fields


class Table:
    """A table within a buffer; fields are told by their number in the schema, from 0."""

    def __init__(self, buffer: memoryview, place: int) -> None:
        """Args: a buffer, and where in it the table begins."""
        self._buffer, self._place = buffer, place
        self._fields = place - _number(buffer, place, _INT32)
        self._size = _number(buffer, self._fields, _UINT16)

    @classmethod
    def root(cls, buffer: memoryview) -> Table:
        """Return the table that a buffer begins with.

        Raises:
            Broken: it points outside of the buffer.
        """
        return cls(buffer, _number(buffer, 0, _UINT32))

    def integer(self, field: int, *, default: int) -> int:
        """Return a field of 32 bits, or what stands for it where it was left out.

        Raises:
            Broken: it lies outside of the buffer.
        """
        place = self._field(field)
        return default if place is None else _number(self._buffer, place, _INT32)

    def table(self, field: int) -> Optional[Table]:
        """Return the table that a field refers to; None where it was left out.

        Raises:
            Broken: it lies outside of the buffer.
        """
        place = self._referred(field)
        return None if place is None else Table(self._buffer, place)

    def tables(self, field: int, *, most: int) -> list[Table]:
        """Return the first tables that a field lists; none where it was left out.

        Raises:
            Broken: one of them lies outside of the buffer.
        """
        start = self._referred(field)
        if start is None:
            return []
        count = min(_number(self._buffer, start, _UINT32), most)
        places = range(start + 4, start + 4 + 4 * count, 4)
        return [
            Table(self._buffer, place + _number(self._buffer, place, _UINT32)) for place in places
        ]

    def text(self, field: int, *, most: int) -> str:
        """Return a text of a field, as far as its first bytes go; empty where it was left out.

        Raises:
            Broken: it lies outside of the buffer.
        """
        start = self._referred(field)
        if start is None:
            return ""
        end = start + 4 + _number(self._buffer, start, _UINT32)
        if end > len(self._buffer):
            raise Broken("a text of a flat buffer lies outside of it")
        return str(self._buffer[start + 4 : min(end, start + 4 + most)], "utf-8", "replace")

    def _field(self, field: int) -> Optional[int]:
        """Return where a field lies; None where it was left out."""
        at = 2 * (_VTABLE_HEAD + field)
        if at + 2 > self._size:
            return None
        offset = _number(self._buffer, self._fields + at, _UINT16)
        return self._place + offset if offset else None

    def _referred(self, field: int) -> Optional[int]:
        """Return the place that a field points to; None where it was left out."""
        place = self._field(field)
        return None if place is None else place + _number(self._buffer, place, _UINT32)


def _number(buffer: memoryview, place: int, kind: struct.Struct) -> int:
    if not 0 <= place <= len(buffer) - kind.size:
        raise Broken("a flat buffer points outside of itself")
    return int(kind.unpack_from(buffer, place)[0])
