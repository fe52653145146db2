"""Files copied and removed, without what a library for it would import."""

from __future__ import annotations

import os
import stat as modes
from contextlib import suppress
from typing import Final

_CHUNK: Final = 1 << 26


def copy_file(source: str, target: str, *, writable: bool = False) -> None:
    """Copy a file's bytes and its permissions; blocks are shared where the file system can.

    Args:
        source: absolute.
        target: absolute; replaced.
        writable: whether the owner may write to the copy, whatever the source says.

    Raises:
        OSError: it cannot be read or written.
    """
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = modes.S_IMODE(os.fstat(reader).st_mode) & 0o777 | (0o200 if writable else 0)
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode | 0o200)
        try:
            _move(reader, writer)
            if os.fstat(writer).st_mode & 0o777 != mode:
                os.fchmod(writer, mode)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _move(reader: int, writer: int) -> None:
    try:
        while os.copy_file_range(reader, writer, _CHUNK):
            pass
    except (OSError, AttributeError):
        os.lseek(reader, 0, os.SEEK_SET)
        os.lseek(writer, 0, os.SEEK_SET)
        while content := os.read(reader, 1 << 20):
            os.write(writer, content)


def remove(path: str) -> None:
    """Remove a file or a folder, read-only ones too; what is not there is no fault."""
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return
    if not modes.S_ISDIR(seen.st_mode):
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - a text
        return
    if seen.st_mode & modes.S_IRWXU != modes.S_IRWXU:
        os.chmod(path, 0o700)  # noqa: PTH101 - a text
    with os.scandir(path) as entries:
        for below in [entry.path for entry in entries]:
            remove(below)
    with suppress(FileNotFoundError):
        os.rmdir(path)  # noqa: PTH106 - a text
