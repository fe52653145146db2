"""The rows of datasets that we keep: Parquet files of versions, each named by its content.

    .brinery/datasets/PROJECT/NAME/VERSION/part-00000.parquet
                                  /.new-HEX/                    what is being written

A version's folder comes into being by one rename once its files are on the disk, and never changes
after. Which version is read is said in the dataset's record and not here, so a writer that is
killed leaves the old rows, and a folder that nobody names. Rows that are appended are a new version
too, which shares the files of the one before by links.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from brinery.errors import DataUnreadable, StoreFault

_STAGED: Final = ".new-"
_DIGITS: Final = 16
_READ_ONLY: Final = 0o444
_ABANDONED_S: Final = 86_400.0


class Written(NamedTuple):
    """A version that is on the disk.

    Attributes:
        version: first hexadecimal digits of its content's BLAKE3.
        files: names, in the order of the rows.
        rows: count.
        size_bytes: of its files.
        schema: Arrow's, of the last of its files.
    """

    version: str
    files: tuple[str, ...]
    rows: int
    size_bytes: int
    schema: pa.Schema


class DatasetVersions:
    """The versions of the datasets of a workspace.

    Args:
        folder: `.brinery/datasets`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stage(self, project: str, name: str) -> Path:
        """Return a new, empty folder to write a version's files to, on the disk of the others.

        Raises:
            StoreFault: it cannot be made.
        """
        home = self._home(project, name)
        with _told(home):
            home.mkdir(parents=True, exist_ok=True)
            staged = home / f"{_STAGED}{os.urandom(8).hex()}"
            staged.mkdir()
        return staged

    def paths(self, project: str, name: str, *, version: str, files: tuple[str, ...]) -> list[str]:
        """Return the absolute paths of a version's files."""
        folder = self._home(project, name) / version
        return [str(folder / file) for file in files]

    def holds(self, project: str, name: str, *, version: str, files: tuple[str, ...]) -> bool:
        """Return whether the files of a version are there."""
        return all(
            os.path.exists(path)  # noqa: PTH110 - a text
            for path in self.paths(project, name, version=version, files=files)
        )

    def settle(self, staged: Path, *, after: Path | None = None) -> Written:
        """Return the version that a staged folder became.

        Args:
            staged: by `stage`, with Parquet files in the order of their names; it is gone then.
            after: folder of the version whose rows come before these; None for these alone.

        Raises:
            DataUnreadable: a file is no Parquet, there is none, or the files' columns differ.
            StoreFault: the disk is full, or cannot be written.
        """
        home = staged.parent
        with _told(home):
            files = _ordered(staged, after)
            footers = [_footer(staged / name) for name in files]
            schema: pa.Schema = footers[-1].schema.to_arrow_schema()
            if any(one.schema.names != footers[-1].schema.names for one in footers):
                raise DataUnreadable(
                    "the rows that are appended have other columns than those that are there",
                    hint="write the whole dataset, or give the columns the same names",
                )
            whole = blake3(b"rows\0")
            size = 0
            for name in files:
                path = staged / name
                whole.update(blake3().update_mmap(path).digest())
                size += path.stat().st_size
                path.chmod(_READ_ONLY)
                _sync(path)
            version = whole.hexdigest()[:_DIGITS]
            _place(staged, home / version, files=files)
        rows = sum(one.num_rows for one in footers)
        return Written(version, tuple(files), rows, size, schema)

    def folder(self, project: str, name: str, *, version: str) -> Path:
        """Return where a version's files lie."""
        return self._home(project, name) / version

    def discard(self, staged: Path) -> None:
        """Remove a folder that nothing became of."""
        shutil.rmtree(staged, ignore_errors=True)

    def remove(self, project: str, name: str, *, version: str = "") -> None:
        """Remove a version, or all of a dataset's where none is named."""
        home = self._home(project, name)
        shutil.rmtree(home / version if version else home, ignore_errors=True)

    def sweep(self, project: str, name: str, *, known: set[str]) -> None:
        """Remove what a killed writer left: what no record names, and is older than a day."""
        oldest = time.time() - _ABANDONED_S
        with suppress(OSError):
            for one in self._home(project, name).iterdir():
                if one.name not in known and one.stat().st_mtime < oldest:
                    shutil.rmtree(one, ignore_errors=True)

    def _home(self, project: str, name: str) -> Path:
        return self._folder / project / name


def _ordered(staged: Path, after: Path | None) -> list[str]:
    """Return the names of a version's files, given numbers, those that come before linked in."""
    new = sorted(one for one in staged.iterdir() if one.is_file())
    if not new:
        raise DataUnreadable("nothing was written", hint="write a table, which may have no rows")
    before = [] if after is None else sorted(after.iterdir())
    for number, path in enumerate(new):
        path.rename(staged / f".{number:05}")
    names = [f"part-{number:05}.parquet" for number in range(len(before) + len(new))]
    for name, path in zip(names, before, strict=False):
        try:
            os.link(path, staged / name)
        except OSError:
            shutil.copyfile(path, staged / name)
    for number, name in enumerate(names[len(before) :]):
        (staged / f".{number:05}").rename(staged / name)
    return names


def _footer(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataUnreadable(f"{path.name} is no whole Parquet file: {reason}") from None


def _place(staged: Path, target: Path, *, files: list[str]) -> None:
    """Give a version its name; the same content that is there already is as good."""
    _sync(staged)
    for _ in range(2):
        try:
            staged.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            if all(_same(staged / name, target / name) for name in files):
                shutil.rmtree(staged, ignore_errors=True)
                return
            # Somebody altered what is there: its name is not true any more.
            spoilt = target.with_name(f"{_STAGED}{os.urandom(8).hex()}")
            target.rename(spoilt)
            shutil.rmtree(spoilt, ignore_errors=True)
        else:
            _sync(target.parent)
            return


def _same(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and (
            blake3().update_mmap(one).digest() == blake3().update_mmap(other).digest()
        )
    except OSError:
        return False


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, outlast a power failure."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Translate what a file system raises."""
    try:
        yield
    except OSError as error:
        raise StoreFault(
            f"{error.filename or folder} cannot be written: {error.strerror or error}",
            hint="the disk may be full, or the workspace another's",
        ) from error
