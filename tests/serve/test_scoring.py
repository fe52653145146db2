"""The path of a prediction, given whatever a client may send."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import Bank
from tests.serve.conftest import Api

PREDICT = "/v1/models/bank/predict"
PATHS = [PREDICT, "/invocations"]
NAMES = ["age", "job", "rows", "instances", "inputs", "dataframe_split", "dataframe_records"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
modest = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_answer_or_problem(api: Api, path: str, content: bytes) -> None:
    answer = api.post(path, content=content, headers={"content-type": "application/json"})
    document = answer.json()
    if answer.status_code == 200:
        assert document["predictions"]
    else:
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert document["status"] == answer.status_code
        assert document["detail"]
        assert len(answer.content) < 50_000


@pytest.mark.parametrize("path", PATHS)
@modest
@given(value=values)
def test_any_json_is_answered(api: Api, path: str, value: Any) -> None:
    """Whatever JSON is sent gets predictions or a problem, and never a fault."""
    assert_answer_or_problem(api, path, json.dumps(value).encode())


@pytest.mark.parametrize("path", PATHS)
@modest
@given(content=st.binary(max_size=60))
def test_any_bytes_are_answered(api: Api, path: str, content: bytes) -> None:
    """Whatever bytes are sent get a problem, and never a fault."""
    assert_answer_or_problem(api, path, content)


@modest
@given(
    change=st.dictionaries(st.sampled_from(["age", "job", "balance", "day"]), values, min_size=1)
)
def test_any_values_are_answered(api: Api, example: dict[str, Any], change: dict[str, Any]) -> None:
    """Whatever stands in some columns of a good row, on either route, is answered."""
    row = {**example, **change}
    assert_answer_or_problem(api, PREDICT, json.dumps({"rows": [row]}).encode())
    body = json.dumps({"dataframe_split": {"columns": [*row], "data": [[*row.values()]]}})
    assert_answer_or_problem(api, "/invocations", body.encode())


def test_many_rows_are_answered_in_their_order(api: Api, bank: Bank) -> None:
    """Ten thousand rows in one body have ten thousand answers, each its own."""
    few = bank.frame.drop(columns="y").head(100).to_dict(orient="records")
    alone = api.post(PREDICT, json={"rows": few}).json()["predictions"]
    together = api.post(PREDICT, json={"rows": few * 100}).json()["predictions"]
    assert together == alone * 100


def longest_wait(api: Api, content: bytes) -> float:
    """Return what part of the time of a refused body one small request waited at most.

    The refusal is all that follows the reading, and the time begins when the body was sent.
    """
    sent = threading.Event()

    async def body() -> AsyncIterator[bytes]:
        yield content
        sent.set()

    with ThreadPoolExecutor(1) as pool:
        large = pool.submit(api.post, PREDICT, content=body())
        assert sent.wait(240)
        slowest, start = 0.0, time.monotonic()
        while not large.done():
            began = time.monotonic()
            assert api.get("/health").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        whole = time.monotonic() - start
        assert large.result().status_code == 422
    return slowest / whole if slowest else 1.0


def test_others_are_answered_while_a_large_body_is_read(api: Api, example: dict[str, Any]) -> None:
    """A body of many rows does not hold up who asks for something small."""
    rows = [*[example] * 20_000, {**example, "age": "x"}]
    content = json.dumps({"rows": rows}).encode()
    # One that is held up waits for all of it, at every try; noise comes and goes.
    assert any(longest_wait(api, content) < 2 / 3 for _ in range(20))


def quickest(api: Api, body: Any) -> tuple[float, Response]:
    """Return what the quickest of some answers took of a processor, and the last of them."""
    times = []
    for _ in range(3):
        began = time.process_time()
        answer = api.post(PREDICT, json=body)
        times.append(time.process_time() - began)
    return min(times), answer


@pytest.mark.parametrize(
    "fault",
    [{"job": "adminx"}, {"age": "x"}, {"agee": 1}, {"age": 10**30}, {"job": "x" * 1000}],
    ids=["category", "type", "column", "range", "long"],
)
def test_a_body_of_faults_is_refused_quickly(
    api: Api, example: dict[str, Any], fault: dict[str, Any]
) -> None:
    """Thousands of faults cost no more than rows without any, and the answer is short."""
    good_s, good = quickest(api, {"rows": [example] * 5000})
    refused_s, answer = quickest(api, {"rows": [{**example, **fault}] * 5000})
    assert good.status_code == 200
    assert refused_s < 5 * good_s  # that they cost about as much, with room for noise
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100
    assert len(answer.content) < 50_000
