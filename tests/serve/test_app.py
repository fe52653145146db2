"""The application's routes, in process."""

from __future__ import annotations

import json
import logging

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from tests.serve.conftest import Api, MakeEndpoint, running

from brinery.serve.endpoint import Endpoint

PREDICT = "/v1/models/bank/predict"
X = pd.DataFrame({"x": [0.0, 1.0, 2.0]})


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_health_is_ok(api: Api) -> None:
    """The server says that it runs, under both names that probes use."""
    assert api.get("/health").json() == api.get("/ping").json() == {"status": "ok"}


def test_the_model_is_described(api: Api, bank_endpoint: Endpoint) -> None:
    """A model's address has its version, its signature and its metrics."""
    described = api.get("/v1/models/bank").json()
    assert (described["name"], described["version"]) == ("bank", 1)
    assert described["aliases"] == ["champion"]
    assert described["metrics"]["roc_auc"] > 0.8
    names = [column["name"] for column in described["signature"]["columns"]]
    assert names == [column.name for column in bank_endpoint.candidate.signature.columns]


def test_the_root_leads_to_the_page(api: Api) -> None:
    """Who opens the bare address is sent to the page, by a path and not by a host."""
    answer = api.get("/", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/v1/models/other",
        "/v1/models/other/predict",
        f"{PREDICT}/",
        "/health/",
        "/docs/",
        "/docs/assets",
        "/%00",
        "/%ff",
        "/" + "a" * 50_000,
    ],
)
def test_what_is_not_there_is_a_problem(api: Api, path: str) -> None:
    """Any other path is a 404 problem that says where to look, and never a redirect."""
    answer = api.get(path)
    assert_problem(answer, 404)
    assert "/docs" in answer.json()["hint"]
    assert len(answer.content) < 500


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
@pytest.mark.parametrize("path", [PREDICT, "/invocations", "/health", "/docs", "/openapi.json"])
def test_another_method_is_a_problem(api: Api, method: str, path: str) -> None:
    """A method that a path does not take is a 405 problem that says which it takes."""
    answer = api.request(method, path)
    assert_problem(answer, 405)
    expected = {"POST"} if path in (PREDICT, "/invocations") else {"GET", "HEAD"}
    assert set(answer.headers["allow"].split(", ")) == expected


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/docs", "/v1/models/bank"])
def test_head_is_get_without_the_body(api: Api, path: str) -> None:
    """HEAD has the headers of GET and no body."""
    named = {"x-request-id": "a"}
    get, head = (api.request(method, path, headers=named) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers == get.headers


@pytest.mark.parametrize("path", [PREDICT, "/invocations"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("content-type", "text/xml", "text/xml"),
        ("content-type", "x" * 10_000, "xxx"),
        ("content-type", "application/json; charset=utf-16", "utf-16"),
        ("content-type", 'application/json; a=b; CHARSET="latin-1"', "latin-1"),
        ("content-encoding", "br", "br"),
    ],
)
def test_a_body_sent_otherwise_is_a_problem(
    api: Api, path: str, name: str, value: str, said: str
) -> None:
    """A body of another kind, or not in utf-8, is a 415 problem that says what it is."""
    answer = api.post(path, content=b"\x1f\x8b", headers={name: value})
    assert_problem(answer, 415)
    assert said in answer.json()["detail"]
    assert len(answer.content) < 500
    assert ("gzip" in answer.headers.get("accept-encoding", "")) == ("encoding" in name)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "",
    ],
)
def test_json_may_be_announced_in_many_ways(
    api: Api, example: dict[str, object], media: str
) -> None:
    """Every usual way to announce JSON is taken, what curl says of itself among them."""
    answer = api.post(PREDICT, content=json.dumps(example), headers={"content-type": media})
    assert answer.status_code == 200


def test_it_says_why_it_is_not_ready(make_endpoint: MakeEndpoint) -> None:
    """Without its model the server is not ready and says why, and describes itself all the same."""
    endpoint = make_endpoint(LinearRegression().fit(X, X["x"]), X, model_file="/nowhere/model.pkl")
    with running(endpoint) as api:
        refused = api.post(endpoint.predict_path, json={"x": 1.0})
        ready = api.get("/ready")
        for answer in (refused, ready):
            assert_problem(answer, 503)
            assert "not the one that was registered" in answer.json()["detail"]
            assert "/nowhere" not in answer.text
            assert int(answer.headers["retry-after"]) >= 1
        for path in ("/health", "/openapi.json", "/v1/models/small", "/docs"):
            assert api.get(path).status_code == 200


def test_a_fault_of_ours_is_logged_and_not_shown(
    make_endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong in the server itself is a 500 that names its log entry alone."""
    endpoint = make_endpoint(LinearRegression().fit(X, X["x"]), X, timeout_s="not a number")
    with caplog.at_level(logging.ERROR), running(endpoint) as api:
        answer = api.post(endpoint.predict_path, json={"x": 1.0})
    assert_problem(answer, 500)
    (identifier,) = [word for word in answer.json()["detail"].split() if word in caplog.text][-1:]
    assert len(identifier) == 12
    assert "Traceback" in caplog.text
    assert "Traceback" not in answer.text
    assert "TypeError" not in answer.text
