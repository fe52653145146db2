"""The tensors of the Open Inference Protocol, version 2, become columns.

A tensor per column, of shape [n] or [n, 1], or one of shape [n, k] with the columns in the order of
the signature. Its data is JSON, flat or nested, or lies behind the document as bytes. Source: the
protocol's REST specification and its binary tensor data extension.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from brinery.records.signature import ColumnType
from brinery.serve.problems import FieldError, Problem

# How a tensor's datatype lies in bytes; BYTES are texts with their lengths before them.
DATATYPES: dict[str, tuple[str, pa.DataType]] = {
    "BOOL": ("?", pa.bool_()),
    "INT8": ("<i1", pa.int8()),
    "INT16": ("<i2", pa.int16()),
    "INT32": ("<i4", pa.int32()),
    "INT64": ("<i8", pa.int64()),
    "UINT8": ("<u1", pa.uint8()),
    "UINT16": ("<u2", pa.uint16()),
    "UINT32": ("<u4", pa.uint32()),
    "UINT64": ("<u8", pa.uint64()),
    "FP16": ("<f2", pa.float16()),
    "FP32": ("<f4", pa.float32()),
    "FP64": ("<f8", pa.float64()),
    "BYTES": ("O", pa.string()),
}

# What the columns of a signature are said to be.
OF_COLUMN = {
    ColumnType.INTEGER: "INT64",
    ColumnType.NUMBER: "FP64",
    ColumnType.STRING: "BYTES",
    ColumnType.BOOLEAN: "BOOL",
    ColumnType.DATETIME: "BYTES",
}

_MOST_DIMENSIONS = 2
_LENGTH_BYTES = 4
_SHOWN = 40


class Tensor(NamedTuple):
    """An input.

    Attributes:
        name: of it.
        shape: (n,) or (n, k).
        array: its values, row by row.
    """

    name: str
    shape: tuple[int, ...]
    array: pa.Array


def tensor(said: Any, place: int, *, content: memoryview | None) -> Tensor:
    """Return an input of a request.

    Args:
        said: what the document has of it.
        place: which it is, for who is told of a fault.
        content: its bytes behind the document; None where the document has its data.

    Raises:
        Problem: 400 for what is no tensor, 422 for data that is not of its datatype.
    """
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise wrong(f"input {place} has no name")
    name = said["name"]
    shown = f"input '{name[:_SHOWN]}'"
    shape = said.get("shape")
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        raise wrong(f"{shown} has no shape of whole numbers")
    if not 1 <= len(shape) <= _MOST_DIMENSIONS:
        raise wrong(f"{shown} has the shape {shape[:4]}, and [n], [n, 1] and [n, k] are read")
    datatype = said.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise wrong(f"{shown} has none of the datatypes {', '.join(DATATYPES)}")
    if content is None:
        values = _flat(said.get("data"), shown)
        _check_count(shown, shape, len(values))
        array = _of_json(values, datatype, name)
    else:
        array = _of_bytes(content, datatype, shown)
        _check_count(shown, shape, len(array))
    return Tensor(name, tuple(shape), array)


def columns(tensors: Sequence[Tensor], names: Sequence[str]) -> tuple[dict[str, pa.Array], int]:
    """Return column name to values, and the number of rows.

    Args:
        tensors: of a request.
        names: of the signature's columns, in their order.

    Raises:
        Problem: 400 where they are of different lengths, or a name is there twice.
    """
    first = tensors[0]
    if len(tensors) == 1 and _is_matrix(first, names):
        n_rows = first.shape[0]
        k = len(names)
        places = np.arange(n_rows) * k
        return {
            name: first.array.take(pa.array(places + i)) for i, name in enumerate(names)
        }, n_rows
    for one in tensors:
        if len(one.shape) > 1 and one.shape[1] != 1:
            raise wrong(
                f"input '{one.name[:_SHOWN]}' is of shape {list(one.shape)}; a column is of [n] or "
                f"[n, 1], and all {len(names)} in one are of [n, {len(names)}]"
            )
    lengths = {one.shape[0] for one in tensors}
    if len(lengths) > 1:
        raise wrong("the inputs are of different lengths")
    found = {one.name: one.array for one in tensors}
    if len(found) < len(tensors):
        raise wrong("two inputs have the same name")
    return found, lengths.pop()


def wrong(detail: str) -> Problem:
    """Return the problem of a request that is not of the protocol."""
    return Problem(HTTPStatus.BAD_REQUEST, "wrong-shape", detail, hint="GET /v2/models/{name}")


def packed_texts(texts: Sequence[str]) -> bytes:
    """Return texts as the bytes of a tensor."""
    parts = []
    for text in texts:
        content = text.encode()
        parts += [struct.pack("<I", len(content)), content]
    return b"".join(parts)


def _is_matrix(one: Tensor, names: Sequence[str]) -> bool:
    """Return whether a lone tensor is all columns, whatever it is called."""
    width = one.shape[1] if len(one.shape) > 1 else 1
    return width == len(names) and (width > 1 or one.name not in names)


def _flat(data: Any, shown: str) -> list[Any]:
    """Return the values of a tensor, whose lists may lie in a list."""
    if not isinstance(data, list):
        raise wrong(f"{shown} has no data")
    if not any(isinstance(part, list) for part in data):
        return data
    if not all(isinstance(part, list) for part in data):
        raise wrong(f"{shown} has data of lists and of values")
    return list(chain.from_iterable(data))


def _check_count(shown: str, shape: Sequence[int], count: int) -> None:
    if math.prod(shape) != count:
        raise wrong(f"{shown} is of shape {list(shape)} and has {count} values")


def _of_json(values: list[Any], datatype: str, name: str) -> pa.Array:
    """Return JSON values as an array of their datatype, null where one is missing."""
    _, kind = DATATYPES[datatype]
    taken = _JSON_TYPES[kind.id if not pa.types.is_integer(kind) else pa.int64().id]
    if not taken.issuperset(map(type, values)):
        row = next(row for row, value in enumerate(values) if type(value) not in taken)
        raise _not_of(name, datatype, row)
    if pa.types.is_floating(kind):
        try:
            numbers = np.array([math.nan if one is None else one for one in values], np.float64)
        except OverflowError:
            row = next(row for row, value in enumerate(values) if not _is_double(value))
            raise _not_of(name, datatype, row) from None
        with np.errstate(over="ignore"):
            return pa.array(numbers.astype(DATATYPES[datatype][0]))
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, ValueError):
        row = next(row for row, value in enumerate(values) if not _fits(value, kind))
        raise _not_of(name, datatype, row) from None


_JSON_TYPES: dict[int, set[type]] = {
    pa.bool_().id: {bool, type(None)},
    pa.int64().id: {int, type(None)},
    pa.string().id: {str, type(None)},
    **{kind.id: {int, float, type(None)} for kind in (pa.float16(), pa.float32(), pa.float64())},
}


def _is_double(value: Any) -> bool:
    try:
        float(value or 0)
    except OverflowError:
        return False
    return True


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([value], kind)
    except (pa.ArrowException, OverflowError, ValueError):
        return False
    return True


def _not_of(name: str, datatype: str, row: int) -> Problem:
    fault = FieldError(
        code="wrong-type", message=f"is not {datatype}", row=row, column=name[:_SHOWN]
    )
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-rows", fault.sentence, errors=[fault])


def _of_bytes(content: memoryview, datatype: str, shown: str) -> pa.Array:
    """Return the values that lie in bytes, as an array."""
    if datatype == "BYTES":
        return _of_texts(content, shown)
    layout = np.dtype(DATATYPES[datatype][0])
    if len(content) % layout.itemsize:
        raise wrong(f"{shown} has {len(content)} bytes, which are no {datatype}")
    if datatype == "BOOL":
        return pa.array(np.frombuffer(content, np.uint8) != 0)
    return pa.array(np.frombuffer(content, layout))


def _of_texts(content: memoryview, shown: str) -> pa.Array:
    texts = []
    place = 0
    while place < len(content):
        start = place + _LENGTH_BYTES
        place = start + int.from_bytes(content[place:start], "little")
        if place > len(content) or start > len(content):
            raise wrong(f"{shown} has a text that goes on after its bytes")
        texts.append(bytes(content[start:place]))
    try:
        return pa.array(texts, pa.binary()).cast(pa.string())
    except pa.ArrowException:
        raise wrong(f"{shown} has text that is not utf-8") from None
