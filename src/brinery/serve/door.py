"""Who is let in, where a server asks for a key: by a header, or by a browser's cookie.

What is compared are digests, each with each, so that the time it takes tells nothing of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from brinery.serve.problems import Problem
from brinery.serve.rsgi import Scope

COOKIE: Final = "brinery_key"
LOGIN: Final = "/login"

_OPEN: Final = frozenset({"/health", "/ping", "/ready", LOGIN})
_ASSETS: Final = "/assets/"
_BEARER: Final = "bearer "
_SESSION: Final = b"session "
_INNER: Final = b"inner"
# Who gives a wrong key waits; so many at a time, and more are told to come again.
_WAIT_S: Final = 1.0
_MOST_WAITING: Final = 64


class Door:
    """Lets in who gives a key.

    Args:
        secret: that a browser's sessions are signed with, and that our own processes know.

    Attributes:
        closed: whether a key is asked for.
    """

    def __init__(self, secret: str = "") -> None:
        self._secret = bytes.fromhex(secret)
        self._digests: tuple[bytes, ...] = ()
        self._sessions: tuple[bytes, ...] = ()
        self._waiting = 0
        self.closed = False

    def change(self, digests: Iterable[str] | None) -> None:
        """Ask for one of these keys from now on; for none where None."""
        self.closed = digests is not None
        known = tuple(digests or ())
        inner = (_hashed(inner_key(self._secret)),) if self._secret else ()
        self._digests = (*(one.encode() for one in known), *inner)
        self._sessions = tuple(session(self._secret, one).encode() for one in known)

    def admits(self, scope: Scope) -> bool:
        """Return whether a request gives a key, or asks for what is open to all."""
        path = scope.path
        if path in _OPEN or path.startswith(_ASSETS):
            return True
        key = _given(scope)
        if key:
            return _is_one(_hashed(key), self._digests)
        told = _cookie(scope.headers.get("cookie", ""))
        return bool(told) and _is_one(told.encode(), self._sessions)

    async def turn_away(self, scope: Scope) -> str:
        """Return where a browser is sent that gave no key; a wrong one takes a while.

        Raises:
            Problem: 401 where no person asks for a page, 429 where many try keys.
        """
        if _given(scope):
            if self._waiting >= _MOST_WAITING:
                raise Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "too-many-wrong-keys",
                    "too many wrong keys are being given",
                    retry_after_s=5,
                )
            self._waiting += 1
            try:
                await asyncio.sleep(_WAIT_S)
            finally:
                self._waiting -= 1
            raise _refused("wrong-key", "this key is not known here")
        if scope.method == "GET" and "text/html" in scope.headers.get("accept", ""):
            query = f"?{scope.query_string}" if scope.query_string else ""
            return f"{LOGIN}?next={quote(scope.path + query, safe='')}"
        raise _refused("key-needed", "this server asks for a key")


def session(secret: bytes, digest: str) -> str:
    """Return what a browser keeps that gave a key: useless once that key is deleted."""
    return hmac.new(secret, _SESSION + digest.encode(), hashlib.sha256).hexdigest()


def inner_key(secret: bytes) -> str:
    """Return the key of our own processes."""
    return hmac.new(secret, _INNER, hashlib.sha256).hexdigest()


def _given(scope: Scope) -> str:
    """Return the key of a request's header; empty where there is none."""
    told = scope.headers.get("authorization", "")
    return told[len(_BEARER) :].strip() if told[: len(_BEARER)].lower() == _BEARER else ""


def _hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()


def _is_one(given: bytes, known: tuple[bytes, ...]) -> bool:
    return sum(hmac.compare_digest(given, one) for one in known) > 0


def _cookie(header: str) -> str:
    """Return the session of a request's cookies; empty where there is none."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value if value.isascii() else ""
    return ""


def _refused(code: str, detail: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        code,
        detail,
        hint="send `Authorization: Bearer KEY` (MLFLOW_TRACKING_TOKEN=KEY for MLflow's clients), "
        f"or give it at {LOGIN}; brinery key create, on the server's machine, makes one",
        headers={"www-authenticate": 'Bearer realm="brinery"'},
    )
