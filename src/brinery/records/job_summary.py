"""A job in a line, as lists show it: its plan is left where it lies."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.job import Status


class JobSummary(Struct, frozen=True, kw_only=True):
    """What a list says of a job.

    Attributes:
        name: of it.
        shown: what it is called by people; its name where they call it nothing.
        experiment: MLflow's.
        status: how far it is.
        created: with time zone.
        ended: likewise; None before it is.
        steps: how many there are.
        over: how many of them are over.
        reused: how many an earlier run stands for.
        failed: how many failed.
        who: started it.
        archived: whether lists leave it out.
        error: why it failed, one line.
    """

    name: str
    shown: str
    experiment: str
    status: Status
    created: datetime
    ended: Optional[datetime] = None
    steps: int = 0
    over: int = 0
    reused: int = 0
    failed: int = 0
    who: str = ""
    archived: bool = False
    error: str = ""
