"""The wire between a job and its tasks on a cluster: log lines one way, requests to end the other.

An actor, on the cluster's head, that only passes on: whoever waits for something asks once and is
answered when there is something. It also is where the processes of a step that spans machines learn
each other's addresses. It imports nothing of Ray.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final, NamedTuple

from brinery.runners.ranks import Machine

# What nobody fetched is kept up to here; then whoever writes waits.
_MOST_BYTES: Final = 64 << 20


class Chunk(NamedTuple):
    """Some whole lines of a log.

    Attributes:
        ticket: of the try that wrote them.
        machine: number of the machine, of those that the try runs on.
        offset: of the first byte in that machine's log.
        content: the lines, each with its end.
    """

    ticket: str
    machine: int
    offset: int
    content: bytes


class Wire:
    """Passes on what is said; every method may wait, and others are answered meanwhile."""

    def __init__(self) -> None:
        self._said: list[Chunk] = []
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._stops: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._meetings: defaultdict[str, dict[int, Machine]] = defaultdict(dict)
        self._met: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def say(self, chunk: Chunk) -> None:
        """Take lines, once there is room for them."""
        await self._room.wait()
        self._said.append(chunk)
        self._size += len(chunk.content)
        if self._size > _MOST_BYTES:
            self._room.clear()
        self._news.set()

    async def hear(self, patience_s: float) -> list[Chunk]:
        """Return the lines that came since, once there are some or the time is over."""
        try:
            await asyncio.wait_for(self._news.wait(), patience_s)
        except TimeoutError:
            return []
        said, self._said, self._size = self._said, [], 0
        self._news.clear()
        self._room.set()
        return said

    async def stop(self, ticket: str) -> None:
        """Have a try end."""
        self._stops[ticket].set()

    async def stopped(self, ticket: str) -> bool:
        """Return once a try is to end."""
        await self._stops[ticket].wait()
        return True

    async def meet(self, ticket: str, machine: Machine, *, number: int, of: int) -> list[Machine]:
        """Return the machines of a try in order, once all of them are there."""
        meeting = self._meetings[ticket]
        meeting[number] = machine
        if len(meeting) == of:
            self._met[ticket].set()
        await self._met[ticket].wait()
        return [meeting[each] for each in range(of)]

    async def forget(self, ticket: str) -> None:
        """Forget a try that is over."""
        # Whoever still waits for its end is let go.
        self._stops[ticket].set()
        for kept in (self._stops, self._meetings, self._met):
            kept.pop(ticket, None)
