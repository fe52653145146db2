"""The flow: what made what, what is out of date and why, and making it again."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.data_details import project_rooms_in
from brinery.actions.flow import flow
from brinery.actions.flow_rooms import FlowRooms, open_flow_rooms
from brinery.actions.job_process import begin_build
from brinery.actions.projects import projects
from brinery.actions.rooms import Rooms
from brinery.charts.flow import flow_svg
from brinery.records.flow import FlowNode, NodeKind, NodeState
from brinery.web.pages.frame import Frame, moved
from brinery.web.pages.grids import (
    Cell,
    Column,
    Grid,
    Made,
    as_csv,
    asked_of,
    moment,
    shown,
    wants_csv,
)
from brinery.web.pages.jobs import job_path
from brinery.web.pages.tokens import url

SECTION: Final = "flow"
_COLUMNS: Final = (
    Column(name="name", title="Item"),
    Column(name="kind", title="Kind"),
    Column(name="state", title="State"),
    Column(name="why", title="Why", sortable=False),
    Column(name="holds", title="Holds", sortable=False),
    Column(name="at", title="Written or run"),
)
_KEYS: Final = {
    "name": lambda one: one.name.lower(),
    "kind": lambda one: str(one.kind),
    "state": lambda one: str(one.state),
    "at": lambda one: one.at,
}
_STATES: Final = {
    NodeState.SOURCE: ("source", "quiet"),
    NodeState.CURRENT: ("up to date", "good"),
    NodeState.OUTDATED: ("out of date", "warning"),
    NodeState.MISSING: ("gone", "bad"),
}
_EMPTY: Final = (
    "Nothing was run yet: `brinery run SCRIPT`, or `brinery dataset create NAME --path FILE`"
)


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of the flow."""
    page = FlowPage(rooms, frame)
    return [
        Route("/flow", page.page),
        Route("/flow/build", page.build, methods=["POST"]),
    ]


class FlowPage:
    """Answers for the flow.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._workspace = rooms
        self._frame = frame

    @cached_property
    def _rooms(self) -> FlowRooms:
        opened = open_flow_rooms(self._workspace.workspace.root)
        return FlowRooms(project_rooms_in(self._workspace), opened.jobs)

    def page(self, request: Request) -> Response:
        """Return the page, or its table as CSV."""
        project = request.query_params.get("project", "")
        found = flow(self._rooms, project=project)
        asked = asked_of(request, _COLUMNS, others=("project",))
        words = asked.search.lower().split()
        nodes = [one for one in found.nodes if all(word in one.name.lower() for word in words)]
        rows = Made(shown(nodes, asked, keys=_KEYS), lambda some: map(_row, some))
        grid = Grid(
            name="items", columns=_COLUMNS, rows=rows, total=len(nodes), asked=asked, empty=_EMPTY
        )
        if wants_csv(request):
            return as_csv(grid)
        known = [one.name for one in projects(self._rooms.projects)]
        old = [one for one in found.nodes if one.kind is NodeKind.RECIPE and one.why]
        return self._frame.page(
            request,
            "flow.html",
            title="Flow",
            section=SECTION,
            command=f"brinery flow{f' --project {project}' if project else ''}",
            project=found.project,
            asked_project=project,
            projects=[(one, url("/flow", {"project": one}), one == found.project) for one in known],
            graph=Markup(flow_svg(found, href=href_of, whole=False)),  # noqa: S704 - escaped there
            grid=grid,
            any=bool(found.nodes),
            recipes=[one.name for one in found.nodes if one.kind is NodeKind.RECIPE],
            outdated=[(one.name, one.why) for one in old],
        )

    async def build(self, request: Request) -> Response:
        """Make what is out of date, as a job of its own, and show that."""
        fields = await self._frame.form(request)
        target, project = fields.get("target", ""), fields.get("project", "")
        name = await run_in_threadpool(self._begin, target, project)
        return moved(job_path(name))

    def _begin(self, target: str, project: str) -> str:
        return begin_build(self._rooms.jobs, [target] if target else [], project=project)


def href_of(node: FlowNode) -> str:
    """Return the page of a node; of a recipe that of the job that ran it last."""
    name = node.id.partition(":")[2]
    match node.kind:
        case NodeKind.DATASET:
            return f"/datasets/{name}"
        case NodeKind.FOLDER:
            return f"/folders/{name}"
        case NodeKind.MODEL:
            return url("/models", {"q": node.name})
        case NodeKind.RECIPE:
            return job_path(node.version) if node.version else ""
        case NodeKind.VARIABLES:
            return ""


def _row(node: FlowNode) -> tuple[Cell, ...]:
    told, kind = _STATES[node.state]
    return (
        Cell(text=node.name, href=href_of(node)),
        Cell(text=str(node.kind), kind="quiet"),
        Cell(text=told, kind=kind),
        Cell(text=node.why),
        Cell(text=node.detail),
        moment(node.at),
    )
