"""A job's own run in MLflow: its id, and what is told of it; light, for jobs that ran nothing."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from brinery.records.job import JobRun, Status
from brinery.records.tracked_run import TrackedRun

RUN_DIGITS: Final = 32
_MS: Final = 1000
_MOST_TAGS: Final = 100


def job_run_id(job: JobRun) -> str:
    """Return the id of a job's own run: what is recorded, or what follows from name and time."""
    told = f"{job.name} {job.created.isoformat()}"
    return job.run_id or sha256(told.encode()).hexdigest()[:RUN_DIGITS]


def own_run(job: JobRun) -> TrackedRun:
    """Return a job's own run, with the runs that stand for the steps that were reused as tags."""
    reused = {
        f"brinery.reused.{step.name}": step.run_id
        for step in job.steps
        if step.reused and step.run_id
    }
    return TrackedRun(
        id=job_run_id(job),
        name=job.plan.display_name or job.name,
        experiment=job.plan.experiment or "Default",
        started_ms=ms(job.created.timestamp()),
        user=job.who,
        tags={
            "brinery.job": job.name,
            **dict(list(reused.items())[:_MOST_TAGS]),
            **job.plan.tags,
        },
    )


def write_down(job: JobRun, spool: Path) -> None:
    """Write down the run of a job that never spoke to MLflow, which is told of it later.

    Args:
        job: that is over.
        spool: folder of what MLflow is yet to be told.
    """
    run = msgspec.structs.replace(own_run(job), status=ending(job.status), ended_ms=ms(time.time()))
    spool.mkdir(parents=True, exist_ok=True)
    made = spool / f".{job.name}"
    made.write_bytes(msgspec.json.encode(run) + b"\n")
    made.replace(spool / f"{job.name}.jsonl")


def ending(status: Status) -> str:
    """Return how MLflow says that a run ended."""
    if status is Status.COMPLETED:
        return "FINISHED"
    return "KILLED" if status in (Status.CANCELED, Status.CANCEL_REQUESTED) else "FAILED"


def ms(seconds: float) -> int:
    """Return milliseconds since 1970."""
    return int(seconds * _MS)
