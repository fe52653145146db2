"""What brings attempts to machines that see nothing of the workspace, and back what they made.

Inputs, the copy of the code and the places of outputs go over a shelf (`store.shelf`); paths are
written anew for the machine that they come to, where an environment is built as it is declared. It
is sent to those machines as it is; see `runners.interface.Carrier`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import brinery
from brinery.actions.job_rooms import JobRooms
from brinery.errors import InvalidJob
from brinery.runners.interface import Attempt
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
_OURS: Final = str(Path(brinery.__file__).parent)


class _Package(Struct, frozen=True):
    """What is sent: an attempt, and the names on the shelf of what its paths hold."""

    attempt: Attempt
    reads: dict[str, str]
    made: dict[str, str]
    ours: str


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
        self._sent: tuple[str, str] = ("", "")

    def send(self, attempt: Attempt, /) -> bytes:
        """Put what an attempt needs on the shelf; return what tells of it.

        Raises:
            InvalidJob: it is a worker of a parallel step, whose folder all must see.
            DataUnreachable: nothing can be put there.
            OSError: it cannot be read.
        """
        if attempt.shared:
            raise InvalidJob(
                f"{attempt.name}: the workers of a parallel step share {attempt.shared}, which not "
                "every machine of the cluster sees",
                hint="have the workspace on a disk that all of them see",
            )
        known = self._fingerprints
        package = _Package(
            attempt=attempt,
            reads={path: self._shelf.put(path, known=known) for path in attempt.reads},
            made={
                path: self._shelf.put(path)
                for path in (f"{attempt.place}/making", f"{attempt.place}/work")
            },
            ours=_OURS,
        )
        return msgspec.msgpack.encode(package)

    def receive(self, package: bytes, /) -> Attempt:
        """Return the attempt with this machine's paths, where all that it needs lies.

        Raises:
            DataUnreachable: it is not on the shelf.
            EnvironmentUnavailable: its environment cannot be built here.
            OSError: it cannot be written.
        """
        told = msgspec.msgpack.decode(package, type=_Package)
        attempt = told.attempt
        place = str(self._home / "places" / uuid4().hex)
        self._sent = (attempt.place, place)
        moved = {attempt.place: place, told.ours: _OURS}
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
        return replace(
            attempt,
            command=moving.text(attempt.command),
            folder=moving.text(attempt.folder),
            place=place,
            log=f"{place}/log",
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
        before, here = self._sent
        try:
            made = {
                f"{before}/{below}": self._shelf.put(f"{attempt.place}/{below}")
                for below in _KEPT
                if Path(attempt.place, below).is_dir()
            }
        finally:
            shutil.rmtree(here, ignore_errors=True)
        return msgspec.msgpack.encode(made)

    def take_back(self, package: bytes, /) -> None:
        """Put what was made where the attempt that was sent would have made it.

        Raises:
            DataUnreachable: it is not on the shelf.
            OSError: it cannot be written.
        """
        made = msgspec.msgpack.decode(package, type=dict[str, str])
        for path, name in made.items():
            self._shelf.copy(name, path, cache=self._home)

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
