"""numpy's npy files: a header that is read as a literal, then numbers, or a pickle of objects."""

from __future__ import annotations

import ast
import math
import re
from typing import Any, BinaryIO

from brinery.pickles import arrays
from brinery.pickles.bounds import KEEP_BYTES, Broken
from brinery.pickles.streams import skip

MAGIC = b"\x93NUMPY"

_MAX_HEADER_BYTES = 1 << 16
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
_ITEM = re.compile(r"[<>|=]?([a-zA-Z])(\d{1,12})(?:\[\w+\])?")


def read_values(stream: BinaryIO) -> tuple[Any, ...] | None:
    """Return what a small array of numbers or text holds; None where it cannot be told.

    Raises:
        Broken: the header cannot be read.
    """
    descr, _ = _header(stream)
    held = stream.read(KEEP_BYTES + 1)
    if not isinstance(descr, str) or len(held) > KEEP_BYTES:
        return None
    return arrays.decoded(held, descr)


def read_header(stream: BinaryIO) -> bool:
    """Return whether a pickle follows; where numbers do, they were stepped over.

    Raises:
        Broken: the header cannot be read, or there are fewer numbers than it says.
    """
    descr, shape = _header(stream)
    if _has_objects(descr):
        return True
    itemsize = _itemsize(descr)
    if itemsize is None or itemsize < 0:
        raise Broken("its numpy header states a type that cannot be read")
    if not isinstance(shape, tuple) or not all(_is_length(length) for length in shape):
        raise Broken("its numpy header states a shape that cannot be read")
    skip(stream, itemsize * math.prod(shape))
    return False


def _header(stream: BinaryIO) -> tuple[Any, Any]:
    """Return the type and the shape that a header states."""
    start = stream.read(8)
    width = _LENGTH_BYTES.get(start[6]) if len(start) == 8 else None  # noqa: PLR2004 - magic and version
    if width is None:
        raise Broken("its numpy header is damaged")
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEADER_BYTES:
        raise Broken(f"its numpy header says that it has {length:,} bytes")
    text = stream.read(length)
    if len(text) < length:
        raise Broken("its numpy header is cut off")
    try:
        header = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1").strip())  # noqa: PLR2004 - version 3
        return header["descr"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise Broken("its numpy header cannot be read") from None


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _has_objects(descr: Any) -> bool:
    """Return whether a type holds Python objects: where that is in doubt, it does."""
    if isinstance(descr, str):
        return "O" in descr or "object" in descr
    if isinstance(descr, list):
        return any(isinstance(f, tuple) and len(f) > 1 and _has_objects(f[1]) for f in descr)
    return isinstance(descr, tuple) and bool(descr) and _has_objects(descr[0])


def _itemsize(descr: Any) -> int | None:
    """Return the bytes of one item; None where they cannot be told."""
    if isinstance(descr, str):
        found = _ITEM.fullmatch(descr)
        return int(found[2]) * (4 if found[1] == "U" else 1) if found else None
    if isinstance(descr, tuple):  # a type and its shape
        return _field_size(("", *descr))
    if not isinstance(descr, list):
        return None
    sizes = [_field_size(field) for field in descr]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _field_size(field: Any) -> int | None:
    """Return the bytes of a field: its name, its type, and perhaps its shape."""
    if not isinstance(field, tuple) or not 2 <= len(field) <= 3:  # noqa: PLR2004 - as above
        return None
    size = _itemsize(field[1])
    shape = field[2] if len(field) > 2 else ()  # noqa: PLR2004 - as above
    lengths = shape if isinstance(shape, tuple) else (shape,)
    if size is None or not all(isinstance(length, int) for length in lengths):
        return None
    return size * math.prod(lengths)
