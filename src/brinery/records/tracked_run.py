"""A run as MLflow is told of it, whenever that is: its id was chosen before it began."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

RUNNING = "RUNNING"

# Where the server behind a job is told of runs; no path of MLflow's.
RUNS_PATH = "/brinery/job-runs"


class TrackedRun(Struct, frozen=True, kw_only=True):
    """A job's run, or that of one of its steps.

    Attributes:
        id: 32 hexadecimal digits; the same wherever it is told.
        name: as it is shown.
        experiment: name of MLflow's; made where it is not there.
        parent: id of the run that it is a child of; empty where it is none.
        status: `RUNNING`, `FINISHED`, `FAILED` or `KILLED`.
        started_ms: since 1970.
        ended_ms: likewise; None where it goes on.
        user: who started it.
        tags: of it, beside those that MLflow's page reads.
        params: of it, such as a step's literal inputs.
    """

    id: str
    name: str
    experiment: str = "Default"
    parent: str = ""
    status: str = RUNNING
    started_ms: int = 0
    ended_ms: Optional[int] = None
    user: str = ""
    tags: dict[str, str] = {}
    params: dict[str, str] = {}


class Measured(Struct, frozen=True, kw_only=True):
    """One value of a metric of a run.

    Attributes:
        value: of the metric.
        step: that it was logged for.
        at_ms: when, since 1970.
    """

    value: float
    step: int
    at_ms: int
