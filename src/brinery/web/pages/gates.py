"""The pages of gates: what each asks of a version, in words, and what it decided lately."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.gate import explained
from brinery.actions.rooms import Rooms
from brinery.errors import NotFound
from brinery.specs import gates
from brinery.specs.gates import Gate
from brinery.web.pages.frame import Crumb, Frame

_TITLE: Final = "Gates"


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of gates."""
    pages = Gates(rooms, frame)
    return [Route("/gates", pages.all), Route("/gates/{name}", pages.one)]


class Gates:
    """Answers for the pages of gates.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def all(self, request: Request) -> Response:
        """Return the page of all gates that brinery.toml declares, and the default one."""
        return self._frame.page(
            request,
            "gates.html",
            title=_TITLE,
            section="loops",
            command="brinery gate show",
            gates=[explained(one) for one in self._declared().values()],
        )

    def one(self, request: Request) -> Response:
        """Return the page of a gate."""
        name = request.path_params["name"]
        found = self._declared().get(name)
        if found is None:
            # Never a file: a URL names a gate only.
            known = ", ".join(sorted(self._declared()))
            raise NotFound(
                f"there is no gate '{name}'", hint=f"there are {known}: brinery gate show"
            )
        return self._frame.page(
            request,
            "gate.html",
            title=f"The gate {name}",
            section="loops",
            command=f"brinery gate show {name}",
            crumbs=(Crumb(title=_TITLE, href="/gates"),),
            gate=explained(found),
        )

    def _declared(self) -> dict[str, Gate]:
        return {gates.DEFAULT: gates.BUILT_IN, **self._rooms.settings.gates}
