"""What a Parquet file says of its pages: how large each becomes, read before any is unpacked.

The footer of a file may say anything; what is believed when a page is unpacked is its own header.
So those are walked here, by the same offsets. The footer is read here too: Arrow's own way to ask
it for a column ends the process where the file is damaged. Source: parquet.thrift, and the compact
protocol of Thrift.
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

_MAGIC = b"PAR1"
_TAIL_BYTES = 8  # the length of the footer, and the magic
_LARGEST_FOOTER = 1 << 20  # what is larger takes seconds to read

# The fields of the footer that are read.
_GROUPS = 4
_COLUMNS, _ROWS = 1, 3
_METADATA = 3
_CHUNK_BYTES, _DATA_PLACE, _DICTIONARY_PLACE = 7, 9, 11

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


class Group(NamedTuple):
    """A row group as the footer tells it.

    Attributes:
        n_rows: count.
        extents: of each column, where its pages begin and end.
    """

    n_rows: int
    extents: list[tuple[int, int]]


def groups(body: bytes) -> list[Group]:
    """Return the row groups of a file.

    Raises:
        ValueError, TypeError: its footer is damaged, or larger than any honest one.
    """
    end = len(body) - _TAIL_BYTES
    size = int.from_bytes(body[end : end + 4], "little") if end > 0 else 0
    if body[-4:] != _MAGIC or not 0 < size <= end:
        raise ValueError("it has no footer")
    if size > _LARGEST_FOOTER:
        raise ValueError(f"its footer has {size} bytes, and {_LARGEST_FOOTER} are read")
    footer = _Compact(body, end - size).fields()
    return [_group(one) for one in _listed(footer.get(_GROUPS))]


def _group(said: Any) -> Group:
    if not isinstance(said, dict):
        raise TypeError("a row group that is none")
    return Group(
        _count(said.get(_ROWS)), [_extent(column) for column in _listed(said.get(_COLUMNS))]
    )


def _extent(column: Any) -> tuple[int, int]:
    said = column.get(_METADATA) if isinstance(column, dict) else None
    if not isinstance(said, dict):
        raise TypeError("a column without a place")
    start, dictionary = _count(said.get(_DATA_PLACE)), said.get(_DICTIONARY_PLACE)
    if isinstance(dictionary, int) and 0 < dictionary < start:
        start = dictionary
    return start, start + _count(said.get(_CHUNK_BYTES))


def _listed(said: Any) -> list[Any]:
    if not isinstance(said, list):
        raise TypeError("a list that is none")
    return said


def _count(said: Any) -> int:
    if not isinstance(said, int) or said < 0:
        raise ValueError("a count that is none")
    return said


def pages(body: bytes, *, start: int, stop: int) -> Iterator[Page]:
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
            return self._list(depth)
        if kind not in (_BYTE, _DOUBLE, _BINARY):
            raise ValueError("a header of another kind")
        size = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._unsigned()
        self.place += size
        return None

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size, kind = head >> 4, head & 0x0F
        if size == _LONG:
            size = self._unsigned()
        if depth > _MOST_DEPTH or size > len(self._body):
            raise ValueError("a list that is nested too deeply, or too long")
        booleans = kind in (_TRUE, _FALSE)
        return [self._byte() if booleans else self._value(kind, depth + 1) for _ in range(size)]

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
