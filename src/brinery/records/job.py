"""A job that was run, or is: each step's state, why it ran or was reused, and what it left."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.plan import Plan
from brinery.records.text_enum import TextEnum


class Status(TextEnum):
    """How far a job or a step is; the words are those that scripts for such jobs wait for."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"

    @property
    def over(self) -> bool:
        """Return whether nothing more happens."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELED)


class Usage(Struct, frozen=True, kw_only=True):
    """What a step took.

    Attributes:
        wall_s: seconds from its start to its end.
        cpu_s: seconds of processors, children included.
        peak_bytes: most memory of one of its processes.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


class Made(Struct, frozen=True, kw_only=True):
    """What a step left at one output.

    Attributes:
        content: BLAKE3 of the file, or of the tree's names and files.
        path: absolute; where it lies, read-only.
        file: whether it is one file.
        size_bytes: of all files.
        files: count.
        stamp: BLAKE3 of the names, sizes, times and inodes that it lay there with; what is the same
            is not read again.
    """

    content: str
    path: str
    file: bool
    size_bytes: int
    files: int
    stamp: str = ""


class Part(Struct, frozen=True, kw_only=True):
    """One of the things that a step's key is made of.

    Attributes:
        name: `command`, `code train.py`, `input data`, `environment`, `parameter rate`, …
        value: what is compared: a text, or the BLAKE3 of contents.
    """

    name: str
    value: str


class StepRun(Struct, frozen=True, kw_only=True):
    """One step of a job.

    Attributes:
        name: of the step in the plan.
        status: how far it is.
        started: with time zone; None where it was not begun.
        ended: likewise.
        exit_status: of bash; None where it did not end by itself, or was not run.
        key: BLAKE3 of its parts; empty before they are known.
        parts: what the key is made of, in order.
        reused: name of the job whose run of the step stands for this one; empty where it was run.
        why: one line: why it ran, was reused, was not run, or failed.
        run_id: MLflow's, of the step's own run; empty where it has none.
        outputs: by name.
        usage: None where it was not run.
        attempts: how often it was begun.
    """

    name: str
    status: Status = Status.NOT_STARTED
    started: Optional[datetime] = None
    ended: Optional[datetime] = None
    exit_status: Optional[int] = None
    key: str = ""
    parts: tuple[Part, ...] = ()
    reused: str = ""
    why: str = ""
    run_id: str = ""
    outputs: dict[str, Made] = {}
    usage: Optional[Usage] = None
    attempts: int = 0


class JobRun(Struct, frozen=True, kw_only=True):
    """One job.

    Attributes:
        name: of it, unique in its workspace: `adjective_noun_10chars` where none was given.
        plan: what is run.
        status: how far it is.
        created: with time zone.
        ended: likewise; None before it is.
        steps: in the plan's order.
        run_id: MLflow's, of the job's own run.
        who: started it.
        runner: what it runs on.
        archived: whether lists leave it out.
        error: why it failed, one line; empty where it did not.
    """

    name: str
    plan: Plan
    status: Status
    created: datetime
    ended: Optional[datetime] = None
    steps: tuple[StepRun, ...] = ()
    run_id: str = ""
    who: str = ""
    runner: str = "local"
    archived: bool = False
    error: str = ""
