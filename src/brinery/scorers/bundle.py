"""A scorer's file: its plan and arrays in the safetensors format, which holds data and no code.

It is written in the model's process, which nobody trusts, and read in ours: every node checks its
own figures when it is made, so that no index leads outside of an array. The arrays of a large file
stay where it is mapped, and processes that read the same file share its memory; a small one is
copied. What is mapped is the file that was opened: another in its place changes nothing. A file
that is cut or rewritten in place would, so that registries write each once and never again.

Source: https://huggingface.co/docs/safetensors (the format).
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from brinery.errors import CorruptModel, ModelFileChanged
from brinery.scorers.catalog import NODES
from brinery.scorers.data import Array
from brinery.scorers.interface import require
from brinery.scorers.plan import Plan

_ALIGNMENT = 64
_COPIED_BYTES = 1 << 20
_LENGTH = 8
# Models that ask those within them for two answers: within each other, they double the work.
_TWICE = frozenset({"OneAgainstOne", "OneAgainstRest", "Thresholded"})
_MOST_TWICE = 4
_PLAN = "plan"
_ARRAY = "array"
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "U32": "<u4",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {code: name for name, code in _TYPES.items()}


class _Entry(msgspec.Struct, frozen=True):
    """Where an array lies: the header's line for it."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def write(plan: Plan, path: Path) -> None:
    """Write a plan to a file.

    Raises:
        TypeError: a node of it needs the model itself.
    """
    arrays: list[Array] = []

    def encode(value: Any) -> dict[str, int]:
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{type(value).__name__} is no data")
        arrays.append(np.ascontiguousarray(value))
        return {_ARRAY: len(arrays) - 1}

    encoded = msgspec.msgpack.encode(plan, enc_hook=encode)
    tensors = {str(place): array for place, array in enumerate(arrays)}
    tensors[_PLAN] = np.frombuffer(encoded, dtype=np.uint8)
    # The widest first: each lies at a multiple of its size, and the format allows no gaps.
    ordered = sorted(tensors.items(), key=lambda item: -item[1].itemsize)
    entries, end = {}, 0
    for name, array in ordered:
        entries[name] = _Entry(_NAMES[array.dtype.str], array.shape, (end, end + array.nbytes))
        end += array.nbytes
    header = msgspec.json.encode(entries)
    header += b" " * (-(len(header) + _LENGTH) % _ALIGNMENT)
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(_LENGTH, "little") + header)
        for _, array in ordered:
            stream.write(array.tobytes())


def read(path: Path, *, sha256: str | None = None) -> Plan:
    """Return the plan of a file, its arrays where the file is mapped.

    Args:
        path: of the file.
        sha256: of the bytes that are meant; None where any are.

    Raises:
        ModelFileChanged: its bytes are others.
        CorruptModel: it is no such file, or its figures do not fit together.
    """
    try:
        content = _content(path)
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ModelFileChanged(
                f"{path.name} is not the file that was compared", hint="import the model again"
            )
        return _decoded(_tensors(content))
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError),
        *(ArithmeticError, RecursionError, msgspec.MsgspecError),
    ) as error:
        raise CorruptModel(
            f"{path.name} is no scorer: {error}", hint="import the model again"
        ) from None


def _content(path: Path) -> bytes | mmap.mmap:
    """Return the bytes of a file, mapped where they are many."""
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size <= _COPIED_BYTES:
            return stream.read()
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _tensors(mapped: bytes | mmap.mmap) -> dict[str, Array]:
    """Return the arrays of a file by name: none is large that is not so in the file."""
    length = int.from_bytes(mapped[:_LENGTH], "little")
    start = _LENGTH + length
    entries = msgspec.json.decode(mapped[_LENGTH:start], type=dict[str, _Entry])
    sizes = sum(entry.data_offsets[1] - entry.data_offsets[0] for entry in entries.values())
    require(sizes == len(mapped) - start, "its arrays are not as large as the file")
    found = {}
    for name, entry in entries.items():
        begin, end = entry.data_offsets
        dtype = np.dtype(_TYPES[entry.dtype])
        count = math.prod(entry.shape)
        require(
            0 <= begin <= end <= len(mapped) - start
            and 0 <= min(entry.shape, default=0) <= max(entry.shape, default=0) <= len(mapped)
            and count * dtype.itemsize == end - begin,
            f"array {name} lies outside of the file",
        )
        array = np.frombuffer(mapped, dtype=dtype, count=count, offset=start + begin)
        found[name] = array.reshape(entry.shape)
    return found


def _decoded(tensors: dict[str, Array]) -> Plan:
    twice: list[str] = []

    def decode(kind: type[Any], value: Any) -> Any:
        if kind is np.ndarray:
            # Each is written once for each node that has it.
            return tensors.pop(str(value[_ARRAY]))
        name = value["type"]
        node = NODES[name]
        require(issubclass(node, kind), f"{name} is no {kind.__name__.lower()}")
        if name not in _TWICE:
            return msgspec.convert(value, node, dec_hook=decode)
        twice.append(name)
        require(len(twice) <= _MOST_TWICE, f"{name} within too many others")
        made = msgspec.convert(value, node, dec_hook=decode)
        twice.pop()
        return made

    return msgspec.msgpack.decode(tensors.pop(_PLAN).tobytes(), type=Plan, dec_hook=decode)
