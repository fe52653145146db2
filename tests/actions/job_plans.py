"""Plans of jobs for tests, made by hand, and workspaces that they are run in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from brinery.actions.job import How, run_plan
from brinery.actions.job_rooms import JobRooms, open_job_rooms
from brinery.records.job import JobRun, StepRun
from brinery.records.job_event import JobEvent
from brinery.records.plan import Data, Kept, Output, Plan, Produced, Step, Text, Value

SCRIPT = """\
import pathlib, sys
source, target, word = sys.argv[1:]
text = "".join(each.read_text() for each in sorted(pathlib.Path(source).iterdir()))
pathlib.Path(target, "text").write_text(text + word)
"""


def workspace(folder: Path) -> JobRooms:
    """Return the rooms of a new workspace with code and data in it."""
    (folder / "code").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "brinery.toml").touch()
    (folder / "code" / "step.py").write_text(SCRIPT)
    (folder / "data" / "text").write_text("begin ")
    return reopened(folder)


def reopened(folder: Path) -> JobRooms:
    """Return the rooms of a workspace, as the next process has them."""
    return open_job_rooms(folder, environment="current")


def chained(folder: Path, words: Sequence[str], *, command: str = "", **settings: object) -> Plan:
    """Return a plan of steps, each of which adds a word to what the one before it left."""
    steps = []
    before: Value = Data(uri=str(folder / "data"))
    for number, word in enumerate(words):
        steps.append(
            Step(
                name=f"s{number}",
                command=command
                or "python -S -E step.py ${{inputs.a}} ${{outputs.o}} ${{inputs.word}}",
                code=str(folder / "code"),
                inputs={"a": before, "word": Text(text=shlex.quote(word))},
                outputs={"o": Output()},
            )
        )
        before = Produced(step=f"s{number}", output="o")
    return Plan(
        name="",
        pipeline=True,
        steps=tuple(steps),
        file=str(folder / "p.yml"),
        outputs={"final": Kept(step=steps[-1].name, output="o")},
        **settings,  # type: ignore[arg-type]
    )


def shell(name: str, command: str, **more: object) -> Step:
    """Return a step that is a command, with no code."""
    return Step(name=name, command=command, **more)  # type: ignore[arg-type]


def plan(*steps: Step, **settings: object) -> Plan:
    """Return a pipeline of steps."""
    made = {"name": "", "pipeline": True, **settings}
    return Plan(steps=steps, **made)  # type: ignore[arg-type]


def run(rooms: JobRooms, made: Plan, how: How | None = None) -> JobRun:
    """Return a job that was run."""
    return told(rooms, made, how)[0]


def told(rooms: JobRooms, made: Plan, how: How | None = None) -> tuple[JobRun, list[JobEvent]]:
    """Return a job that was run, and what it told."""
    running = run_plan(rooms, made, how=how)
    events = []
    while True:
        try:
            events.append(next(running))
        except StopIteration as end:
            return end.value, events


def by_name(job: JobRun) -> Mapping[str, StepRun]:
    """Return the steps of a job by their names."""
    return {step.name: step for step in job.steps}
