"""Who answers: the scorer in this process where a version has one, else the model in its own.

A scorer is data that was compared with the library when the version was made; its digest is checked
when it is read. What it declines, the model's process answers, started when that first happens.
Each of the two scores one batch at a time, and what comes meanwhile is its next batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any

from brinery.errors import ModelFileError, ModelProcessTimeout
from brinery.flavors import answers
from brinery.records.scores import Scores
from brinery.scorers import bundle
from brinery.scorers.data import Declined
from brinery.scorers.scorer import Scorer
from brinery.serve.answered import BatchObserver, Scored
from brinery.serve.batch import Batch, joined
from brinery.serve.endpoint import Endpoint
from brinery.serve.holder import Holder
from brinery.serve.lane import Job, Lane, shares
from brinery.serve.pace import Pace
from brinery.serve.problems import Problem, unavailable
from brinery.serve.rsgi import Exchange

_log = logging.getLogger("brinery.serve")

# What takes longer is scored beside the loop, which has others to answer.
_INLINE_S = 0.002
_FIRST_ROW_S = _INLINE_S / 64
# A batch of several requests is given up after so many times what it should take, and no sooner
# than this; then each request is asked by itself, so that none waits for another's row.
_PATIENCE = 20.0
_LEAST_PATIENCE_S = 1.0
# What another time might be answered.
_IN_TIME = ("not-ready", ModelProcessTimeout.code)

_SCORER, _MODEL = "scorer", "model"


class Answerer:
    """Gives the answers of one endpoint.

    Args:
        endpoint: what is served.
        on_batch: is told of each batch that is scored.
    """

    def __init__(self, endpoint: Endpoint, on_batch: BatchObserver | None = None) -> None:
        self._endpoint = endpoint
        self._on_batch = on_batch or _nobody
        self._holder = Holder(endpoint)
        self._scorer = _scorer(endpoint)
        self._scorer_bytes = 0
        if self._scorer is not None and endpoint.scorer_file is not None:
            self._scorer_bytes = Path(endpoint.scorer_file).stat().st_size
        self._names = endpoint.candidate.artifact.classes
        self._reference = endpoint.version.reference
        self._pace = Pace(_FIRST_ROW_S)
        rows, jobs = endpoint.max_batch_rows, endpoint.max_queue
        self._here = Lane(self._score_here, max_rows=rows, max_jobs=jobs)
        self._there = Lane(self._score_there, max_rows=rows, max_jobs=jobs)
        self._closed = False

    @property
    def ready(self) -> bool:
        """Return whether it can answer at once."""
        return self._scorer is not None or self._holder.ready

    @property
    def fault(self) -> str | None:
        """Return why the model could not be loaded; None where that is not known."""
        return self._holder.fault

    @property
    def by(self) -> str:
        """Return who answers most: scorer or model."""
        return _MODEL if self._scorer is None else _SCORER

    @property
    def restarts(self) -> int:
        """Return how often the model's process was started again."""
        return max(0, self._holder.starts - 1)

    @property
    def waiting(self) -> int:
        """Return how many requests wait to be scored."""
        return self._here.waiting + self._there.waiting

    def load_soon(self) -> None:
        """Begin to load the model, unless it is scored without its library."""
        if self._scorer is None:
            self._holder.load_soon()

    async def warm(self) -> None:
        """Return when it can answer at once.

        Raises:
            Problem: 503 where its model cannot be loaded.
        """
        if self._scorer is None:
            await self._holder.load()

    def memory_bytes(self) -> int:
        """Return what it takes of the memory: the scorer's arrays, and the model's process."""
        return self._scorer_bytes + self._holder.memory_bytes()

    async def score(
        self, batch: Batch, *, exchange: Exchange | None = None, timeout_s: float | None = None
    ) -> Scores:
        """Return the answers for the rows of a request.

        Args:
            batch: the rows.
            exchange: of the client; a request whose client hangs up while it waits is dropped.
            timeout_s: how long the client waits, where that is shorter than the endpoint's time.

        Raises:
            Problem: as `Holder.score` has it; 503 where too many requests wait.
        """
        if self._closed:
            raise unavailable("server-ending", "the server is ending")
        loop = asyncio.get_running_loop()
        limit_s = self._endpoint.timeout_s
        waits_s = limit_s if timeout_s is None else min(limit_s, timeout_s)
        job = Job(batch, loop.create_future(), timeout_s=waits_s, exchange=exchange)
        if self._scorer is None:
            self._ask_library(job)
        else:
            self._here.add(job)
            if self._here.busy:
                job.watch(self._late)
        return await job.scores

    async def close(self) -> None:
        """End the model's process, once what is under way is answered."""
        self._closed = True
        await self._here.close()
        await self._holder.close()
        await self._there.close()

    def _ask_library(self, job: Job) -> None:
        self._there.add(job)
        job.watch(self._late)

    def _late(self, job: Job) -> Problem:
        if not self.ready:
            return unavailable("not-ready", "the model is being loaded")
        message = f"the model did not answer within {job.timeout_s:g} seconds"
        return Problem(HTTPStatus.GATEWAY_TIMEOUT, ModelProcessTimeout.code, message)

    def _score_here(self, jobs: list[Job]) -> Coroutine[Any, Any, None] | None:
        batch = joined([job.batch for job in jobs])
        if self._pace.expected_s(batch.n_rows) <= _INLINE_S:
            self._settle(jobs, self._tried(batch))
            return None
        for job in jobs:
            job.watch(self._late)
        return self._score_beside(jobs, batch)

    async def _score_beside(self, jobs: list[Job], batch: Batch) -> None:
        self._settle(jobs, await asyncio.to_thread(self._tried, batch))

    def _settle(self, jobs: list[Job], scores: Scores | None) -> None:
        """Answer jobs; where the scorer had no answer, each is asked again, or the library is."""
        if scores is not None:
            for job, share in zip(jobs, shares(scores, jobs), strict=True):
                job.give(share)
        elif len(jobs) == 1:
            try:
                self._ask_library(jobs[0])
            except Problem as problem:
                jobs[0].refuse(problem)
        else:
            for job in jobs:
                self._settle([job], self._tried(job.batch))

    def _tried(self, batch: Batch) -> Scores | None:
        """Return the scorer's answers; None where the library is to be asked."""
        scorer = self._scorer
        if scorer is None:
            return None
        began = time.perf_counter()
        try:
            scores = scorer.score(batch.values)
            named = answers.named(scores, self._names) if self._names else scores
        except Declined:
            return None
        except Exception:  # noqa: BLE001 - the library answers what a fault of ours cannot
            _log.exception("a fault of the scorer of %s: its library answers", self._reference)
            return None
        self._pace.took(batch.n_rows, time.perf_counter() - began)
        self._on_batch(Scored(self._reference, _SCORER, batch.n_rows))
        return named

    async def _score_there(self, jobs: list[Job]) -> None:
        """Ask for several requests at once; where that fails, for each by itself.

        A row on which the model hangs keeps only its own request waiting: what takes long by
        itself too is asked for last, with all the time that it has.
        """
        if len(jobs) > 1:
            n_rows = sum(job.batch.n_rows for job in jobs)
            short_s = max(_LEAST_PATIENCE_S, _PATIENCE * self._holder.pace.expected_s(n_rows))
            if await self._given(jobs, short_s):
                return
            jobs = [job for job in jobs if not await self._given([job], short_s)]
        for job in jobs:
            await self._given([job], None)

    async def _given(self, jobs: list[Job], short_s: float | None) -> bool:
        """Answer or refuse jobs by the library; returns whether they need not be asked again.

        Args:
            jobs: one, or several that are asked at once.
            short_s: how long that may take, before their deadlines; None for as long as they wait.
        """
        wanted = [job for job in jobs if not job.scores.done()]
        if not wanted:
            return True
        now = asyncio.get_running_loop().time()
        left_s = max(0.0, max(job.deadline for job in wanted) - now)
        time_s = left_s if short_s is None else min(short_s, left_s)
        batch = joined([job.batch for job in wanted])
        table = await asyncio.to_thread(batch.table) if batch.bulky else batch.table()
        try:
            scores = await self._holder.score(table, timeout_s=time_s)
        except Problem as problem:
            cut = problem.code in _IN_TIME
            if len(wanted) > 1 or (cut and time_s < left_s):
                return False
            wanted[0].refuse(self._late(wanted[0]) if cut else problem)
            return True
        self._on_batch(Scored(self._reference, _MODEL, batch.n_rows))
        for job, share in zip(wanted, shares(scores, wanted), strict=True):
            job.give(share)
        return True


def _nobody(_: Scored) -> None:
    """Is told of batches where nobody counts."""


def _scorer(endpoint: Endpoint) -> Scorer | None:
    """Return the scorer of an endpoint; None where it has none, or its file is another."""
    record = endpoint.version.fast_path
    if endpoint.scorer_file is None or record is None or not record.used:
        return None
    path = Path(endpoint.scorer_file)
    try:
        return Scorer(bundle.read(path, sha256=record.sha256))
    except (ModelFileError, OSError) as error:
        fault = str(error)
    _log.error("%s is scored by its library: %s", endpoint.version.reference, fault)
    return None
