"""The models, and each model's versions: what is champion, how good it is, and since when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.history import history_in, last_move
from brinery.actions.outline import (
    Outline,
    decisions_of,
    outline_in,
    outlines_in,
    rollback_choices,
    version_of,
    versions_of,
)
from brinery.actions.rollback import rollback_in
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.charts.summary import headline_figures
from brinery.records.decision import Outcome
from brinery.records.history import Chapter, KeptDecision
from brinery.records.scan import Verdict
from brinery.records.summary import Tile
from brinery.records.version import Version
from brinery.registry.interface import Entry
from brinery.web.pages.frame import Crumb, Frame, clock, moved
from brinery.web.pages.grids import (
    TICKS,
    Asked,
    Cell,
    Column,
    Grid,
    Made,
    as_csv,
    asked_of,
    count,
    moment,
    shown,
    wants_csv,
)

MODELS: Final = Crumb(title="Models", href="/models")
CHOICE: Final = "versions"
_COLUMNS: Final = (
    TICKS,
    Column(name="name", title="Model"),
    Column(name="champion", title="Champion", sortable=False),
    Column(name="figure", title="Headline"),
    Column(name="predicts", title="Predicts", sortable=False),
    Column(name="served", title="Served", sortable=False),
    Column(name="versions", title="Versions", number=True),
    Column(name="newest", title="Newest"),
)
_NO_MODEL: Final = (
    "There is no model yet: `brinery import model.pkl --name NAME --data test.csv --target COLUMN`"
)
_FIGURES: Final = 3
_KINDS: Final = {Outcome.PASSES: "good", Outcome.FAILS: "bad", Outcome.NOT_DECIDABLE: "warning"}
_VERDICTS: Final = {Verdict.SAFE: "good", Verdict.NEEDS_TRUST: "warning"}


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of the models."""
    models = Models(rooms, frame)
    return [
        Route("/models", models.page),
        Route("/models/{name}", models.model),
        Route("/models/{name}/rollback", models.rollback, methods=["POST"]),
    ]


def path_of(name: str, number: int | None = None) -> str:
    """Return the path of a model's page, or of a version's."""
    path = f"/models/{quote(name, safe='')}"
    return path if number is None else f"{path}/versions/{number}"


class Models:
    """Answers for the models.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def page(self, request: Request) -> Response:
        """Return the list of all models."""
        asked = asked_of(request, _COLUMNS, sort="name")
        sought = asked.search.lower()
        found = [one for one in outlines_in(self._rooms) if sought in one.name.lower()]
        keys: dict[str, Callable[[Outline], object]] = {
            "name": lambda one: one.name,
            "versions": lambda one: len(one.versions),
            "newest": lambda one: one.newest.created,
        }
        if asked.sort == "figure":
            # What was recorded of all of them is needed.
            every = versions_of(self._rooms, [_shown_of(one) for one in found])
            keys["figure"] = lambda one: _headline(every.get(_shown_of(one).reference))
        page = shown(found, asked, keys=keys)
        grid = Grid(
            name="models",
            columns=_COLUMNS,
            rows=Made(page, self._rows),
            total=len(found),
            asked=asked,
            empty=_NO_MODEL,
        )
        if wants_csv(request):
            return as_csv(grid)
        return self._frame.page(
            request,
            "models.html",
            title="Models",
            section="models",
            command="brinery model list",
            grid=grid,
        )

    def _rows(self, some: Sequence[Outline]) -> Iterator[list[Cell]]:
        versions = versions_of(self._rooms, [_shown_of(one) for one in some])
        return (_row(one, versions) for one in some)

    def model(self, request: Request) -> Response:
        """Return a model: its versions, or what became of its aliases."""
        outline = outline_in(self._rooms, request.path_params["name"])
        name, tab = outline.name, request.query_params.get("tab", "")
        champion = None if outline.champion is None else version_of(self._rooms, outline.champion)
        first = champion or version_of(self._rooms, outline.newest)
        tiles = _tiles(first)
        grid, history = None, []
        if tab == "history":
            history = [_chapter(one) for one in reversed(history_in(self._rooms, name))]
        else:
            grid = self._versions(request, outline, figures=tiles[:_FIGURES])
            if wants_csv(request):
                return as_csv(grid)
        return self._frame.page(
            request,
            "model.html",
            title=name,
            section="models",
            command=f"brinery history {name}" if tab == "history" else f"brinery model show {name}",
            crumbs=(MODELS,),
            path=path_of(name),
            outline=outline,
            champion=champion,
            tiles=tiles,
            since=None if champion is None else last_move(self._rooms, champion),
            grid=grid,
            history=history,
            tab=tab,
            choices=rollback_choices(self._rooms, outline),
        )

    async def rollback(self, request: Request) -> Response:
        """Give the champion's place back to a version that had it."""
        fields = await self._frame.form(request)
        name, to = request.path_params["name"], fields.get("to", "")
        await run_in_threadpool(
            rollback_in,
            self._rooms,
            name,
            to=int(to) if to.isascii() and to.isdigit() else None,
            why=fields.get("why", ""),
        )
        return moved(f"{path_of(name)}?tab=history")

    def _versions(self, request: Request, outline: Outline, *, figures: Sequence[Tile]) -> Grid:
        """Return the versions of a model, with the figures that matter most of its champion."""
        columns = (
            TICKS,
            Column(name="version", title="Version"),
            Column(name="aliases", title="Aliases", sortable=False),
            *(Column(name=one.metric, title=one.label, number=True) for one in figures),
            Column(name="decision", title="Gate", sortable=False),
            Column(name="scan", title="Scan", sortable=False),
            Column(name="made", title="Model", sortable=False),
            Column(name="created", title="Imported"),
        )
        asked = asked_of(request, columns, sort="-version", others=("tab",))
        entries = [one for one in outline.versions if _matches(one, asked)]
        keys: dict[str, Callable[[Entry], object]] = {
            "version": lambda one: one.number,
            "created": lambda one: one.created,
        }
        if asked.sort in {one.metric for one in figures}:
            # What was recorded of all of them is needed; it is read once, and kept.
            every = {one.number: one for one in self._rooms.registry.versions(outline.name)}
            keys[asked.sort] = lambda one: _value(every.get(one.number), asked.sort)
        page = shown(entries, asked, keys=keys)
        decisions = decisions_of(self._rooms, outline.name)
        names = [one.metric for one in figures]

        def cells(some: Sequence[Entry]) -> Iterator[list[Cell]]:
            versions = versions_of(self._rooms, some)
            return (
                _version_row(
                    versions[one.reference],
                    one,
                    names=names,
                    decision=decisions.get(one.reference),
                )
                for one in some
                if one.reference in versions
            )

        return Grid(
            name="versions",
            columns=columns,
            rows=Made(page, cells),
            total=len(entries),
            asked=asked,
        )


def _row(outline: Outline, versions: Mapping[str, Version]) -> list[Cell]:
    entry = _shown_of(outline)
    version = versions.get(entry.reference)
    candidate = None if version is None else version.candidate
    description = None if candidate is None else candidate.description
    champion = outline.champion
    return [
        _choice(entry),
        Cell(text=outline.name, href=path_of(outline.name)),
        _reference(champion) if champion else Cell(text="none yet", kind="quiet"),
        _figure(_tiles(version)[:1] if version else ()),
        Cell(text=description.type.value if description else "not checked", kind="quiet"),
        Cell(text="endpoint", href=f"/endpoints/{quote(outline.name, safe='')}")
        if champion
        else Cell(text="no", kind="quiet"),
        count(len(outline.versions)),
        Cell(
            text=f"{outline.newest.reference}, {words.ago(outline.newest.created)}",
            href=path_of(outline.name, outline.newest.number),
            title=f"{clock(outline.newest.created)} UTC",
            plain=f"{outline.newest.reference}, {clock(outline.newest.created)}",
        ),
    ]


def _version_row(
    version: Version, entry: Entry, *, names: Sequence[str], decision: KeptDecision | None
) -> list[Cell]:
    tiles = {one.metric: one for one in _tiles(version)}
    candidate = version.candidate
    path = path_of(version.name, version.number)
    return [
        _choice(entry),
        _reference(entry),
        Cell(
            text=", ".join([*version.aliases, *version.ids]), kind="good" if version.aliases else ""
        ),
        *(_figure([tiles[name]] if name in tiles else []) for name in names),
        Cell(text="not asked", kind="quiet")
        if decision is None
        else Cell(
            text=decision.decision.outcome.value + (", forced" if decision.decision.forced else ""),
            href=f"{path}/promote",
            kind=_KINDS[decision.decision.outcome],
            title=decision.decision.verdict,
        ),
        Cell(text="not checked", kind="warning")
        if candidate is None
        else Cell(text=candidate.verdict.value, kind=_VERDICTS.get(candidate.verdict, "bad")),
        Cell(text="" if candidate is None else words.cut(candidate.description.outline, length=60)),
        moment(version.created),
    ]


def _choice(entry: Entry) -> Cell:
    return Cell(text=f"compare {entry.reference}", choice=(CHOICE, entry.reference))


def _reference(entry: Entry) -> Cell:
    return Cell(text=entry.reference, href=path_of(entry.name, entry.number))


def _figure(tiles: Sequence[Tile]) -> Cell:
    if not tiles:
        return Cell(text="not evaluated", kind="quiet")
    tile = tiles[0]
    span = f" ({tile.interval})" if tile.interval else ""
    return Cell(text=f"{tile.value}{span}", title=tile.label, kind="figure")


def _tiles(version: Version) -> tuple[Tile, ...]:
    candidate = version.candidate
    return headline_figures(None if candidate is None else candidate.evaluation)


def _shown_of(outline: Outline) -> Entry:
    """Return the version that a model is known by in the list."""
    return outline.champion or outline.newest


def _headline(version: Version | None) -> tuple[str, float] | None:
    """Return the name and the value of the first figure: models of one figure stand together."""
    tile = next(iter(_tiles(version)), None) if version else None
    value = _value(version, tile.metric) if tile else None
    return (tile.metric, value) if tile and value is not None else None


def _value(version: Version | None, metric: str) -> float | None:
    candidate = None if version is None else version.candidate
    evaluation = None if candidate is None else candidate.evaluation
    return None if evaluation is None else evaluation.metrics.get(metric)


def _matches(entry: Entry, asked: Asked) -> bool:
    told = (entry.reference, *entry.aliases, *entry.ids)
    return any(asked.search.lower() in one.lower() for one in told)


def _chapter(one: Chapter) -> dict[str, object]:
    """Return what is told of a chapter of the history."""
    name, _, number = one.after.rpartition("@")
    return {
        "at": one.at,
        "who": one.who or "another program",
        "deed": one.deed.value,
        "alias": one.alias,
        "before": one.before,
        "after": one.after,
        "href": path_of(name, int(number)) if number.isdigit() else "",
        "forced": one.forced,
        "verdict": one.verdict,
        "why": one.why,
    }
