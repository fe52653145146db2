"""Files that a training is given: how many, how large, and the digest of what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from brinery.errors import DataFileMissing
from brinery.records.turn import InputData, NewFile


def measured(name: str, path: Path) -> InputData:
    """Return what an input is: of a folder, every file in it.

    Args:
        name: of the input.
        path: of a file or a folder.

    Raises:
        DataFileMissing: it is not there, or cannot be read.
    """
    whole, files, size_bytes = hashlib.sha256(), 0, 0
    try:
        for file in sorted(_files(path)):
            whole.update(f"{digest(file)}  {file.relative_to(path).as_posix()}\n".encode())
            files += 1
            size_bytes += file.stat().st_size
    except OSError as error:
        raise _unread(path, error) from None
    return InputData(
        name=name, path=str(path), files=files, size_bytes=size_bytes, sha256=whole.hexdigest()
    )


def met(path: Path) -> NewFile:
    """Return a file as it is now.

    Raises:
        DataFileMissing: it is not there, or cannot be read.
    """
    try:
        return NewFile(path=str(path), size_bytes=path.stat().st_size, sha256=digest(path))
    except OSError as error:
        raise _unread(path, error) from None


def digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for parent, folders, names in os.walk(path, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _unread(path: Path, error: OSError) -> DataFileMissing:
    return DataFileMissing(
        f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path} shows what is there"
    )
