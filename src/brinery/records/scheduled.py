"""A schedule: when a job is created, which one, and which it created last."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from msgspec import Struct


class Scheduled(Struct, frozen=True, kw_only=True):
    """A schedule as it is kept.

    Attributes:
        name: of the schedule.
        trigger: as its file has it.
        declared: when it was created, or enabled last; what was due before is not made up for.
        who: created it.
        job: name of an earlier job whose plan is run again; empty where a file was copied.
        sets: each `a.b.c=value`, set in the copied file.
        enabled: whether it creates jobs.
        display_name: as it is shown.
        description: in the user's words.
        tags: in the user's words.
        due: the last time for which a job was created; None where there is none.
        last_job: name of that job.
        error: why the last job could not be created; empty where it could.
    """

    name: str
    trigger: dict[str, Any]
    declared: datetime
    who: str = ""
    job: str = ""
    sets: tuple[str, ...] = ()
    enabled: bool = True
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    due: Optional[datetime] = None
    last_job: str = ""
    error: str = ""
