"""The model's process under the server: killed, hanging, raising, replaced, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pandas as pd
import pyarrow as pa
import pytest
from tests.serve.conftest import Api, MakeEndpoint, regression, running
from tests.there import ignores

from brinery.serve.endpoint import Endpoint
from brinery.serve.holder import Holder
from brinery.serve.problems import Problem

X = pd.DataFrame({"x": [0.0, 1.0, 2.0]})
PREDICT = "/v1/models/small/predict"
HANGS, RAISES, ENDS, TELLS, CALLS, SNOOPS = -1.0, -2.0, -3.0, -4.0, -5.0, -6.0
WAIT_S = 240.0
TIMEOUT_S = 1.5


def moody_model() -> Any:
    """Return a model that answers what it is given, and on some values misbehaves."""

    def mood(frame: pd.DataFrame) -> Any:
        import os  # noqa: PLC0415 - pickled by value, so it brings its imports along
        import signal  # noqa: PLC0415
        import time  # noqa: PLC0415

        values = set(frame["x"])
        if -1.0 in values:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # tells that it has begun
            time.sleep(600)
        if -2.0 in values:
            raise RuntimeError("not this one")
        if -3.0 in values:
            os.abort()
        if -5.0 in values:
            os.system("true")  # noqa: S605 - its sandbox forbids it
            import subprocess  # noqa: PLC0415

            subprocess.run(["true"], check=True)
        if -6.0 in values:
            from contextlib import suppress  # noqa: PLC0415

            with suppress(OSError):
                open(os.path.expanduser("~/.ssh/id_rsa")).close()  # noqa: PTH111, PTH123
        return frame["x"] if -4.0 not in values else [float(os.getpid())] * len(frame)

    return regression(mood)


@pytest.fixture
def moody(make_endpoint: MakeEndpoint) -> Iterator[Api]:
    """A client of a server of the model, which is loaded."""
    with running(make_endpoint(moody_model(), X, timeout_s=WAIT_S)) as api:
        until(lambda: api.get("/ready").status_code == 200)
        yield api


@pytest.fixture
def hurried(make_endpoint: MakeEndpoint) -> Iterator[Api]:
    """The same of a server that waits no longer for the model than a test can."""
    with running(make_endpoint(moody_model(), X, timeout_s=TIMEOUT_S)) as api:
        until(lambda: api.get("/ready").status_code == 200)
        yield api


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def ask(api: Api, *values: float) -> httpx.Response:
    return api.post(PREDICT, json={"rows": [{"x": value} for value in values]})


def pid(api: Api) -> int:
    """Return the id of the model's process, which the model itself tells."""
    return round(predicted(api, TELLS))


def predicted(api: Api, value: float) -> float:
    """Return what the model answers, asked again where the machine was too slow."""
    found: list[float] = []

    def is_answered() -> bool:
        answer = ask(api, value)
        if answer.status_code == 200:
            found.append(answer.json()["predictions"][0]["value"])
        return bool(found)

    until(is_answered)
    return found[0]


def assert_answers_again(api: Api) -> None:
    """Check that the server comes back to a right answer by itself."""
    until(lambda: api.get("/ready").status_code == 200)
    assert predicted(api, 2.0) == pytest.approx(2.0)
    assert api.get("/health").status_code == 200


def test_a_process_killed_between_requests_is_replaced(moody: Api) -> None:
    """Readiness notices that the process is gone and brings it back, though no one predicts."""
    killed = pid(moody)
    os.kill(killed, signal.SIGKILL)
    until(lambda: moody.get("/ready").status_code == 503)
    assert_answers_again(moody)
    assert pid(moody) != killed


def test_a_process_killed_while_it_scores_is_replaced(moody: Api) -> None:
    """The request that it was killed under is told to come again, and the next is answered."""
    killed = pid(moody)
    with ThreadPoolExecutor(1) as pool:
        hanging: Future[httpx.Response] = pool.submit(ask, moody, HANGS)
        until(lambda: ignores(killed, signal.SIGUSR1))
        os.kill(killed, signal.SIGKILL)
        refused = hanging.result()
    assert refused.status_code == 503
    assert refused.json()["code"] == "model-process-died"
    assert int(refused.headers["retry-after"]) >= 1
    assert_answers_again(moody)


def test_a_model_that_ends_its_process_does_not_end_the_server(moody: Api) -> None:
    """A row on which native code aborts is 503, without a word of what the process said."""
    refused = ask(moody, ENDS)
    assert refused.status_code == 503
    assert "Abort" not in refused.text
    assert_answers_again(moody)


def test_a_hanging_model_is_given_up(hurried: Api) -> None:
    """What takes too long is 504 in time, its process is ended, and the next is answered."""
    hanging = pid(hurried)
    began = time.monotonic()
    refused = ask(hurried, HANGS)
    assert refused.status_code == 504
    assert "1.5 seconds" in refused.json()["detail"]
    assert time.monotonic() - began < 60  # the model sleeps ten times as long
    assert_answers_again(hurried)
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)


def test_those_who_wait_behind_it_are_answered_in_time(hurried: Api) -> None:
    """No request waits longer than its own time, however many hang before it."""
    many = 60
    began = time.monotonic()
    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(lambda _: ask(hurried, HANGS), range(many)))
    assert time.monotonic() - began < many * TIMEOUT_S / 3  # one after another takes all of it
    assert {answer.status_code for answer in answers} <= {503, 504}
    assert_answers_again(hurried)


def test_a_row_on_which_the_model_raises_is_named(moody: Api) -> None:
    """The row is found among many, and what the model said is told without a traceback."""
    refused = ask(moody, *[1.0] * 50, RAISES, *[1.0] * 49)
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["row"], fault["code"]) == (50, "prediction-refused")
    assert "RuntimeError: not this one" in fault["message"]
    assert "Traceback" not in refused.text
    assert_answers_again(moody)


def test_a_process_that_ends_while_the_row_is_sought_is_replaced(moody: Api) -> None:
    """A table that first raises and then ends the process is 503 and no fault of the server."""
    assert ask(moody, ENDS, RAISES).status_code == 503
    assert_answers_again(moody)


def test_what_the_sandbox_forbids_is_said(moody: Api) -> None:
    """A model that calls a program on some row is stopped, and the client is told; it goes on."""
    refused = ask(moody, CALLS)
    assert refused.status_code == 422
    assert refused.json()["code"] == "model-confined"
    assert_answers_again(moody)


def test_what_it_tried_and_swallowed_is_logged_once(
    make_endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """An attempt that a model swallows is a warning in the log when it is new, and answered."""
    with running(make_endpoint(moody_model(), X)) as api:
        for _ in range(3):
            assert ask(api, SNOOPS).status_code == 200
        os.kill(pid(api), signal.SIGKILL)
        until(lambda: api.get("/ready").status_code == 503)
        assert_answers_again(api)
        assert ask(api, SNOOPS).status_code == 200
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warned == ["the model of small@1 tried to open ~/.ssh/id_rsa, and was kept from it"]


def test_a_file_that_was_changed_is_not_loaded(make_endpoint: MakeEndpoint) -> None:
    """A model file that is not the registered one is refused until it is restored."""
    endpoint = make_endpoint(moody_model(), X)
    file = Path(endpoint.model_file)
    registered = file.read_bytes()
    file.write_bytes(registered + b"x")
    with running(endpoint) as api:
        refused = ask(api, 1.0)
        assert (refused.status_code, refused.json()["code"]) == (503, "model-not-loaded")
        assert str(file.parent) not in refused.text
        assert api.get("/ready").status_code == 503
        file.write_bytes(registered)
        assert_answers_again(api)


@pytest.mark.parametrize("content", [None, b"", b"not a pickle"])
def test_a_file_that_cannot_be_loaded_is_said_to_be_so(
    make_endpoint: MakeEndpoint, content: bytes | None
) -> None:
    """A file that is missing or damaged makes 503, and never a fault of the server."""
    endpoint = make_endpoint(moody_model(), X)
    Path(endpoint.model_file).unlink()
    if content is not None:
        Path(endpoint.model_file).write_bytes(content)
    with running(endpoint) as api:
        assert ask(api, 1.0).status_code == 503
        until(lambda: "registered" in api.get("/ready").json()["detail"])


def test_a_short_time_for_a_request_is_no_short_time_to_load(make_endpoint: MakeEndpoint) -> None:
    """Loading takes as long as it takes; who asks meanwhile is told to come again."""
    with running(make_endpoint(moody_model(), X, timeout_s=0.1)) as api:
        refused = ask(api, 1.0)
        assert (refused.status_code, refused.json()["code"]) == (503, "not-ready")
        assert_answers_again(api)


def test_its_end_is_the_end_of_the_process(make_endpoint: MakeEndpoint) -> None:
    """At shutdown the process is gone at once, though it hangs, and no request finds a way in."""
    endpoint = make_endpoint(moody_model(), X)

    async def life() -> tuple[int, tuple[Any, ...]]:
        holder = Holder(endpoint)
        told = await holder.score(pa.table({"x": [TELLS]}))
        hanging = asyncio.create_task(holder.score(pa.table({"x": [HANGS]})))
        process = round(float(told.predictions[0]))
        await asyncio.to_thread(until, lambda: ignores(process, signal.SIGUSR1))
        with anyio.fail_after(60):  # the model sleeps ten times as long
            await holder.close()
        late = holder.score(pa.table({"x": [1.0]}))
        ends = await asyncio.gather(hanging, late, return_exceptions=True)
        return process, ends

    process, ends = asyncio.run(life())
    assert [type(end) for end in ends] == [Problem, Problem]
    assert {end.status for end in ends} == {503}
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_nothing_is_left_open(make_endpoint: MakeEndpoint) -> None:
    """A server that lost its process many times holds no more files than at first."""
    endpoint: Endpoint = make_endpoint(moody_model(), X)
    folder = Path("/proc/self/fd")
    with running(endpoint) as api:
        ask(api, 1.0)
        before = len(list(folder.iterdir()))
        for _ in range(3):
            os.kill(pid(api), signal.SIGKILL)
            until(lambda: api.get("/ready").status_code == 503)
            assert_answers_again(api)
        until(lambda: len(list(folder.iterdir())) <= before)
