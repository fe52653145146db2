"""What the steps of a job read: where it lies, and what it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from brinery.actions.job_places import filled, located
from brinery.actions.job_rooms import JobRooms
from brinery.actions.job_trees import Trees
from brinery.errors import InvalidJob
from brinery.records.job import Made
from brinery.records.plan import Data, Joined, Plan, Produced, Step, Text, Value


class Inputs:
    """The inputs of the steps of one job; each place is looked at once.

    Args:
        rooms: of the workspace.
        plan: of the job.
        name: of the job.
        trees: that are remembered with what was read.
    """

    def __init__(self, rooms: JobRooms, plan: Plan, *, name: str, trees: Trees) -> None:
        self._rooms = rooms
        self._plan = plan
        self._name = name
        self._trees = trees
        self._lock = threading.Lock()
        self._contents: dict[str, str] = {}
        self._paths: dict[str, str] = {}

    def forget(self) -> None:
        """Look at data again that a step may have written to."""
        with self._lock:
            self._contents.clear()
            self._paths.clear()

    def of(
        self,
        name: str,
        value: Value,
        *,
        step: Step,
        made: Mapping[str, Mapping[str, Made]],
    ) -> tuple[str, str] | None:
        """Return what the command is told for an input, and what is compared; None for no value."""
        match value:
            case Text():
                text = filled(value.text, job=self._name, plan=self._plan)
                return text, text
            case Data():
                path = self._path(value)
                return path, self._content(path)
            case Produced():
                found = made.get(value.step, {}).get(value.output)
                if found is not None:
                    return found.path, found.content
                if name in step.optional:
                    return None
                raise InvalidJob(
                    f"the step {value.step} left nothing at its output {value.output}",
                    hint=f"{step.name} needs it as {name}",
                )
            case Joined():
                return self._joined(name, value, step=step, made=made)

    def _joined(
        self, name: str, value: Joined, *, step: Step, made: Mapping[str, Mapping[str, Made]]
    ) -> tuple[str, str] | None:
        found = [self.of(name, part, step=step, made=made) for part in value.parts]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        text = "".join(told for told, _ in known)
        if not isinstance(value.parts[0], Text) and os.path.exists(text):  # noqa: PTH110 - a text
            return text, self._content(text)
        return text, "\0".join(compared for _, compared in known)

    def _path(self, data: Data) -> str:
        """Return where data lies; it is looked for once for each job."""
        with self._lock:
            found = self._paths.get(data.uri)
        if found is None:
            found = located(data, self._rooms, job=self._name, plan=self._plan)
            with self._lock:
                self._paths[data.uri] = found
        return found

    def _content(self, path: str) -> str:
        """Return the BLAKE3 of what lies at a path; it is looked at once for each job."""
        with self._lock:
            found = self._contents.get(path)
            if found is None:
                found = self._contents[path] = self._trees.content_of(path)
            return found
