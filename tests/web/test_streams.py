"""What goes through the server is streamed, and outlives what answers it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests import patience
from tests.web.conftest import Up, lines, running_up

import brinery

pytestmark = pytest.mark.slow

PART = b"0123456789abcdef" * 65_536
PARTS = 200
# What a process may grow by while it passes on 200 MB: a fraction of them.
MOST_BYTES = 64 * 2**20
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Up]:
    """A server of a workspace with one model; each test has its own, for one ends it."""
    workspace = lines(tmp_path, versions=1)
    brinery.promote("m@1", force=True, why="a test", workspace=workspace)
    with running_up(workspace) as up:
        up.starts()
        up.until(lambda: up.answered() == 1)
        yield up


def parts() -> Iterator[bytes]:
    """Give a body of 200 MB."""
    for _ in range(PARTS):
        yield PART


def family(up: Up) -> list[int]:
    """Return the numbers of a server's processes."""
    found = [up.process.pid]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == up.process.pid:
            found.append(int(folder.name))
    return found


def peak_bytes(number: int) -> int:
    """Return the most memory that a process ever had."""
    status = Path(f"/proc/{number}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_large_artifacts_are_streamed(server: Up) -> None:
    """200 MB go there and back, and no process of the server holds more than a part of them."""
    url = f"{server.url}{ARTIFACTS}/large/model.bin"
    patience.put(f"{server.url}{ARTIFACTS}/small.bin", content=b"1")  # whoever answers first, loads
    patience.get(f"{server.url}{ARTIFACTS}/small.bin")
    before = {number: peak_bytes(number) for number in family(server)}
    assert httpx.put(url, content=parts(), timeout=patience.WAIT_S).status_code == httpx.codes.OK
    stored = server.workspace / ".brinery" / "artifacts" / "large" / "model.bin"
    assert stored.stat().st_size == PARTS * len(PART)
    n_bytes = 0
    with httpx.stream("GET", url, timeout=patience.WAIT_S) as answer:
        for part in answer.iter_bytes():
            n_bytes += len(part)
    assert n_bytes == PARTS * len(PART)
    grown = {number: peak_bytes(number) - before[number] for number in before}
    assert max(grown.values()) < MOST_BYTES, grown


def test_mlflow_comes_back_when_it_is_killed(server: Up) -> None:
    """It is started again, says when to ask again meanwhile, and predictions go on."""
    killed = server.companion()
    os.kill(killed, signal.SIGKILL)
    refused: list[httpx.Response] = []

    def is_refused() -> bool:
        refused.append(server.get("/api/v1/models"))
        return refused[-1].status_code == httpx.codes.SERVICE_UNAVAILABLE

    server.until(is_refused)
    assert refused[-1].headers["retry-after"] == "1"
    assert server.answered() == 1
    server.starts()
    assert server.companion() != killed
    assert server.get("/api/v1/models/m").status_code == httpx.codes.OK


def test_an_upload_is_finished_before_the_end(server: Up) -> None:
    """What was begun when the server is told to end is answered, and then nothing is left of it."""
    began = threading.Event()
    answers: list[int] = []

    def slowly() -> Iterator[bytes]:
        yield PART
        began.set()
        time.sleep(2)
        yield PART

    def upload() -> None:
        url = f"{server.url}{ARTIFACTS}/slow.bin"
        answers.append(httpx.put(url, content=slowly(), timeout=patience.WAIT_S).status_code)

    numbers = family(server)
    thread = threading.Thread(target=upload)
    thread.start()
    began.wait()
    server.process.send_signal(signal.SIGTERM)
    thread.join()
    assert server.process.wait(240) == 0
    assert answers == [httpx.codes.OK]
    left_at = time.monotonic() + 240
    while left := [number for number in numbers if Path(f"/proc/{number}").exists()]:
        assert time.monotonic() < left_at, left
        time.sleep(0.1)


def test_it_begins_with_nothing(tmp_path: Path) -> None:
    """In an empty folder, and serves what is then imported and promoted."""
    with running_up(tmp_path) as up:
        up.starts()
        assert up.get("/api/v1/models").json() == {"models": []}
        lines(tmp_path, versions=1)
        up.until(lambda: up.answered() == 1)
        killed = up.companion()
        up.process.kill()
        up.process.wait()
        end = time.monotonic() + 240
        while Path(f"/proc/{killed}").exists():
            assert time.monotonic() < end, "the companion outlived the server"
            time.sleep(0.1)
