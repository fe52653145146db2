"""What a job that runs has to say; the terminal, the journal and the page read the same."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class Happening(TextEnum):
    """What happened."""

    JOB_STARTED = "job-started"
    NOTE = "note"
    STEP_STARTED = "step-started"
    LINE = "line"
    STEP_REUSED = "step-reused"
    STEP_COMPLETED = "step-completed"
    STEP_FAILED = "step-failed"
    STEP_CANCELED = "step-canceled"
    JOB_ENDED = "job-ended"


class JobEvent(Struct, frozen=True, kw_only=True):
    """Something that happened.

    Attributes:
        happening: what.
        step: whose it is; empty for the job.
        message: one line for people: why a step runs, was reused or failed, or what it wrote.
        elapsed_s: seconds since the job began, or was resumed.
    """

    happening: Happening
    step: str = ""
    message: str = ""
    elapsed_s: float = 0.0
