"""The schedules of jobs, each a folder: `schedule.json`, and a copy of the job that it creates.

A schedule is changed under a lock of its own, so that two schedulers never create one job twice.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from brinery.errors import AlreadyThere, NotFound, StoreFault
from brinery.records.ready import decoded
from brinery.records.scheduled import Scheduled
from brinery.specs.addresses import check_asset_name
from brinery.specs.names import nearest

_FILE: Final = "schedule.json"


class Schedules:
    """The schedules of a workspace.

    Args:
        folder: `.brinery/schedules`, which need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, schedule: Scheduled, *, fill: Callable[[Path], None]) -> Scheduled:
        """Return a schedule that is kept from now on.

        Args:
            schedule: as it is declared.
            fill: makes the folder that it is given, with the copy of the job.

        Raises:
            AlreadyThere: there is one of that name.
            InvalidReference: the name is not allowed.
        """
        check_asset_name(schedule.name, kind="schedule")
        home = self._folder / schedule.name
        if (home / _FILE).exists():
            raise AlreadyThere(
                f"there is a schedule {schedule.name}",
                hint=f"brinery schedule delete {schedule.name}, or another name",
            )
        staged = self._folder / f".new-{os.urandom(8).hex()}"
        try:
            staged.mkdir(parents=True)
            fill(staged / "job")
            _write(staged, schedule)
            shutil.rmtree(home, ignore_errors=True)
            staged.rename(home)
        except OSError as error:
            raise StoreFault(f"{home} cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return schedule

    def all(self) -> list[Scheduled]:
        """Return all schedules, by name."""
        return [self.get(name) for name in self.names()]

    def names(self) -> list[str]:
        """Return the names of all schedules, sorted."""
        try:
            entries = list(os.scandir(self._folder))
        except FileNotFoundError:
            return []
        kept = [one.name for one in entries if not one.name.startswith(".")]
        return sorted(name for name in kept if (self._folder / name / _FILE).is_file())

    def get(self, name: str) -> Scheduled:
        """Return a schedule.

        Raises:
            NotFound: there is none of that name; the message has the nearest.
        """
        try:
            return decoded((self._folder / name / _FILE).read_bytes(), Scheduled)
        except (FileNotFoundError, NotADirectoryError):
            near = nearest(name, self.names())
            meant = f": did you mean {near}?" if near else ""
            raise NotFound(
                f"there is no schedule {name}{meant}", hint="brinery schedule list"
            ) from None

    def job_file(self, name: str) -> Path:
        """Return the copy of the job that a schedule creates."""
        return self._folder / name / "job" / "component.yml"

    def log(self, name: str) -> Path:
        """Return what the process of a schedule's last job said."""
        return self._folder / name / "last.log"

    def change(self, name: str, edit: Callable[[Scheduled], Scheduled]) -> Scheduled:
        """Return a schedule as it is from now on.

        Args:
            name: of the schedule.
            edit: returns it with what is changed; nobody else changes it meanwhile.

        Raises:
            NotFound: there is none of that name.
        """
        before = self.get(name)
        with self._lock(name):
            after = edit(self.get(name))
            if after != before:
                _write(self._folder / name, after)
        return after

    def remove(self, name: str) -> None:
        """Forget a schedule; the jobs that it created stay.

        Raises:
            NotFound: there is none of that name.
        """
        self.get(name)
        with self._lock(name):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Hold the lock of one schedule, which the system frees when its process is killed."""
        with (self._folder / f".{name}.lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _write(folder: Path, schedule: Scheduled) -> None:
    staged = folder / f".{_FILE}.{os.getpid()}"
    with staged.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(schedule), indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(folder / _FILE)
