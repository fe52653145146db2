"""Journals: files of JSON lines that one process appends to, and that others read meanwhile.

A line is there for whoever looks after the process that wrote it was killed; of the last one there
may be a part. That a process still writes is told by the lock it holds, which the system frees
when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

_Line = TypeVar("_Line", bound=msgspec.Struct)


def lines(path: Path, decoder: msgspec.json.Decoder[_Line]) -> Iterator[_Line]:
    """Yield the lines of a journal that are whole; none where there is no journal."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    yield from decoded(content, decoder)


def decoded(content: bytes, decoder: msgspec.json.Decoder[_Line]) -> Iterator[_Line]:
    """Yield the lines of a part of a journal that are whole."""
    for line in content.splitlines():
        with suppress(msgspec.MsgspecError):  # what a killed process wrote of one
            yield decoder.decode(line)


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock that a file is; not where there is no file."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
