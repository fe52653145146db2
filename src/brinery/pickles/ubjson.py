"""Universal Binary JSON as XGBoost writes it, read without building what is not asked for."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

from brinery.pickles.bounds import KEEP_BYTES, Broken, Budget
from brinery.pickles.streams import skip

MAGIC = b"{L\x00\x00"

_NUMBERS = {
    b"i": "b", b"U": "B", b"I": ">h", b"u": ">H", b"l": ">i", b"m": ">I",
    b"L": ">q", b"M": ">Q", b"d": ">f", b"D": ">d",
}  # fmt: skip
_WORDS = {b"Z": None, b"T": True, b"F": False, b"N": None}
_MAX_DEPTH = 40
_FEW_NUMBERS = 16  # as a version has
_MAX_KEPT = 10_000


class Reader:
    """Reads one document from a stream.

    Args:
        stream: at the document's first byte.
        wanted: the keys whose values are kept, wherever they lie.
        budget: what may still be read; a value counts as an opcode does.

    Attributes:
        found: the values of those keys, in the order they were met.
    """

    def __init__(self, stream: BinaryIO, wanted: frozenset[str], budget: Budget) -> None:
        self._stream = stream
        self._wanted = wanted
        self._budget = budget
        self.found: dict[str, list[Any]] = {}

    def read(self) -> dict[str, list[Any]]:
        """Return the values of the wanted keys, in the order they were met.

        Raises:
            Broken: it is no such document, or is cut off.
            TooMuch: it is larger than any honest one.
        """
        if self._take(1) != b"{":
            raise Broken("it is no UBJSON document")
        self._object(0)
        return self.found

    def _take(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) < count:
            raise Broken("it is cut off")
        return data

    def _length(self, marker: bytes | None = None) -> int:
        marker = marker or self._take(1)
        if marker not in _NUMBERS or marker in b"dD":
            raise Broken("a length in it is no number")
        length = self._number(marker)
        if length < 0:
            raise Broken("a length in it is below zero")
        return int(length)

    def _number(self, marker: bytes) -> Any:
        form = _NUMBERS[marker]
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _text(self) -> str:
        length = self._length()
        kept = self._take(self._budget.text(min(length, KEEP_BYTES)))
        skip(self._stream, length - len(kept))
        return kept.decode("utf-8", "replace")

    def _value(self, marker: bytes, depth: int) -> Any:
        self._budget.spend_steps(1)
        if depth > _MAX_DEPTH:
            raise Broken("it is deeper than XGBoost writes")
        if marker in _NUMBERS:
            return self._number(marker)
        if marker in _WORDS:
            return _WORDS[marker]
        if marker == b"C":
            return self._take(1).decode("latin-1")
        if marker in b"SH" and marker:
            return self._text()
        if marker == b"[":
            return self._array(depth + 1)
        if marker == b"{":
            return self._object(depth + 1)
        raise Broken("a value in it is of no known type")

    def _header(self) -> tuple[bytes | None, int | None, bytes]:
        """Return the type and the count that an array or object states, and the next marker."""
        kind = count = None
        marker = self._take(1)
        if marker == b"$":
            kind, marker = self._take(1), self._take(1)
            if kind in _WORDS:
                raise Broken("it has values without a byte of their own, of any number")
        if marker == b"#":
            count = self._length()
            marker = b""
        return kind, count, marker

    def _array(self, depth: int) -> list[Any]:
        kind, count, marker = self._header()
        if kind is not None and count is None:
            raise Broken("an array in it has a type and no length")
        if kind in _NUMBERS and count is not None:
            form = _NUMBERS[kind]
            if count > _FEW_NUMBERS:
                skip(self._stream, count * struct.calcsize(form))
                return []
            return [self._number(kind) for _ in range(count)]
        items: list[Any] = []
        while count is None or count > 0:
            if count is None:
                if marker == b"]":
                    break
            else:
                count -= 1
                marker = kind or self._take(1)
            item = self._value(marker, depth)
            if len(items) < _MAX_KEPT:
                items.append(item)
            if count is None:
                marker = self._take(1)
        return items

    def _object(self, depth: int) -> None:
        kind, count, marker = self._header()
        while count is None or count > 0:
            if count is None:
                if marker == b"}":
                    return
            else:
                count -= 1
                marker = self._take(1)
            length = self._length(None if marker == b"S" else marker)
            if length > KEEP_BYTES:
                raise Broken(f"a key in it has {length:,} bytes")
            key = self._take(length).decode("utf-8", "replace")
            value = self._value(kind or self._take(1), depth)
            if key in self._wanted:
                self.found.setdefault(key, []).append(value)
            if count is None:
                marker = self._take(1)
