"""Train by a job: its file is planned and run by the engine of jobs, and its model is found."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from brinery.actions import job as jobs
from brinery.actions.job_rooms import JobRooms, open_job_rooms
from brinery.actions.register_output import model_in
from brinery.errors import InvalidLoop, NotFound, TrainingFailed
from brinery.records.job import JobRun, Status
from brinery.records.job_event import Happening, JobEvent
from brinery.records.plan import Data, Joined, Plan, Value
from brinery.specs import job_yaml
from brinery.specs.loop import Task
from brinery.specs.names import nearest


@dataclass(frozen=True)
class Ran:
    """How a job ended.

    Attributes:
        job: as it is kept.
        seconds: that it took.
        late: whether it was cancelled because its time was over.
        stopped: whether it was cancelled because it was told to stop.
    """

    job: JobRun
    seconds: float
    late: bool
    stopped: bool


def plan_of(workspace: Path, task: Task) -> Plan:
    """Return the plan of a loop's job, with the loop's inputs.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
        InvalidLoop: it has no output that is called as the loop calls the model.
    """
    return _planned(open_job_rooms(workspace), task)


def read_by(plan: Plan) -> Iterator[tuple[str, Path]]:
    """Yield what a job reads of this machine: the step and input, and the path."""
    for step in plan.steps:
        for name, value in step.inputs.items():
            for path in _paths(value):
                yield f"{step.name}.{name}", path


def code_of(plan: Plan) -> Iterator[Path]:
    """Yield the files that the steps of a job run in a copy of."""
    for step in plan.steps:
        for place in filter(None, (step.code, *step.includes)):
            path = Path(place)
            yield from (
                (one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
            )


def run(
    workspace: Path, task: Task, *, experiment: str, log: Path, stop: threading.Event | None
) -> Ran:
    """Return how the job of a loop ended; what it said is in the log.

    Args:
        workspace: folder of the workspace.
        task: of the loop.
        experiment: MLflow's, that its runs are in.
        log: a file that what happens, and what steps write, is appended to.
        stop: has it cancelled when set.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
    """
    rooms = open_job_rooms(workspace)
    plan = replace(_planned(rooms, task), experiment=experiment)
    cancel, over, began = threading.Event(), threading.Event(), time.monotonic()
    late: list[bool] = []

    def _watch() -> None:
        end = began + task.timeout_s
        while not over.wait(0.1):
            if time.monotonic() > end:
                late.append(True)
            if late or (stop is not None and stop.is_set()):
                cancel.set()
                return

    watcher = threading.Thread(target=_watch, name="training", daemon=True)
    watcher.start()
    try:
        job = _run(rooms, plan, log=log, cancel=cancel)
    finally:
        over.set()
        watcher.join()
    ended = job.status is Status.CANCELED
    return Ran(job, time.monotonic() - began, ended and bool(late), ended and not late)


def model_of(job: JobRun, task: Task, *, name: str) -> Path | None:
    """Return the model among the outputs of a job; None where it is that of a run in MLflow.

    Args:
        job: which completed.
        task: of the loop, which may say which output it is.
        name: of the registered model.

    Raises:
        TrainingFailed: the output that is asked for is not there, or there are several models.
        ModelFileMissing: there is no model in the output, or more than one.
    """
    outputs = job.plan.outputs.values()
    if not task.model and not any(kept.settings.type in jobs.MODELS for kept in outputs):
        return None
    try:
        return model_in(jobs.model_output(job, task.model), name=name)
    except NotFound as error:
        raise TrainingFailed(
            error.message, hint="train.model names the output of the job that is the model"
        ) from None


def _planned(rooms: JobRooms, task: Task) -> Plan:
    assert task.job is not None  # noqa: S101 - for the type checker
    known = job_yaml.read(task.job).source.stated.get("inputs") or {}
    for name in task.inputs:
        if name not in known:
            near = nearest(name, known)
            told = f": did you mean {near}?" if near else ""
            raise InvalidLoop(
                f"train.inputs.{name}: the job {task.job} has no such input{told}",
                hint=f"its inputs are {', '.join(known) or 'none'}",
            )
    plan = jobs.planned(rooms, task.job, sets=task.sets)
    if task.model and task.model not in plan.outputs:
        near = nearest(task.model, plan.outputs)
        told = f": did you mean {near}?" if near else ""
        raise InvalidLoop(
            f"train.model: the job {task.job} has no output {task.model}{told}",
            hint="the outputs of the job are named in its file",
        )
    return plan


def _run(rooms: JobRooms, plan: Plan, *, log: Path, cancel: threading.Event) -> JobRun:
    running = jobs.run_plan(rooms, plan, how=jobs.How(told=True, cancel=cancel))
    with log.open("a", encoding="utf-8") as stream:
        while True:
            try:
                event = next(running)
            except StopIteration as end:
                job: JobRun = end.value
                return job
            stream.write(f"{_told(event)}\n")
            stream.flush()


def _told(event: JobEvent) -> str:
    step = f"{event.step}: " if event.step else ""
    if event.happening is Happening.LINE:
        return f"{step}{event.message}"
    return f"[{event.happening}] {step}{event.message}"


def _paths(value: Value) -> Iterator[Path]:
    if isinstance(value, Data) and value.uri.startswith("/"):
        yield Path(value.uri)
    elif isinstance(value, Joined):
        for part in value.parts:
            yield from _paths(part)
