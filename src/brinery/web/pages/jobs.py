"""All jobs: how far each is, how long it took, and how much of it was reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.rooms import Rooms
from brinery.charts.job import look_of
from brinery.charts.words import duration
from brinery.records.job import Status
from brinery.records.job_summary import JobSummary
from brinery.store.job_summaries import JobSummaries
from brinery.web.pages.frame import Frame
from brinery.web.pages.grids import (
    Asked,
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
from brinery.web.pages.tokens import url

SECTION: Final = "jobs"
_COLUMNS: Final = (
    Column(name="job", title="Job"),
    Column(name="state", title="State"),
    Column(name="done", title="Steps done", number=True),
    Column(name="reused", title="Reused", number=True),
    Column(name="took", title="Took", number=True),
    Column(name="started", title="Started"),
    Column(name="experiment", title="Experiment"),
    Column(name="who", title="By"),
)
_KEYS: Final = {
    "job": lambda one: one.shown.lower(),
    "state": lambda one: str(one.status),
    "done": lambda one: one.over,
    "reused": lambda one: one.reused,
    "took": lambda one: (one.ended - one.created).total_seconds() if one.ended else None,
    "started": lambda one: one.created,
    "experiment": lambda one: one.experiment.lower(),
    "who": lambda one: one.who,
}
# What the filter says, and what it lets through.
_STATES: Final = (
    ("", "All", ()),
    ("running", "Running", (Status.RUNNING, Status.CANCEL_REQUESTED)),
    ("completed", "Completed", (Status.COMPLETED,)),
    ("failed", "Failed", (Status.FAILED,)),
    ("canceled", "Canceled", (Status.CANCELED,)),
    ("lost", "Not responding", (Status.NOT_RESPONDING,)),
)
_EMPTY: Final = "There is no job yet: `brinery job create -f job.yml`"
_NO_SUCH: Final = "No job is in this state."


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of the list of jobs."""
    return [Route("/jobs", JobsPage(rooms, frame).page)]


class JobsPage:
    """Answers for the list of jobs.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._frame = frame
        self._jobs = JobSummaries(rooms.workspace.jobs)

    def page(self, request: Request) -> Response:
        """Return the page, or its table as CSV."""
        asked = asked_of(request, _COLUMNS, sort="-started", others=("state", "archived"))
        state, archived = asked.others.get("state", ""), "archived" in asked.others
        listed = [one for one in self._jobs.all() if one.archived == archived]
        found = _matching(listed, asked.search, state)
        grid = Grid(
            name="jobs",
            columns=_COLUMNS,
            rows=Made(shown(found, asked, keys=_KEYS), lambda some: map(_row, some)),
            total=len(found),
            asked=asked,
            empty="Nothing was archived." if archived else _NO_SUCH if listed else _EMPTY,
        )
        if wants_csv(request):
            return as_csv(grid)
        return self._frame.page(
            request,
            "jobs.html",
            title="Jobs",
            section=SECTION,
            command=f"brinery job list{' --include-archived' if archived else ''}",
            grid=grid,
            states=_filters(listed, asked, state),
            archived=archived,
            other=url("/jobs", {"archived": "" if archived else "1"}),
        )


def _matching(listed: Sequence[JobSummary], search: str, state: str) -> list[JobSummary]:
    wanted = next((one for name, _, one in _STATES if name == state), ())
    words = search.lower().split()
    return [
        one
        for one in listed
        if (not wanted or one.status in wanted)
        and all(
            word in f"{one.name} {one.shown} {one.experiment} {one.who}".lower() for word in words
        )
    ]


def _filters(
    listed: Sequence[JobSummary], asked: Asked, state: str
) -> list[tuple[str, str, int, bool]]:
    """Return each filter: where it leads, its name, how many jobs it lets through, if it is on."""
    return [
        (
            url("/jobs", {**asked.others, "q": asked.search, "state": name}),
            title,
            sum(not wanted or one.status in wanted for one in listed),
            name == state,
        )
        for name, title, wanted in _STATES
    ]


def _row(one: JobSummary) -> tuple[Cell, ...]:
    look = look_of(one.status)
    took = (one.ended - one.created).total_seconds() if one.ended else None
    return (
        Cell(text=one.shown, href=job_path(one.name), title=one.name),
        Cell(text=f"{look.sign} {look.told}", kind=kind_of(look.state), title=one.error),
        Cell(text=f"{one.over} of {one.steps}"),
        Cell(text=f"{one.reused}" if one.reused else ""),
        Cell(text=duration(took) if took is not None else ""),
        moment(one.created),
        Cell(text=one.experiment),
        Cell(text=one.who),
    )


def job_path(name: str) -> str:
    """Return the path of the page of a job, whatever it is called."""
    return f"/jobs/{quote(name, safe='')}"


def kind_of(state: str) -> str:
    """Return the class of a cell or a badge for that of a box."""
    return {"idle": "quiet", "active": "good"}.get(state, state)
