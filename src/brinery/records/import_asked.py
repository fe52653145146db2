"""An import that was begun on the page: what is asked of it so far, how far it is, how it ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from brinery.records.event import Event
from brinery.records.scan import ScanReport, Verdict


class ImportState(StrEnum):
    """How far an import is."""

    OPEN = "open"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    LOST = "lost"


class ImportAsked(Struct, frozen=True, kw_only=True):
    """What a user has said of an import so far.

    Attributes:
        key: of the import, drawn at random.
        created: with time zone.
        who: began it.
        model: path of the file or folder, or a `runs:/…` or `models:/…` URI.
        called: what the user calls it: the name of the file that was sent, or the path.
        uploaded: whether the model was sent, and lies in the import's own folder.
        data: path of the rows to evaluate it on; empty before they were chosen.
        data_called: what the user calls those.
        columns: of the rows.
        name: of the registered model.
        target: the column with the truth; empty where there is none.
        type: what the model predicts; empty where that is to be found.
        trust: names that the user vouches for.
        environment: `current` or `auto`.
        started: when it was started the last time; None before it was.
    """

    key: str
    created: datetime
    who: str
    model: str
    called: str
    uploaded: bool = False
    data: str = ""
    data_called: str = ""
    columns: tuple[str, ...] = ()
    name: str = ""
    target: str = ""
    type: str = ""
    trust: tuple[str, ...] = ()
    environment: str = "current"
    started: datetime | None = None


class ImportScan(Struct, frozen=True, kw_only=True):
    """What a scan found, or why there was none.

    Attributes:
        verdict: the worst of what was found; `malformed` where it cannot be read.
        report: what the model states; None where it cannot be read, or lies elsewhere.
        predicts: whether it can be asked for predictions, as far as that can be told.
        message: why it cannot be read; empty where it can.
        hint: what to do about that.
    """

    verdict: Verdict
    report: ScanReport | None = None
    predicts: bool = True
    message: str = ""
    hint: str = ""


class ImportOutcome(Struct, frozen=True, kw_only=True):
    """How an import ended.

    Attributes:
        at: when, with time zone.
        reference: of the version that it became; empty where it became none.
        code: of the error; empty where there was none.
        message: of the error.
        hint: of the error.
    """

    at: datetime
    reference: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""


class ImportProgress(Struct, frozen=True, kw_only=True):
    """An import as it is now.

    Attributes:
        asked: what the user has said.
        state: how far it is.
        scan: what was found before anything of it ran; None before it was looked at.
        events: of the last time that it was started, oldest first.
        outcome: of that time; None where it goes on, or was never started.
    """

    asked: ImportAsked
    state: ImportState
    scan: ImportScan | None = None
    events: tuple[Event, ...] = ()
    outcome: ImportOutcome | None = None
