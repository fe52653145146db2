"""The folders of imports that were begun on the page.

    .brinery/imports/KEY/asked.json       what the user has said so far
                         scan.json        what was found before anything of the model ran
                         journal.jsonl    what happened, appended; how it ended is its last line
                         lock             held by the process that imports
                         model/NAME       that was sent
                         data/NAME        rows that were sent

The model of an import that became a version is registered, so that the one that was sent goes at
once; the rows stay, for they are looked for where they lay. Everything else goes after a week.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from brinery.errors import AlreadyThere, NotFound
from brinery.records.event import Event
from brinery.records.import_asked import (
    ImportAsked,
    ImportOutcome,
    ImportProgress,
    ImportScan,
    ImportState,
)
from brinery.records.ready import decoded
from brinery.store import journals
from brinery.store.documents import write

KEPT: Final = timedelta(days=7)
_ASKED: Final = "asked.json"
_SCAN: Final = "scan.json"
_JOURNAL: Final = "journal.jsonl"
_LOCK: Final = "lock"
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_STARTING: Final = timedelta(seconds=30)
_LONGEST: Final = 100
_STEM: Final = 80

_Document = TypeVar("_Document", bound=Struct)


class _Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a journal.

    Attributes:
        event: a step that is done.
        outcome: how it ended.
    """

    event: Event | None = None
    outcome: ImportOutcome | None = None


_LINES: Final = msgspec.json.Decoder(_Line)


class Imports:
    """The imports of a workspace.

    Args:
        folder: `.brinery/imports`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, asked: ImportAsked) -> None:
        """Keep a new import; its folder may be there, with what was sent."""
        path = self._folder / asked.key
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keep(asked)

    def keep(self, asked: ImportAsked) -> None:
        """Keep what the user has said, in place of what was kept."""
        write(self._folder / asked.key / _ASKED, msgspec.json.encode(asked))

    def keep_scan(self, key: str, scan: ImportScan) -> None:
        """Keep what was found in the model of an import."""
        write(self._folder / key / _SCAN, msgspec.json.encode(scan))

    def place(self, key: str, kind: str, *, called: str) -> Path:
        """Return where a file that is sent is written; its folder is made, and empty.

        Args:
            key: of the import, drawn by us.
            kind: `model` or `data`.
            called: the name that the user's browser says; nothing but its last part is used, and of
                that only what is harmless.
        """
        folder = self._folder / _checked(key) / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        return folder / harmless(called)

    def begin_journal(self, key: str) -> None:
        """Forget what happened the last time."""
        (self._folder / key / _JOURNAL).unlink(missing_ok=True)

    def tell(
        self, key: str, *, event: Event | None = None, outcome: ImportOutcome | None = None
    ) -> None:
        """Append what happened."""
        line = msgspec.json.encode(_Line(event=event, outcome=outcome)) + b"\n"
        with (self._folder / key / _JOURNAL).open("ab") as stream:
            stream.write(line)

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """Hold an import while the block runs: by that others know that it goes on.

        Raises:
            AlreadyThere: another process imports it.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        lock = os.open(self._folder / _checked(key) / _LOCK, flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise AlreadyThere(
                "this import goes on already", hint="its page says how far it is"
            ) from None
        finally:
            os.close(lock)

    def read(self, key: str) -> ImportProgress:
        """Return an import as it is now.

        Raises:
            NotFound: there is none; it may have been cleaned up.
        """
        path = self._folder / key
        asked = _read(path / _ASKED, ImportAsked) if _KEY.fullmatch(key) else None
        if asked is None:
            raise NotFound(
                "there is no such import; one that was not finished is forgotten after a week",
                hint="/import begins another",
            )
        lines = list(journals.lines(path / _JOURNAL, _LINES))
        outcome = next((line.outcome for line in reversed(lines) if line.outcome), None)
        return ImportProgress(
            asked=asked,
            state=_state(asked, outcome, held=journals.is_locked(path / _LOCK)),
            scan=_read(path / _SCAN, ImportScan),
            events=tuple(line.event for line in lines if line.event is not None),
            outcome=outcome,
        )

    def recent(self, most: int) -> list[ImportProgress]:
        """Return the imports of which something was said last, the newest first."""
        changed = []
        for key in self._keys():
            with suppress(OSError):  # what was sent, and never came to its end
                changed.append(((self._folder / key / _ASKED).stat().st_mtime, key))
        found = []
        for _, key in sorted(changed, reverse=True)[:most]:
            with suppress(NotFound):
                found.append(self.read(key))
        return found

    def settle(self, key: str) -> None:
        """Delete the model that was sent for an import that became a version."""
        shutil.rmtree(self._folder / _checked(key) / "model", ignore_errors=True)

    def sweep(self, *, now: datetime | None = None) -> int:
        """Return how many imports were forgotten: a week old, and never finished."""
        before = (now or datetime.now(UTC)) - KEPT
        gone = 0
        for key in self._keys():
            path = self._folder / key
            try:
                found = self.read(key)
                done = found.state in (ImportState.DONE, ImportState.RUNNING)
                old = found.asked.created < before
            except NotFound:  # what was sent, and never came to its end
                done, old = False, path.stat().st_mtime < before.timestamp()
            if old and not done:
                shutil.rmtree(path, ignore_errors=True)
                gone += 1
        return gone

    def _keys(self) -> list[str]:
        try:
            return [each.name for each in os.scandir(self._folder) if _KEY.fullmatch(each.name)]
        except FileNotFoundError:
            return []


def harmless(called: str) -> str:
    """Return a file name of letters, digits, `.`, `-` and `_` for one that a stranger gave."""
    last = re.split(r"[\\/]", called)[-1]
    stem, dot, ending = last.rpartition(".")
    if not stem:
        return _plain(ending, most=_LONGEST) or "file"
    return f"{_plain(stem, most=_STEM) or 'file'}{dot}{_plain(ending, most=_LONGEST - _STEM)}"


def _plain(text: str, *, most: int) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:most]


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise NotFound("there is no such import", hint="/import begins another")
    return key


def _state(asked: ImportAsked, outcome: ImportOutcome | None, *, held: bool) -> ImportState:
    if outcome is not None:
        return ImportState.DONE if outcome.reference else ImportState.REFUSED
    if asked.started is None:
        return ImportState.OPEN
    starting = datetime.now(UTC) - asked.started < _STARTING
    return ImportState.RUNNING if held or starting else ImportState.LOST


def _read(path: Path, kind: type[_Document]) -> _Document | None:
    try:
        return decoded(path.read_bytes(), kind)
    except (OSError, msgspec.MsgspecError):
        return None
