"""Data cut into mini-batches: so many files, about so many bytes of a table, or a key's files.

A part of a table is told as a share of a file's rows, so that nothing is read before it is worked
on. The order of mini-batches is that of the files, and the order of rows in the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

DEFAULT_FILES: Final = 10
DEFAULT_BYTES: Final = 1024 * 1024

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt]?)i?b)?\s*", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class File(NamedTuple):
    """One file of the data.

    Attributes:
        path: absolute.
        size_bytes: of it.
        columns: that stand in its path, and their values.
    """

    path: str
    size_bytes: int
    columns: Mapping[str, str] = {}


class Part(Struct, frozen=True, kw_only=True):
    """A file of a mini-batch, or a share of its rows.

    Attributes:
        path: absolute.
        share: from 0; which of the shares.
        shares: that the file's rows are cut into.
        columns: that stand in its path, and their values.
    """

    path: str
    share: int = 0
    shares: int = 1
    columns: dict[str, str] = {}


class MiniBatch(Struct, frozen=True, kw_only=True):
    """What a script is called with once.

    Attributes:
        index: from 0.
        parts: of it, in order.
        keys: partition key to its value; empty without partition keys.
    """

    index: int
    parts: tuple[Part, ...]
    keys: dict[str, str] = {}


def size_bytes(text: str) -> int:
    """Return a size as a whole number: of files for `5`, of bytes for `10kb` (10,240) and `1.5 MB`.

    Raises:
        ValueError: it is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no size, such as 5 (files) or 10kb")
    return int(float(match[1]) * 1024 ** _POWERS[(match[2] or "").lower()])


def by_files(files: Sequence[File], *, size: int) -> tuple[MiniBatch, ...]:
    """Return mini-batches of so many files each; the last may have fewer.

    Args:
        files: in order.
        size: files of each; 0 for the default.
    """
    step = size or DEFAULT_FILES
    return _numbered(files[at : at + step] for at in range(0, len(files), step))


def by_bytes(files: Sequence[File], *, size: int) -> tuple[MiniBatch, ...]:
    """Return mini-batches of about so many bytes: large files are cut, small ones put together.

    Args:
        files: in order.
        size: bytes of each; 0 for the default.
    """
    most = size or DEFAULT_BYTES
    groups: list[list[Part]] = []
    filled = most
    for file in files:
        if file.size_bytes > most:
            shares = -(-file.size_bytes // most)
            groups.extend([_part(file, share=each, shares=shares)] for each in range(shares))
            filled = most
        elif filled + file.size_bytes <= most and groups:
            groups[-1].append(_part(file))
            filled += file.size_bytes
        else:
            groups.append([_part(file)])
            filled = file.size_bytes
    return tuple(MiniBatch(index=index, parts=tuple(parts)) for index, parts in enumerate(groups))


def by_keys(files: Sequence[File], *, keys: Sequence[str]) -> tuple[MiniBatch, ...]:
    """Return a mini-batch for each combination of keys, in the order in which they are met.

    Args:
        files: in order, each with columns.
        keys: columns that stand in paths.

    Raises:
        KeyError: a key that is no such column.
    """
    groups: dict[tuple[str, ...], list[Part]] = {}
    for file in files:
        groups.setdefault(tuple(file.columns[key] for key in keys), []).append(_part(file))
    return tuple(
        MiniBatch(index=index, parts=tuple(parts), keys=dict(zip(keys, values, strict=True)))
        for index, (values, parts) in enumerate(groups.items())
    )


def _numbered(groups: Iterable[Sequence[File]]) -> tuple[MiniBatch, ...]:
    return tuple(
        MiniBatch(index=index, parts=tuple(map(_part, group))) for index, group in enumerate(groups)
    )


def _part(file: File, *, share: int = 0, shares: int = 1) -> Part:
    return Part(path=file.path, share=share, shares=shares, columns=dict(file.columns))
