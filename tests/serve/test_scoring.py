"""The path of a prediction, given whatever a client may send."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
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
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
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


def test_others_are_answered_while_a_large_body_is_read(api: Api, example: dict[str, Any]) -> None:
    """A body of many rows does not hold up who asks for something small."""
    content = json.dumps({"rows": [example] * 20_000}).encode()
    with ThreadPoolExecutor(1) as pool:
        large = pool.submit(api.post, PREDICT, content=content)
        slowest = 0.0
        while not large.done():
            began = time.monotonic()
            assert api.get("/health").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        assert large.result().status_code == 200
    assert slowest < 0.5


@pytest.mark.parametrize(
    "fault",
    [{"job": "adminx"}, {"age": "x"}, {"agee": 1}, {"age": 10**30}, {"job": "x" * 1000}],
    ids=["category", "type", "column", "range", "long"],
)
def test_a_body_of_faults_is_refused_quickly(
    api: Api, example: dict[str, Any], fault: dict[str, Any]
) -> None:
    """Thousands of faults cost no more than the reading, and the answer is short."""
    body = {"rows": [{**example, **fault}] * 5000}
    began = time.monotonic()
    answer = api.post(PREDICT, json=body)
    assert time.monotonic() - began < 2
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100
    assert len(answer.content) < 50_000
