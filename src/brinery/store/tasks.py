"""The journals of what pages began: one file each, `.brinery/tasks/ID.jsonl`.

Its first line says what was asked, each further one what happened, the last one how it ended. The
process that does the work holds a lock on the file, which the system frees when the process is
killed: a journal without an end that nobody holds is of work that was cut off.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from brinery.records.event import Event
from brinery.records.task import TaskBegun, TaskEnded, TaskKept
from brinery.store import journals
from brinery.store.documents import unwritable

MOST: Final = 50
_ID: Final = re.compile(r"[0-9a-f]{16}")
_ENDING: Final = ".jsonl"


class _Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a journal; one of its attributes is told.

    Attributes:
        begun: what was asked.
        event: what happened.
        ended: how it ended.
    """

    begun: TaskBegun | None = None
    event: Event | None = None
    ended: TaskEnded | None = None


_LINES: Final = msgspec.json.Decoder(_Line)


class TaskJournal:
    """The journal of work that goes on in this process.

    Args:
        path: of the file, which is made.
        begun: what was asked.

    Raises:
        OutputUnwritable: the system refuses.
    """

    def __init__(self, path: Path, begun: TaskBegun) -> None:
        self._lock = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._path = path
        self._write(_Line(begun=begun))

    def tell(self, event: Event) -> None:
        """Append what happened, unless it only says how far a step is.

        Raises:
            OutputUnwritable: the system refuses.
        """
        if not event.progress:
            self._write(_Line(event=event))

    def end(self, ended: TaskEnded) -> None:
        """Append how it ended.

        Raises:
            OutputUnwritable: the system refuses.
        """
        self._write(_Line(ended=ended))

    def close(self) -> None:
        """Let go of the journal: from now on nobody does this work."""
        os.close(self._lock)

    def _write(self, line: _Line) -> None:
        try:
            os.write(self._lock, msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise unwritable(self._path, error) from None


class TaskJournals:
    """The journals of a workspace.

    Args:
        folder: `.brinery/tasks`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, begun: TaskBegun) -> TaskJournal:
        """Return a new journal, which the caller closes; the oldest of those that ended go.

        Raises:
            OutputUnwritable: the system refuses.
        """
        path = self._folder / f"{begun.id}{_ENDING}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = TaskJournal(path, begun)
        except OSError as error:
            raise unwritable(path, error) from None
        for old in self._newest_first()[MOST:]:
            if not journals.is_locked(old):
                old.unlink(missing_ok=True)
        return made

    def read(self, task_id: str) -> TaskKept | None:
        """Return some work as it is now; None where nothing is kept of it."""
        return _read(self._folder / f"{task_id}{_ENDING}") if _ID.fullmatch(task_id) else None

    def latest(self, key: str) -> TaskKept | None:
        """Return the work that was begun last about something; None where none is kept."""
        for path in self._newest_first():
            first = next(journals.lines(path, _LINES), None)
            if first is not None and first.begun is not None and first.begun.key == key:
                return _read(path)
        return None

    def _newest_first(self) -> list[Path]:
        found = []
        with suppress(OSError):
            for path in self._folder.glob(f"*{_ENDING}"):
                with suppress(OSError):  # another process let it go
                    found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found, reverse=True)]


def _read(path: Path) -> TaskKept | None:
    # First who holds it: work that ends meanwhile has its end in the file then.
    held = journals.is_locked(path)
    lines = list(journals.lines(path, _LINES))
    if not lines or lines[0].begun is None:
        return None
    return TaskKept(
        begun=lines[0].begun,
        goes_on=held and lines[-1].ended is None,
        events=tuple(line.event for line in lines if line.event is not None),
        ended=lines[-1].ended,
    )
