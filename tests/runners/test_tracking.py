"""The port of a job: nothing runs behind it before somebody asks, and what is said is passed on."""

from __future__ import annotations

import fcntl
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from brinery.records.tracked_run import TrackedRun
from brinery.runners.addresses import own_address
from brinery.runners.tracking import Tracking

# A server of a few lines: it writes down what it is told, and answers with the path it was asked.
SERVER = """
import http.server, json, os, socketserver, sys, threading
task = json.loads(sys.stdin.readline())
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(task["log"], "a") as log:
            log.write(json.dumps([self.path, body.decode()[:5000]]) + "\\n")
        said = json.dumps({"path": self.path, "pid": os.getpid(), "bytes": len(body)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_GET = do_POST = answer
    def address_string(self): return "steps"
    def log_message(self, *_): pass
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
Server(task["socket"], Handler).serve_forever()
"""
ONE = TrackedRun(id="1" * 32, name="one", experiment="taxi", started_ms=1)
TWO = TrackedRun(id="2" * 32, name="two", experiment="taxi", started_ms=2, parent=ONE.id)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the server is asked, a line each."""
    return tmp_path / "asked.jsonl"


@pytest.fixture
def tracking(tmp_path: Path, log: Path) -> Iterator[Tracking]:
    """The port of a job."""
    with Tracking(
        [sys.executable, "-c", SERVER],
        told=json.dumps({"socket": "{socket}", "log": str(log)}),
        spool=tmp_path / "spool" / "job.jsonl",
    ) as opened:
        yield opened


def ask(tracking: Tracking, path: str, body: bytes | None = None) -> dict[str, object]:
    with urllib.request.urlopen(tracking.uri + path, body, timeout=240) as answer:
        said: dict[str, object] = json.load(answer)
    return said


def told(log: Path) -> list[dict[str, str]]:
    """The runs that the server was told of, in order."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [run for path, body in lines if path == "/brinery/job-runs" for run in json.loads(body)]


def test_a_job_that_never_asks(tracking: Tracking, tmp_path: Path, log: Path) -> None:
    """Its runs are written down, and no process was started."""
    variables = tracking.begin(ONE)
    assert variables["MLFLOW_TRACKING_URI"] == tracking.uri
    assert variables["MLFLOW_RUN_ID"] == ONE.id
    assert variables["MLFLOW_EXPERIMENT_NAME"] == "taxi"
    assert "127.0.0.1" in variables["no_proxy"].split(",")
    assert tracking.metrics(ONE.id) == {}
    assert tracking.history(ONE.id, "loss") == ()
    tracking.end(ONE.id, status="FINISHED", ended_ms=5)
    spool = tmp_path / "spool" / "job.jsonl"
    with spool.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    tracking.__exit__()
    assert not tracking.asked
    assert not log.exists()
    lines = [json.loads(line) for line in spool.read_text().splitlines()]
    assert [line["status"] for line in lines] == ["RUNNING", "FINISHED"]
    assert lines[-1]["ended_ms"] == 5


def test_a_job_that_asks(tracking: Tracking, tmp_path: Path, log: Path) -> None:
    """One server is started for all who ask; it knows each run before it is asked about it."""
    tracking.begin(ONE)
    big = b"x" * 3_000_000
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, tracking, f"/{number}", big) for number in range(8)]
        answers = [each.result() for each in asked]
    assert {answer["bytes"] for answer in answers} == {len(big)}
    assert len({answer["pid"] for answer in answers}) == 1
    assert [run["name"] for run in told(log)] == ["one"]
    tracking.begin(TWO)
    ask(tracking, "/later")
    assert [run["name"] for run in told(log)] == ["one", "two"]
    tracking.end(TWO.id, status="FAILED", ended_ms=9)
    tracking.__exit__()
    assert [run["status"] for run in told(log)] == ["RUNNING", "RUNNING", "FAILED"]
    assert not (tmp_path / "spool" / "job.jsonl").exists()
    with pytest.raises(urllib.error.URLError):
        ask(tracking, "/after")


def test_a_server_that_dies(tracking: Tracking, log: Path) -> None:
    """It is started again when somebody asks, and told of every run."""
    tracking.begin(ONE)
    first = ask(tracking, "/first")["pid"]
    process = tracking._server.process
    assert process is not None
    process.kill()
    process.wait()
    assert ask(tracking, "/second")["pid"] != first
    assert [run["name"] for run in told(log)] == ["one", "one"]


def test_a_server_that_cannot_start(tmp_path: Path) -> None:
    """Who asks is told why at once, and the runs are kept for later."""
    spool = tmp_path / "job.jsonl"
    command = [sys.executable, "-c", "raise SystemExit('no database')"]
    with Tracking(command, told="{}", spool=spool) as tracking:
        tracking.begin(ONE)
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(tracking, "/api")
        assert caught.value.code == 400
        assert "no database" in json.load(caught.value)["message"]
        caught.value.close()
    assert spool.exists()


def test_steps_begin_while_the_server_starts(tmp_path: Path) -> None:
    """To begin a run does not wait for a server that takes its time."""
    gate = tmp_path / "gate"
    slow = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)\n{SERVER}"
    told = json.dumps({"socket": "{socket}", "log": str(tmp_path / "log")})
    with Tracking(
        [sys.executable, "-c", slow], told=told, spool=tmp_path / "job.jsonl"
    ) as tracking:
        tracking.begin(ONE)
        waiting = threading.Thread(target=ask, args=(tracking, "/"))
        waiting.start()
        while not tracking.asked:
            time.sleep(0.01)
        tracking.begin(TWO)
        tracking.end(TWO.id, status="FINISHED", ended_ms=3)
        assert waiting.is_alive()
        gate.touch()
        waiting.join()


def test_other_machines(tmp_path: Path, log: Path) -> None:
    """Where other machines reach the port, who asks must say what only the job's steps are told."""
    # Every address of 127.0.0.0/8 is this machine's.
    with Tracking(
        [sys.executable, "-c", SERVER],
        told=json.dumps({"socket": "{socket}", "log": str(log)}),
        spool=tmp_path / "spool" / "job.jsonl",
        host="127.0.0.2",
    ) as opened:
        variables = opened.begin(ONE)
        assert opened.uri.startswith("http://127.0.0.2:")
        assert "127.0.0.2" in variables["no_proxy"].split(",")
        for token in (
            "",
            "Bearer",
            "Bearer guessed",
            f"Basic {variables['MLFLOW_TRACKING_TOKEN']}",
        ):
            stranger = urllib.request.Request(opened.uri, headers={"Authorization": token})
            with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(stranger):
                pass
            assert caught.value.code == 401
            assert b"MLFLOW_TRACKING_TOKEN" in caught.value.read()
            caught.value.close()
        assert not opened.asked
        known = {"Authorization": f"Bearer {variables['MLFLOW_TRACKING_TOKEN']}"}
        asked = urllib.request.Request(f"{opened.uri}/some", b"x" * 300_000, headers=known)
        with urllib.request.urlopen(asked, timeout=240) as answer:
            assert json.load(answer)["bytes"] == 300_000


@pytest.mark.parametrize(
    ("cluster", "address"),
    [
        ("", "127.0.0.1"),
        ("127.0.0.1:6379", "127.0.0.1"),
        ("ray://localhost:10001", "127.0.0.1"),
        ("no-such-host.invalid:1", "127.0.0.1"),
    ],
)
def test_own_address(cluster: str, address: str) -> None:
    """A cluster on this machine is told its own address, and so is one that is not found."""
    assert own_address(cluster) == address
