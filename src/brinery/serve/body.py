"""The body of a request: read within a limit and a time, and where it is refused, drained.

A client that still sends does not listen. Were the connection closed at once it would see a broken
pipe and never the answer, so what is refused is read on for a while, and dropped. A client that
sends and stops is not waited for without end.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from time import monotonic

from brinery.serve.problems import Problem
from brinery.serve.rsgi import Exchange, RequestHeaders

_DRAIN_BYTES = 256_000_000
_DRAIN_S = 5.0
_SWEEP_S = 0.25


class Patience:
    """Ends the reading of bodies that are not there in time.

    One timer looks after all of them: a timer for each would cost as much as a small answer.

    Args:
        time_s: how long a body may take.
    """

    def __init__(self, time_s: float) -> None:
        self._time_s = time_s
        self._reading: dict[asyncio.Task[None], float] = {}
        self._given_up: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> bool:
        """Return whether a body is being read."""
        return bool(self._reading)

    def begin(self) -> asyncio.Task[None]:
        """Note that the present task reads a body; returns it, for `end`."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()  # kept: to ask costs a system call
        task = current_task(loop)
        if task is None:
            raise RuntimeError("no task reads")
        self._reading[task] = monotonic() + self._time_s
        if self._timer is None:
            self._timer = loop.call_later(_SWEEP_S, self._sweep, loop)
        return task

    def end(self, task: asyncio.Task[None]) -> bool:
        """Note that a task reads no longer; returns whether it was given up."""
        self._reading.pop(task, None)
        if not self._given_up or task not in self._given_up:
            return False
        self._given_up.discard(task)
        task.uncancel()
        return True

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = monotonic()
        for task, end in list(self._reading.items()):
            if end > now:
                break  # they lie in the order in which they began
            del self._reading[task]
            self._given_up.add(task)
            task.cancel()
        self._timer = loop.call_later(_SWEEP_S, self._sweep, loop) if self._reading else None


async def read(
    headers: RequestHeaders, exchange: Exchange, *, limit: int, patience: Patience
) -> bytes:
    """Return the whole body of a request.

    Args:
        headers: of the request.
        exchange: gives the body.
        limit: of its size, in bytes.
        patience: ends what takes too long.

    Raises:
        Problem: 413 where it is larger than the limit, before it is read if it says so; 400 where
            the client is gone; 408 where it takes too long.
    """
    length = _length(headers)
    if length is not None and length > limit:
        raise _too_large(limit)
    task = patience.begin()
    try:
        return await exchange() if length is not None else await _parts(exchange, limit)
    except asyncio.CancelledError:
        if patience.end(task):
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", "the body did not come in time"
            ) from None
        raise
    except RuntimeError:  # what Granian raises when a transport is closed
        raise Problem(HTTPStatus.BAD_REQUEST, "disconnected", "the client is gone") from None
    finally:
        patience.end(task)


async def drain(headers: RequestHeaders, exchange: Exchange) -> None:
    """Read what is left of a body and drop it, within bounds; nothing where the client waits."""
    vast = (_length(headers) or 0) > _DRAIN_BYTES
    if vast or headers.get("expect", "").lower() == "100-continue":
        return
    drained = 0
    with suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(_DRAIN_S):
            async for part in _each(exchange):
                drained += len(part)
                if drained > _DRAIN_BYTES:
                    break


def _length(headers: RequestHeaders) -> int | None:
    """Return how long a body says that it is; None where it does not."""
    stated = headers.get("content-length", "")
    return int(stated) if stated.isdecimal() else None


async def _parts(exchange: Exchange, limit: int) -> bytes:
    """Return a body that does not say how long it is; one that is too long is read on, dropped."""
    parts = []
    size = 0
    async for part in _each(exchange):
        size += len(part)
        if size <= limit:
            parts.append(part)
        else:
            parts.clear()
            if size > limit + _DRAIN_BYTES:
                break
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


async def _each(exchange: Exchange) -> AsyncIterator[bytes]:
    async for part in exchange:
        yield bytes(part)


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body is larger than {limit / 1e6:g} MB",
        hint="send fewer rows at a time, or score the file with brinery predict",
    )
