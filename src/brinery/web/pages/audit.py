"""The audit trail: who changed what, when and why, of all models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.history import ELSEWHERE
from brinery.actions.overview import trail
from brinery.actions.rooms import Rooms
from brinery.records.audit import AuditEntry, AuditPage, AuditQuery, Change
from brinery.web.pages import links
from brinery.web.pages.frame import Frame, clock
from brinery.web.pages.grids import (
    Asked,
    Cell,
    Column,
    Grid,
    as_csv,
    asked_of,
    fetched,
    wants_csv,
)

_COLUMNS: Final = (
    Column(name="at", title="When (UTC)"),
    Column(name="who", title="Who"),
    Column(name="change", title="What"),
    Column(name="subject", title="Subject"),
    Column(name="before", title="Before", sortable=False),
    Column(name="after", title="After", sortable=False),
    Column(name="why", title="Why", sortable=False),
)
_EMPTY: Final = "Nothing was changed yet: `brinery import model.pkl --name NAME --data test.csv`"
_KEYS: Final = (Change.CREATE_KEY, Change.DELETE_KEY)


@dataclass(frozen=True, kw_only=True)
class Deed:
    """An entry of the audit trail in words.

    Attributes:
        at: when.
        who: did it; empty where another program did.
        did: what, in the past tense.
        what: it was done to.
        href: where that is shown; empty where it is nowhere.
        forced: whether it was done against a gate.
        why: the reason given; may be empty.
    """

    at: datetime
    who: str
    did: str
    what: str
    href: str
    forced: bool
    why: str


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of the audit trail."""
    return [Route("/audit", Audit(rooms, frame).page)]


class Audit:
    """Answers for the audit trail.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def page(self, request: Request) -> Response:
        """Return the page, or its rows as a file."""
        asked = asked_of(request, _COLUMNS, sort="-at")
        if wants_csv(request):
            every = fetched(
                lambda offset, most: self._found(asked, offset=offset, most=most).entries,
                key=lambda entry: entry,
            )
            return as_csv(_grid(AuditPage(), asked), map(_cells, every))
        found = self._found(asked, offset=asked.offset, most=asked.per_page)
        return self._frame.page(
            request,
            "audit.html",
            title="Audit trail",
            command="brinery history NAME",
            grid=_grid(found, asked),
        )

    def _found(self, asked: Asked, *, offset: int, most: int) -> AuditPage:
        return trail(
            self._rooms,
            AuditQuery(
                words=tuple(asked.search.split()),
                sort=asked.sort,
                descending=asked.descending,
                offset=offset,
                most=most,
            ),
        )


def _grid(found: AuditPage, asked: Asked) -> Grid:
    return Grid(
        name="audit",
        columns=_COLUMNS,
        rows=[_cells(entry) for entry in found.entries],
        total=found.total,
        asked=asked,
        empty=_EMPTY,
    )


def deed_of(entry: AuditEntry) -> Deed:
    """Return an entry of the audit trail in words."""
    elsewhere = entry.why == ELSEWHERE
    reference, _, alias = entry.after.rpartition(" ")
    return Deed(
        at=entry.at,
        who="another program" if elsewhere else entry.who,
        did=_did(entry.change, alias),
        what=reference or entry.after,
        href=links.moved(entry.after),
        forced=entry.forced,
        why="" if elsewhere else entry.why,
    )


def _did(change: Change, alias: str) -> str:
    match change:
        case Change.IMPORT:
            return "registered"
        case Change.PROMOTE:
            return f"made {alias}:"
        case Change.ROLLBACK:
            return "went back to"
        case Change.DELETE:
            return "deleted"
        case Change.CREATE_KEY:
            return "created the key"
        case Change.DELETE_KEY:
            return "deleted the key"
        case _:
            assert_never(change)


def _cells(entry: AuditEntry) -> list[Cell]:
    elsewhere = entry.why == ELSEWHERE
    return [
        Cell(text=clock(entry.at)),
        Cell(text="another program" if elsewhere else entry.who),
        Cell(text=entry.change.value + (", forced" if entry.forced else ""), kind="warning")
        if entry.forced
        else Cell(text=entry.change.value),
        Cell(text=entry.subject, href="" if entry.change in _KEYS else links.model(entry.subject)),
        Cell(text=entry.before or "", href=links.moved(entry.before or "")),
        Cell(text=entry.after, href=links.moved(entry.after)),
        Cell(text="" if elsewhere else entry.why),
    ]
