"""Several workers behind one port: what they share, and one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import patience
from tests.conftest import BRINERY, END_WAIT_S, Bank
from tests.serve.test_metrics import Figures
from tests.there import command, family

import brinery

N_WORKERS = 3
N_THREADS = 6
WAIT_S = 240.0


def workers(server: int) -> set[int]:
    """Return the ids of a server's workers."""
    return {pid for pid in family(server) if "spawn_main" in command(pid)}


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.1)


@contextmanager
def server_of(workspace: Path, port: int) -> Iterator[tuple[str, int]]:
    """Serve with several workers while the block runs; gives the URL and the server's process."""
    command = [BRINERY, "--workspace", workspace, "serve", "bank", "--port", port]
    server = subprocess.Popen([*map(str, command), "--workers", str(N_WORKERS)])
    url = f"http://127.0.0.1:{port}"

    def all_count() -> bool:
        assert server.poll() is None
        try:
            return Figures(patience.get(f"{url}/metrics").text)("brinery_workers") == N_WORKERS
        except httpx.TransportError:
            return False

    try:
        until(all_count)
        yield url, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=END_WAIT_S)


class Load:
    """Asks a server again and again, by several threads, until it is told to end."""

    def __init__(self, url: str, row: dict[str, Any], *, n_threads: int) -> None:
        self._client = brinery.Client(url, model="bank", timeout_s=WAIT_S)
        self._row = row
        self._ended = threading.Event()
        self.answered = 0
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(n_threads)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._ended.is_set():
            try:
                self._client.predict(self._row)
                self.answered += 1
            except Exception as error:  # noqa: BLE001 - each is shown
                self.failures.append(error)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=2 * WAIT_S)
            assert not thread.is_alive()
        self._client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_killed_worker_comes_back(bank_workspace: Path, bank: Bank, free_port: int) -> None:
    """Under load one of three workers is killed: the others answer, it is replaced, none hangs."""
    with server_of(bank_workspace, free_port) as (url, server):
        first = workers(server)
        assert len(first) == N_WORKERS
        counted = requests(url)
        load = Load(url, bank.row, n_threads=N_THREADS)
        try:
            until(lambda: load.answered > 100)
            os.kill(min(first), signal.SIGKILL)
            at_kill = load.answered
            until(lambda: load.answered > at_kill + 100)
            until(lambda: len(workers(server)) == N_WORKERS)
            until(lambda: figures(url)("brinery_workers") == N_WORKERS)
            back = load.answered
            until(lambda: load.answered > back + 100)
        finally:
            load.end()
        assert load.failures == []
        assert workers(server) > first - {min(first)}
        # What the killed one had counted stays counted; an answer is counted as soon as it is sent,
        # so that each of its connections may have had one that was not.
        until(lambda: requests(url) - counted >= load.answered - N_THREADS)


def figures(url: str) -> Figures:
    return Figures(patience.get(f"{url}/metrics").text)


def requests(url: str) -> float:
    return figures(url)("brinery_requests_total", model="bank", status="200")
