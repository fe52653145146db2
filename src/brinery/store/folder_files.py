"""The files of managed folders: on the disk of the workspace, or wherever fsspec reaches.

A file is written beside its place and put there whole, so that a writer that is killed leaves the
old one. Paths begin with a slash and never lead out of the folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, Protocol

from brinery.errors import DataFileMissing, DataUnreachable, InvalidReference, StoreFault
from brinery.records.folder import FolderEntry
from brinery.specs.names import nearest

_STAGED: Final = ".brinery-new-"
_BLOCK_BYTES: Final = 1 << 20


class FolderFiles(Protocol):
    """The files of one managed folder; every path begins with a slash."""

    @property
    def local(self) -> Path | None:
        """Return the folder on this machine; None where it is elsewhere."""
        ...

    def paths(self) -> list[str]:
        """Return the paths of all files, sorted."""
        ...

    def open(self, path: str, /) -> IO[bytes]:
        """Return a file opened to be read.

        Raises:
            DataFileMissing: there is none.
        """
        ...

    def write(self, path: str, content: IO[bytes], /) -> None:
        """Write a file in place of what is there."""
        ...

    def delete(self, path: str, /) -> int:
        """Return how many files were removed: one, or all below a path."""
        ...

    def entry(self, path: str, /) -> FolderEntry:
        """Return what lies at a path."""
        ...


def inner(path: str) -> str:
    """Return a path of a folder without the slash before it; the folder itself is empty.

    Raises:
        InvalidReference: it would lead out of the folder.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise InvalidReference(
            f"the path {path!r} leads out of the folder", hint="a path is /models/pipeline.pkl"
        )
    return "/".join(parts)


class LocalFolder:
    """A folder of this machine.

    Args:
        folder: made when something is written to it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def local(self) -> Path:
        """Return the folder, which is there from now on."""
        with _told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def paths(self) -> list[str]:
        """Return the paths of all files, sorted."""
        found = (one for one in self._folder.rglob("*") if one.is_file())
        return sorted(
            f"/{one.relative_to(self._folder).as_posix()}"
            for one in found
            if not one.name.startswith(_STAGED)
        )

    def open(self, path: str, /) -> IO[bytes]:
        """Return a file opened to be read."""
        try:
            return (self._folder / inner(path)).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise missing(path, self.paths()) from None
        except OSError as error:
            raise _fault(self._folder / inner(path), error) from error

    def write(self, path: str, content: IO[bytes], /) -> None:
        """Write a file in place of what is there."""
        name = inner(path)
        if not name:
            raise InvalidReference("a file has no name", hint="a path is /models/pipeline.pkl")
        target = self._folder / name
        staged = target.with_name(f"{_STAGED}{os.urandom(8).hex()}")
        with _told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with staged.open("wb") as stream:
                    shutil.copyfileobj(content, stream, _BLOCK_BYTES)
                    stream.flush()
                    os.fsync(stream.fileno())
                staged.replace(target)
            finally:
                staged.unlink(missing_ok=True)

    def delete(self, path: str, /) -> int:
        """Return how many files were removed."""
        name = inner(path)
        target = self._folder / name
        below = name + "/" if name else ""
        gone = [one for one in self.paths() if one == f"/{name}" or one[1:].startswith(below)]
        with _told(target):
            if target.is_file():
                target.unlink()
                return 1
            for one in sorted(self._folder.iterdir()) if not name and self._folder.exists() else []:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            if name:
                shutil.rmtree(target, ignore_errors=True)
        return len(gone) if below or not name else 0

    def entry(self, path: str, /) -> FolderEntry:
        """Return what lies at a path."""
        name = inner(path)
        return self._entry(self._folder / name, f"/{name}", deep=True)

    def _entry(self, place: Path, path: str, *, deep: bool) -> FolderEntry:
        try:
            if not place.is_dir():
                seen = place.stat()
                return FolderEntry(
                    path=path, size_bytes=seen.st_size, modified_ms=seen.st_mtime_ns // 1_000_000
                )
            inside = sorted(place.iterdir()) if deep else []
        except (FileNotFoundError, NotADirectoryError):
            # The folder itself is there before anything is in it.
            return FolderEntry(path=path, exists=path == "/", directory=path == "/")
        children = tuple(
            self._entry(one, f"{path.rstrip('/')}/{one.name}", deep=False)
            for one in inside
            if not one.name.startswith(_STAGED)
        )
        return FolderEntry(path=path, directory=True, children=children)


class RemoteFolder:
    """A folder that fsspec reaches.

    Args:
        uri: of it, without a slash at its end.
    """

    local: Path | None = None

    def __init__(self, uri: str) -> None:
        self._uri = uri
        # It takes as long to import as all else that a small command needs.
        self._remote: Any = import_module("brinery.store.remote_files")

    def paths(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(f"/{name}" for name in self._remote.sizes(self._uri))

    def open(self, path: str, /) -> IO[bytes]:
        """Return a file opened to be read."""
        name = inner(path)
        if name not in self._remote.sizes(f"{self._uri}", only=name):
            raise missing(path, self.paths())
        stream: IO[bytes] = self._remote.opened(f"{self._uri}/{name}")
        return stream

    def write(self, path: str, content: IO[bytes], /) -> None:
        """Write a file in place of what is there; a bucket has it whole or not at all."""
        name = inner(path)
        if not name:
            raise InvalidReference("a file has no name", hint="a path is /models/pipeline.pkl")
        self._remote.written(f"{self._uri}/{name}", content)

    def delete(self, path: str, /) -> int:
        """Return how many files were removed."""
        name = inner(path)
        below = [
            one
            for one in self._remote.sizes(self._uri)
            if not name or one == name or one.startswith(f"{name}/")
        ]
        self._remote.removed(f"{self._uri}/{one}" for one in below)
        return len(below)

    def entry(self, path: str, /) -> FolderEntry:
        """Return what lies at a path."""
        name = inner(path)
        found: dict[str, tuple[int, int]] = self._remote.sizes(self._uri)
        if name in found:
            return _file(f"/{name}", found[name])
        below = f"{name}/" if name else ""
        within = {one: facts for one, facts in found.items() if one.startswith(below)}
        children: dict[str, FolderEntry] = {}
        for one, facts in sorted(within.items()):
            head, slash, _ = one[len(below) :].partition("/")
            at = f"/{below}{head}"
            children[head] = FolderEntry(path=at, directory=True) if slash else _file(at, facts)
        there = bool(within) or not name
        return FolderEntry(
            path=f"/{name}", exists=there, directory=there, children=tuple(children.values())
        )


def folder_files(uri: str, folder: Path) -> FolderFiles:
    """Return the files at a URI; in a folder of the workspace where it is empty."""
    if not uri:
        return LocalFolder(folder)
    if uri.startswith(("/", "file://")):
        return LocalFolder(Path(uri.removeprefix("file://")))
    return RemoteFolder(uri.rstrip("/"))


def missing(path: str, known: list[str]) -> DataFileMissing:
    """Return the error for a file that is not in a folder."""
    near = nearest(f"/{inner(path)}", known)
    meant = f": did you mean {near}?" if near else ""
    return DataFileMissing(
        f"the folder has no file {path}{meant}", hint="brinery folder show has its files"
    )


def _file(path: str, facts: tuple[int, int]) -> FolderEntry:
    return FolderEntry(path=path, size_bytes=facts[0], modified_ms=facts[1])


def _fault(place: Path, error: OSError) -> StoreFault:
    return StoreFault(
        f"{place} cannot be read: {error.strerror or error}", hint=f"ls -ld {place.parent}"
    )


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """Translate what a file system raises."""
    try:
        yield
    except (DataUnreachable, InvalidReference):
        raise
    except OSError as error:
        raise StoreFault(
            f"{error.filename or place} cannot be written: {error.strerror or error}",
            hint="the disk may be full, or the workspace another's",
        ) from error
