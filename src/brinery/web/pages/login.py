"""Login: a browser gives a key once, and keeps a session that is worth no more than that key."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions import keys
from brinery.actions.rooms import Rooms
from brinery.serve.door import COOKIE, LOGIN, session
from brinery.web.pages.frame import Frame, moved

_WRONG_S: Final = 1.0
_KEPT_S: Final = 30 * 86_400
_LONGEST: Final = 2000


def routes(rooms: Rooms, frame: Frame, *, key_file: str = "") -> list[Route]:
    """Return the routes of the login."""
    login = Login(rooms, frame, key_file=key_file)
    return [
        Route(LOGIN, login.page, methods=["GET"]),
        Route(LOGIN, login.sent, methods=["POST"]),
    ]


class Login:
    """Answers for the login.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        key_file: path of a file with keys; empty where there is none.
    """

    def __init__(self, rooms: Rooms, frame: Frame, *, key_file: str) -> None:
        self._rooms = rooms
        self._frame = frame
        self._key_file = key_file

    def page(self, request: Request) -> Response:
        """Return the page."""
        return self._page(request, following=_following(request.query_params.get("next", "")))

    async def sent(self, request: Request) -> Response:
        """Let a browser in that gave a key, or out where it wants that."""
        fields = await self._frame.form(request)
        if "out" in fields:
            answer = moved(LOGIN)
            answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
            return answer
        key, following = fields.get("key", "").strip(), _following(fields.get("next", ""))
        digests = await run_in_threadpool(keys.known_digests, self._rooms, self._key_file)
        if not keys.fits(key, digests):
            await asyncio.sleep(_WRONG_S)  # whoever tries many keys tries few
            return self._page(request, following=following, wrong=True)
        answer = moved(following)
        answer.set_cookie(
            COOKIE,
            session(keys.page_secret(self._rooms), keys.digest(key)),
            max_age=_KEPT_S,
            httponly=True,
            samesite="strict",
            secure=request.headers.get("x-forwarded-proto", "") == "https",
            path="/",
        )
        return answer

    def _page(self, request: Request, *, following: str, wrong: bool = False) -> Response:
        return self._frame.page(
            request,
            "login.html",
            title="Log in",
            command="brinery key create",
            status=HTTPStatus.UNAUTHORIZED if wrong else HTTPStatus.OK,
            following=following,
            wrong=wrong,
        )


def _following(path: str) -> str:
    """Return where to look after the login: a path of this server, whatever was asked."""
    if path.startswith("/") and not path.startswith(("//", "/\\")) and len(path) < _LONGEST:
        return path if path.isprintable() else "/"
    return "/"
