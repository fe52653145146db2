"""The pages of loops: which there are, and the story of each, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.loop_story import turns_of
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.charts.loop import story, why
from brinery.records.turn import Ending, StageRun, State, Trigger, Turn
from brinery.web.pages import grids
from brinery.web.pages.frame import Crumb, Frame
from brinery.web.pages.grids import Cell, Column, Grid, Made

_COLUMNS: Final = (
    Column(name="loop", title="Loop"),
    Column(name="model", title="Model"),
    Column(name="turns", title="Turns", number=True),
    Column(name="ending", title="Last turn"),
    Column(name="begun", title="Begun"),
    Column(name="champion", title="Champion after it"),
)
_EMPTY: Final = (
    "No loop has had a turn yet. A loop trains again, judges, and promotes what the gate passes: "
    "`brinery loop run loop.yml`"
)
_KINDS: Final = {
    Ending.PROMOTED: "good",
    Ending.KEPT: "",
    Ending.FAILED: "bad",
    Ending.NOTHING_NEW: "",
}
_BEGUN: Final = {
    Trigger.CRON: "by its schedule",
    Trigger.NEW_DATA: "by new data",
    Trigger.BY_HAND: "by hand",
}
_STATES: Final = {State.DONE: "good", State.FAILED: "bad", State.RUNNING: "warning"}
_SHOWN: Final = 20


@dataclass(frozen=True, kw_only=True)
class Told:
    """A stage of a turn, as it is shown.

    Attributes:
        name: of the stage.
        state: how far it is.
        kind: of its badge.
        took: in words; empty where it was not begun.
        note: what it came to.
    """

    name: str
    state: str
    kind: str
    took: str
    note: str


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of loops."""
    loops = Loops(rooms, frame)
    return [Route("/loops", loops.all), Route("/loops/{name}", loops.one)]


class Loops:
    """Answers for the pages of loops.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def all(self, request: Request) -> Response:
        """Return the page of all loops."""
        asked = grids.asked_of(request, _COLUMNS, sort="loop")
        turns = self._rooms.turns
        names = turns.loops() if self._rooms.workspace.exists else []
        found = [turns.of(name)[-1] for name in names if asked.search.lower() in name.lower()]
        rows = grids.shown(
            found,
            asked,
            keys={
                "loop": lambda turn: turn.loop,
                "model": lambda turn: turn.model,
                "turns": lambda turn: turn.number,
                "ending": lambda turn: str(turn.ending or ""),
                "begun": lambda turn: turn.started,
                "champion": lambda turn: turn.champion,
            },
        )
        grid = Grid(
            name="loops",
            columns=_COLUMNS,
            rows=Made(rows, lambda some: map(_row, some)),
            total=len(found),
            asked=asked,
            empty=_EMPTY,
        )
        if grids.wants_csv(request):
            return grids.as_csv(grid)
        return self._frame.page(
            request,
            "loops.html",
            title="Loops",
            section="loops",
            command="brinery loop history NAME",
            grid=grid,
        )

    def one(self, request: Request) -> Response:
        """Return the page of a loop."""
        name = request.path_params["name"]
        # A name that ends as a file does is a name here: no file of the server is read for a URL.
        turns = [] if name.endswith((".yml", ".yaml")) else turns_of(self._rooms, name)
        if not turns:
            return self._frame.missing(request)
        told = story(turns)
        pages = max(1, -(-len(turns) // _SHOWN))
        page = min(grids.asked_of(request, ()).page, pages)
        newest = list(reversed(turns))[(page - 1) * _SHOWN : page * _SHOWN]
        return self._frame.page(
            request,
            "loop.html",
            title=name,
            section="loops",
            command=f"brinery loop history {name}",
            crumbs=(Crumb(title="Loops", href="/loops"),),
            told=told,
            words=_BEGUN,
            sections=[one for one in told.sections if one.name in ("figures", "champion")],
            lineage=next(one for one in told.sections if one.name == "lineage"),
            turns=[(turn, _ending(turn), why(turn), _stages(turn)) for turn in newest],
            model=turns[-1].model,
            page=page,
            pages=pages,
        )


def _row(turn: Turn) -> list[Cell]:
    ending = _ending(turn)
    champion = turn.champion
    return [
        Cell(text=turn.loop, href=f"/loops/{turn.loop}"),
        Cell(text=turn.model, href=f"/models/{turn.model}"),
        grids.count(turn.number),
        Cell(text=ending[0], kind=ending[1], title=why(turn)),
        grids.moment(turn.started),
        Cell(text="", kind="quiet")
        if champion is None
        else Cell(
            text=f"{turn.model}@{champion}", href=f"/models/{turn.model}/versions/{champion}"
        ),
    ]


def _ending(turn: Turn) -> tuple[str, str]:
    if turn.ending is None:
        return "going on", "warning"
    return str(turn.ending), _KINDS[turn.ending]


def _stages(turn: Turn) -> list[Told]:
    return [
        Told(
            name=str(one.phase),
            state=str(one.state),
            kind=_STATES.get(one.state, "quiet"),
            took=_took(one),
            note=one.note,
        )
        for one in turn.stages
        if one.state is not State.WAITING or turn.ending is None
    ]


def _took(stage: StageRun) -> str:
    if stage.started is None:
        return ""
    until = stage.ended or datetime.now(UTC)
    return words.duration((until - stage.started).total_seconds())
