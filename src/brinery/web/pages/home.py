"""The first page: what is in production, what needs attention, what happened."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.rooms import Rooms
from brinery.web.pages.frame import Frame


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of the first page."""
    home = Home(rooms, frame)
    return [Route("/", home.page)]


class Home:
    """Answers for the first page.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def page(self, request: Request) -> Response:
        """Return the page."""
        return self._frame.page(request, "home.html", title="Home", command="brinery model list")
