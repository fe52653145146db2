"""Work that is conserved: what comes while one batch is scored is the next batch.

There are no timers to gather by: a request that comes alone waits for nobody, and the busier the
model the larger its batches. What waits is bounded, in number and in time, and a client that hung
up is not scored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from brinery.serve.batch import Batch
from brinery.serve.problems import Problem, unavailable
from brinery.serve.rsgi import Exchange
from brinery.serve.share import Share


class Job(Struct, eq=False):
    """A request that waits for its scores: what gives them when it is awaited, by one only.

    Attributes:
        batch: its rows.
        timeout_s: how long its client waits.
        deadline: until when, by `time.monotonic`, which is the loop's clock.
        exchange: of its client; None where nobody may hang up.
        share: its answers, once they are there.
        again: whether it was tried with others, and is now to be scored by itself.
        tries: how often it was given up for others that waited.
    """

    batch: Batch
    timeout_s: float
    deadline: float
    exchange: Exchange | None = None
    share: Share | None = None
    again: bool = False
    tries: int = 0
    _fault: BaseException | None = None
    _waiter: asyncio.Future[None] | None = None
    _expiry: asyncio.TimerHandle | None = None
    _watch: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[Any, None, Share]:
        """Return its answers.

        Raises:
            Problem: it was refused.
        """
        try:
            if self.share is None and self._fault is None:
                yield  # by the next turn most are answered, and a future would be for nothing
            if self.share is None and self._fault is None:
                self._waiter = asyncio.get_running_loop().create_future()
                yield from self._waiter
        except asyncio.CancelledError as error:
            self.refuse(error)  # nobody waits any more
            raise
        if self.share is None:
            raise self._fault or RuntimeError("a job that was neither answered nor refused")
        return self.share

    @property
    def alone(self) -> bool:
        """Return whether it is scored with no other."""
        return self.again or self.batch.bulky

    @property
    def wanted(self) -> bool:
        """Return whether somebody still waits for it."""
        return self.share is None and self._fault is None

    def give(self, share: Share) -> None:
        """Answer it."""
        if self.share is None and self._fault is None:
            self.share = share
            if self._waiter is not None or self._expiry is not None:
                self._settle()

    def refuse(self, error: BaseException) -> None:
        """Refuse it."""
        if self.wanted:
            self._fault = error
            self._settle()

    def watch(self, late: Callable[[Job], Problem]) -> None:
        """Refuse it at its deadline, and drop it when its client hangs up.

        Args:
            late: says why it was not answered in time.
        """
        if self._expiry is not None or not self.wanted:
            return
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_at(self.deadline, self._expire, late)
        if self.exchange is not None:
            self._watch = loop.create_task(self._gone(self.exchange))

    def _expire(self, late: Callable[[Job], Problem]) -> None:
        self.refuse(late(self))

    async def _gone(self, exchange: Exchange) -> None:
        with suppress(RuntimeError):
            await exchange.client_disconnect()
            self._watch = None
            self.refuse(Problem(HTTPStatus.BAD_REQUEST, "disconnected", "the client is gone"))

    def _settle(self) -> None:
        """Wake who waits for it, and watch it no longer."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._expiry is not None:
            self._expiry.cancel()
        if self._watch is not None:
            self._watch.cancel()


# Answers every job it is given, at once or when what it returns has been awaited.
Work = Callable[[list[Job]], Coroutine[Any, Any, None] | None]


class Lane:
    """Jobs in their order, scored by one at a time.

    Args:
        work: scores a batch of jobs.
        late: says why a job was not answered in time.
        max_rows: tells, of a batch; a job that has more is a batch of its own.
        max_jobs: how many may wait.
    """

    def __init__(
        self,
        work: Work,
        *,
        late: Callable[[Job], Problem],
        max_rows: Callable[[], int],
        max_jobs: int,
    ) -> None:
        self._work = work
        self._late = late
        self._max_rows = max_rows
        self._max_jobs = max_jobs
        self._waiting: deque[Job] = deque()
        self._called = False
        self._closed = False
        self._busy: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Return how many jobs wait."""
        return len(self._waiting)

    @property
    def wanted(self) -> bool:
        """Return whether somebody waits for one of them."""
        return any(job.wanted for job in self._waiting)

    def add(self, job: Job, *, at_once: bool = False) -> None:
        """Have a job done.

        Args:
            job: the newest.
            at_once: whether nobody else is about to ask: what waits is then taken up now.

        Raises:
            Problem: 503 where too many wait already.
        """
        if self._closed:
            raise _ending()
        if at_once and not self._waiting and self._busy is None:
            self._begin([job])
            return
        if len(self._waiting) >= self._max_jobs:
            self._waiting = deque(job for job in self._waiting if job.wanted)
            if len(self._waiting) >= self._max_jobs:
                raise unavailable("queue-full", f"{self._max_jobs} requests wait already")
        self._waiting.append(job)
        if self._busy is not None:
            job.watch(self._late)
        elif at_once:
            self._next()
        elif not self._called:
            self._call()

    def again(self, jobs: Sequence[Job], *, first: bool) -> None:
        """Have jobs that were tried done after all, each by itself.

        Args:
            jobs: in their order.
            first: whether before all that wait, else after them.
        """
        for job in jobs:
            job.again = True
            if self._closed:
                job.refuse(_ending())
        if first:
            self._waiting.extendleft(reversed(jobs))
        else:
            self._waiting.extend(jobs)
        self._call()

    def _call(self) -> None:
        """Take up what waits once those who are about to ask have asked."""
        if not self._called and self._busy is None:
            self._called = True
            asyncio.get_running_loop().call_soon(self._called_back)

    def _called_back(self) -> None:
        self._called = False
        if self._busy is None:
            self._next()

    def _next(self) -> None:
        jobs = self._taken()
        if jobs:
            self._begin(jobs)

    def _begin(self, jobs: list[Job]) -> None:
        """Have jobs scored; what waits is taken up when they are."""
        under_way = None
        try:
            under_way = self._work(jobs)
        except Exception as error:  # noqa: BLE001 - who waits is told, whatever it is
            _refuse(jobs, error)
        if under_way is not None:
            for job in (*jobs, *self._waiting):
                job.watch(self._late)
            self._busy = asyncio.get_running_loop().create_task(self._finish(under_way, jobs))
        elif self._waiting:
            self._call()

    async def _finish(self, under_way: Coroutine[Any, Any, None], jobs: Sequence[Job]) -> None:
        try:
            await under_way
        except Exception as error:  # noqa: BLE001 - who waits is told, whatever it is
            _refuse(jobs, error)
        finally:
            self._busy = None
        if self._waiting:
            self._call()

    def _taken(self) -> list[Job]:
        """Return the next jobs that are still wanted, as many as make one batch."""
        waiting, left = self._waiting, self._max_rows()
        jobs = [job for job in waiting if job.batch.n_rows == 1 and job.wanted and not job.again]
        if len(jobs) == len(waiting) <= left:
            waiting.clear()
            return jobs
        jobs = []
        while waiting:
            job = waiting[0]
            if not job.wanted:
                waiting.popleft()
                continue
            n_rows = job.batch.n_rows
            left -= n_rows
            alone = job.again or (n_rows > 1 and job.batch.bulky)
            if jobs and (alone or left < 0):
                break
            jobs.append(waiting.popleft())
            if alone:
                break
        return jobs

    async def close(self) -> None:
        """Refuse what waits, and let what is under way end."""
        self._closed = True
        _refuse(self._waiting, _ending())
        self._waiting.clear()
        if self._busy is not None:
            with suppress(Exception):
                await self._busy


def _refuse(jobs: Iterable[Job], error: BaseException) -> None:
    for job in jobs:
        job.refuse(error)


def _ending() -> Problem:
    return unavailable("server-ending", "the server is ending")
