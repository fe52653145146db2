"""The jobs of schedules, as the scheduler looks at them: each is a process that outlives it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

from brinery.actions.asset_rooms import Folder
from brinery.actions.schedules import begin, ended, missed, schedules
from brinery.errors import BrineryError


class ScheduledJobs:
    """All schedules of a workspace; those that are created meanwhile count.

    Args:
        workspace: its folder.
        on_job: called with a schedule's name and that of the job that is created.
        on_error: called with a schedule's name and why its job could not be created.
        now: the clock.
    """

    name = "schedules"

    def __init__(
        self,
        workspace: Folder,
        *,
        on_job: Callable[[str, str], None] = lambda _, __: None,
        on_error: Callable[[str, str], None] = lambda _, __: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._workspace = workspace
        self._on_job = on_job
        self._on_error = on_error
        self._now = now
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._told = ""

    @property
    def busy(self) -> bool:
        """Return whether a job that was begun here goes on."""
        return bool(self._running)

    def look(self) -> None:
        """Begin the jobs that are due, and tell of those that could not be created."""
        try:
            self._reap()
            for schedule in schedules(workspace=self._workspace):
                due = missed(schedule, self._now())
                if due is None or schedule.name in self._running:
                    continue
                process = begin(schedule.name, due, workspace=self._workspace)
                if process is not None:
                    self._running[schedule.name] = process
                    self._on_job(schedule.name, f"{schedule.name}_{due:%Y%m%dt%H%M%S}")
            self._told = ""
        except BrineryError as error:
            self._complain(error.message)
        except Exception as error:  # noqa: BLE001 - the next look may do better; it is told
            self._complain(f"{type(error).__name__}: {error}")

    def _reap(self) -> None:
        for name, process in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[name]
            if error := ended(name, status=status, workspace=self._workspace):
                self._on_error(name, error)

    def _complain(self, text: str) -> None:
        if text != self._told:
            self._on_error(self.name, text)
        self._told = text
