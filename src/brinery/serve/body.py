"""The body of a request: read within a limit, and where it is refused, drained.

A client that still sends does not listen. Were the connection closed at once it would see a broken
pipe and never the answer, so what is refused is read on for a while, and dropped.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

from starlette.types import Receive, Scope

from brinery.serve.problems import Problem

_DRAIN_BYTES = 256_000_000
_DRAIN_S = 5.0


class Body:
    """The body of one request.

    Args:
        scope: of the request.
        receive: gives its parts.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        length = header(scope, b"content-length")
        self._length = int(length) if length.isdigit() else 0
        self._waits = header(scope, b"expect").lower() == b"100-continue"
        self._receive = receive
        self._more = True

    async def read(self, limit: int) -> bytes:
        """Return the whole of it.

        Raises:
            Problem: 413 where it is larger than the limit, before it is read if it says so; 400
                where the client is gone.
        """
        if self._length > limit:
            raise _too_large(limit)
        self._waits = False
        parts = []
        size = 0
        while self._more:
            part = await self._part()
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def drain(self) -> None:
        """Read what is left and drop it, within bounds; nothing where the client waits."""
        if self._waits or self._length > _DRAIN_BYTES:
            return
        drained = 0
        with suppress(TimeoutError, Problem):
            async with asyncio.timeout(_DRAIN_S):
                while self._more and drained < _DRAIN_BYTES:
                    drained += len(await self._part())

    async def _part(self) -> bytes:
        message = await self._receive()
        self._more = message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise Problem(HTTPStatus.BAD_REQUEST, "disconnected", "the client is gone")
        part: bytes = message.get("body", b"")
        return part


def header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a request's header, or nothing."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body is larger than {limit / 1e6:g} MB",
        hint="send fewer rows at a time, or score the file with brinery predict",
    )
