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
from pathlib import Path
from typing import Any

from brinery.errors import ModelFileError, ParityFailed
from brinery.evaluate import parity
from brinery.flavors import sample
from brinery.records.scores import Scores
from brinery.scorers.data import Declined
from brinery.scorers.stored import StoredScorer
from brinery.serve.answered import BatchObserver, Scored
from brinery.serve.batch import Batch, joined, of_table
from brinery.serve.endpoint import Endpoint
from brinery.serve.lane import Job, Lane
from brinery.serve.library import MODEL, Library, too_late
from brinery.serve.pace import Pace
from brinery.serve.problems import Problem, unavailable
from brinery.serve.rsgi import Exchange
from brinery.serve.share import shares, whole

_log = logging.getLogger("brinery.serve")

# What takes longer is scored beside the loop, which has others to answer.
_INLINE_S = 0.002
_FIRST_ROW_S = _INLINE_S / 64
_NAMES = ("the registered version", "what is served")

_SCORER = "scorer"


class Answerer:
    """Gives the answers of one endpoint.

    Args:
        endpoint: what is served.
        on_batch: is told of each batch that is scored.
    """

    def __init__(self, endpoint: Endpoint, on_batch: BatchObserver | None = None) -> None:
        self._endpoint = endpoint
        self._on_batch = on_batch or _nobody
        self._scorer = _scorer(endpoint)
        self._scorer_bytes = 0
        if self._scorer is not None and endpoint.scorer_file is not None:
            self._scorer_bytes = Path(endpoint.scorer_file).stat().st_size
        self._reference = endpoint.version.reference
        self._by_row = self._scorer is not None and _same_columns(endpoint, self._scorer)
        self._pace = Pace(_FIRST_ROW_S)
        self._here = Lane(
            self._score_here, late=too_late, max_rows=self._most_rows, max_jobs=endpoint.max_queue
        )
        self._library = Library(endpoint, self._on_batch)
        self._closed = False

    @property
    def scorer(self) -> StoredScorer | None:
        """Return the scorer of the version; None where its library answers."""
        return self._scorer

    @property
    def ready(self) -> bool:
        """Return whether it can answer at once."""
        return self._scorer is not None or self._library.holder.ready

    @property
    def fault(self) -> str | None:
        """Return why the model could not be loaded; None where that is not known."""
        return self._library.holder.fault

    @property
    def by(self) -> str:
        """Return who answers most: scorer or model."""
        return MODEL if self._scorer is None else _SCORER

    @property
    def restarts(self) -> int:
        """Return how often the model's process was started again."""
        return max(0, self._library.holder.starts - 1)

    @property
    def waiting(self) -> int:
        """Return how many requests wait to be scored."""
        return self._here.waiting + self._library.waiting

    def load_soon(self) -> None:
        """Begin to load the model, unless it is scored without its library."""
        if self._scorer is None:
            self._library.holder.load_soon()

    async def warm(self) -> None:
        """Return when it can answer at once.

        Raises:
            Problem: 503 where its model cannot be loaded.
        """
        if self._scorer is None:
            await self._library.holder.load()

    async def check(self) -> None:
        """Return when it has answered the rows that were kept with the version as it did then.

        Raises:
            Problem: 503 where it cannot be loaded, or answers otherwise.
        """
        await self.warm()
        if self._endpoint.sample_file is None:
            return
        try:
            table, scores = await asyncio.to_thread(sample.read, Path(self._endpoint.sample_file))
            types = {c.name: c.type for c in self._endpoint.candidate.signature.columns}
            answered = await self.score(of_table(types, table))
            parity.compare(scores, answered.scores, names=_NAMES)
        except (ModelFileError, ParityFailed) as error:
            raise unavailable(error.code, error.message) from None

    def memory_bytes(self) -> int:
        """Return what it takes of the memory: the scorer's arrays, and the model's process."""
        return self._scorer_bytes + self._library.holder.memory_bytes()

    def score(
        self,
        batch: Batch,
        *,
        exchange: Exchange | None = None,
        timeout_s: float | None = None,
        at_once: bool = False,
    ) -> Job:
        """Return what gives the answers for the rows of a request, when it is awaited.

        Args:
            batch: the rows.
            exchange: of the client; a request whose client hangs up while it waits is dropped.
            timeout_s: how long the client waits, where that is shorter than the endpoint's time.
            at_once: whether nobody else is about to ask.

        Raises:
            Problem: as `Holder.score` has it; 503 where too many requests wait.
        """
        if self._closed:
            raise unavailable("server-ending", "the server is ending")
        limit_s = self._endpoint.timeout_s
        waits_s = limit_s if timeout_s is None else min(limit_s, timeout_s)
        job = Job(batch, waits_s, time.monotonic() + waits_s, exchange)
        if self._scorer is None:
            self._library.add(job)
        else:
            self._here.add(job, at_once=at_once)
        return job

    async def close(self) -> None:
        """End the model's process, once what is under way is answered."""
        self._closed = True
        await self._here.close()
        await self._library.close()

    def _most_rows(self) -> int:
        """Return how many rows make a batch: no more than the loop waits for, where it may."""
        most = self._endpoint.max_batch_rows
        rows = self._pace.rows_in(_INLINE_S)
        return min(rows, most) if rows else most

    def _score_here(self, jobs: list[Job]) -> Coroutine[Any, Any, None] | None:
        batch = joined([job.batch for job in jobs])
        if self._pace.expected_s(batch.n_rows) <= _INLINE_S:
            self._settle(jobs, self._tried(batch))
            return None
        return self._score_beside(jobs, batch)

    async def _score_beside(self, jobs: list[Job], batch: Batch) -> None:
        self._settle(jobs, await asyncio.to_thread(self._tried, batch))

    def _settle(self, jobs: list[Job], scores: Scores | None) -> None:
        """Answer jobs; where the scorer had no answer, each is asked again, or the library is."""
        if scores is not None:
            self._on_batch(Scored(self._reference, _SCORER, len(scores)))
            if len(jobs) == 1:
                jobs[0].give(whole(scores))
                return
            parts = shares(scores, [job.batch.n_rows for job in jobs])
            for job, share in zip(jobs, parts, strict=True):
                job.give(share)
        elif len(jobs) == 1:
            try:
                self._library.add(jobs[0])
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
        measured = self._pace.due(batch.n_rows)
        began = time.thread_time() if measured else 0.0
        try:
            found = None
            if self._by_row and batch.by_row:
                found = scorer.scorer.score_rows(batch.rows, singly=batch.singly)
            scores = scorer.named(scorer.scorer.score(batch.values) if found is None else found)
        except Declined:
            return None
        except Exception:  # noqa: BLE001 - the library answers what a fault of ours cannot
            _log.exception("a fault of the scorer of %s: its library answers", self._reference)
            return None
        if measured:
            self._pace.took(batch.n_rows, time.thread_time() - began)
        return scores


def _nobody(_: Scored) -> None:
    """Is told of batches where nobody counts."""


def _same_columns(endpoint: Endpoint, scorer: StoredScorer) -> bool:
    """Return whether a scorer takes the columns of a signature, in their order."""
    signed = [column.name for column in endpoint.candidate.signature.columns]
    return signed == [column.name for column in scorer.scorer.plan.inputs]


def _scorer(endpoint: Endpoint) -> StoredScorer | None:
    """Return the scorer of an endpoint; None where it has none, or its file is another."""
    record = endpoint.version.fast_path
    if endpoint.scorer_file is None or record is None or not record.used:
        return None
    artifact = endpoint.candidate.artifact
    try:
        return StoredScorer(Path(endpoint.scorer_file), record=record, artifact=artifact)
    except (ModelFileError, OSError) as error:
        _log.error("%s is scored by its library: %s", endpoint.version.reference, error)
        return None
