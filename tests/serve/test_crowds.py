"""Many requests at once for a model that misbehaves on some: each costs itself and nobody else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from tests.serve.conftest import Api, MakeEndpoint, regression, running
from tests.there import ignores

from brinery.pickles.limits import Limits

pytestmark = pytest.mark.slow

X = pd.DataFrame({"x": [0.0, 1.0, 2.0]})
PREDICT = "/v1/models/small/predict"
HANGS, RAISES, ENDS, TELLS, EATS, NAPS, DOZES = -1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0
WAIT_S = 240.0
CROWD = 40
HURRY = {"request-timeout": "2"}


def moody_model() -> Any:
    """Return a model that answers what it is given, and on some values misbehaves."""

    def mood(frame: pd.DataFrame) -> Any:
        import os  # noqa: PLC0415 - pickled by value, so it brings its imports along
        import signal  # noqa: PLC0415
        import time  # noqa: PLC0415

        values = set(frame["x"])
        if -6.0 in values:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # tells that it has begun
            time.sleep(0.7)
        if -7.0 in values:
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)
            time.sleep(0.7)
        if -1.0 in values:
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)
            time.sleep(600)
        if -2.0 in values:
            raise RuntimeError("not this one")
        if -3.0 in values:
            os.abort()
        if -5.0 in values:
            bytearray(4_000_000_000)
        return frame["x"] if -4.0 not in values else [float(os.getpid())] * len(frame)

    return regression(mood)


def ask(api: Api, value: float, **headers: str) -> httpx.Response:
    if value == HANGS:
        headers = {"request-timeout": "15", **headers}
    return api.post(PREDICT, json={"x": value}, headers=headers)


def told(api: Api) -> int:
    """Return the id of the model's process, which the model itself tells."""
    found: float = ask(api, TELLS).json()["predictions"][0]["value"]
    return round(found)


def wait_until_ready(api: Api) -> None:
    until(lambda: api.get("/ready").status_code == 200)


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def crowd(api: Api, values: Sequence[float]) -> Iterator[list[Future[httpx.Response]]]:
    """Ask for values one after the other, all of which wait for a first that takes a while."""
    process = told(api)
    with ThreadPoolExecutor(len(values) + 1) as pool:
        first = pool.submit(ask, api, NAPS)
        until(lambda: ignores(process, signal.SIGUSR1))
        yield [pool.submit(ask, api, value) for value in values]
        assert first.result().status_code == 200


def assert_right(value: float, answer: httpx.Response) -> None:
    assert answer.status_code == 200, (value, answer.text)
    assert answer.json()["predictions"] == [{"value": pytest.approx(value)}]


@pytest.mark.parametrize(
    ("bad", "statuses"),
    [
        ([RAISES], {422}),
        ([ENDS], {503}),
        ([EATS], {422, 503}),
        ([HANGS], {503, 504}),
        ([RAISES, ENDS, EATS, RAISES, ENDS], {422, 503}),
        ([HANGS, ENDS, RAISES, HANGS], {422, 503, 504}),
    ],
    ids=["raises", "ends its process", "eats memory", "hangs", "several", "several that hang"],
)
def test_the_others_are_answered(
    make_endpoint: MakeEndpoint, bad: list[float], statuses: set[int]
) -> None:
    """In the same batch as rows that raise, hang, abort or eat memory; each has its own answer."""
    values = [float(i) for i in range(CROWD)]
    for i, value in enumerate(bad):
        values.insert(7 * i + 3, value)
    limits = Limits(memory_gb=2.0)
    with running(make_endpoint(moody_model(), X, timeout_s=300.0, limits=limits)) as api:
        wait_until_ready(api)
        with crowd(api, values) as asked:
            answers = [one.result() for one in asked]
    refused = [a.status_code for v, a in zip(values, answers, strict=True) if v < 0]
    assert len(refused) == len(bad)
    assert set(refused) <= statuses
    for value, answer in zip(values, answers, strict=True):
        if value >= 0:
            assert_right(value, answer)


def test_who_comes_while_a_row_hangs_is_answered(make_endpoint: MakeEndpoint) -> None:
    """A row that hangs alone gives way to those who come after it, again and again."""
    with running(make_endpoint(moody_model(), X, timeout_s=300.0)) as api:
        wait_until_ready(api)
        with ThreadPoolExecutor(8) as pool:
            hanging = pool.submit(ask, api, HANGS, **{"request-timeout": "30"})
            n_answered = 0
            while n_answered < 6 and not hanging.done():
                asked = [pool.submit(ask, api, float(i)) for i in range(3)]
                for i, one in enumerate(asked):
                    assert_right(float(i), one.result())
                n_answered += len(asked)
        assert hanging.result().status_code == 504
        assert n_answered >= 6


def test_short_deadlines_are_kept_beside_a_row_that_hangs(make_endpoint: MakeEndpoint) -> None:
    """Who says that it waits for less than the model takes is told so, and the next is answered."""
    with running(make_endpoint(moody_model(), X, timeout_s=300.0)) as api:
        wait_until_ready(api)
        process = told(api)
        with ThreadPoolExecutor(8) as pool:
            hanging = pool.submit(ask, api, HANGS, **{"request-timeout": "3"})
            until(lambda: ignores(process, signal.SIGUSR2))
            short = [pool.submit(ask, api, 1.0, **{"request-timeout": "0.2"}) for _ in range(3)]
            patient = [pool.submit(ask, api, float(i)) for i in range(3)]
            assert {one.result().status_code for one in short} == {504}
            for i, one in enumerate(patient):
                assert_right(float(i), one.result())
            assert hanging.result().status_code in (503, 504)


def test_a_process_that_is_killed_under_many_is_asked_again(make_endpoint: MakeEndpoint) -> None:
    """Nobody has a wrong answer, and those who were asked together have one all the same."""
    values = [float(i) for i in range(CROWD)]
    values[CROWD // 2 : CROWD // 2] = [DOZES] * 3
    with running(make_endpoint(moody_model(), X, timeout_s=300.0)) as api:
        wait_until_ready(api)
        process = told(api)
        with crowd(api, values) as asked:
            until(lambda: ignores(process, signal.SIGUSR2))  # the batch of all of them naps
            os.kill(process, signal.SIGKILL)
            answers = [one.result() for one in asked]
    for value, answer in zip(values, answers, strict=True):
        assert_right(value, answer)


def resident_mb() -> float:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def test_ten_thousand_who_ask_a_slow_model_are_told_so_at_once(make_endpoint: MakeEndpoint) -> None:
    """Beyond the queue it is 503 with `retry-after`, and what they sent takes no memory."""
    endpoint = make_endpoint(moody_model(), X, timeout_s=300.0, max_queue=8, max_batch_rows=1)
    with running(endpoint) as api:
        wait_until_ready(api)
        with ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda _: ask(api, NAPS, **HURRY), range(500)))
            before = resident_mb()
            answers = list(pool.map(lambda _: ask(api, NAPS, **HURRY), range(10_000)))
        assert resident_mb() - before < 60
        assert_right(1.0, ask(api, 1.0))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 503, 504}
    full = [answer for answer in answers if answer.status_code == 503]
    assert len(full) > 9_000
    assert {answer.json()["code"] for answer in full} == {"queue-full"}
    assert {answer.headers["retry-after"] for answer in full} == {"1"}


def test_a_client_in_a_hurry_does_not_end_the_process(make_endpoint: MakeEndpoint) -> None:
    """It is told in time, again and again, and the model that others use is not loaded again."""
    with running(make_endpoint(moody_model(), X, timeout_s=300.0)) as api:
        wait_until_ready(api)
        process = ask(api, TELLS).json()
        for _ in range(5):
            assert ask(api, NAPS, **{"request-timeout": "0.1"}).status_code == 504
            assert_right(1.0, ask(api, 1.0))
        assert ask(api, TELLS).json() == process
