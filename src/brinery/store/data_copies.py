"""Copies that are taken when an asset is created, so that later edits do not change it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from brinery.errors import DataFileMissing

_READ_ONLY: Final = 0o555


def copy_data(source: Path, target: Path) -> int:
    """Return the size in bytes of a file or folder that was copied whole; links are followed.

    Args:
        source: a file or a folder.
        target: what it becomes, which is not there yet; made read-only.

    Raises:
        DataFileMissing: there is nothing at the source, or it cannot be read.
    """
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=shutil.copyfile)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    except FileNotFoundError as error:
        missing = error.filename or source
        raise DataFileMissing(f"there is no {missing}", hint=f"ls {source.parent}") from None
    except (shutil.Error, PermissionError, IsADirectoryError) as error:
        raise DataFileMissing(
            f"{source} cannot be copied: {error}", hint=f"ls -l {source}"
        ) from None
    return protect(target)


def protect(path: Path) -> int:
    """Return the size in bytes of a file or folder that is read-only from now on."""
    size = 0
    for file in _files(path):
        size += file.stat().st_size
        file.chmod(file.stat().st_mode & _READ_ONLY | 0o444)
    return size


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for parent, _, names in os.walk(path):
        yield from (Path(parent, name) for name in names)
