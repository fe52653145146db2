"""What changed, told to every open page within two seconds, whoever changed it.

The page reads the store, never the memory of who works: a mark of each subject is looked at again
and again, and its name is told when it moved. The page then asks for the part of it that shows the
subject. It says since when it listens, so that what moved after it was made and before it listened,
or while its stream was cut, is told at once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from brinery.actions.marks import SUBJECTS

Marks = Callable[[], Mapping[str, str]]

PATH: Final = "/live"

_LOOK_S: Final = 0.7
# So long after a page was made somebody may begin to listen.
_EXPECT_S: Final = 10.0
# A stream ends by itself, and a browser begins it again: what is in between need not last longer.
_STREAM_S: Final = 300.0
_END: Final = ""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}

_log = logging.getLogger("brinery.web")


class Live:
    """Looks at the marks while anybody listens, or is about to.

    Args:
        marks: gives a mark for each subject, another one after each change.
    """

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._closed = False
        self._expected = 0.0
        # Which marks each move is told from, and the number of the last move of each subject.
        self._era = ""
        self._moves = 0
        self._moved: dict[str, int] = {}

    def since(self) -> str:
        """Return what a page that was just made is to say when it listens."""
        with self._lock:
            self._expected = time.monotonic() + _EXPECT_S
            self._begin()
            return f"{self._era}.{self._moves}"

    def close(self) -> None:
        """End all streams, and each that is begun from now on: the server ends."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                listener.tell([_END])

    async def stream(self, request: Request) -> Response:
        """Answer with a stream of events (server-sent), each named after what changed."""
        return StreamingResponse(
            self._events(request), media_type="text/event-stream", headers=_HEADERS
        )

    async def _events(self, request: Request) -> AsyncIterator[str]:
        listener = _Listener(asyncio.get_running_loop())
        self._join(listener, request.query_params.get("since", ""))
        loop = asyncio.get_running_loop()
        until = loop.time() + _STREAM_S
        try:
            yield "retry: 500\n\n"
            while (left := until - loop.time()) > 0 and not await request.is_disconnected():
                try:
                    subject = await asyncio.wait_for(listener.told.get(), min(left, 5.0))
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if subject == _END:
                    return
                yield f"event: {subject}\ndata: changed\n\n"
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _join(self, listener: _Listener, since: str) -> None:
        with self._lock:
            self._listeners.add(listener)
            if self._closed:
                listener.tell([_END])
                return
            self._begin()
            era, _, number = since.partition(".")
            if era == self._era and number.isdecimal():
                listener.tell([name for name, at in self._moved.items() if at > int(number)])
            elif since:
                listener.tell([*self._moved])

    def _begin(self) -> None:
        """Have the marks looked at; the lock is held."""
        if self._looking is None and not self._closed:
            self._era, self._moves = secrets.token_hex(4), 0
            self._moved = dict.fromkeys(SUBJECTS, 0)
            self._looking = threading.Thread(target=self._look, name="live", daemon=True)
            self._looking.start()

    def _look(self) -> None:
        """Look at the marks until nobody listens any more."""
        known: Mapping[str, str] = {}
        while True:
            now = self._marked(known)
            moved = [name for name, mark in now.items() if known.get(name, mark) != mark]
            known = now
            with self._lock:
                if not self._listeners and time.monotonic() > self._expected:
                    self._looking = None
                    return
                for name in moved:
                    self._moves += 1
                    self._moved[name] = self._moves
                for listener in self._listeners:
                    listener.tell(moved)
            threading.Event().wait(_LOOK_S)

    def _marked(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """Return the marks, or what is known of them where they cannot be looked at now."""
        try:
            return dict(self._marks())
        except Exception:  # noqa: BLE001 - else nothing would be told any more
            _log.exception("what changed cannot be looked at")
            return known


class _Listener:
    """An open page.

    Args:
        loop: that its stream runs on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self._loop = loop

    def tell(self, subjects: list[str]) -> None:
        """Say what changed; from another thread."""
        for subject in subjects:
            self._loop.call_soon_threadsafe(self.told.put_nowait, subject)
