"""A folder that is built once: beside its place, by one process, and renamed into it when whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from brinery.errors import EnvironmentUnavailable

_DIGITS = 32
_BLOCK_BYTES = 512  # what POSIX counts st_blocks in


def build(place: Path, *, whole: Callable[[Path], bool], fill: Callable[[Path], None]) -> None:
    """Build a folder in its place, unless it is whole, or another process does so meanwhile.

    Args:
        place: of the folder.
        whole: whether what lies there needs no more.
        fill: makes the folder at the path that it is given.

    Raises:
        EnvironmentUnavailable: the disk cannot be written; what `fill` raises comes as it is.
    """
    building = place.with_name(f".building-{place.name}")
    try:
        with alone(place):
            if whole(place):
                return
            for remains in (building, place):
                shutil.rmtree(remains, ignore_errors=True)
            try:
                fill(building)
                building.rename(place)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise unwritable(place, error) from None


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Keep other processes from what is built for a place while the block runs.

    Raises:
        OSError: the folder of the place cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f".{place.name}.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def size_bytes(folder: Path, seen: set[tuple[int, int]]) -> int:
    """Return what a folder takes on the disk, without the files that were seen before.

    Args:
        folder: with everything beneath it; no link is followed.
        seen: device and inode of the files that count elsewhere; those found here are added.
    """
    total, waiting = 0, [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                told = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif (told.st_dev, told.st_ino) not in seen:
                    seen.add((told.st_dev, told.st_ino))
                    total += told.st_blocks * _BLOCK_BYTES
    return total


def unwritable(place: Path, error: OSError) -> EnvironmentUnavailable:
    """Return what is told where an environment cannot be written."""
    return EnvironmentUnavailable(
        f"the environment cannot be written to {place}: {error.strerror}",
        hint=f"df {place.parent} shows whether there is room",
    )


def digest(*parts: str) -> str:
    """Return a name for what these texts say."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]


def write(path: Path, record: msgspec.Struct) -> None:
    """Write a record whole or not at all."""
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(msgspec.json.encode(record))
    partial.replace(path)
