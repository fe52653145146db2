"""What steps left, each once, by its content: `.brinery/store/CC/CONTENT/NAME`, never written to.

A step makes its outputs in a folder of its own; once it ended they are hashed, moved here by one
rename and made read-only, so that nothing half-made is ever found. What is here is checked before
it is given again: a look at sizes, times and inodes, and a reading where those are others. What was
altered all the same (as root by a step of another engine, or by hand) is found so, and made again.

Several processes may add at once: both rename the same content to the same place, and one of them
finds that it is there.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

from brinery.records.job import Made
from brinery.store.copying import copy_file, remove
from brinery.store.fingerprints import Fingerprints, stamp_of

# Whoever may look at the workspace may look at it.
_FOLDER: Final = 0o555
_WRITABLE: Final = modes.S_IWUSR | modes.S_IWGRP | modes.S_IWOTH
# More files than this are put on the disk by one call for the whole file system.
_FEW: Final = 24


class Outputs:
    """The content of outputs.

    Args:
        folder: `.brinery/store`; made.
        fingerprints: of what lies there.
    """

    def __init__(self, folder: Path, fingerprints: Fingerprints) -> None:
        self.folder = folder
        self._fingerprints = fingerprints
        self._synced: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, place: str) -> Made:
        """Return an output that a step made at a place, moved into the store.

        The step and everything it started must have ended.

        Raises:
            OSError: it cannot be read or moved, or the disk is full.
        """
        _settle(place, top=place)
        found = Fingerprints(None).of(place)
        name = os.path.basename(place)  # noqa: PTH119 - a text
        target = self._target(found.content, name)
        made = Made(
            content=found.content,
            path=target,
            file=found.file,
            size_bytes=found.size_bytes,
            files=found.files,
            stamp=found.stamp,
        )
        for _ in range(3):
            if os.path.exists(target):  # noqa: PTH110 - a text
                there = self._fingerprints.of(target)
                if there.content == found.content:
                    remove(place)
                    return _with_stamp(made, there.stamp)
                self.discard(target)
            try:
                os.rename(place, target)  # noqa: PTH104 - a text
            except FileNotFoundError:
                os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - a text
            except OSError:
                if not os.path.exists(target):  # noqa: PTH110 - a text
                    raise
            else:
                if not found.file:
                    _lock(target)
                return made
        raise OSError(f"{target} cannot be written")

    def holds(self, made: Made) -> bool:
        """Return whether an output is there, as it was kept; what was altered is put away."""
        stamp = stamp_of(made.path)
        if stamp and stamp == made.stamp:
            return True
        if stamp and self._fingerprints.of(made.path).content == made.content:
            return True
        if stamp:
            self.discard(made.path)
        return False

    def same(self, made: Made) -> bool:
        """Return whether an output holds what it did when it was kept: it is read."""
        try:
            return Fingerprints(None).of(made.path).content == made.content
        except OSError:
            return False

    def discard(self, path: str) -> None:
        """Put away what lies at a path of the store, for whoever has it open."""
        beside = f"{path}.{os.getpid()}.gone"
        self._synced.discard(path)
        with suppress(OSError):
            os.rename(path, beside)  # noqa: PTH104 - a text
            remove(beside)

    def sync(self, made: Sequence[Made]) -> None:
        """Have outputs on the disk, with the names that they are found by."""
        # What is here never changes: once on the disk is enough.
        new = {each.path: each for each in made if each.path not in self._synced}
        if sum(each.files for each in new.values()) > _FEW:
            _sync_all(self.folder)
        else:
            paths: list[str] = []
            for each in new.values():
                paths += [each.path] if each.file else [*_below(each.path), each.path]
            above = [folder for path in new for folder in _above(path, self.folder)]
            for path in dict.fromkeys([*paths, *above]):
                _sync(path)
        self._synced.update(new)

    def places(self, content: str) -> list[str]:
        """Return the places at which a content lies, under one name or several."""
        folder = self.folder / content[:2] / content
        try:
            return sorted(entry.path for entry in os.scandir(folder))
        except OSError:
            return []

    def _target(self, content: str, name: str) -> str:
        return f"{self.folder}/{content[:2]}/{content}/{name}"


def link(path: str, at: str) -> None:
    """Make a link to an output where people look for it; one that was there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    try:
        os.symlink(path, at)  # noqa: PTH211 - texts
    except FileNotFoundError:
        os.makedirs(os.path.dirname(at), exist_ok=True)  # noqa: PTH103, PTH120 - as above
        os.symlink(path, at)  # noqa: PTH211 - as above
    except FileExistsError:
        beside = f"{at}.{os.getpid()}.part"
        remove(beside)
        os.symlink(path, beside)  # noqa: PTH211 - as above
        os.replace(beside, at)  # noqa: PTH105 - as above


def put(made: Made, at: str) -> None:
    """Copy an output to where it was asked for: a place of the user's, who may write to it.

    A file that is there is replaced; the files of a folder are put beside those that are there.

    Raises:
        OSError: it cannot be written.
    """
    if made.file:
        os.makedirs(os.path.dirname(at), exist_ok=True)  # noqa: PTH103, PTH120 - texts
        _replace(made.path, at)
        return
    os.makedirs(at, exist_ok=True)  # noqa: PTH103 - as above
    for path in _below(made.path):
        place = at + path[len(made.path) :]
        if os.path.isdir(path):  # noqa: PTH112 - as above
            os.makedirs(place, exist_ok=True)  # noqa: PTH103 - as above
        else:
            os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - as above
            _replace(path, place)


def _replace(source: str, place: str) -> None:
    beside = f"{place}.{os.getpid()}.part"
    copy_file(source, beside, writable=True)
    os.replace(beside, place)  # noqa: PTH105 - texts


def _settle(place: str, *, top: str) -> None:
    """Make what a step left its own and read-only: no links that lead out, no shared files."""
    seen = os.lstat(place)
    if modes.S_ISLNK(seen.st_mode):
        _resolve(place, top)
    elif modes.S_ISDIR(seen.st_mode):
        if seen.st_mode & modes.S_IRWXU != modes.S_IRWXU:
            os.chmod(place, 0o700)  # noqa: PTH101 - texts
        with os.scandir(place) as entries:
            for path in [entry.path for entry in entries]:
                _settle(path, top=top)
        if place != top:
            os.chmod(place, _FOLDER)  # noqa: PTH101 - as above
    elif modes.S_ISREG(seen.st_mode):
        if seen.st_nlink > 1:
            # Somebody else's name for the same file would be a way to write to it.
            _replace(place, place)
        if seen.st_mode & _WRITABLE:
            os.chmod(place, seen.st_mode & 0o777 & ~_WRITABLE | modes.S_IRUSR)  # noqa: PTH101
    else:
        os.unlink(place)  # noqa: PTH108 - a socket or a pipe is no data


def _resolve(place: str, top: str) -> None:
    """Put what a link leads to in its place, where that is outside of the output."""
    target = os.path.realpath(place)
    if place != top and target.startswith(f"{os.path.realpath(top)}/"):
        return
    os.unlink(place)  # noqa: PTH108 - texts
    if os.path.isdir(target):  # noqa: PTH112 - as above
        os.makedirs(place)  # noqa: PTH103 - as above
        for path in _below(target):
            copied = place + path[len(target) :]
            if os.path.isdir(path):  # noqa: PTH112 - as above
                os.makedirs(copied, exist_ok=True)  # noqa: PTH103 - as above
            else:
                os.makedirs(os.path.dirname(copied), exist_ok=True)  # noqa: PTH103, PTH120
                copy_file(path, copied, writable=True)
    elif os.path.isfile(target):  # noqa: PTH113 - as above
        copy_file(target, place, writable=True)
    else:
        return
    _settle(place, top=top)


def _lock(folder: str) -> None:
    os.chmod(folder, _FOLDER)  # noqa: PTH101 - a text


def _with_stamp(made: Made, stamp: str) -> Made:
    return Made(
        content=made.content,
        path=made.path,
        file=made.file,
        size_bytes=made.size_bytes,
        files=made.files,
        stamp=stamp,
    )


def _below(folder: str) -> Iterator[str]:
    """Yield everything below a folder; links are followed."""
    for above, folders, files in os.walk(folder, followlinks=True):
        yield from (f"{above}/{name}" for name in (*folders, *files))


def _above(path: str, top: Path) -> Iterator[str]:
    """Yield the folders of a path, up to one of them."""
    for folder in Path(path).parents:
        yield str(folder)
        if folder == top:
            return


def _sync(path: str) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _sync_all(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = import_module("ctypes").CDLL(None, use_errno=True)
        if not hasattr(libc, "syncfs") or libc.syncfs(file) != 0:
            os.sync()
    finally:
        os.close(file)
