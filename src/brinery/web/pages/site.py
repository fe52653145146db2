"""All pages, under one application."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.keys import page_secret
from brinery.actions.marks import marks_in
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.serve.problems import Problem, unexpected
from brinery.serve.traffic import Watched
from brinery.store.tasks import TaskJournals
from brinery.web.pages import (
    audit,
    comparisons,
    datasets,
    endpoints,
    experiments,
    flow,
    folders,
    gates,
    home,
    imports,
    job,
    jobs,
    login,
    loops,
    models,
    packages,
    promotion,
    settings,
    step,
    version,
)
from brinery.web.pages.assets import PREFIX as ASSETS
from brinery.web.pages.frame import Frame
from brinery.web.pages.live import PATH as LIVE
from brinery.web.pages.live import Live
from brinery.web.pages.tasks import Tasks

_SMALL_BYTES: Final = 2000


def application(
    rooms: Rooms,
    *,
    live: Live | None = None,
    watched: Watched | None = None,
    key_file: str = "",
) -> Starlette:
    """Return the application that answers with pages.

    Args:
        rooms: of the workspace.
        live: tells open pages what changed; made here when None.
        watched: the counters of the server in front; none are known when None.
        key_file: path of a file with keys; empty where there is none.
    """
    watched = watched or Watched()
    told = live or live_of(rooms)
    frame = Frame(secret=page_secret(rooms), place=rooms.workspace.root.name, since=told.since)
    tasks = Tasks(TaskJournals(rooms.workspace.tasks))
    made = Starlette(
        # A stream of events is not held back: the middleware leaves it as it is.
        middleware=[Middleware(GZipMiddleware, minimum_size=_SMALL_BYTES, compresslevel=5)],
        routes=[
            Route(f"{ASSETS}/{{digest}}/{{name}}", frame.assets.answer),
            Route(LIVE, told.stream),
            *home.routes(rooms, frame, watched=watched),
            *audit.routes(rooms, frame),
            *imports.routes(rooms, frame),
            *endpoints.routes(rooms, frame, watched=watched),
            *experiments.routes(rooms, frame),
            *jobs.routes(rooms, frame),
            *step.routes(rooms, frame),
            *job.routes(rooms, frame),
            *flow.routes(rooms, frame),
            *datasets.routes(rooms, frame),
            *folders.routes(rooms, frame),
            *loops.routes(rooms, frame),
            *gates.routes(rooms, frame),
            *settings.routes(rooms, frame, key_file=key_file),
            *login.routes(rooms, frame, key_file=key_file),
            *models.routes(rooms, frame),
            *version.routes(rooms, frame),
            *promotion.routes(rooms, frame, tasks=tasks),
            *packages.routes(rooms, frame, tasks=tasks),
            *comparisons.routes(rooms, frame, tasks=tasks),
        ],
        exception_handlers={
            BrineryError: _Refusing(frame).on_error,
            Problem: _Refusing(frame).on_problem,
            HTTPException: _Refusing(frame).on_http,
            Exception: _Refusing(frame).on_error,
        },
    )
    made.router.redirect_slashes = False
    return made


def live_of(rooms: Rooms) -> Live:
    """Return what tells open pages what changed in a workspace."""
    return Live(partial(marks_in, rooms))


class _Refusing:
    """Says in a page what was refused.

    Args:
        frame: of all pages.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def on_error(self, request: Request, error: Exception) -> Response:
        """Answer a request whose action refused, or whose page has a fault of ours."""
        if isinstance(error, BrineryError):
            return self._frame.refusal(request, error)
        return self.on_problem(request, error)

    def on_problem(self, request: Request, error: Exception) -> Response:
        """Answer a request that was refused before any action."""
        told = error if isinstance(error, Problem) else unexpected(error)
        return self._frame.told(request, told.status, message=told.detail, hint=told.hint)

    def on_http(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        return self._frame.told(request, status, message=status.description)
