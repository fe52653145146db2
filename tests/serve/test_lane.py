"""Work that is conserved: every job its own answers, whatever comes when and whatever fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.rsgi import FakeExchange

from brinery.records.scores import Scores
from brinery.records.signature import ColumnType
from brinery.serve.batch import Batch, joined
from brinery.serve.lane import Job, Lane, Work
from brinery.serve.problems import Problem
from brinery.serve.share import Share, shares

TYPES = {"x": ColumnType.NUMBER}
MAX_ROWS, MAX_JOBS = 8, 5
BAD = -1.0
LONG_S = 600.0


def batch_of(values: Sequence[float], *, by_column: bool = False) -> Batch:
    if by_column:
        return Batch(TYPES, len(values), in_columns={"x": list(values)})
    return Batch(TYPES, len(values), in_rows=[(value,) for value in values])


def job_of(*values: float, timeout_s: float = LONG_S, exchange: FakeExchange | None = None) -> Job:
    return Job(batch_of(values), timeout_s, time.monotonic() + timeout_s, exchange)


def late(_: Job) -> Problem:
    return Problem(HTTPStatus.GATEWAY_TIMEOUT, "late", "too late")


class Model:
    """Answers each row with its own value, at once or later, and notes what it was asked."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        self.batches: list[list[Job]] = []
        self.free = asyncio.Event()
        self.free.set()

    def __call__(self, jobs: list[Job]) -> Coroutine[Any, Any, None] | None:
        """Answer jobs."""
        self.batches.append(jobs)
        if not self.at_once:
            return self.later(jobs)
        self.answer(jobs)
        return None

    async def later(self, jobs: list[Job]) -> None:
        """Answer jobs when that is allowed."""
        await asyncio.sleep(0)
        await self.free.wait()
        self.answer(jobs)

    def answer(self, jobs: list[Job]) -> None:
        """Answer jobs; raise where a value is bad."""
        values = np.array(joined([job.batch for job in jobs]).values["x"])
        if BAD in values:
            raise ValueError("a bad value")
        parts = shares(Scores(predictions=values), [job.batch.n_rows for job in jobs])
        for job, share in zip(jobs, parts, strict=True):
            job.give(share)


def lane_of(work: Work, *, max_jobs: int = MAX_JOBS) -> Lane:
    return Lane(work, late=late, max_rows=lambda: MAX_ROWS, max_jobs=max_jobs)


async def ended(jobs: Sequence[Job]) -> list[Any]:
    """Return how jobs ended, which they do."""
    async with asyncio.timeout(60):
        found = await asyncio.gather(*jobs, return_exceptions=True)
    return [one.scores if isinstance(one, Share) else one for one in found]


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


sizes = st.integers(1, 80)
steps = st.lists(st.tuples(sizes, st.booleans(), st.integers(0, 3)), min_size=1, max_size=25)


@given(steps=steps, at_once=st.booleans())
def test_each_job_has_its_own_answers(steps: list[tuple[int, bool, int]], *, at_once: bool) -> None:
    """Whatever comes when: its own rows, in their order, once; in batches within the limit."""

    async def run() -> None:
        model = Model(at_once=at_once)
        lane = lane_of(model, max_jobs=100)
        jobs: list[Job] = []
        start = 0
        for n_rows, by_column, pause in steps:
            batch = batch_of([float(start + row) for row in range(n_rows)], by_column=by_column)
            job = Job(batch, LONG_S, time.monotonic() + LONG_S)
            start += n_rows
            lane.add(job)
            jobs.append(job)
            for _ in range(pause):
                await asyncio.sleep(0)
        for job, scores in zip(jobs, await ended(jobs), strict=True):
            assert list(scores.predictions) == list(job.batch.values["x"])
        assert [job for taken in model.batches for job in taken] == jobs
        for taken in model.batches:
            n_rows = sum(job.batch.n_rows for job in taken)
            assert len(taken) == 1 or (n_rows <= MAX_ROWS and not any(j.alone for j in taken))
        assert lane.waiting == 0

    asyncio.run(run())


@given(bad=st.lists(st.booleans(), min_size=1, max_size=30), at_once=st.booleans())
def test_work_that_raises_answers_nobody_wrongly(bad: list[bool], *, at_once: bool) -> None:
    """Each job is answered or told, also where the work fails before it can be awaited."""

    async def run() -> None:
        lane = lane_of(Model(at_once=at_once), max_jobs=100)
        jobs = [job_of(BAD if one else float(i)) for i, one in enumerate(bad)]
        for job in jobs:
            lane.add(job)
            await asyncio.sleep(0)
        for i, end in enumerate(await ended(jobs)):
            assert isinstance(end, ValueError) or list(end.predictions) == [float(i)]
        after = job_of(7.0)
        lane.add(after)
        assert list((await after).scores.predictions) == [7.0]

    asyncio.run(run())


def test_one_that_comes_alone_waits_for_nobody() -> None:
    """It is scored in the next turn of the loop, without a timer."""

    async def run() -> None:
        model = Model(at_once=True)
        job = job_of(1.0)
        lane_of(model).add(job)
        await asyncio.sleep(0)
        assert not job.wanted

    asyncio.run(run())


def test_who_asked_goes_on_in_the_turn_in_which_it_is_answered() -> None:
    """All of a batch: none waits for a turn more than it takes until all have asked."""

    async def run() -> None:
        lane = lane_of(Model(at_once=True))

        async def ask(value: float) -> float:
            job = job_of(value)
            lane.add(job)
            return float((await job).scores.predictions[0])

        asking = [asyncio.create_task(ask(float(i))) for i in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in asking)
        await asyncio.sleep(0)
        assert [task.result() for task in asking] == [0.0, 1.0, 2.0]

    asyncio.run(run())


@pytest.mark.parametrize("turns", [0, 1, 2, 20])
def test_who_was_cancelled_is_not_scored(turns: int) -> None:
    """However long it had waited; the others are, and are not disturbed."""

    async def run() -> None:
        there = job_of(2.0)
        lane, model, _ = await stuck()
        gone = job_of(1.0)
        lane.add(gone)
        lane.add(there)

        async def wait() -> Share:
            return await gone

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not gone.wanted
        model.free.set()
        assert [end.predictions[0] for end in await ended([there])] == [2.0]
        assert model.batches[1:] == [[there]]

    asyncio.run(run())


def test_what_comes_meanwhile_is_the_next_batch() -> None:
    """While one is scored the others gather, up to the rows of a batch."""

    async def run() -> None:
        model = Model()
        lane = lane_of(model, max_jobs=100)
        model.free.clear()
        jobs = [job_of(float(i)) for i in range(1 + MAX_ROWS + 3)]
        lane.add(jobs[0])
        await settled()
        for job in jobs[1:]:
            lane.add(job)
        model.free.set()
        await ended(jobs)
        assert [len(taken) for taken in model.batches] == [1, MAX_ROWS, 3]

    asyncio.run(run())


async def stuck(*waiting: Job) -> tuple[Lane, Model, Job]:
    """Return a lane that scores a job without end while others wait."""
    model = Model()
    model.free.clear()
    lane, first = lane_of(model), job_of(0.0)
    lane.add(first)
    await settled()
    for job in waiting:
        lane.add(job)
    return lane, model, first


def test_beyond_the_queue_it_is_refused_at_once() -> None:
    """503 with `retry-after`, and those who wait are not touched."""

    async def run() -> None:
        jobs = [job_of(float(i)) for i in range(MAX_JOBS)]
        lane, model, _ = await stuck(*jobs)
        with pytest.raises(Problem, match="wait already") as caught:
            lane.add(job_of(9.0))
        assert caught.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert dict(caught.value.headers())["retry-after"] == "1"
        model.free.set()
        assert [end.predictions[0] for end in await ended(jobs)] == list(range(MAX_JOBS))

    asyncio.run(run())


def test_who_has_left_takes_no_place() -> None:
    """A queue of those whose clients are gone is free for others."""

    async def run() -> None:
        gone = [job_of(float(i), exchange=FakeExchange()) for i in range(MAX_JOBS)]
        lane, model, _ = await stuck(*gone)
        await settled()
        for job in gone[:3]:
            assert isinstance(job.exchange, FakeExchange)
            job.exchange.gone.set()
        await settled()
        jobs = [job_of(float(i)) for i in range(3)]
        for job in jobs:
            lane.add(job)
        with pytest.raises(Problem, match="wait already"):
            lane.add(job_of(9.0))
        model.free.set()
        assert [end.predictions[0] for end in await ended(jobs)] == [0.0, 1.0, 2.0]

    asyncio.run(run())


def test_a_deadline_is_kept_though_the_lane_is_stuck() -> None:
    """Who waits, and who is being scored, is told in time, and not scored when it is over."""

    async def run() -> None:
        short, long = job_of(1.0, timeout_s=0.05), job_of(2.0)
        lane, model, _ = await stuck(short, long)
        (told,) = await ended([short])
        assert told.code == "late"
        model.free.set()
        await ended([long])
        assert all(short not in taken for taken in model.batches)
        model.free.clear()
        scored = job_of(3.0, timeout_s=0.05)
        lane.add(scored)
        (told,) = await ended([scored])
        assert (told.code, lane.waiting) == ("late", 0)

    asyncio.run(run())


def test_what_waited_before_the_lane_was_stuck_has_its_deadline_too() -> None:
    """Requests that came at once with the one that takes long, and are not of its batch."""

    async def run() -> None:
        model = Model()
        model.free.clear()
        lane = lane_of(model)
        jobs = [job_of(*[0.0] * MAX_ROWS), job_of(1.0, timeout_s=0.05)]
        for job in jobs:
            lane.add(job)
        (told,) = await ended(jobs[1:])
        assert told.code == "late"

    asyncio.run(run())


def test_a_client_that_hung_up_is_not_scored() -> None:
    """Its rows are left out of the batch that they would have been in."""

    async def run() -> None:
        client = FakeExchange()
        gone, there = job_of(1.0, exchange=client), job_of(2.0, exchange=FakeExchange())
        lane, model, _ = await stuck(gone, there)
        await settled()
        client.gone.set()
        (told,) = await ended([gone])
        assert told.code == "disconnected"
        model.free.set()
        assert [end.predictions[0] for end in await ended([there])] == [2.0]
        assert model.batches[1:] == [[there]]
        assert lane.waiting == 0

    asyncio.run(run())


@pytest.mark.parametrize("first", [True, False])
def test_what_is_tried_again_is_scored_by_itself(*, first: bool) -> None:
    """Before all that wait or after them, in its order, and with no other."""

    async def run() -> None:
        waiting = [job_of(float(i)) for i in range(2)]
        lane, model, _ = await stuck(*waiting)
        failed = [job_of(float(i)) for i in range(10, 12)]
        lane.again(failed, first=first)
        model.free.set()
        await ended([*failed, *waiting])
        again = [[job] for job in failed]
        assert model.batches[1:] == ([*again, waiting] if first else [waiting, *again])

    asyncio.run(run())


@given(
    before=st.integers(0, MAX_JOBS),
    ends=st.booleans(),
    again=st.booleans(),
)
def test_closing_answers_or_refuses_everything(before: int, *, ends: bool, again: bool) -> None:
    """What waits is refused, what is under way ends, and what comes later finds no way in."""

    async def run() -> None:
        jobs = [job_of(float(i)) for i in range(before)]
        lane, model, first = await stuck(*jobs)
        closing = asyncio.create_task(lane.close())
        await settled()
        assert not closing.done()
        if again:
            jobs.append(job_of(9.0))
            lane.again(jobs[-1:], first=True)
        with pytest.raises(Problem, match="ending"):
            lane.add(job_of(8.0))
        if not ends:
            first.refuse(ValueError("it failed"))
        model.free.set()
        await closing
        assert {getattr(end, "code", "") for end in await ended(jobs)} <= {"server-ending"}
        (end,) = await ended([first])
        assert isinstance(end, Scores if ends else ValueError)
        assert lane.waiting == 0

    asyncio.run(run())
