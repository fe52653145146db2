"""Datasets and folders: what there is, and of a dataset its rows, columns, versions and uses."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.data_details import (
    LOOKED_AT,
    column_profiles,
    project_rooms_in,
    sample,
    uses_of,
)
from brinery.actions.datasets import dataset, datasets
from brinery.actions.folders import folders
from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.projects import projects
from brinery.actions.rooms import Rooms
from brinery.charts.column_profiles import profile_figures
from brinery.charts.column_profiles import shown as value_of
from brinery.charts.words import number, percent, size
from brinery.records.column_profile import ColumnProfile
from brinery.records.dataset import Dataset
from brinery.records.flow import ItemKind
from brinery.web.pages.flow import SECTION
from brinery.web.pages.frame import Crumb, Frame
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
from brinery.web.pages.tokens import url

CRUMBS: Final = (Crumb(title="Flow", href="/flow"), Crumb(title="Data", href="/datasets"))
_COLUMNS: Final = (
    Column(name="name", title="Dataset"),
    Column(name="project", title="Project"),
    Column(name="rows", title="Rows", number=True),
    Column(name="columns", title="Columns", number=True),
    Column(name="size", title="Size", number=True),
    Column(name="format", title="Format"),
    Column(name="version", title="Version"),
    Column(name="written", title="Written"),
)
_KEYS: Final = {
    "name": lambda one: one.name.lower(),
    "project": lambda one: one.project,
    "rows": lambda one: one.content.rows if one.content else None,
    "columns": lambda one: len(one.columns),
    "size": lambda one: one.content.size_bytes if one.content else None,
    "format": lambda one: str(one.format),
    "version": lambda one: one.current,
    "written": lambda one: one.content.created if one.content else one.created,
}
_TABS: Final = (
    ("rows", "Rows"),
    ("columns", "Columns"),
    ("versions", "Versions"),
    ("used", "Where used"),
)
_PER_PAGE: Final = 50
_EMPTY: Final = "There is no dataset yet: `brinery dataset create NAME --path FILE`"
_KEPT: Final = 32


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of datasets."""
    pages = DatasetPages(rooms, frame)
    return [Route("/datasets", pages.all), Route("/datasets/{name}", pages.one)]


class DatasetPages:
    """Answers for datasets.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._workspace = rooms
        self._frame = frame
        self._profiles: dict[tuple[str, str], tuple[ColumnProfile, ...]] = {}
        self._lock = Lock()

    @cached_property
    def _rooms(self) -> ProjectRooms:
        return project_rooms_in(self._workspace)

    def all(self, request: Request) -> Response:
        """Return the page of all datasets and folders, or its table as CSV."""
        keys = [one.name for one in projects(self._rooms)]
        asked = asked_of(request, _COLUMNS, sort="name")
        words = asked.search.lower().split()
        found = [
            one
            for key in keys
            for one in datasets(self._rooms, key)
            if all(word in f"{one.full_name} {one.description}".lower() for word in words)
        ]
        grid = Grid(
            name="datasets",
            columns=_COLUMNS,
            rows=Made(shown(found, asked, keys=_KEYS), lambda some: map(_row, some)),
            total=len(found),
            asked=asked,
            empty=_EMPTY,
        )
        if wants_csv(request):
            return as_csv(grid)
        return self._frame.page(
            request,
            "datasets.html",
            title="Data",
            section=SECTION,
            command="brinery dataset list",
            crumbs=CRUMBS[:1],
            grid=grid,
            folders=[
                (f"/folders/{one.project}.{one.id}", one)
                for key in keys
                for one in folders(self._rooms, key)
            ],
        )

    def one(self, request: Request) -> Response:
        """Return the page of a dataset."""
        found = dataset(self._rooms, request.path_params["name"])
        path = request.url.path
        query = request.query_params
        tab = query.get("tab", "")
        tab = tab if tab in {name for name, _ in _TABS} else "rows"
        content = found.content
        return self._frame.page(
            request,
            "dataset.html",
            title=found.name,
            section=SECTION,
            command=f"brinery dataset {'head' if tab == 'rows' else 'show'} {found.full_name}",
            crumbs=CRUMBS,
            dataset=found,
            rows=f"{content.rows:,}" if content and content.rows is not None else "not counted",
            held=size(content.size_bytes) if content else "elsewhere",
            written=content.created if content else found.created,
            tab=tab,
            tabs=[(url(path, {"tab": one}), title, one == tab) for one, title in _TABS],
            **self._of(tab, found, path=path, asked=query.get("page", "")),
        )

    def _of(self, tab: str, found: Dataset, *, path: str, asked: str) -> dict[str, Any]:
        """Return what a tab shows."""
        told: dict[str, Any] = {"figures_of": ()}
        if tab == "rows":
            page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1  # noqa: PLR2004 - so many pages are browsed
            page = max(page, 1)
            some = sample(self._rooms, found, offset=(page - 1) * _PER_PAGE, count=_PER_PAGE)
            told |= {
                "sample": some,
                "first": (page - 1) * _PER_PAGE + 1,
                "before": url(path, {"page": str(page - 1)}) if page > 1 else "",
                "after": url(path, {"page": str(page + 1)}) if some.more else "",
            }
        elif tab == "columns":
            profiles = self._profiled(found)
            told |= {
                "profiles": [(one, _facts(one)) for one in profiles],
                "types": {one.name: (str(one.type), one.comment) for one in found.columns},
                "figures_of": profile_figures(profiles),
                "looked_at": LOOKED_AT,
            }
        elif tab == "used":
            told["uses"] = uses_of(
                self._rooms, ItemKind.DATASET, project=found.project, name=found.name
            )
        return told

    def _profiled(self, found: Dataset) -> tuple[ColumnProfile, ...]:
        """Return figures of columns, which are kept for a version whose rows cannot change."""
        key = (found.full_name, found.current)
        with self._lock:
            known = self._profiles.get(key) if found.current else None
        if known is None:
            known = column_profiles(self._rooms, found)
            with self._lock:
                while len(self._profiles) >= _KEPT:
                    self._profiles.pop(next(iter(self._profiles)))
                self._profiles[key] = known
        return known


def _row(one: Dataset) -> tuple[Cell, ...]:
    content = one.content
    written = content.created if content else one.created
    return (
        Cell(text=one.name, href=f"/datasets/{one.full_name}", title=one.description),
        Cell(text=one.project),
        Cell(text=f"{content.rows:,}" if content and content.rows is not None else ""),
        Cell(text=f"{len(one.columns):,}"),
        Cell(text=size(content.size_bytes) if content else ""),
        Cell(text=str(one.format) + (" (external)" if one.external else "")),
        Cell(text=one.current, kind="code"),
        moment(written),
    )


def _facts(one: ColumnProfile) -> tuple[str, ...]:
    """Return the cells of a column: missing, different, least, mean, median, greatest, SD."""
    return (
        percent(one.missing / one.rows) if one.rows else "",
        f"{one.distinct:,}" if one.distinct is not None else "",
        value_of(one, one.low) if one.low is not None else "",
        number(one.mean) if one.mean is not None else "",
        number(one.median) if one.median is not None else "",
        value_of(one, one.high) if one.high is not None else "",
        number(one.std) if one.std is not None else "",
    )
