"""The headers of Parquet's pages: how large each becomes, read before any is unpacked.

The footer of a file may say anything; what is believed when a page is unpacked is its own header.
So those are walked here, by the same offsets, and their sizes added up. Source: parquet.thrift, and
the compact protocol of Thrift.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

# Each text begins with a part of the one before: a small page that may become a vast one.
DELTA_BYTE_ARRAY = 7

_MOST_DEPTH = 8
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_LONG = 0x0F  # a list whose size follows

_UNPACKED, _PACKED = 2, 3
# Where the header of a kind of page says its encoding.
_ENCODINGS = {5: 2, 8: 4}


class Page(NamedTuple):
    """A page as its header tells it.

    Attributes:
        unpacked_bytes: its size when its compression is taken off.
        encoding: of its values; None for one of other kinds.
    """

    unpacked_bytes: int
    encoding: int | None


def pages(body: bytes, start: int, stop: int) -> Iterator[Page]:
    """Give the pages in a part of a file.

    Raises:
        ValueError: it holds something else.
    """
    place = start
    while place < stop:
        reader = _Compact(body, place)
        header = reader.fields()
        unpacked, packed = header.get(_UNPACKED), header.get(_PACKED)
        if (
            not isinstance(unpacked, int)
            or not isinstance(packed, int)
            or min(unpacked, packed) < 0
        ):
            raise ValueError("a page without a size")
        encoding = None
        for kind, field in _ENCODINGS.items():
            held = header.get(kind)
            if isinstance(held, dict):
                encoding = held.get(field)
        yield Page(unpacked, encoding)
        place = reader.place + packed


class _Compact:
    """Reads values of Thrift's compact protocol.

    Args:
        body: that holds them.
        place: of the first.
    """

    def __init__(self, body: bytes, place: int) -> None:
        self._body = body
        self.place = place

    def fields(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a structure by their numbers.

        Raises:
            ValueError: it is none.
        """
        if depth > _MOST_DEPTH:
            raise ValueError("a header that is nested too deeply")
        found: dict[int, Any] = {}
        number = 0
        while kind := self._byte():
            step, kind = kind >> 4, kind & 0x0F
            number = number + step if step else self._integer()
            found[number] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            return self.fields(depth + 1)
        if kind in (_LIST, _SET):
            return self._skipped_list(depth)
        if kind not in (_BYTE, _DOUBLE, _BINARY):
            raise ValueError("a header of another kind")
        size = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._unsigned()
        self.place += size
        return None

    def _skipped_list(self, depth: int) -> None:
        head = self._byte()
        size, kind = head >> 4, head & 0x0F
        if size == _LONG:
            size = self._unsigned()
        for _ in range(size):
            if kind in (_TRUE, _FALSE):
                self._byte()
            else:
                self._value(kind, depth + 1)

    def _byte(self) -> int:
        if not 0 <= self.place < len(self._body):
            raise ValueError("a header without an end")
        self.place += 1
        return self._body[self.place - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:  # noqa: PLR2004 - bits
                raise ValueError("a number without an end")
        return value | byte << shift

    def _integer(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
