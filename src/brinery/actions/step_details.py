"""What there is to see of one step of a job: its log, its files, what it was given, its trials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from brinery.actions.asset_rooms import AssetRooms
from brinery.actions.job_trials import trials_in
from brinery.actions.jobs import step_of
from brinery.errors import NotFound
from brinery.records.job import JobRun, StepRun
from brinery.records.log_part import LogPart
from brinery.records.plan import Data, Joined, Produced, Step, StepKind, Text, Value
from brinery.records.preview import Preview
from brinery.records.trials import Trials
from brinery.store import logs
from brinery.store.jobs import log_of
from brinery.store.previews import preview_of, within

# The name under which files are found that a step left in ./outputs and ./logs.
ARTIFACTS: Final = "artifacts"
_TRIAL: Final = re.compile(r"trial_\d{1,6}")


@dataclass(frozen=True)
class StepDetails:
    """A step of a job.

    Attributes:
        job: it is of.
        run: how far it is.
        step: as it was planned.
        folder: where it was run, its own or that of the run that stands for it.
    """

    job: JobRun
    run: StepRun
    step: Step
    folder: Path

    @property
    def outputs(self) -> list[str]:
        """Return the names under which it left files."""
        return [*self.run.outputs, *([ARTIFACTS] if self._left_artifacts else [])]

    @property
    def trials(self) -> Trials | None:
        """Return what it tried; None where it is no sweep, or has not begun."""
        return trials_in(self.folder) if self.step.kind is StepKind.SWEEP else None

    @property
    def _left_artifacts(self) -> bool:
        place = self.folder / ARTIFACTS
        return place.is_dir() and any(place.iterdir())

    def log(self, trial: str = "") -> Path:
        """Return its log, or that of one of its trials, whether or not it is there.

        Raises:
            NotFound: a trial has no such name.
        """
        plain = log_of(self.folder.parents[1], self.run.name)
        if not trial:
            return plain
        if not _TRIAL.fullmatch(trial):
            raise NotFound(
                f"the step {self.run.name} has no trial {trial!r}", hint="one is called trial_0"
            )
        return self.folder / trial / "logs" / plain.name

    def place(self, output: str, path: str = "") -> Path:
        """Return a file or folder of an output.

        Args:
            output: its name, or `artifacts`.
            path: within it.

        Raises:
            NotFound: it left no such output.
            InvalidReference: the path leads out of it.
            DataFileMissing: there is nothing.
        """
        if output == ARTIFACTS and self._left_artifacts:
            return within(self.folder / ARTIFACTS, path)
        made = self.run.outputs.get(output)
        if made is None:
            raise NotFound(
                f"the step {self.run.name} left no output {output!r}",
                hint=f"brinery job show {self.job.name}/{self.run.name}",
            )
        return within(Path(made.path), path)


def step_details(rooms: AssetRooms, job: str, *, step: str) -> StepDetails:
    """Return what there is to see of a step.

    Raises:
        NotFound: there is no such job or step; the message has the nearest.
    """
    found, run = step_of(rooms, f"{job}/{step}")
    planned = {one.name: one for one in found.plan.steps}
    folder = rooms.jobs.path(run.reused or found.name) / "steps" / run.name
    return StepDetails(found, run, planned[run.name], folder)


def log_part(
    details: StepDetails,
    *,
    trial: str = "",
    before: int | None = None,
    after: int | None = None,
    find: str = "",
) -> LogPart:
    """Return some lines of a step's log.

    Args:
        details: of the step.
        trial: whose log is meant, of a sweep's.
        before: byte that the lines stand before; the end when None.
        after: byte that they follow; says more than `before`.
        find: text that they have in them; says more than both.

    Raises:
        NotFound: a trial has no such name.
    """
    file = details.log(trial)
    if find:
        return logs.found(file, find)
    if after is not None:
        return logs.following(file, after=after)
    return logs.last(file, before=before)


def file_preview(details: StepDetails, output: str, *, path: str = "") -> Preview:
    """Return what is shown of a file or folder of an output.

    Raises:
        NotFound: the step left no such output.
        InvalidReference: the path leads out of it.
        DataFileMissing: there is nothing.
    """
    return preview_of(details.place(output, path), inside=path)


def told(value: Value) -> str:
    """Return what a step was given at an input, in words."""
    match value:
        case Text():
            return value.text
        case Data():
            return value.declared or value.uri
        case Produced():
            return f"{value.output} of {value.step}"
        case Joined():
            return "".join(told(part) for part in value.parts)
