"""What nobody needs any more of a workspace's jobs: outputs that no job names, and what led there.

A job that runs may reuse what an old one left, so that nothing is removed while one does: jobs hold
a lock together, and whoever removes holds it alone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from brinery.errors import JobBusy

_LOCK: Final = "jobs.lock"


class Found(NamedTuple):
    """An output of the store that no job names.

    Attributes:
        path: of it.
        size_bytes: of all its files.
    """

    path: str
    size_bytes: int


@contextmanager
def using(state: Path) -> Iterator[None]:
    """Run a job while the block runs: nothing is removed meanwhile.

    Args:
        state: `.brinery`, which is there.
    """
    file = os.open(state / _LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Remove while the block runs: no job begins meanwhile.

    Raises:
        JobBusy: a job runs.
    """
    file = os.open(state / _LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise JobBusy(
                "a job runs, and may reuse what would be removed", hint="brinery job list"
            ) from None
        yield
    finally:
        os.close(file)


def unnamed(store: Path, named: Collection[str]) -> list[Found]:
    """Return the outputs of a store that no job names.

    Args:
        store: `.brinery/store`, whether or not it is there.
        named: absolute paths that jobs name.
    """
    return [
        Found(entry.path, _size(entry))
        for content in _folders(store, depth=2)
        for entry in os.scandir(content)
        if entry.path not in named
    ]


def remembered(cache: Path, gone: Collection[str]) -> list[Path]:
    """Return the files that remember runs of which an output is among paths.

    Args:
        cache: `.brinery/cache`, whether or not it is there.
        gone: absolute paths of outputs.
    """
    marks = [os.fsencode(path) for path in gone]
    steps = cache / "steps"
    files = sorted(steps.glob("*.json")) if steps.is_dir() else []
    found = []
    for file in files:
        content = file.read_bytes()
        if any(mark in content for mark in marks):
            found.append(file)
    return found


def _folders(top: Path, *, depth: int) -> Iterator[str]:
    if not top.is_dir():
        return
    for entry in os.scandir(top):
        if not entry.is_dir(follow_symlinks=False):
            continue
        if depth > 1:
            yield from _folders(Path(entry.path), depth=depth - 1)
        else:
            yield entry.path


def _size(entry: os.DirEntry[str]) -> int:
    if not entry.is_dir(follow_symlinks=False):
        return entry.stat(follow_symlinks=False).st_size
    return sum(
        os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - texts
        for parent, _, names in os.walk(entry.path)
        for name in names
    )
