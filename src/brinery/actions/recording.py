"""What one run of a recipe reads and writes, written down while it runs.

The front door of a script makes one recorder for each run and tells it of each use; what is
written is on record as soon as it is there, what is only read at the latest when the run ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.projects import project_key as key_of
from brinery.records.flow import Activity, RecipeCall, Use, UseKind


class Recorder:
    """The record of one run. May be called by several threads.

    Args:
        rooms: of the workspace.
        call: how the recipe is run.
        job: that it is a step of; empty for none.
        project_key: of its project; the default one when empty.
    """

    def __init__(
        self, rooms: ProjectRooms, call: RecipeCall, *, job: str = "", project_key: str = ""
    ) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._number = 0
        self._activity = Activity(
            project=key_of(rooms, project_key),
            recipe=recipe_name(rooms.workspace.root, Path(call.script)),
            call=call,
            job=job,
            started=datetime.now(UTC),
        )

    @property
    def activity(self) -> Activity:
        """Return what is on record so far."""
        return self._activity

    def used(self, use: Use) -> None:
        """Take down one use; the same one again changes nothing but its time.

        Raises:
            StoreFault: the database cannot be written.
        """
        with self._lock:
            uses = {_identity(one): one for one in self._activity.uses}
            if use.kind is UseKind.WRITTEN:
                # What is written again holds what was written last.
                uses = {
                    key: one
                    for key, one in uses.items()
                    if one.kind is not UseKind.WRITTEN or _place(one) != _place(use)
                }
            elif use.kind is UseKind.READ and self._wrote(use):
                return
            uses[_identity(use)] = use
            self._activity = replace(self._activity, uses=tuple(uses.values()))
            if use.kind is UseKind.WRITTEN:
                self._keep()

    def forget(self, meant: Callable[[Use], bool]) -> None:
        """Take uses off the record that turned out to be others."""
        with self._lock:
            left = tuple(one for one in self._activity.uses if not meant(one))
            self._activity = replace(self._activity, uses=left)

    def end(self, *, completed: bool) -> Activity:
        """Return the whole record of a run that ended.

        Raises:
            StoreFault: the database cannot be written.
        """
        with self._lock:
            self._activity = replace(self._activity, ended=datetime.now(UTC), completed=completed)
            if self._activity.uses:
                self._keep()
            return self._activity

    def _wrote(self, use: Use) -> bool:
        """Return whether a run reads what it wrote itself, which is no input."""
        return any(
            one.kind is UseKind.WRITTEN and _place(one) == _place(use)
            for one in self._activity.uses
        )

    def _keep(self) -> None:
        if not self._number:
            self._number = self._rooms.records.begin(self._activity)
        else:
            self._rooms.records.keep(self._number, self._activity)


def recipe_name(root: Path, script: Path) -> str:
    """Return what the flow calls a script: its path in the workspace, or else the whole of it."""
    path = script.absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _identity(use: Use) -> tuple[str, ...]:
    return (use.kind.value, *_place(use), use.version)


def _place(use: Use) -> tuple[str, ...]:
    return (use.item.value, use.project, use.name, use.path)
