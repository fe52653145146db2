"""Jobs that were run, or are: listed, shown, followed, cancelled, downloaded, put away.

A step is told as `JOB/STEP`. Nothing here runs a job.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from brinery.actions.asset_rooms import AssetRooms, Folder, open_asset_rooms
from brinery.actions.job_trials import parts_of
from brinery.errors import InvalidJob, NotFound
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.plan import Step, StepKind
from brinery.specs.names import nearest
from brinery.store.jobs import Jobs, log_lines, log_of

_POLL_S: Final = 0.2
_BETWEEN: Final = "/"


@dataclass(frozen=True)
class Line:
    """Something that is said of a job that is followed.

    Attributes:
        step: that it is about; empty for the job itself.
        text: a line of the step's log, or what became of it.
        at: when, as ISO 8601 has it; empty for what became of a step.
        log: whether it is a line of a log.
    """

    step: str
    text: str
    at: str = ""
    log: bool = True


def jobs(
    *, archived: bool = False, most: int | None = None, workspace: Folder | None = None
) -> list[JobRun]:
    """Return the jobs of a workspace, the newest first.

    Args:
        archived: whether those that were archived are among them.
        most: so many at most; all when None.
        workspace: its folder; the nearest upwards when None.
    """
    return open_asset_rooms(workspace).jobs.list(archived=archived)[:most]


def job(name: str, *, workspace: Folder | None = None) -> JobRun:
    """Return a job.

    Raises:
        NotFound: there is none of that name; the message has the nearest.
    """
    return open_asset_rooms(workspace).jobs.read(parted(name)[0])


def cancel_job(name: str, *, workspace: Folder | None = None) -> str:
    """Return what became of the wish that a job ends, in words.

    Raises:
        NotFound: there is no such job.
    """
    kept = open_asset_rooms(workspace).jobs
    return cancelled(kept, name)


def cancelled(kept: Jobs, name: str) -> str:
    """Return what became of the wish that a job ends, in words.

    Raises:
        NotFound: there is no such job.
    """
    found = kept.read(name)
    if found.status.over:
        return f"the job {name} is over already: {found.status}"
    if kept.cancel(name):
        return f"the job {name} was asked to end"
    kept.close_lost(name)
    return f"the job {name} is cancelled; the process that ran it was gone"


def archive_job(name: str, *, restored: bool = False, workspace: Folder | None = None) -> None:
    """Have lists leave a job out, or have it again.

    Raises:
        NotFound: there is no such job.
    """
    open_asset_rooms(workspace).jobs.change(name, archived=not restored)


def update_job(name: str, *, sets: Sequence[str], workspace: Folder | None = None) -> JobRun:
    """Return a job of which something else is said from now on.

    Args:
        name: of the job.
        sets: each `tags.x=y` or `display_name=…`.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such job.
        InvalidJob: something else is set, which cannot be changed.
    """
    kept = open_asset_rooms(workspace).jobs
    tags = dict(kept.read(name).plan.tags)
    shown: str | None = None
    for given in sets:
        path, equals, value = given.partition("=")
        key, _, inner = path.partition(".")
        if equals and key == "tags" and inner:
            tags[inner] = value
        elif equals and path == "display_name":
            shown = value
        else:
            raise InvalidJob(
                f"--set {given}: a job that was created never changes, but tags.X and display_name "
                "do",
                hint="brinery job create -f FILE --set … creates another",
            )
    kept.change(name, tags=tags, display_name=shown)
    return kept.read(name)


def log(name: str, *, workspace: Folder | None = None) -> Iterator[Line]:
    """Yield the log of a step.

    Args:
        name: `JOB/STEP`, or a job that has one step; `JOB/STEP/trial_3` of a sweep.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such job or step, or it has not begun.
    """
    rooms = open_asset_rooms(workspace)
    found, run = step_of(rooms, name)
    label = parted(name)[1].partition(_BETWEEN)[2]
    file = log_of(rooms.jobs.path(run.reused or found.name), run.name)
    if label:
        file = file.parents[1] / label / "logs" / file.name
    if not file.is_file():
        raise NotFound(
            f"the step {run.name} of {found.name} has no log: {run.why or run.status}",
            hint=f"brinery job show {found.name}",
        )
    return (Line(run.name, text, at) for at, text in log_lines(file))


def follow(name: str, *, workspace: Folder | None = None) -> Iterator[Line]:
    """Yield what a job's steps say and what becomes of them, until it is over.

    Args:
        name: of the job.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such job.
    """
    rooms = open_asset_rooms(workspace)
    name = parted(name)[0]
    told: dict[str, Status] = {}
    tails: dict[str, _Tail] = {}
    while True:
        found = rooms.jobs.read(name)
        over = found.status.over or found.status is Status.NOT_RESPONDING
        for run in found.steps:
            if run.status is Status.NOT_STARTED:
                continue
            if run.name not in tails:
                tails[run.name] = _Tail(log_of(rooms.jobs.path(run.reused or name), run.name))
            yield from (Line(run.name, text, at) for at, text in tails[run.name].lines())
            if told.get(run.name) is not run.status and (over or run.status.over):
                told[run.name] = run.status
                yield Line(run.name, _became(run), log=False)
        if over:
            break
        time.sleep(_POLL_S)
    yield Line("", _ended(found), log=False)


class _Tail:
    """The lines of a log that were not told yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = 0

    def lines(self) -> list[tuple[str, str]]:
        try:
            with self._file.open("rb") as stream:
                stream.seek(self._at)
                content = stream.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._at += len(whole)
        texts = whole.decode("utf-8", "replace").split("\n")[:-1]
        return [(text.partition(" ")[0], text.partition(" ")[2]) for text in texts]


def _became(run: StepRun) -> str:
    took = f" after {run.usage.wall_s:.1f} s" if run.usage is not None else ""
    return f"{run.status}{took}" + (f": {run.why}" if run.why else "")


def _ended(found: JobRun) -> str:
    return f"{found.name} {found.status}" + (f": {found.error}" if found.error else "")


def step_of(rooms: AssetRooms, name: str) -> tuple[JobRun, StepRun]:
    """Return the step that `JOB/STEP` names, or the only one of a job.

    Raises:
        NotFound: there is no such job or step; the message has the nearest.
    """
    outer, inner = parted(name)
    inner = inner.partition(_BETWEEN)[0]
    found = rooms.jobs.read(outer)
    names = [run.name for run in found.steps]
    if not inner and len(names) == 1:
        inner = names[0]
    for run in found.steps:
        if run.name == inner:
            return found, run
    if not inner:
        raise NotFound(
            f"the job {outer} has {len(names)} steps: {', '.join(names)}",
            hint=f"brinery job logs {outer} {names[0] if names else 'STEP'}",
        )
    near = nearest(inner, names)
    meant = f": did you mean {near}?" if near else f": it has {', '.join(names)}"
    raise NotFound(f"the job {outer} has no step {inner}{meant}", hint=f"brinery job show {outer}")


def explained(run: StepRun) -> str:
    """Return why a step ran, was reused or failed, in a line: what `brinery job explain` says."""
    became = f"reused from {run.reused}" if run.reused else str(run.status)
    return f"{became}: {run.why or 'not begun'}"


def job_answer(found: JobRun, *, workspace: Folder | None = None) -> dict[str, Any]:
    """Return a job as plain values under the keys that scripts expect.

    Args:
        found: the job.
        workspace: its folder; the nearest upwards when None.
    """
    return answer_of(open_asset_rooms(workspace), found)


def job_answers(
    found: Sequence[JobRun], *, workspace: Folder | None = None
) -> list[dict[str, Any]]:
    """Return jobs as plain values.

    Args:
        found: the jobs.
        workspace: its folder; the nearest upwards when None.
    """
    rooms = open_asset_rooms(workspace)
    return [answer_of(rooms, one) for one in found]


def step_answers(found: JobRun, *, workspace: Folder | None = None) -> list[dict[str, Any]]:
    """Return a job's steps as jobs of their own, as scripts list them.

    Args:
        found: the job.
        workspace: its folder; the nearest upwards when None.
    """
    rooms = open_asset_rooms(workspace)
    planned = {step.name: step for step in found.plan.steps}
    return [_step_answer(rooms, found, run=run, step=planned[run.name]) for run in found.steps]


def shown(name: str, *, workspace: Folder | None = None) -> dict[str, Any]:
    """Return a job, or the step that `JOB/STEP` names, as plain values.

    Raises:
        NotFound: there is none.
    """
    rooms = open_asset_rooms(workspace)
    if not parted(name)[1]:
        return answer_of(rooms, rooms.jobs.read(name))
    found, run = step_of(rooms, name)
    planned = {step.name: step for step in found.plan.steps}
    return _step_answer(rooms, found, run=run, step=planned[run.name])


def answer_of(rooms: AssetRooms, found: JobRun) -> dict[str, Any]:
    """Return a job as plain values under the keys that scripts expect."""
    plan = found.plan
    folder = rooms.jobs.path(found.name)
    kind = "pipeline" if plan.pipeline else str(plan.steps[0].kind)
    answer: dict[str, Any] = {
        "name": found.name,
        "id": f"azureml://jobs/{found.name}",
        "type": kind,
        "status": str(found.status),
        "display_name": plan.display_name or found.name,
        "experiment_name": plan.experiment,
        "description": plan.description,
        "tags": plan.tags,
        "error": found.error,
        "services": {
            "Studio": {"endpoint": folder.as_uri(), "type": "Studio"},
            "Tracking": {"endpoint": rooms.workspace.tracking_uri, "type": "Tracking"},
        },
        "outputs": {
            name: {"type": str(_kind(plan.steps, kept.step, kept.output)), "path": str(path)}
            for name, kept in plan.outputs.items()
            if (path := folder / "named-outputs" / name)
        },
        "compute": found.runner,
        "run_id": found.run_id,
        "is_archived": found.archived,
        "properties": {},
        "creation_context": {
            "created_at": found.created.isoformat(),
            "created_by": found.who,
            "created_by_type": "User",
        },
    }
    if found.ended is not None:
        answer["ended_at"] = found.ended.isoformat()
    if plan.pipeline:
        answer["jobs"] = {run.name: _brief(run) for run in found.steps}
    elif found.steps:
        answer |= {"command": plan.steps[0].command, **_facts(found.steps[0])}
        answer |= _parts(rooms, found, run=found.steps[0], step=plan.steps[0])
    return answer


def _kind(steps: Sequence[Step], step: str, output: str) -> str:
    return next(
        (
            str(one.outputs[output].type)
            for one in steps
            if one.name == step and output in one.outputs
        ),
        "uri_folder",
    )


def _brief(run: StepRun) -> dict[str, Any]:
    return {"status": str(run.status), **_facts(run)}


def _facts(run: StepRun) -> dict[str, Any]:
    facts: dict[str, Any] = {"why": run.why, "reused": run.reused, "exit_status": run.exit_status}
    if run.usage is not None:
        facts["usage"] = {
            "wall_s": run.usage.wall_s,
            "cpu_s": run.usage.cpu_s,
            "peak_bytes": run.usage.peak_bytes,
        }
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _step_answer(rooms: AssetRooms, found: JobRun, *, run: StepRun, step: Step) -> dict[str, Any]:
    reused = {"azureml.isreused": "true", "azureml.reusedrunid": run.reused} if run.reused else {}
    folder = rooms.jobs.path(found.name) / "steps" / run.name
    parts = _parts(rooms, found, run=run, step=step)
    return {
        "name": f"{found.name}{_BETWEEN}{run.name}",
        "id": f"azureml://jobs/{found.name}{_BETWEEN}{run.name}",
        "type": str(StepKind.COMMAND if step.kind is StepKind.RECIPE else step.kind),
        "status": str(run.status),
        "display_name": step.display_name or run.name,
        "experiment_name": found.plan.experiment,
        "parent_job_name": found.name,
        "component": step.component,
        "command": step.command,
        "services": {"Studio": {"endpoint": folder.as_uri(), "type": "Studio"}},
        "outputs": {
            name: {"type": str(step.outputs[name].type), "path": made.path}
            for name, made in run.outputs.items()
            if name in step.outputs
        },
        "run_id": run.run_id,
        **parts,
        "properties": {**parts.get("properties", {}), **reused},
        "creation_context": {"created_at": (run.started or found.created).isoformat()},
        **_facts(run),
    }


def _parts(rooms: AssetRooms, found: JobRun, *, run: StepRun, step: Step) -> dict[str, Any]:
    return parts_of(rooms.jobs.path(run.reused or found.name) / "steps" / run.name, step)


def parted(name: str) -> tuple[str, str]:
    """Return the job and the step of `JOB/STEP`; no step where there is none."""
    outer, _, inner = name.removeprefix("azureml://jobs/").partition(_BETWEEN)
    return outer, inner
