"""Endpoints: what is served, how often it is asked, how soon it answers, what replaced what."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.history import history_in
from brinery.actions.rooms import Rooms
from brinery.charts import traffic as charts
from brinery.charts import words
from brinery.records.history import Chapter, Deed
from brinery.records.traffic import Served, Traffic
from brinery.records.version import Alias, Version
from brinery.registry.interface import one, resolve
from brinery.serve.door import COOKIE
from brinery.serve.traffic import Watched
from brinery.specs.reference import Reference
from brinery.web.pages import links
from brinery.web.pages.frame import Crumb, Frame
from brinery.web.pages.grids import Asked, Cell, Column, Grid, as_csv, asked_of, shown, wants_csv

_COLUMNS: Final = (
    Column(name="name", title="Endpoint"),
    Column(name="version", title="Version", number=True),
    Column(name="state", title="State"),
    Column(name="rate", title="Requests per second", number=True),
    Column(name="p50", title="50 % within (ms)", number=True),
    Column(name="p95", title="95 % within (ms)", number=True),
    Column(name="errors", title="Refused or failed", number=True),
    Column(name="requests", title="Requests in all", number=True),
)
_EMPTY: Final = "Nothing is served yet: `brinery import model.pkl --name NAME --data test.csv`"
_MS: Final = 1000.0
_MOVES: Final = 50


def routes(rooms: Rooms, frame: Frame, *, watched: Watched) -> list[Route]:
    """Return the routes of endpoints."""
    pages = Endpoints(rooms, frame, watched=watched)
    return [Route("/endpoints", pages.all), Route("/endpoints/{name}", pages.one)]


class Endpoints:
    """Answers for endpoints.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        watched: what the server in front counts.
    """

    def __init__(self, rooms: Rooms, frame: Frame, *, watched: Watched) -> None:
        self._rooms = rooms
        self._frame = frame
        self._watched = watched

    def all(self, request: Request) -> Response:
        """Return the table of all endpoints, or its rows as a file."""
        asked = asked_of(request, _COLUMNS, sort="name")
        grid = self._grid(asked)
        if wants_csv(request):
            return as_csv(grid)
        return self._frame.page(
            request,
            "endpoints.html",
            title="Endpoints",
            section="endpoints",
            command="brinery serve --all",
            grid=grid,
        )

    def one(self, request: Request) -> Response:
        """Return the page of an endpoint."""
        name = request.path_params["name"]
        version = self._version(name)
        traffic = self._watched.traffic(version.name)
        drawn = charts.figures(traffic)
        moves = [
            one
            for one in history_in(self._rooms, name)
            if one.alias == Alias.CHAMPION and one.deed is not Deed.NOT_PROMOTED
        ]
        candidate = version.candidate
        return self._frame.page(
            request,
            "endpoint.html",
            title=name,
            section="endpoints",
            command=f"brinery serve {name}",
            crumbs=(Crumb(title="Endpoints", href="/endpoints"),),
            version=version,
            href=links.version(version.reference),
            served=self._watched.served(name),
            state=_state(self._watched.served(name)),
            tiles=_tiles(traffic),
            drawn=drawn,
            example=msgspec.json.encode(candidate.signature.example).decode() if candidate else "",
            keyed=COOKIE in request.cookies,
            moves=[(move, links.version(move.after)) for move in moves[::-1][:_MOVES]],
            said=said,
        )

    def _version(self, name: str) -> Version:
        """Return the version that answers; where no server tells, the one that would.

        Raises:
            NotFound: there is no such model.
        """
        served = self._watched.served(name)
        found = one(self._rooms.registry, name, number=served.version) if served else None
        return found or resolve(self._rooms.registry, Reference(name))

    def _grid(self, asked: Asked) -> Grid:
        wanted = asked.search.lower()
        rows = [
            (one, self._watched.latest(one.name))
            for one in self._watched.all_served()
            if wanted in one.name.lower()
        ]
        return Grid(
            name="endpoints",
            columns=_COLUMNS,
            rows=[_cells(*row) for row in shown(rows, asked, keys=_KEYS)],
            total=len(rows),
            asked=asked,
            empty=_EMPTY,
        )


def said(move: Chapter) -> str:
    """Return how a version came to answer, in words."""
    by = f" by {move.who}" if move.who else ""
    return f"{move.deed}{by}"


_KEYS: Final = {
    "name": lambda row: row[0].name,
    "version": lambda row: row[0].version,
    "state": lambda row: _state(row[0])[0],
    "rate": lambda row: row[1].latest and row[1].latest.requests_per_s,
    "p50": lambda row: row[1].latest and row[1].latest.p50_s,
    "p95": lambda row: row[1].latest and row[1].latest.p95_s,
    "errors": lambda row: row[1].errors,
    "requests": lambda row: row[1].requests,
}


def _state(served: Served | None) -> tuple[str, str]:
    """Return how an endpoint is, in a word or two, and how that is shown."""
    if served is None:
        return ("not known", "quiet")
    if served.fault is not None:
        return ("at fault", "bad")
    return ("answers", "good") if served.loaded else ("when asked", "quiet")


def _cells(served: Served, traffic: Traffic) -> list[Cell]:
    state, kind = _state(served)
    latest = traffic.latest
    return [
        Cell(text=served.name, href=links.endpoint(served.name)),
        Cell(text=str(served.version), href=links.version(f"{served.name}@{served.version}")),
        Cell(text=state, kind=kind, title=served.fault or ""),
        Cell(text=words.number(latest.requests_per_s if latest else None, digits=3)),
        Cell(text=_ms(latest.p50_s if latest else None)),
        Cell(text=_ms(latest.p95_s if latest else None)),
        Cell(text=f"{traffic.errors:,}", kind="bad" if traffic.errors else ""),
        Cell(text=f"{traffic.requests:,}"),
    ]


def _tiles(traffic: Traffic) -> list[tuple[str, str, str]]:
    """Return the figures of the last minute: title, figure, and what is told beneath."""
    latest = traffic.latest
    share = words.share_of(traffic.errors, traffic.requests) if traffic.requests else "none yet"
    return [
        (
            "Requests per second",
            words.number(latest.requests_per_s if latest else None, digits=3),
            "last minute",
        ),
        ("Half answered within", _within(latest.p50_s if latest else None), "last minute"),
        ("95 % answered within", _within(latest.p95_s if latest else None), "last minute"),
        ("Refused or failed", f"{traffic.errors:,}", f"of {traffic.requests:,}: {share}"),
    ]


def _within(seconds: float | None) -> str:
    return _ms(seconds) if seconds is None else f"{_ms(seconds)} ms"


def _ms(seconds: float | None) -> str:
    return words.number(None if seconds is None else seconds * _MS, digits=3)
