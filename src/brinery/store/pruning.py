"""What nobody needs any more of a workspace: outputs that no job names, what led there, and copies.

A job that runs may reuse what an old one left, so that nothing is removed while one does: jobs hold
a lock together, and whoever removes holds it alone.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from brinery.errors import JobBusy
from brinery.records.ready import decoded
from brinery.store.job_environments import Prepared

_LOCK: Final = "jobs.lock"
_ENVIRONMENT: Final = re.compile(r"[0-9a-f]{32}")
# What was built since then may be that of a model which is being imported.
_YOUNG_S: Final = 24 * 3600.0
# What was asked for since then may be in use by a command that is no job.
_IN_USE_S: Final = 3600.0


class Found(NamedTuple):
    """An output that no job names, an environment that nothing does, or a copy of data.

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


def unused(folder: Path, *, built: Collection[Path], definitions: Collection[str]) -> list[Found]:
    """Return the environments that nothing names.

    Args:
        folder: `.brinery/environments`, whether or not it is there.
        built: absolute folders that versions of models name.
        definitions: digests of what steps and registered environments declare.
    """
    kept = {str(path) for path in built}
    for record in _records(folder):
        # One that was written down before its definition was may be anybody's.
        if not record.definition or record.definition in definitions:
            kept.add(_place(folder, record))
    entries = sorted(os.scandir(folder), key=lambda one: one.name) if folder.is_dir() else []
    return [
        Found(entry.path, _size(entry))
        for entry in entries
        if _ENVIRONMENT.fullmatch(entry.name)
        and entry.is_dir(follow_symlinks=False)
        and entry.path not in kept
        and entry.stat().st_mtime < time.time() - _YOUNG_S
    ]


def forget(folder: Path, gone: Collection[str]) -> None:
    """Have no step look for environments that are to be removed.

    Args:
        folder: `.brinery/environments`.
        gone: absolute paths of environments.
    """
    for file in (folder / "jobs").glob("*.json"):
        record = _record(file)
        if record is not None and _place(folder, record) in gone:
            file.unlink(missing_ok=True)


def copies(
    folder: Path, *, older_than: timedelta | None = None, larger_than: int | None = None
) -> list[Found]:
    """Return the copies of data of elsewhere that go, those that were used last at the end.

    None goes that was asked for in the last hour. Without a limit none does.

    Args:
        folder: `.brinery/cache/data`, whether or not it is there.
        older_than: those go that nobody asked for since.
        larger_than: bytes; where the others take more, those go that nobody asked for the longest.
    """
    entries = [*os.scandir(folder)] if folder.is_dir() else []
    used = {entry.path: entry.stat(follow_symlinks=False).st_mtime for entry in entries}
    there = [
        Found(entry.path, _size(entry)) for entry in sorted(entries, key=lambda one: used[one.path])
    ]
    left = sum(found.size_bytes for found in there)
    now = time.time()
    before = None if older_than is None else now - older_than.total_seconds()
    going = []
    for found in there:
        old = before is not None and used[found.path] <= before
        many = larger_than is not None and left > larger_than
        if (old or many) and used[found.path] < now - _IN_USE_S:
            going.append(found)
            left -= found.size_bytes
    return going


def _records(folder: Path) -> Iterator[Prepared]:
    for file in (folder / "jobs").glob("*.json"):
        record = _record(file)
        if record is not None:
            yield record


def _record(file: Path) -> Prepared | None:
    try:
        found = decoded(file.read_bytes(), Prepared)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.packages else None


def _place(folder: Path, record: Prepared) -> str:
    """Return the environment that a record is of; its packages lie in `lib/pythonX.Y/`."""
    place = Path(record.packages).parents[2]
    return str(folder / place.name)


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
