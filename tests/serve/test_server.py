"""The server as it is run: Granian, over real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import pickle
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests import patience
from tests.conftest import BRINERY, END_WAIT_S, Bank, Done, serving
from tests.there import alive, family

PREDICT = "/v1/models/bank/predict"
JSON = {"content-type": "application/json"}
MB = 1_000_000


def all_gone(processes: Iterable[int]) -> bool:
    end = time.monotonic() + patience.WAIT_S
    while time.monotonic() < end:
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def raw(url: str, content: bytes) -> bytes:
    """Return what a server answers to bytes, up to the end of the first answer's head."""
    parts = urlsplit(url)
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=patience.WAIT_S) as connection:
        # One that refuses what it has not read to its end may hang up on the rest.
        with suppress(ConnectionError):
            connection.sendall(content)
        return connection.recv(65_536)


def test_every_row_is_answered_as_the_model_answers_it(served: str, bank: Bank) -> None:
    """Labels and probabilities of all held-out rows equal the pickle's own, to the last bit."""
    frame = bank.frame.drop(columns="y")
    model = pickle.loads(bank.model.read_bytes())  # noqa: S301, TID251 - what we are compared with
    rows = frame.to_dict(orient="records")
    answered = httpx.post(served + PREDICT, json={"rows": rows}, timeout=patience.WAIT_S).json()[
        "predictions"
    ]
    assert [row["label"] for row in answered] == model.predict(frame).tolist()
    assert [[row["probabilities"][name] for name in ("no", "yes")] for row in answered] == (
        model.predict_proba(frame).tolist()
    )
    invoked = httpx.post(
        served + "/invocations", json={"dataframe_records": rows}, timeout=patience.WAIT_S
    )
    assert invoked.json()["predictions"] == model.predict(frame).tolist()


def test_one_row_is_answered_as_in_the_documentation(served: str, bank: Bank) -> None:
    """A bare object and a list of one give the very same answer, in the documented form."""
    bare = patience.post(served + PREDICT, json=bank.row)
    assert bare.json() == patience.post(served + PREDICT, json={"rows": [bank.row]}).json()
    (prediction,) = bare.json()["predictions"]
    assert bare.json().keys() == {"predictions", "model", "version"}
    assert (bare.json()["model"], bare.json()["version"]) == ("bank", 1)
    assert prediction["label"] in ("no", "yes")
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"age": "old"}, "age"),
        ({"age": float("nan")}, "age"),
        ({"age": [1]}, "age"),
        ({"job": "astronaut"}, "job"),
        ({"job": None}, "job"),
        ({"jbo": "x"}, "jbo"),
    ],
    ids=["type", "nan", "list", "category", "missing value", "unknown column"],
)
def test_a_bad_value_is_named(served: str, bank: Bank, change: dict[str, Any], column: str) -> None:
    """Each is a 422 problem that names the row and the column."""
    content = json.dumps({"rows": [bank.row, {**bank.row, **change}]})
    answer = patience.post(served + PREDICT, content=content, headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (fault,) = answer.json()["errors"]
    assert (fault["row"], fault["column"]) == (1, column)
    assert f"row 1: '{column}'" in answer.json()["detail"]


def test_a_missing_column_is_named(served: str, bank: Bank) -> None:
    """A row without a column that the model reads is a 422 problem that names it."""
    row = {name: value for name, value in bank.row.items() if name != "poutcome"}
    (fault,) = patience.post(served + PREDICT, json=row).json()["errors"]
    assert (fault["row"], fault["column"], fault["code"]) == (0, "poutcome", "missing-column")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 50_000], ids=repr)
def test_what_is_not_json_is_a_problem(served: str, content: bytes) -> None:
    """An empty or malformed body is a 400 problem."""
    answer = patience.post(served + PREDICT, content=content, headers=JSON)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def _in_parts() -> Iterator[bytes]:
    yield from [b"0" * MB] * 100


@pytest.mark.parametrize("body", [lambda: b"0" * 100 * MB, _in_parts], ids=["length", "chunked"])
def test_a_large_body_is_refused(served: str, body: Callable[[], Any]) -> None:
    """100 MB, announced or not, is a 413 problem, also for a client that sends before it reads."""
    request = urllib.request.Request(served + PREDICT, data=body(), headers=JSON)
    # A server that hangs is a timeout, which is no HTTPError.
    with (
        pytest.raises(urllib.error.HTTPError) as caught,
        urllib.request.urlopen(request, timeout=patience.WAIT_S),
    ):
        pass
    with caught.value as refused:
        assert (refused.code, json.loads(refused.read())["code"]) == (413, "body-too-large")
    assert patience.get(f"{served}/health").status_code == 200


def test_a_client_that_asks_first_need_not_send(served: str) -> None:
    """With `Expect: 100-continue` a large body is refused before any of it is sent."""
    head = (
        f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {100 * MB}\r\nExpect: 100-continue\r\n\r\n"
    )
    assert raw(served, head.encode()).startswith(b"HTTP/1.1 413")


def test_a_body_may_come_in_chunks(served: str, bank: Bank) -> None:
    """A body that is sent in parts is read as one."""
    content = json.dumps(bank.row).encode()
    parts = (content[i : i + 7] for i in range(0, len(content), 7))
    assert patience.post(served + PREDICT, content=parts, headers=JSON).status_code == 200


def test_connections_are_kept(served: str, bank: Bank) -> None:
    """Answers and problems of every kind follow each other on one connection."""
    parts = urlsplit(served)
    connection = http.client.HTTPConnection(
        str(parts.hostname), parts.port, timeout=patience.WAIT_S
    )
    statuses = []
    for content in (json.dumps(bank.row), "{", "{}", json.dumps(bank.row)):
        connection.request("POST", PREDICT, content, JSON)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    assert statuses == [200, 400, 422, 200]


@pytest.mark.parametrize(
    "line",
    [
        b"GET /docs/assets/../app.py HTTP/1.1",
        b"GET /docs/assets/%2e%2e%2fapp.py HTTP/1.1",
        b"GET /docs/assets/..\\app.py HTTP/1.1",
        b"GET /docs/assets//etc/passwd HTTP/1.1",
        b"GET /%ff%fe HTTP/1.1",
        b"GET /%zz HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT a:1 HTTP/1.1",
        b"TRACE / HTTP/1.1",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x00",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_a_strange_request_is_refused(served: str, line: bytes) -> None:
    """Tricks with the path, the method or the protocol get a 4xx, and the server stays."""
    answer = raw(served, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer[9:10] == b"4"
    assert patience.get(f"{served}/health").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: -5\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: x\r\n",
        b"Content-Length: 2\r\nContent-Encoding: gzip\r\n",
        b"Content-Length: 2\r\nContent-Type: \xff\xfe\r\n",
        b"Content-Length: 2\r\nContent-Type: application/json; charset=\xff\r\n",
        b"Content-Length: 2\r\nX: " + b"a" * 1_000_000 + b"\r\n",
    ],
    ids=lambda headers: repr(headers[:60]),
)
def test_strange_headers_are_refused(served: str, headers: bytes) -> None:
    """Headers that contradict themselves, or say what is not read, get a 4xx."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    assert raw(served, head + headers + b"\r\n{}")[9:10] == b"4"
    assert patience.get(f"{served}/health").status_code == 200


def test_workers_serve_and_leave_nothing_behind(bank_workspace: Path, bank: Bank) -> None:
    """Two workers answer alike, and at the end no process of theirs is left."""
    before = set(family(os.getpid()))
    with serving(bank_workspace, "bank", "--workers", "2") as url:
        started = set(family(os.getpid())) - before
        answers = {patience.post(url + PREDICT, json=bank.row).text for _ in range(20)}
        started |= set(family(os.getpid())) - before
        assert len(answers) == 1
        assert len(started) >= 3
    assert all_gone(started)


def test_interrupted_it_ends_well(bank_workspace: Path, free_port: int) -> None:
    """Ctrl-C is how it is meant to end: exit status 0, no traceback, and no process left."""
    command = [BRINERY, "--workspace", bank_workspace, "serve", "bank", "--port", str(free_port)]
    server = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{free_port}"
    end = time.monotonic() + patience.WAIT_S
    while time.monotonic() < end:
        try:
            if patience.get(f"{url}/ready").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    started = family(server.pid)
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=END_WAIT_S)
    assert server.returncode == 0
    assert "Traceback" not in said
    assert all_gone(started)


def test_a_port_in_use_is_said_to_be(
    bank_workspace: Path, brinery_command: Callable[..., Done]
) -> None:
    """Another program on the port is exit status 2, with another port to try."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = brinery_command("--workspace", bank_workspace, "serve", "bank", "--port", port)
    assert done.status == 2
    assert f"127.0.0.1:{port}" in done.err
    assert f"--port {port + 1}" in done.err
    assert "Traceback" not in done.err
