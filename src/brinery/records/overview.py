"""A workspace at a glance: what is in production, what needs attention, what happened."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from brinery.records.audit import AuditEntry
from brinery.records.history import KeptDecision
from brinery.records.text_enum import TextEnum
from brinery.records.version import Version


class Concern(TextEnum):
    """What kind of thing needs attention, the most pressing first."""

    NOT_SERVED = "not served"
    ENVIRONMENT = "environment gone"
    FAILED_TURN = "failed turn"
    FAILED_JOB = "failed job"
    REFUSED = "refused challenger"
    STOPPED_IMPORT = "stopped import"
    UNCHECKED = "not checked"


class Need(Struct, frozen=True, kw_only=True):
    """Something that needs attention.

    Attributes:
        concern: what kind.
        subject: name of the model, job, loop or import that it is about.
        message: one sentence.
        hint: the next command; may be empty.
        at: since when, with time zone; None where that is not known.
    """

    concern: Concern
    subject: str
    message: str
    hint: str = ""
    at: datetime | None = None


class InProduction(Struct, frozen=True, kw_only=True):
    """A champion.

    Attributes:
        version: that it is.
        metric: name of the figure that it is known by; empty where it has none.
        since: how it became it; None where no entry of the audit trail tells.
        decision: the newest on a version of its model; None where no gate was ever asked.
    """

    version: Version
    metric: str = ""
    since: AuditEntry | None = None
    decision: KeptDecision | None = None


class Overview(Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        production: champions, those that moved last first; not all where there are many.
        champions: how many there are.
        registered: how many models have a version; as many as champions at least.
        needs: what needs attention, the most pressing first; not all where there is much.
        news: what happened, the newest first.
    """

    production: tuple[InProduction, ...] = ()
    champions: int = 0
    registered: int = 0
    needs: tuple[Need, ...] = ()
    news: tuple[AuditEntry, ...] = ()
