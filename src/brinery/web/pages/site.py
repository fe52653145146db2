"""All pages, under one application."""

from __future__ import annotations

import secrets
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.marks import marks_in
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.serve.problems import Problem, unexpected
from brinery.web.pages import comparisons, home, live, models, packages, promotion, version
from brinery.web.pages.assets import PREFIX as ASSETS
from brinery.web.pages.frame import Frame
from brinery.web.pages.live import Live
from brinery.web.pages.tasks import Tasks

_KEY_FILE: Final = "page.key"
_KEY_BYTES: Final = 32
_SMALL_BYTES: Final = 2000


def application(rooms: Rooms) -> Starlette:
    """Return the application that answers with pages.

    Args:
        rooms: of the workspace.
    """
    frame = Frame(secret=_secret(rooms.workspace.state), place=rooms.workspace.root.name)
    told = Live(partial(marks_in, rooms))
    tasks = Tasks()
    made = Starlette(
        # A stream of events is not held back: the middleware leaves it as it is.
        middleware=[Middleware(GZipMiddleware, minimum_size=_SMALL_BYTES, compresslevel=5)],
        routes=[
            Route(f"{ASSETS}/{{digest}}/{{name}}", frame.assets.answer),
            Route(live.PATH, told.stream),
            *home.routes(rooms, frame),
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
        told = error if isinstance(error, Problem) else unexpected()
        return self._frame.told(request, told.status, message=told.detail, hint=told.hint)

    def on_http(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        return self._frame.told(request, status, message=status.description)


def _secret(state: Path) -> bytes:
    """Return what forms are signed with, so that a page survives that the server starts again."""
    path = state / _KEY_FILE
    try:
        kept = path.read_bytes()
    except OSError:
        kept = b""
    if len(kept) == _KEY_BYTES:
        return kept
    made = secrets.token_bytes(_KEY_BYTES)
    state.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(made)
    return made
