"""The model's library, asked for several requests at once, and for each by itself where that fails.

A row on which the model hangs, raises or dies costs its own request, and the others some time.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from brinery.errors import ModelProcessTimeout
from brinery.serve.answered import BatchObserver, Scored
from brinery.serve.batch import joined
from brinery.serve.endpoint import Endpoint
from brinery.serve.holder import Holder
from brinery.serve.lane import Job, Lane
from brinery.serve.problems import Problem, unavailable
from brinery.serve.share import shares

# A batch of several requests is given up after so many times what it should take, and no sooner
# than this; then each request is asked by itself, so that none waits for another's row. So is one
# by itself that others wait for; it comes again after them, and has twice as long.
_PATIENCE = 10.0
_LEAST_PATIENCE_S = 1.0
_LOOK_S = 0.1
_NOT_READY = "not-ready"
# What took too long, of itself or because others waited.
_TOO_LONG = (_NOT_READY, ModelProcessTimeout.code)
# What is the same for whoever asks.
_FOR_ALL = ("model-not-loaded", "server-ending")

MODEL = "model"


class Library:
    """Answers jobs by the process of a model.

    Args:
        endpoint: what is served.
        on_batch: is told of each batch that is scored.
    """

    def __init__(self, endpoint: Endpoint, on_batch: BatchObserver) -> None:
        self.holder = Holder(endpoint)
        self._reference = endpoint.version.reference
        self._on_batch = on_batch
        rows, jobs = endpoint.max_batch_rows, endpoint.max_queue
        self._lane = Lane(self._score, late=self._late, max_rows=lambda: rows, max_jobs=jobs)
        self._hurrying: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Return how many requests wait."""
        return self._lane.waiting

    def add(self, job: Job) -> None:
        """Have a job answered.

        Raises:
            Problem: 503 where too many wait already.
        """
        self._lane.add(job)

    async def close(self) -> None:
        """End the model's process; what waits is refused."""
        await self.holder.close()
        await self._lane.close()

    def _late(self, job: Job) -> Problem:
        if not (self.holder.ready or job.tries):
            return unavailable(_NOT_READY, "the model is being loaded")
        return too_late(job)

    async def _score(self, jobs: list[Job]) -> None:
        """Ask for requests at once; where that fails or takes too long, for each by itself.

        A row on which the model hangs keeps only its own request waiting: what takes long by
        itself too comes again after those who wait for it, and has as long as nobody does.
        """
        several = len(jobs) > 1
        n_rows = sum(job.batch.n_rows for job in jobs)
        patience_s = max(_LEAST_PATIENCE_S, _PATIENCE * self.holder.pace.expected_s(n_rows))
        self._hurry_in(patience_s * 2 ** jobs[0].tries, anyway=several)
        try:
            answered = await self._given(jobs)
        finally:
            if self._hurrying is not None:
                self._hurrying.cancel()
        if not answered:
            self._lane.again(jobs, first=several)

    def _hurry_in(self, time_s: float, *, anyway: bool) -> None:
        """Give up what is scored after a time, where others wait for it or anyway."""
        loop = asyncio.get_running_loop()
        self._hurrying = loop.call_later(time_s, self._hurry, time_s, anyway)

    def _hurry(self, patience_s: float, anyway: bool) -> None:  # noqa: FBT001 - of a timer
        if not self.holder.ready:
            self._hurry_in(patience_s, anyway=anyway)
        elif anyway or self._lane.wanted:
            self.holder.give_up()
        else:
            self._hurry_in(_LOOK_S, anyway=anyway)

    async def _given(self, jobs: list[Job]) -> bool:
        """Answer or refuse jobs by the library; returns whether they need not be asked again."""
        wanted = [job for job in jobs if job.wanted]
        if not wanted:
            return True
        batch = joined([job.batch for job in wanted])
        table = await asyncio.to_thread(batch.table) if batch.bulky else batch.table()
        try:
            # It has its whole time, though a client waits for less: who is in a hurry is told so,
            # and does not cost the others their model's process.
            scores = await self.holder.score(table)
        except Problem as problem:
            return self._refused(wanted, problem)
        self._on_batch(Scored(self._reference, MODEL, batch.n_rows))
        parts = shares(scores, [job.batch.n_rows for job in wanted])
        for job, share in zip(wanted, parts, strict=True):
            job.give(share)
        return True

    def _refused(self, jobs: list[Job], problem: Problem) -> bool:
        """Refuse jobs that were asked together, unless another try may tell them apart."""
        too_long = problem.code in _TOO_LONG
        if problem.code not in _FOR_ALL and (len(jobs) > 1 or (too_long and jobs[0].wanted)):
            for job in jobs:
                job.tries += problem.code == ModelProcessTimeout.code and len(jobs) == 1
            return False
        for job in jobs:
            job.refuse(self._late(job) if too_long else problem)
        return True


def too_late(job: Job) -> Problem:
    """Return the problem of a request that was not answered in its time."""
    message = f"the model did not answer within {job.timeout_s:g} seconds"
    return Problem(HTTPStatus.GATEWAY_TIMEOUT, ModelProcessTimeout.code, message)
