"""ONNX models: protocol buffers, read field by field, without the tensors.

They hold no Python. What they may ask for is a library of operators that is loaded beside the
runtime, and tensors that lie in other files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import BinaryIO

from brinery.pickles.bounds import MAX_NAMES, WIDE_BYTES, Broken, Budget, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.streams import buffered, limited, skip
from brinery.records.scan import Global

_MAX_FIELDS = 2_000_000
_MAX_TEXT_BYTES = 10_000
_MAX_VARINT_BYTES = 10
_MAX_DEPTH = 12
_MAX_SHOWN = 200
_MAX_VERSIONS = 100

# Operators that come with the runtime.
_KNOWN_DOMAINS = {
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "org.pytorch.aten",
}

# How a model begins: the version of its format, then its producer, its domain or its graph.
_LEAST_HEAD_BYTES = 3
_VERSION_TAG, _MAX_VERSION = 0x08, 0x40
_SECOND_TAGS = (0x12, 0x1A, 0x22, 0x3A, 0x42)

# An attribute is held whole; runs of its numbers are stepped over, so many at once.
_MAX_ATTRIBUTE_BYTES = 256 << 20
_MAX_FIELD_HEAD_BYTES = 20
_FLOAT_TAG, _FLOAT_BYTES = 0x3D, 5
_AT_ONCE = 4096
_INTEGERS = re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f]){1,1000}")

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5

# Of each message the fields that are looked at: another message, or text under a name.
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {2: "=producer", 3: "=version", 7: "graph", 8: "opset", 25: "function"},
    "opset": {1: "=domain"},
    "function": {7: "node", 10: "=domain"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {5: "attribute", 7: "=domain"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "tensor": {13: "external"},
    "external": {1: "=key", 2: "=value"},
}


class _Walk:
    """One pass over a model.

    Args:
        budget: what may still be read of the file; a field counts as an opcode does.

    Attributes:
        domains: of its operators, as they are shown.
        producers, versions: of what wrote it, side by side.
        places: where tensors lie that are not within it.
        messages: how many of each kind there are.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._left = _MAX_FIELDS
        self._key, self._value = "", ""
        self.domains: set[str] = set()
        self.producers: list[str] = []
        self.versions: list[str] = []
        self.places: dict[str, None] = {}
        self.messages: dict[str, int] = {}

    def message(self, stream: BinaryIO, kind: str, *, depth: int = 0) -> None:
        """Read a message to its end."""
        if depth > _MAX_DEPTH:
            raise Broken("its graphs lie too deep within each other")
        self.messages[kind] = self.messages.get(kind, 0) + 1
        for number, wire, length in self._fields(stream):
            inner = _MESSAGES[kind].get(number)
            if wire != _LENGTH or inner is None:
                skip(stream, length)
            elif inner.startswith("="):
                text = stream.read(min(length, _MAX_TEXT_BYTES))
                skip(stream, length - len(text))
                self._note(inner[1:], text.decode("utf-8", "replace"))
            elif inner == "attribute":
                self.attribute(stream, length, depth=depth + 1)
            else:
                self.message(limited(stream, length), inner, depth=depth + 1)

        if kind == "external":
            self._end_external()

    def _note(self, what: str, text: str) -> None:
        """Keep a text that is asked for later, as much of it as is."""
        if what == "domain" and text not in _KNOWN_DOMAINS:
            shown = text if text.isprintable() else ascii(text)[1:-1]
            self.domains.add(shown[:_MAX_SHOWN])
            if len(self.domains) > MAX_NAMES:
                raise TooMuch(f"it asks for more than {MAX_NAMES:,} names")
        elif what == "producer":
            self.producers = [*self.producers, text[:_MAX_SHOWN]][:_MAX_VERSIONS]
        elif what == "version":
            self.versions = [*self.versions, text[:_MAX_SHOWN]][:_MAX_VERSIONS]
        elif what == "key":
            self._key = text
        elif what == "value":
            self._value = text

    def _end_external(self) -> None:
        """Keep the place of a tensor, where the message that ends told it."""
        if self._key == "location" and self._value not in self.places:
            self._budget.text(WIDE_BYTES * len(self._value))
            self.places[self._value] = None
        self._key, self._value = "", ""

    def attribute(self, stream: BinaryIO, length: int, *, depth: int) -> None:
        """Read an attribute: numbers, which may be millions, or tensors and graphs."""
        if length > _MAX_ATTRIBUTE_BYTES:
            raise Broken(f"an attribute of it has {length:,} bytes")
        content = stream.read(length)
        if len(content) < length:
            raise Broken("it is cut off")
        self.message(buffered(self._without_numbers(content)), "attribute", depth=depth)

    def _without_numbers(self, content: bytes) -> bytes:
        """Return the fields of an attribute that are no numbers: of those there may be millions."""
        kept, place = [], 0
        while place < len(content):
            if content[place] == _FLOAT_TAG:
                tags = content[place : place + _FLOAT_BYTES * _AT_ONCE : _FLOAT_BYTES]
                place += _FLOAT_BYTES * (len(tags) - len(tags.lstrip(bytes([_FLOAT_TAG]))))
            elif found := _INTEGERS.match(content, place):
                place = found.end()
            else:
                fields = buffered(content[place : place + _MAX_FIELD_HEAD_BYTES])
                _, _, length = next(self._fields(fields))
                end = place + fields.tell() + length
                kept.append(content[place:end])
                place = end
            if place > len(content):
                raise Broken("it is cut off")
        return b"".join(kept)

    def _fields(self, stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
        """Yield each field's number, wire type and the bytes that follow."""
        while (key := _varint(stream)) is not None:
            self._left -= 1
            self._budget.spend_steps(1)
            if self._left < 0:
                raise Broken(f"it has more than {_MAX_FIELDS:,} fields")
            number, wire = key >> 3, key & 7
            if number == 0:
                raise Broken("it is no protocol buffer")
            if wire == _VARINT:
                if _varint(stream) is None:
                    raise Broken("it is cut off")
                yield number, wire, 0
            elif wire == _LENGTH:
                length = _varint(stream)
                if length is None:
                    raise Broken("it is cut off")
                yield number, wire, length
            elif wire in (_FIXED_64, _FIXED_32):
                yield number, wire, 8 if wire == _FIXED_64 else 4
            else:
                raise Broken("it is no protocol buffer")


def _varint(stream: BinaryIO) -> int | None:
    """Return a number; None at the end of the stream."""
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        byte = stream.read(1)
        if not byte:
            if place:
                raise Broken("it is cut off")
            return None
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value
    raise Broken("it is no protocol buffer")


def looks_like(head: bytes) -> bool:
    """Return whether the first bytes may be a model's: its format's version, then a known field."""
    return (
        len(head) >= _LEAST_HEAD_BYTES
        and head[0] == _VERSION_TAG
        and head[1] < _MAX_VERSION
        and head[2] in _SECOND_TAGS
    )


def read(stream: BinaryIO, evidence: Evidence) -> bool:
    """Return whether a stream is an ONNX model, having noted what it says and asks for.

    Raises:
        Broken: it is one, and is damaged.
        TooMuch: it is larger than any honest one.
    """
    walk = _Walk(evidence.budget)
    try:
        walk.message(stream, "model")
    except Broken:
        if walk.messages.get("node", 0) or walk.messages.get("opset", 0):
            raise
        return False
    if not (walk.messages.get("graph") and walk.messages.get("opset")):
        return False
    for producer, version in zip(walk.producers, walk.versions, strict=False):
        evidence.version(producer[:40], version)
    for domain in sorted(walk.domains):
        asked = Global("onnx", domain)
        evidence.ask(asked, "domain")
        evidence.doubt(asked, "operators of a library that is loaded beside the runtime")
    for place in walk.places:
        _external(place, evidence)
    return True


def _external(location: str, evidence: Evidence) -> None:
    """Note that tensors lie in another file: beside it in a folder is where they may be."""
    shown = ascii(location[:100])
    path = posixpath.normpath(location.replace("\\", "/"))
    if path.startswith(("/", "..")) or ":" in path:
        evidence.problem(f"its tensors lie in {shown}, outside of its folder")
    elif not evidence.in_folder:
        evidence.problem(f"its tensors lie in another file, {shown}: give the folder of both")
