"""Who sent a form: a page of ours, in this browser, or a page of another site in the user's name.

A page carries a token, made of the browser's session by a secret of this server; a form that does
not bring it back does nothing. That is beside what the server in front checks of `Origin`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from brinery.serve.problems import Problem

FIELD: Final = "token"
HEADER: Final = "x-brinery-token"

_COOKIE: Final = "brinery_session"
_MOST_BYTES: Final = 262_144
_FORM: Final = "application/x-www-form-urlencoded"
_SESSION_BYTES: Final = 16
_STATE: Final = "brinery_session"


def session_of(request: Request) -> str:
    """Return the browser's session; a new one where it has none."""
    known = request.cookies.get(_COOKIE, "")
    if len(known) == 2 * _SESSION_BYTES and known.isalnum():
        return known
    return str(request.scope.setdefault(_STATE, secrets.token_hex(_SESSION_BYTES)))


def keep(answer: Response, request: Request, *, session: str) -> None:
    """Have the browser keep its session, if it does not yet."""
    if request.cookies.get(_COOKIE) != session:
        answer.set_cookie(_COOKIE, session, httponly=True, samesite="strict", path="/")


def token(secret: bytes, session: str) -> str:
    """Return what the forms of a session carry."""
    return hmac.new(secret, session.encode(), sha256).hexdigest()


def check(request: Request, secret: bytes, *, told: str) -> None:
    """Check what a form, or a header of a request of htmx, brought back.

    Raises:
        Problem: 403 where it is not what this browser's session was given.
    """
    expected = token(secret, request.cookies.get(_COOKIE, ""))
    if not hmac.compare_digest(expected.encode(), told.encode()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "no-token",
            "this form is not from a page of this server, or the page was open for too long",
            hint="reload the page, and send it again",
        )


async def form(request: Request, secret: bytes) -> dict[str, str]:
    """Return the fields of a form of our own page; of a field told twice, the last.

    Raises:
        Problem: 403 where another page's may have sent it, 413 where it is large, 415 where it is
            no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-a-form", "what is to be done is said by a form"
        )
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "the form is over 256 kB"
            )
    text = bytes(content).decode("utf-8", errors="replace")
    told = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    check(request, secret, told=told.pop(FIELD, "") or request.headers.get(HEADER, ""))
    return told


def url(path: str, query: Mapping[str, str]) -> str:
    """Return a path with a query; what is empty is left out."""
    told = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{told}" if told else path
