"""Jobs from Python: a file is run, or gone on with, to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brinery.actions import job as running
from brinery.actions.asset_rooms import Folder
from brinery.actions.job import How, Running
from brinery.actions.job_rooms import JobRooms, open_job_rooms
from brinery.records.job import JobRun
from brinery.records.job_event import JobEvent


def _nothing(event: JobEvent, /) -> None:
    del event


@dataclass(frozen=True)
class JobOptions:
    """How a job is run; each is what the option of that name of `brinery job create` is.

    Attributes:
        environment: `current` for our own Python in each step; empty for what steps declare.
        maps: address to what stands for it.
        jobs: steps at once, at most; as many as there are processors when None.
        runner: `local` or `ray`.
        address: of the Ray cluster; one is started on this machine when empty.
        ignore_comments: whether a change of comments in Python files is none.
        on_event: is called with what happens, as it happens.
    """

    environment: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None
    runner: str = "local"
    address: str = ""
    ignore_comments: bool = False
    on_event: Callable[[JobEvent], None] = _nothing


def run_job(
    file: str | os.PathLike[str],
    *,
    sets: Sequence[str] = (),
    name: str = "",
    options: JobOptions | None = None,
    workspace: Folder | None = None,
) -> JobRun:
    """Run the job that a file declares, here, to its end; return it, whatever became of it.

        job = brinery.run_job("pipeline.yml", sets=["inputs.rate=0.2"])
        assert job.status == "Completed", job.error

    Args:
        file: its YAML.
        sets: each `a.b.c=value`, set before anything is checked.
        name: of the job; the file's, or one that is drawn, when empty.
        options: how it is run.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
        JobBusy: there is a job of that name.
    """
    asked = options or JobOptions()
    rooms = _rooms(asked, workspace)
    return _ended(running.create(rooms, Path(file), sets=sets, name=name, how=_how(asked)), asked)


def resume_job(
    name: str, *, options: JobOptions | None = None, workspace: Folder | None = None
) -> JobRun:
    """Go on with a job that failed, was cancelled or was killed; return it.

    Steps that completed are not run again.

    Args:
        name: of the job.
        options: how it is run.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such job.
        JobBusy: a process runs it.
    """
    asked = options or JobOptions()
    return _ended(running.resume(_rooms(asked, workspace), name, how=_how(asked)), asked)


def _rooms(asked: JobOptions, workspace: Folder | None) -> JobRooms:
    maps = [f"{url}={path}" for url, path in asked.maps.items()]
    return open_job_rooms(workspace, environment=asked.environment, maps=maps)


def _how(asked: JobOptions) -> How:
    return How(
        limit=asked.jobs or 0,
        ignore_comments=asked.ignore_comments,
        runner=asked.runner,
        address=asked.address,
        told=asked.on_event is not _nothing,
    )


def _ended(job: Running, asked: JobOptions) -> JobRun:
    while True:
        try:
            asked.on_event(next(job))
        except StopIteration as end:
            made: JobRun = end.value
            return made
