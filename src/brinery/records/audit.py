"""A state change: who, when, what, from, to, why."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Change(StrEnum):
    """The kinds of state change."""

    IMPORT = "import"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    DELETE = "delete"


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One row of the audit trail.

    Attributes:
        at: when, with time zone.
        who: the user's login name.
        change: what kind.
        subject: the model's name.
        before: the reference that was in place; None where there was none.
        after: the reference that is in place now.
        why: the reason given; may be empty.
        decision: the number of the decision that it rests on; None where no gate was asked.
        forced: whether the gate had not passed it, and it was done all the same.
    """

    at: datetime
    who: str
    change: Change
    subject: str
    before: str | None
    after: str
    why: str = ""
    decision: int | None = None
    forced: bool = False
