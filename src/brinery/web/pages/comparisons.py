"""Compare: two versions or more on the same rows; how far they differ, how surely, and where."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.compare import CompareAsked, compare_steps
from brinery.actions.outline import decisions_of, outlines_in
from brinery.actions.rooms import Rooms
from brinery.charts import comparison
from brinery.charts.page import Page
from brinery.records.comparison import Comparison
from brinery.records.version import Alias, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference
from brinery.web.pages import promotion
from brinery.web.pages.frame import Frame, figures
from brinery.web.pages.models import CHOICE, MODELS, path_of
from brinery.web.pages.tasks import Task, Tasks

_MOST: Final = 8
_KEPT: Final = 8
_LISTED: Final = 500


def routes(rooms: Rooms, frame: Frame, *, tasks: Tasks) -> list[Route]:
    """Return the route of comparisons."""
    return [Route("/compare", Comparisons(rooms, frame, tasks).page)]


class Comparisons:
    """Answers for comparisons.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        tasks: does what takes long.
    """

    def __init__(self, rooms: Rooms, frame: Frame, tasks: Tasks) -> None:
        self._rooms = rooms
        self._frame = frame
        self._tasks = tasks
        self._drawn: OrderedDict[str, tuple[Comparison, Page, Any]] = OrderedDict()
        self._lock = Lock()

    def page(self, request: Request) -> Response:
        """Return a comparison; it is made where it is asked for the first time."""
        asked = list(dict.fromkeys(request.query_params.getlist(CHOICE)))[:_MOST]
        references = [one for one in asked if one]
        if len(references) == 0:
            return self._choosing(request, chosen=[])
        versions = [resolve(self._rooms.registry, Reference.parse(one)) for one in references]
        if len(versions) == 1:
            return self._choosing(request, chosen=[versions[0].reference])
        names = [one.reference for one in versions]
        key = f"compare {' '.join(names)}"
        task = self._tasks.latest(key)
        if task is None or (request.query_params.get("again") and not task.runs):
            steps = compare_steps(self._rooms, _asked(names))
            task = self._tasks.begin(key, steps, command=_command(names))
        if not isinstance(task.result, Comparison):
            return self._following(request, names, task=task)
        return self._compared(request, versions, task=task)

    def _choosing(self, request: Request, *, chosen: list[str]) -> Response:
        """Return the page on which versions are chosen."""
        entries = [one for model in outlines_in(self._rooms) for one in model.versions]
        return self._frame.page(
            request,
            "compare.html",
            title="Compare",
            section="models",
            command="brinery compare VERSION VERSION",
            crumbs=(MODELS,),
            references=[one.reference for one in entries[:_LISTED]],
            names=chosen,
            task=None,
            compared=None,
        )

    def _following(self, request: Request, names: list[str], *, task: Task) -> Response:
        return self._frame.page(
            request,
            "compare.html",
            title="Compare",
            section="models",
            command=_command(names),
            crumbs=(MODELS,),
            references=[],
            names=names,
            task=task,
            compared=None,
        )

    def _compared(self, request: Request, versions: list[Version], *, task: Task) -> Response:
        record, page, drawn = self._page(task)
        names = [one.reference for one in versions]
        return self._frame.page(
            request,
            "compare.html",
            title=page.title,
            section="models",
            command=_command(names),
            crumbs=(MODELS,),
            references=[],
            names=names,
            task=task,
            compared=page,
            record=record,
            drawn=drawn,
            decisions=self._decisions(versions),
        )

    def _page(self, task: Task) -> tuple[Comparison, Page, Any]:
        """Return what is told of a comparison; it is drawn once."""
        with self._lock:
            found = self._drawn.get(task.id)
            if found is not None:
                return found
        record: Comparison = task.result
        page = comparison.page(record)
        made = (record, page, figures([one for each in page.sections for one in each.figures]))
        with self._lock:
            self._drawn[task.id] = made
            while len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
        return made

    def _decisions(self, versions: list[Version]) -> list[dict[str, Any]]:
        """Return what gates decided last on each but the champion, with where to promote it."""
        told = []
        for version in versions:
            if Alias.CHAMPION.value in version.aliases:
                continue
            kept = decisions_of(self._rooms, version.name).get(version.reference)
            told.append(
                {
                    "reference": version.reference,
                    "path": path_of(version.name, version.number),
                    "decision": None if kept is None else promotion.told(kept.decision),
                }
            )
        return told


def _asked(names: list[str]) -> CompareAsked:
    return CompareAsked(references=tuple(names))


def _command(names: list[str]) -> str:
    return f"brinery compare {' '.join(names)}"
