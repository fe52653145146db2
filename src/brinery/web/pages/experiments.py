"""The pages of experiments and their runs: searched, sorted, drawn, and one run whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.experiments import experiments_in, run_story, search_in
from brinery.actions.rooms import Rooms
from brinery.charts import runs as drawn
from brinery.charts import words
from brinery.charts.runs import METRIC, PARAM
from brinery.errors import InvalidFilter
from brinery.records.figure import Figure
from brinery.records.run import Experiment, FoundRun
from brinery.web.pages import grids
from brinery.web.pages.frame import Crumb, Frame
from brinery.web.pages.grids import Asked, Cell, Column, Grid

_SECTION: Final = "experiments"
_VIEWS: Final = ("table", "scatter", "parallel")
_KINDS: Final = {"FINISHED": "good", "FAILED": "bad", "KILLED": "bad", "RUNNING": "warning"}
_ALL: Final = (
    Column(name="name", title="Experiment"),
    Column(name="updated", title="Changed"),
)
_FIXED: Final = (
    Column(name="started", title="Started"),
    Column(name="name", title="Run"),
    Column(name="status", title="Status"),
    Column(name="duration", title="Took", number=True, sortable=False),
)
_ORDERS: Final = {
    "started": "attributes.start_time",
    "name": "attributes.run_name",
    "status": "attributes.status",
}
_EXPERIMENT_ORDERS: Final = {"name": "name", "updated": "last_update_time"}
_CHOSEN: Final = 6
_MOST_CHOSEN: Final = 24
_DRAWN: Final = 500
_NO_EXPERIMENT: Final = (
    "Nothing was logged yet. Point MLflow at this server, and every run appears here: "
    "`export MLFLOW_TRACKING_URI=http://localhost:5001`"
)
_NO_RUN: Final = "This experiment has no run yet: `brinery run script.py`"


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of experiments and runs."""
    pages = Experiments(rooms, frame)
    return [
        Route("/experiments", pages.all),
        Route("/experiments/{id}", pages.one),
        Route("/runs/{id}", pages.run),
    ]


class Experiments:
    """Answers for the pages of experiments and runs.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def all(self, request: Request) -> Response:
        """Return the page of all experiments."""
        asked = grids.asked_of(request, _ALL, sort="-updated")

        def some(offset: int, most: int) -> list[Experiment]:
            order = f"{_EXPERIMENT_ORDERS[asked.sort]} {_way(asked)}"
            return experiments_in(
                self._rooms, text=asked.search, order=order, offset=offset, most=most
            )

        csv = grids.wants_csv(request)
        found = [] if csv else some(asked.offset, asked.per_page + 1)
        grid = Grid(
            name="experiments",
            columns=_ALL,
            rows=[_experiment_row(one) for one in found[: asked.per_page]],
            total=asked.offset + len(found),
            open_ended=len(found) > asked.per_page,
            asked=asked,
            empty=_NO_EXPERIMENT,
        )
        if csv:
            every = grids.fetched(some, key=lambda one: one.id)
            return grids.as_csv(grid, map(_experiment_row, every))
        return self._frame.page(
            request,
            "experiments.html",
            title="Experiments",
            section=_SECTION,
            command="mlflow experiments search",
            grid=grid,
        )

    def one(self, request: Request) -> Response:
        """Return the page of an experiment: its runs as a table, or drawn."""
        search = search_in(self._rooms)
        experiment = search.experiment(request.path_params["id"])
        view = request.query_params.get("view", _VIEWS[0])
        asked = _asked(request)
        csv = grids.wants_csv(request)
        whole = csv or view != _VIEWS[0]

        def some(offset: int, most: int) -> list[FoundRun]:
            return search.runs(
                [experiment.id], text=asked.search, order=_order(asked), offset=offset, most=most
            )

        refused, found = "", []
        try:
            found = some(0, _DRAWN) if whole else some(asked.offset, asked.per_page + 1)
        except InvalidFilter as error:
            if csv:
                raise
            refused = f"{error.message} ({error.hint})"
        known = _known(found)
        chosen = _chosen(request, asked, known)
        grid = _runs_grid(found, asked, chosen)
        if csv:
            every = grids.fetched(some, key=lambda run: run.id)
            return grids.as_csv(grid, (_run_row(run, chosen) for run in every))
        x, y = _axes(request, known)
        return self._frame.page(
            request,
            "runs.html",
            title=experiment.name,
            section=_SECTION,
            command=f"mlflow runs list --experiment-id {experiment.id}",
            crumbs=(Crumb(title="Experiments", href="/experiments"),),
            experiment=experiment,
            grid=grid,
            refused=refused,
            view=view if view in _VIEWS else _VIEWS[0],
            views=[(one, _view_url(request, one)) for one in _VIEWS],
            known=[(name, drawn.named(name), name.startswith(METRIC)) for name in known],
            chosen=chosen,
            x=x,
            y=y,
            figure=_figure(found, view, chosen=chosen, axes=(x, y)),
            mlflow=f"/mlflow/#/experiments/{quote(experiment.id)}",
        )

    def run(self, request: Request) -> Response:
        """Return the page of a run."""
        story = run_story(self._rooms, request.path_params["id"])
        run, experiment = story.run, story.experiment
        return self._frame.page(
            request,
            "run.html",
            title=run.name or run.id,
            section=_SECTION,
            command=f"mlflow runs describe --run-id {run.id}",
            crumbs=(
                Crumb(title="Experiments", href="/experiments"),
                Crumb(title=experiment.name, href=f"/experiments/{quote(experiment.id)}"),
            ),
            run=run,
            kind=_KINDS.get(run.status, ""),
            took=_took(run),
            metrics=[(n, words.number(value)) for n, value in sorted(run.metrics.items())],
            params=sorted(run.params.items()),
            tags=sorted((n, v) for n, v in run.tags.items() if not n.startswith("mlflow.")),
            models=[
                (name, uri, f"/import?{urlencode({'path': uri, 'name': _model_name(name)})}")
                for name, uri in story.models.items()
            ],
            figures_drawn=drawn.curves(story.curves),
            children=[(one, _KINDS.get(one.status, ""), _took(one)) for one in story.children],
            mlflow=f"/mlflow/#/experiments/{quote(experiment.id)}/runs/{quote(run.id)}",
        )


def _experiment_row(one: Experiment) -> list[Cell]:
    return [
        Cell(text=one.name, href=f"/experiments/{quote(one.id)}"),
        grids.moment(one.updated),
    ]


def _asked(request: Request) -> Asked:
    """Return what the URL asks of the table of runs; it may be sorted by any figure."""
    told = request.query_params.get("sort", "-started").removeprefix("-")
    free = [Column(name=told, title=told)] if told.startswith((METRIC, PARAM)) else []
    return grids.asked_of(
        request, (*_FIXED, *free), sort="-started", others=("columns", "view", "x", "y")
    )


def _order(asked: Asked) -> str:
    if asked.sort in _ORDERS:
        return f"{_ORDERS[asked.sort]} {_way(asked)}"
    kind = "metrics" if asked.sort.startswith(METRIC) else "params"
    return f"{kind}.`{drawn.named(asked.sort).replace('`', '')}` {_way(asked)}"


def _way(asked: Asked) -> str:
    return "DESC" if asked.descending else "ASC"


def _known(runs: Sequence[FoundRun]) -> list[str]:
    """Return the names of all figures of runs: those that most of them have first."""
    counts: dict[str, int] = {}
    for run in runs:
        for name in (*(METRIC + one for one in run.metrics), *(PARAM + one for one in run.params)):
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (name.startswith(PARAM), -counts[name], name))


def _chosen(request: Request, asked: Asked, known: Sequence[str]) -> list[str]:
    """Return the figures that are columns: those that were ticked, or the commonest."""
    ticked = request.query_params.getlist("column") or asked.others.get("columns", "").split(",")
    told = [name for name in ticked if name.startswith((METRIC, PARAM))][:_MOST_CHOSEN]
    if not told:
        metrics = [name for name in known if name.startswith(METRIC)]
        params = [name for name in known if name.startswith(PARAM)]
        told = [*metrics[: _CHOSEN // 2], *params[: _CHOSEN // 2]]
    if asked.sort.startswith((METRIC, PARAM)) and asked.sort not in told:
        told.append(asked.sort)
    return told


def _runs_grid(found: Sequence[FoundRun], asked: Asked, chosen: Sequence[str]) -> Grid:
    others = {**asked.others, "columns": ",".join(chosen)}
    return Grid(
        name="runs",
        columns=(
            *_FIXED,
            *(
                Column(name=name, title=drawn.named(name), number=name.startswith(METRIC))
                for name in chosen
            ),
        ),
        rows=[_run_row(run, chosen) for run in found[: asked.per_page]],
        total=asked.offset + len(found),
        open_ended=len(found) > asked.per_page,
        asked=replace(asked, others=others),
        empty=_NO_RUN,
    )


def _run_row(run: FoundRun, chosen: Sequence[str]) -> list[Cell]:
    return [
        grids.moment(run.started),
        Cell(text=run.name or run.id[:12], href=f"/runs/{quote(run.id)}"),
        Cell(text=run.status.lower(), kind=_KINDS.get(run.status, "")),
        Cell(text=_took(run)),
        *(_figure_cell(run, name) for name in chosen),
    ]


def _figure_cell(run: FoundRun, name: str) -> Cell:
    if name.startswith(METRIC):
        value = run.metrics.get(drawn.named(name))
        return Cell(text=words.number(value), plain="" if value is None else repr(value))
    told = run.params.get(drawn.named(name), "")
    short = words.cut(told)
    return Cell(text=short, title=told if len(told) > len(short) else "", plain=told)


def _axes(request: Request, known: Sequence[str]) -> tuple[str, str]:
    """Return what a scatter is drawn over, and of what: as the URL says, or the commonest."""
    query = request.query_params
    params = [name for name in known if name.startswith(PARAM)]
    metrics = [name for name in known if name.startswith(METRIC)]
    x = query.get("x", "")
    y = query.get("y", "")
    return (
        x if x in known else next(iter((*params, *metrics[1:], *metrics)), ""),
        y if y in known else next(iter(metrics), ""),
    )


def _figure(
    found: Sequence[FoundRun], view: str, *, chosen: Sequence[str], axes: tuple[str, str]
) -> Figure | None:
    x, y = axes
    if not (x and y):
        return None
    match view:
        case "scatter":
            return drawn.scatter(found, x, y=y)
        case "parallel":
            return drawn.parallel(found, sorted(chosen, key=lambda n: n.startswith(METRIC)), by=y)
        case _:
            return None


def _view_url(request: Request, view: str) -> str:
    told = {n: v for n, v in request.query_params.items() if n not in ("view", "page", "format")}
    return f"?{urlencode({**told, 'view': view})}"


def _took(run: FoundRun) -> str:
    return words.duration(None if run.ended is None else (run.ended - run.started).total_seconds())


def _model_name(logged: str) -> str:
    """Return a name that a model may be registered under, from what a run called it."""
    kept = "".join(each if each.isalnum() or each in "-_" else "-" for each in logged).strip("-_")
    return kept or "model"
