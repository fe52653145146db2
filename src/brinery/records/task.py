"""Work that a page began, as it is kept: what was asked, what it said, and how it ended."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from brinery.records.event import Event


class TaskBegun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some work, as it was asked for.

    Attributes:
        id: by which a page finds it, drawn at random.
        key: what it is about; one that goes on is not begun a second time.
        began: with time zone.
        command: what does the same on the command line.
        path: of the form that begins it; empty where a link does.
        fields: of that form, without its token.
    """

    id: str
    key: str
    began: datetime
    command: str = ""
    path: str = ""
    fields: dict[str, str] = {}


class TaskEnded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How some work ended.

    Attributes:
        at: when, with time zone.
        kind: of the record that it returned; empty where it failed.
        result: that record, as JSON.
        message: why it failed; empty where it did not.
        hint: what to do about that.
    """

    at: datetime
    kind: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")
    message: str = ""
    hint: str = ""


class TaskKept(Struct, frozen=True, kw_only=True):
    """Some work as it is known from what was kept of it.

    Attributes:
        begun: what was asked.
        goes_on: whether a process does it now.
        events: what it said, oldest first; without those that only say how far a step is.
        ended: None where it goes on, or its process ended before it did.
    """

    begun: TaskBegun
    goes_on: bool
    events: tuple[Event, ...] = ()
    ended: TaskEnded | None = None
