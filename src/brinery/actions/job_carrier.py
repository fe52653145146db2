"""What brings attempts to machines that see nothing of the workspace, and back what they made.

Inputs, the copy of the code and the places of outputs go over a shelf (`store.shelf`); paths are
written anew for the machine that they come to, where an environment is built as it is declared. It
is sent to those machines as it is; see `runners.interface.Carrier`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import brinery
from brinery.actions.job_rooms import JobRooms
from brinery.runners.batch_folder import BatchFolder, Share
from brinery.runners.interface import Attempt, Shared
from brinery.specs import job_settings
from brinery.specs.software_names import Table
from brinery.store.job_environments import JobEnvironments, overlay
from brinery.store.shelf import Shelf

_HOME: Final = Path("~/.cache/brinery/nodes")
_KEPT: Final = ("making", "work/outputs", "work/logs")
# What is one machine's own, whichever job runs there.
_OF_A_MACHINE: Final = re.compile(
    r"HOME|USER|LOGNAME|SHELL|HOSTNAME|PWD|OLDPWD|TMPDIR|TEMP|TMP|PATH|LD_LIBRARY_PATH|"
    r"LD_PRELOAD|PYTHONPATH|PYTHONHOME|XDG_.*|SSH_.*|DISPLAY|CUDA_.*|NVIDIA_.*"
)
_OURS: Final = (str(Path(brinery.__file__).parent), sys.executable)

# Size and time of files, by their paths.
_Seen = dict[str, tuple[int, int]]


class _Package(Struct, frozen=True):
    """What is sent: an attempt, the names on the shelf of what its paths hold, its mini-batches."""

    attempt: Attempt
    reads: dict[str, str]
    made: dict[str, str]
    ours: tuple[str, str]
    share: Share | None


class _Return(Struct, frozen=True):
    """What comes back: path to name on the shelf, of what was made and of the mini-batches."""

    made: dict[str, str]
    shared: Shared | None
    batches: str


# Made here, for several threads decode at once; see `records.ready`.
_PACKAGE: Final = msgspec.msgpack.Decoder(_Package)
_RETURN: Final = msgspec.msgpack.Decoder(_Return)


class JobCarrier:
    """Carries the attempts of a workspace.

    Args:
        shelf: that all machines reach.
        fingerprints: folder of those that were made before.
        table: `[environments.map]` of the settings.
        current: whether every step runs in the Python that runs Brinery.
    """

    def __init__(
        self, shelf: Shelf, *, fingerprints: Path, table: Table, current: bool = False
    ) -> None:
        self._shelf = shelf
        self._fingerprints = fingerprints
        self._table = table
        self._current = current
        self._first: dict[str, dict[str, str]] = {}
        self._came: tuple[Attempt, _Seen] | None = None

    def send(self, attempt: Attempt, /) -> bytes:
        """Put what an attempt needs on the shelf; return what tells of it.

        Raises:
            DataUnreachable: nothing can be put there.
            OSError: it cannot be read.
        """
        known, shared = self._fingerprints, attempt.shared
        reads = {path: self._shelf.put(path, known=known) for path in attempt.reads}
        made = self._made(attempt)
        share = BatchFolder(Path(shared.folder)).share_out(shared) if shared else None
        package = _Package(attempt=attempt, reads=reads, made=made, ours=_OURS, share=share)
        return msgspec.msgpack.encode(package)

    def receive(self, package: bytes, /) -> Attempt:
        """Return the attempt with this machine's paths, where all that it needs lies.

        Raises:
            DataUnreachable: it is not on the shelf.
            EnvironmentUnavailable: its environment cannot be built here.
            OSError: it cannot be written.
        """
        told = _PACKAGE.decode(package)
        attempt = told.attempt
        place = str(self._home / "places" / uuid4().hex)
        moved = {attempt.place: place, **dict(zip(told.ours, _OURS, strict=True))}
        for path, name in told.reads.items():
            base = os.path.basename(path.rstrip("/"))  # noqa: PTH119 - a text
            moved[path] = self._shelf.place(name, base, cache=self._home)
        for path, name in told.made.items():
            target = place + path[len(attempt.place) :]
            self._shelf.copy(name, target, cache=self._home)
        moving = _Moving(moved)
        variables = {
            name: moving.text(value)
            for name, value in attempt.variables.items()
            if not _OF_A_MACHINE.fullmatch(name)
        }
        here = {name: each for name, each in os.environ.items() if _OF_A_MACHINE.fullmatch(name)}
        shared = attempt.shared
        if shared is not None and told.share is not None:
            shared = replace(shared, folder=moving.text(shared.folder))
            share = replace(
                told.share,
                task=moving.value(told.share.task),
                batches=moving.value(told.share.batches),
            )
            BatchFolder(Path(shared.folder)).lay_out(share, timeout_s=shared.timeout_s)
        self._came = (attempt, _seen(place))
        return replace(
            attempt,
            command=moving.text(attempt.command),
            folder=moving.text(attempt.folder),
            place=place,
            log=f"{place}/log",
            shared=shared,
            variables={**variables, **here, **self._software(attempt, moving, path=here["PATH"])},
        )

    def protected(self) -> list[str]:
        """Return the folders of this machine that hold what others read, too."""
        found = [self._home / name for name in ("files", "trees", "environments")]
        for folder in found:
            folder.mkdir(parents=True, exist_ok=True)
        return [str(folder) for folder in found]

    def send_back(self, attempt: Attempt, /) -> bytes:
        """Put what an attempt made on the shelf; return what tells of it.

        Raises:
            DataUnreachable: nothing can be put there.
            OSError: it cannot be read.
        """
        if self._came is None:
            raise RuntimeError("no attempt was received")
        (sent, before), here, shared = self._came, attempt.place, attempt.shared
        kept = [below for below in _KEPT if Path(here, below).is_dir()]
        try:
            if shared:
                # Others made something at the same paths: only what this one wrote replaces that.
                _remove_unchanged(here, before)
            back = _Return(
                made={
                    f"{sent.place}/{below}": self._shelf.put(f"{here}/{below}") for below in kept
                },
                shared=sent.shared,
                batches=self._shelf.put(shared.folder) if shared else "",
            )
        finally:
            shutil.rmtree(here, ignore_errors=True)
        return msgspec.msgpack.encode(back)

    def take_back(self, package: bytes, /) -> None:
        """Put what was made where the attempt that was sent would have made it.

        Raises:
            DataUnreachable: it is not on the shelf.
            OSError: it cannot be written.
        """
        back = _RETURN.decode(package)
        for path, name in back.made.items():
            self._shelf.copy(name, path, cache=self._home)
        if back.shared is not None:
            brought = Path(f"{back.shared.folder}/brought.{back.shared.worker}")
            self._shelf.copy(back.batches, str(brought), cache=self._home)
            BatchFolder(brought.parent).bring(brought, worker=back.shared.worker)
            shutil.rmtree(brought, ignore_errors=True)

    def _made(self, attempt: Attempt) -> dict[str, str]:
        """Return the names on the shelf of the places that an attempt writes to."""
        paths = (f"{attempt.place}/making", f"{attempt.place}/work")
        if attempt.shared is None:
            return {path: self._shelf.put(path) for path in paths}
        if attempt.place not in self._first:
            # Others write there already: what is put on the shelf must not change meanwhile.
            with tempfile.TemporaryDirectory(prefix="brinery-") as folder:
                still = {path: f"{folder}/{Path(path).name}" for path in paths}
                for path, copy in still.items():
                    shutil.copytree(path, copy, symlinks=True, copy_function=_copy_if_there)
                found = {path: self._shelf.put(copy) for path, copy in still.items()}
            self._first[attempt.place] = found
        return self._first[attempt.place]

    def _software(self, attempt: Attempt, moving: _Moving, *, path: str) -> Mapping[str, str]:
        """Return the variables of the Python of an attempt, which is built where it is not."""
        if attempt.software is None:
            return {}
        environments = JobEnvironments(
            self._home / "environments", table=self._table, current=self._current
        )
        prepared = environments.prepare(attempt.software, imported=attempt.imported)
        return overlay(prepared, Path(moving.text(attempt.overlay)), path=path)

    @property
    def _home(self) -> Path:
        digest = sha256(self._shelf.uri.encode()).hexdigest()[:16]
        return _HOME.expanduser() / digest


def job_carrier(rooms: JobRooms, place: str) -> JobCarrier:
    """Return what carries the attempts of a workspace over a bucket or a shared folder.

    Raises:
        SettingsError: `[environments.map]` is wrong.
    """
    return JobCarrier(
        Shelf(place, environ=rooms.variables),
        fingerprints=rooms.workspace.cache / "fingerprints",
        table=job_settings.read(rooms.workspace.settings_file).environment_map,
        current=rooms.current,
    )


class _Moving:
    """Writes paths anew, wherever they stand in a text as a whole.

    Args:
        moved: path to path.
    """

    def __init__(self, moved: Mapping[str, str]) -> None:
        self._moved = moved
        longest = sorted(moved, key=len, reverse=True)
        paths = "|".join(re.escape(path) for path in longest)
        self._found = re.compile(rf"(?<![\w./-])(?:{paths})(?![\w-]|\.\w)")

    def text(self, text: str) -> str:
        """Return a text with the paths of this machine."""
        return self._found.sub(lambda found: self._moved[found[0]], text)

    def value(self, value: Any) -> Any:
        """Return a value of JSON with the paths of this machine."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(each) for each in value]
            case dict():
                return {name: self.value(each) for name, each in value.items()}
        return value


def _copy_if_there(source: str, target: str) -> None:
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)


def _seen(place: str) -> _Seen:
    """Return the size and time of each file of an attempt's that would come back."""
    found = {}
    for below in _KEPT:
        for folder, _, names in os.walk(f"{place}/{below}"):
            for name in names:
                told = os.lstat(f"{folder}/{name}")
                found[f"{folder}/{name}"] = (told.st_size, told.st_mtime_ns)
    return found


def _remove_unchanged(place: str, before: _Seen) -> None:
    """Remove of what would come back the files that are as they were."""
    now = _seen(place)
    for path, told in before.items():
        if now.get(path) == told:
            os.unlink(path)  # noqa: PTH108 - a text
