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
    CREATE_KEY = "create key"
    DELETE_KEY = "delete key"


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which entries of the audit trail are wanted, and in what order.

    Attributes:
        words: that an entry has, all of them: in its subject, who, what it moved, or why.
        sort: `at`, `who`, `change` or `subject`.
        descending: whether the last comes first.
        offset: how many are passed over.
        most: how many are wanted.
    """

    words: tuple[str, ...] = ()
    sort: str = "at"
    descending: bool = True
    offset: int = 0
    most: int = 50


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


class AuditPage(Struct, frozen=True, kw_only=True):
    """Some entries of the audit trail.

    Attributes:
        entries: as they were asked for.
        total: how many match in all.
    """

    entries: tuple[AuditEntry, ...] = ()
    total: int = 0
