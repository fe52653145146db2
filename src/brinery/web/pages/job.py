"""A job: its graph with the state of each step, live; what can be done with it; its steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final
from zlib import crc32

import msgspec
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brinery.actions.asset_rooms import AssetRooms, open_asset_rooms
from brinery.actions.job_process import begin_again, go_on
from brinery.actions.job_rooms import open_job_rooms
from brinery.actions.jobs import cancelled, explained
from brinery.actions.rooms import Rooms
from brinery.actions.step_details import step_details
from brinery.charts.gantt import gantt_svg
from brinery.charts.job import (
    groups,
    job_nodes,
    job_svg,
    look_of,
    look_of_step,
    opened,
    shown_as,
)
from brinery.charts.trials import trial_figures
from brinery.charts.words import duration, size
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.plan import StepKind
from brinery.records.trials import Trials
from brinery.serve.problems import Problem
from brinery.web.pages.frame import HEADERS, Crumb, Frame, moved
from brinery.web.pages.grids import (
    Cell,
    Column,
    Grid,
    Made,
    as_csv,
    asked_of,
    shown,
    wants_csv,
)
from brinery.web.pages.jobs import SECTION, job_path, kind_of
from brinery.web.pages.step import panel
from brinery.web.pages.tokens import url

_VIEWS: Final = (("graph", "Graph"), ("steps", "Steps"), ("gantt", "When"), ("trials", "Trials"))
_KEPT: Final = ("step", "tab", "view", "trial", "output", "path", "find", "open", "shut")
_STEPS: Final = (
    Column(name="step", title="Step"),
    Column(name="state", title="State"),
    Column(name="took", title="Took", number=True),
    Column(name="cpu", title="Processor", number=True),
    Column(name="memory", title="Peak memory", number=True),
    Column(name="why", title="Why", sortable=False),
)
_STEP_KEYS: Final = {
    "step": lambda run: run.name,
    "state": lambda run: str(run.status),
    "took": lambda run: run.usage.wall_s if run.usage else None,
    "cpu": lambda run: run.usage.cpu_s if run.usage else None,
    "memory": lambda run: run.usage.peak_bytes if run.usage else None,
}
_TRIALS: Final = (
    Column(name="trial", title="Trial", number=True),
    Column(name="state", title="State"),
    Column(name="metric", title="Metric", number=True),
)


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of one job."""
    job = JobPage(rooms, frame)
    return [
        Route("/jobs/{name}", job.page),
        Route("/jobs/{name}/changes", job.changes),
        Route("/jobs/{name}/{verb}", job.act, methods=["POST"]),
    ]


class JobPage:
    """Answers for one job.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._root = rooms.workspace.root
        self._frame = frame

    @cached_property
    def _rooms(self) -> AssetRooms:
        return open_asset_rooms(self._root)

    def page(self, request: Request) -> Response:
        """Return the page, its table of steps as CSV, or the part that is about a step."""
        name = request.path_params["name"]
        # The mark is taken first: what happens meanwhile is told again, and not lost.
        _, mark = self._rooms.jobs.changed(name, since=0)
        job = self._rooms.jobs.read(name)
        query = {key: request.query_params[key] for key in _KEPT if key in request.query_params}
        chosen = query.get("step", "") or (job.steps[0].name if len(job.steps) == 1 else "")
        step = panel(self._rooms, job, name=chosen, query=query) if chosen else None
        if request.headers.get("hx-target") == "step":
            return self._frame.part(request, "step.html", job=job, step=step)
        if request.headers.get("hx-target") == "job-head":
            return self._frame.part(request, "job_head.html", **_head(job))
        view = _view(query.get("view", ""), job)
        grid = _steps_grid(request, job)
        sweep = self._sweep(job, chosen) if view == "trials" else None
        if wants_csv(request):
            return as_csv(_trials_grid(request, sweep, chosen) if sweep else grid)
        seen = _seen(job, sweep)
        if (
            request.headers.get("hx-target") == "trials"
            and request.query_params.get("seen") == seen
        ):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        within = opened(job.plan, more=_listed(query, "open"), fewer=_listed(query, "shut"))
        return self._frame.page(
            request,
            "job.html",
            title=job.plan.display_name or job.name,
            section=SECTION,
            command=f"brinery job show {job.name}",
            crumbs=(Crumb(title="Jobs", href="/jobs"),),
            **_head(job),
            view=view,
            views=[
                (url(job_path(name), {**query, "view": one}), title, one == view)
                for one, title in _VIEWS
                if one != "trials" or _sweeps(job)
            ],
            graph=Markup(self._graph(job, within, query=query, chosen=chosen))  # noqa: S704 - escaped there
            if view == "graph"
            else "",
            pipelines=[
                _toggle(name, query, one, is_open=one in within) for one in groups(job.plan)
            ],
            gantt=Markup(gantt_svg(job)) if view == "gantt" else "",  # noqa: S704 - escaped there
            grid=grid if view == "steps" else None,
            trials=_trials_grid(request, sweep, chosen) if sweep is not None else None,
            figures_of=trial_figures(sweep) if sweep is not None else (),
            seen=seen,
            step=step,
            changes=url(
                f"{job_path(name)}/changes", {key: query.get(key, "") for key in ("open", "shut")}
            ),
            mark=mark,
        )

    def changes(self, request: Request) -> Response:
        """Answer which boxes of the graph are otherwise since a mark: a few hundred bytes each."""
        name, query = request.path_params["name"], request.query_params
        since = query.get("since", "")
        steps, mark = self._rooms.jobs.changed(
            name, since=int(since) if since.isascii() and since.isdigit() else 0
        )
        if f"{mark}" == since:
            return _json({"mark": since, "boxes": []})
        job = self._rooms.jobs.read(name)
        within = opened(job.plan, more=_listed(query, "open"), fewer=_listed(query, "shut"))
        only = {shown_as(step, within) for step in steps}
        boxes = [
            {"id": one.id, "state": one.state, "sign": one.sign, "told": one.told, "hint": one.hint}
            for one in job_nodes(job, within=within, hint=explained, only=only)
        ]
        return _json({"mark": f"{mark}", "boxes": boxes})

    async def act(self, request: Request) -> Response:
        """Do what a form asks for: `cancel`, `resume`, `rerun`, `archive`, `restore`."""
        name, verb = request.path_params["name"], request.path_params["verb"]
        fields = await self._frame.form(request)
        where = await run_in_threadpool(self._done, name, verb, fields)
        return moved(where)

    def _done(self, name: str, verb: str, fields: Mapping[str, str]) -> str:
        python = fields.get("environment", "")
        match verb:
            case "cancel":
                cancelled(self._rooms.jobs, name)
            case "resume":
                go_on(open_job_rooms(self._root), name, environment=python)
            case "rerun":
                rooms = open_job_rooms(self._root)
                force = bool(fields.get("force"))
                made = begin_again(rooms, name, force=force, environment=python)
                return job_path(made)
            case "archive" | "restore":
                self._rooms.jobs.change(name, archived=verb == "archive")
            case _:
                raise Problem(
                    HTTPStatus.NOT_FOUND,
                    "no-such-action",
                    f"a job cannot {verb}",
                    hint="reload the page",
                )
        return job_path(name)

    def _graph(
        self, job: JobRun, within: set[str], *, query: Mapping[str, str], chosen: str
    ) -> str:
        def href(box: str, is_group: bool) -> str:  # noqa: FBT001 - what `job_svg` tells
            if is_group:
                return _toggle(job.name, query, box, is_open=False)[0]
            kept = {key: query.get(key, "") for key in ("view", "open", "shut", "tab")}
            return url(job_path(job.name), {**kept, "step": box})

        return job_svg(job, within=within, hint=explained, href=href, selected=chosen)

    def _sweep(self, job: JobRun, chosen: str) -> Trials | None:
        sweeps = _sweeps(job)
        if not sweeps:
            return None
        return step_details(
            self._rooms, job.name, step=chosen if chosen in sweeps else sweeps[0]
        ).trials


def _head(job: JobRun) -> dict[str, Any]:
    """Return what is said of a job on top of its page."""
    look = look_of(job.status)
    took = (job.ended - job.created).total_seconds() if job.ended else None
    cpu = [run.usage.cpu_s for run in job.steps if run.usage is not None]
    peak = [run.usage.peak_bytes for run in job.steps if run.usage is not None]
    reused = sum(bool(run.reused) for run in job.steps)
    return {
        "job": job,
        "state": f"{look.sign} {look.told}",
        "kind": kind_of(look.state),
        "over": sum(run.status.over for run in job.steps),
        "reused": reused,
        "took": duration(took),
        "cpu": duration(sum(cpu) if cpu else None),
        "peak": size(max(peak)) if peak else "not known",
        "can_cancel": not job.status.over,
        "can_resume": job.status in (Status.FAILED, Status.CANCELED, Status.NOT_RESPONDING),
        "failed": [(run.name, run.why) for run in job.steps if run.status is Status.FAILED][:5],
    }


def _view(asked: str, job: JobRun) -> str:
    known = [name for name, _ in _VIEWS if name != "trials" or _sweeps(job)]
    return asked if asked in known else "graph"


def _sweeps(job: JobRun) -> list[str]:
    return [step.name for step in job.plan.steps if step.kind is StepKind.SWEEP]


def _listed(query: Mapping[str, str], key: str) -> list[str]:
    return [one for one in query.get(key, "").split(",") if one]


def _toggle(
    job: str, query: Mapping[str, str], group: str, *, is_open: bool
) -> tuple[str, str, bool]:
    """Return where the page with a pipeline opened or closed is, its name, and if it is open."""
    more, fewer = set(_listed(query, "open")), set(_listed(query, "shut"))
    if is_open:
        more.discard(group)
        fewer.add(group)
    else:
        fewer.discard(group)
        more.add(group)
    changed = {"open": ",".join(sorted(more)), "shut": ",".join(sorted(fewer))}
    return url(job_path(job), {**query, **changed}), group, is_open


def _steps_grid(request: Request, job: JobRun) -> Grid:
    asked = asked_of(request, _STEPS, others=("view", "step"))
    words = asked.search.lower().split()
    found = [run for run in job.steps if all(word in run.name.lower() for word in words)]
    page = shown(found, asked, keys=_STEP_KEYS)
    rows = Made(page, lambda some: (_step_row(job, run) for run in some))
    return Grid(name="steps", columns=_STEPS, rows=rows, total=len(found), asked=asked)


def _step_row(job: JobRun, run: StepRun) -> tuple[Cell, ...]:
    look, used = look_of_step(run), run.usage
    return (
        Cell(text=run.name, href=url(job_path(job.name), {"view": "steps", "step": run.name})),
        Cell(text=f"{look.sign} {run.status}", kind=kind_of(look.state)),
        Cell(text=duration(used.wall_s) if used else ""),
        Cell(text=duration(used.cpu_s) if used else ""),
        Cell(text=size(used.peak_bytes) if used else ""),
        Cell(text=explained(run)),
    )


def _trials_grid(request: Request, found: Trials, step: str) -> Grid:
    names = list(found.sweep.space)
    given = tuple(Column(name=f"v.{name}", title=name, number=True) for name in names)
    better = "" if found.sweep.goal == "minimize" else "-"
    columns = (*_TRIALS, *given, Column(name="why", title="Why", sortable=False))
    asked = asked_of(request, columns, sort=f"{better}metric", others=("view", "step"))
    keys: dict[str, Any] = {
        "trial": lambda one: one.number,
        "state": lambda one: str(one.status),
        "metric": lambda one: one.metric,
        **{f"v.{name}": lambda one, name=name: _number(one.values.get(name, "")) for name in names},
    }
    rows = []
    for one in shown(found.trials, asked, keys=keys):
        look = look_of(one.status)
        best = " (best)" if one.number == found.best else ""
        log = url(request.url.path, {"step": step, "tab": "log", "trial": one.label})
        rows.append(
            (
                Cell(text=f"{one.number}{best}", href=log if step else ""),
                Cell(text=f"{look.sign} {one.status}", kind=kind_of(look.state)),
                Cell(text="" if one.metric is None else f"{one.metric:g}"),
                *(Cell(text=one.values.get(name, "")) for name in names),
                Cell(text=one.why),
            )
        )
    return Grid(
        name="trials-table", columns=columns, rows=rows, total=len(found.trials), asked=asked
    )


def _seen(job: JobRun, found: Trials | None) -> str:
    """Return a mark of what is shown of a sweep: charts that are the same are not drawn again."""
    told = b"" if found is None else msgspec.json.encode(found)
    return f"{crc32(told):08x}-{job.status}"


def _number(text: str) -> tuple[int, float, str]:
    """Return what a value is sorted by: numbers as such, before texts."""
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def _json(value: object) -> Response:
    return JSONResponse(value, headers=dict(HEADERS))
