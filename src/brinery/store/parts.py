"""A folder of parts: each is written beside its place and moved there, and a journal tells of it.

`_brinery.json` says what is scored and with what; `_parts.jsonl` has a line for each part that is
complete. A run that was killed leaves both, and at most one file that is no part. Readers of such
folders leave out names that begin with `_` or `.`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol, Self

import filelock
import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from brinery.errors import OutputTaken, OutputUnwritable
from brinery.records.batch import BatchRun, Part
from brinery.records.ready import decoded
from brinery.store.documents import unwritable
from brinery.store.tables import TableFormat

_RUN = "_brinery.json"
_JOURNAL = "_parts.jsonl"
_LOCK = ".brinery.lock"
_PREFIX = "part-"
_UNDONE = ".part-"


class Writer(Protocol):
    """Writes tables of one schema, one behind the other."""

    def write_table(self, table: pa.Table) -> None:
        """Write rows."""
        ...

    def close(self) -> None:
        """Write what ends the file."""
        ...


class _Lines:
    """Writes JSON lines."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink

    def write_table(self, table: pa.Table) -> None:
        self._sink.writelines(msgspec.json.encode(row) + b"\n" for row in table.to_pylist())

    def close(self) -> None:
        """There is nothing behind the last line."""


def _writer(sink: IO[bytes], schema: pa.Schema, form: TableFormat) -> Writer:
    """Return what writes tables to an open file."""
    made: Any
    match form:
        case TableFormat.PARQUET:
            made = pq.ParquetWriter(sink, schema)
        case TableFormat.CSV:
            made = pa.csv.CSVWriter(sink, schema)
        case TableFormat.ARROW:
            made = pa.ipc.new_file(sink, schema)
        case TableFormat.JSONL:
            made = _Lines(sink)
    found: Writer = made
    return found


class Whole:
    """One file, there once it is closed without an error, or an open stream.

    Args:
        target: the file's path, or the stream.
        form: of the file.
    """

    def __init__(self, target: Path | IO[bytes], form: TableFormat) -> None:
        self._form = form
        self._path = target if isinstance(target, Path) else None
        self._undone: Path | None = None
        self._writer: Writer | None = None
        if isinstance(target, Path):
            self._undone = target.with_name(f".{target.name}.part")
            with writable(target):
                self._sink: IO[bytes] = self._undone.open("wb")
        else:
            self._sink = target

    def write(self, table: pa.Table) -> None:
        """Write rows."""
        with writable(self._path):
            if self._writer is None:
                self._writer = _writer(self._sink, table.schema, self._form)
            self._writer.write_table(table)

    def done(self) -> int:
        """End the file and move it to its place; return its size in bytes."""
        with writable(self._path):
            self._end()
            self._sink.flush()
            if self._path is None or self._undone is None:
                return 0
            os.fsync(self._sink.fileno())
            self._sink.close()
            self._undone.replace(self._path)
            return self._path.stat().st_size

    def discard(self) -> None:
        """Leave nothing of an unfinished file."""
        if self._undone is not None:
            with suppress(OSError, ValueError, pa.ArrowException):
                self._end()  # a writer that is forgotten would write later
            with suppress(OSError):
                self._sink.close()
            self._undone.unlink(missing_ok=True)

    def _end(self) -> None:
        ended, self._writer = self._writer, None
        if ended is not None:
            ended.close()


class PartFolder:
    """The folder of a run, held by this process alone.

    Use it as a context manager.

    Args:
        path: of the folder, which is made.
        form: of the parts.

    Raises:
        OutputTaken: another process writes to it.
        OutputUnwritable: it cannot be written.
    """

    def __init__(self, path: Path, form: TableFormat) -> None:
        self.path = path
        self._form = form
        with writable(path):
            path.mkdir(parents=True, exist_ok=True)
            self._lock = filelock.FileLock(path / _LOCK, timeout=0)
            try:
                self._lock.acquire()
            except filelock.Timeout:
                raise OutputTaken(
                    f"another run writes to {path}", hint="wait for it, or name another folder"
                ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def parts(self) -> list[Part]:
        """Return the parts that are complete and there, as the journal tells them."""
        journal = self.path / _JOURNAL
        found: dict[tuple[int, int], Part] = {}
        with suppress(FileNotFoundError):
            for line in journal.read_bytes().splitlines():
                with suppress(msgspec.MsgspecError):  # the last line of a run that was killed
                    part = decoded(line, Part)
                    found[part.file, part.start] = part
        return [part for part in found.values() if not part.name or self._is_there(part)]

    def begin(self, run: BatchRun, kept: list[Part]) -> None:
        """Write what the run is, and the parts that it keeps of those that are there."""
        with writable(self.path):
            names = {part.name for part in kept}
            for path in self.path.iterdir():
                is_part = path.name.startswith(_PREFIX) and path.name not in names
                if is_part or path.name.startswith(_UNDONE):
                    path.unlink()
            lines = b"".join(msgspec.json.encode(part) + b"\n" for part in kept)
            self._replace(_JOURNAL, lines)
            self.state(run)

    def state(self, run: BatchRun) -> None:
        """Write what the run is and how it stands."""
        with writable(self.path):
            self._replace(_RUN, msgspec.json.format(msgspec.json.encode(run), indent=1))

    def new(self, part: Part) -> Whole:
        """Return the file of a part, to be written."""
        return Whole(self.path / self.name(part), self._form)

    def name(self, part: Part) -> str:
        """Return what a part's file is called: in the order of the data."""
        return f"{_PREFIX}{part.file:05}-{part.start:011}.{self._form}"

    def add(self, part: Part) -> None:
        """Tell that a part is complete."""
        with writable(self.path), (self.path / _JOURNAL).open("ab") as journal:
            journal.write(msgspec.json.encode(part) + b"\n")

    def _is_there(self, part: Part) -> bool:
        with suppress(OSError):
            return (self.path / part.name).stat().st_size == part.size_bytes
        return False

    def _replace(self, name: str, content: bytes) -> None:
        beside = self.path / f".{name}.part"
        beside.write_bytes(content)
        beside.replace(self.path / name)


def run_in(path: Path) -> BatchRun | None:
    """Return the run whose parts lie in a folder; None where it is empty or not there.

    Raises:
        OutputTaken: something else lies in it.
        OutputUnwritable: it is a file.
    """
    try:
        return decoded((path / _RUN).read_bytes(), BatchRun)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise OutputUnwritable(f"{path} is a file", hint="name a folder") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise OutputTaken(f"{path / _RUN} cannot be read: {error}", hint="name another") from None
    with suppress(FileNotFoundError):
        strange = sorted(each.name for each in path.iterdir() if each.name[0] not in "._")
        if strange:
            raise OutputTaken(
                f"the folder {path} holds {strange[0]}, which is no part of a run of predict",
                hint="name a folder that is empty, or not there yet",
            )
    return None


def check_writable(path: Path, *, folder: bool) -> None:
    """Check that an output can be written, without writing it.

    Args:
        path: of the file or folder.
        folder: whether it is a folder, made with those above it.

    Raises:
        OutputUnwritable: it cannot.
    """
    parent = path if folder else path.parent
    while folder and not parent.exists() and parent != parent.parent:
        parent = parent.parent
    with writable(path):
        if not parent.is_dir():
            said = f"{parent} is no folder" if parent.exists() else f"there is no folder {parent}"
            raise NotADirectoryError(0, said)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PermissionError(0, f"{parent} may not be written to")


@contextmanager
def writable(path: Path | None) -> Iterator[None]:
    """Tell, of whatever is raised while a file is written, that it cannot be written.

    Raises:
        OutputUnwritable: it cannot; a broken pipe of a stream stays one.
    """
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        raise unwritable(path, error) from None
