"""Processes of a server that are killed, or told to end, while it answers."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import cloudpickle
import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests import patience
from tests.conftest import serving
from tests.there import alive, command, family, ignores

import brinery
from brinery.pickles.scanner import scan

pytestmark = pytest.mark.slow

X = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
WAIT_S = 240.0
CLIENTS = 4
NAP = 5.0


def slow_model() -> object:
    """Return a model that answers what it is given, and one value after a while."""

    def nap(frame: pd.DataFrame) -> pd.DataFrame:
        import signal  # noqa: PLC0415 - pickled by value, so it brings its imports along
        import time  # noqa: PLC0415

        if 5.0 in set(frame["x"]):
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # tells that it has begun
            time.sleep(2)
        return frame

    return make_pipeline(FunctionTransformer(nap), LinearRegression()).fit(X, X["x"])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is scored in the server's process, and one that is not."""
    folder = tmp_path_factory.mktemp("deaths")
    data = X.assign(y=X["x"])
    quick, slow = folder / "quick.pkl", folder / "slow.pkl"
    quick.write_bytes(pickle.dumps(LinearRegression().fit(X, X["x"])))
    slow.write_bytes(cloudpickle.dumps(slow_model()))
    brinery.import_model(quick, name="quick", data=data, target="y", workspace=folder)
    trust = [str(name) for name in scan(slow).globals]
    brinery.import_model(slow, name="slow", data=data, target="y", workspace=folder, trust=trust)
    return folder


def all_dead(processes: list[int]) -> bool:
    return not any(map(alive, processes))


def named(before: set[int], word: str) -> list[int]:
    """Return the new processes of this one whose command line has a word in it."""
    return [one for one in family(os.getpid()) if one not in before and word in command(one)]


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


class Crowd:
    """Clients that ask all the while, each on a connection of its own."""

    def __init__(self, url: str, model: str) -> None:
        self._url = f"{url}/v1/models/{model}/predict"
        self._ended = threading.Event()
        self.answers: list[tuple[int, float]] = []
        self.dropped = 0

    def run(self) -> None:
        """Ask until it is ended."""
        while not self._ended.is_set():
            try:
                answer = httpx.post(self._url, json={"x": 2.0}, timeout=WAIT_S)
            except httpx.TransportError:
                self.dropped += 1
                continue
            told = answer.json().get("predictions", [{"value": 0.0}])[0]["value"]
            self.answers.append((answer.status_code, told))

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()

    def until_answered(self, n_more: int) -> None:
        """Wait until so many more have been answered by predictions."""
        before = self.right
        until(lambda: self.right >= before + n_more)

    @property
    def right(self) -> int:
        """Return how many had a right answer."""
        return sum(status == 200 for status, _ in self.answers)


@contextmanager
def asking(url: str, model: str) -> Iterator[Crowd]:
    """Have clients ask while the block runs; no answer of theirs is wrong."""
    crowd = Crowd(url, model)
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(crowd.run) for _ in range(CLIENTS)]
        try:
            yield crowd
        finally:
            crowd.end()
    for one in running:
        one.result()
    for status, value in crowd.answers:
        assert status in (200, 503)
        assert value == pytest.approx(2.0 if status == 200 else 0.0)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_workers_that_are_killed_again_and_again_come_back(workspace: Path, workers: str) -> None:
    """Three times within seconds, under load: the server stays, and only what they had is lost."""
    before = set(family(os.getpid()))
    with serving(workspace, "quick", "--workers", workers) as url, asking(url, "quick") as crowd:
        crowd.until_answered(50)
        for _ in range(3):  # as soon as there is one again
            until(lambda: bool(named(before, "spawn_main")))
            killed = named(before, "spawn_main")
            for process in killed:
                os.kill(process, signal.SIGKILL)
            until(partial(all_dead, killed))
        crowd.until_answered(50)
        until(lambda: len(named(before, "spawn_main")) == int(workers))
    assert {status for status, _ in crowd.answers} == {200}


def test_a_model_process_that_is_killed_under_load_comes_back(workspace: Path) -> None:
    """Twice; what was asked is answered rightly or told to come again."""
    before = set(family(os.getpid()))
    with serving(workspace, "slow") as url, asking(url, "slow") as crowd:
        for _ in range(2):
            crowd.until_answered(20)
            for process in named(before, "launch.py"):
                os.kill(process, signal.SIGKILL)
        crowd.until_answered(20)
    assert crowd.dropped == 0
    assert len(crowd.answers) - crowd.right <= 2 * CLIENTS


def test_slow_rows_under_way_are_answered_before_the_end(workspace: Path) -> None:
    """SIGTERM while the library scores: each request that was taken has its predictions."""
    before = set(family(os.getpid()))
    with ThreadPoolExecutor(CLIENTS) as pool, patience.client() as client:
        with serving(workspace, "slow") as url:
            (process,) = named(before, "launch.py")
            path = f"{url}/v1/models/slow/predict"
            asked = [
                pool.submit(client.post, path, json={"x": NAP + i // 3}) for i in range(CLIENTS)
            ]
            until(lambda: ignores(process, signal.SIGUSR1))
            time.sleep(1)  # so that the others come, too
        answers = [one.result() for one in asked]
    assert [answer.status_code for answer in answers] == [200] * CLIENTS
    for i, answer in enumerate(answers):
        assert answer.json()["predictions"][0]["value"] == pytest.approx(NAP + i // 3)


def test_nothing_stays_when_the_first_process_is_killed(workspace: Path) -> None:
    """Its workers and their models end by themselves, and the port is free."""
    before = set(family(os.getpid()))
    with serving(workspace, "slow") as url:
        started = [one for one in family(os.getpid()) if one not in before]
        assert named(before, "launch.py")
        for process in started:
            if "spawn_main" not in command(process) and " serve " in command(process):
                os.kill(process, signal.SIGKILL)
        until(lambda: all_dead(started))
        parts = urlsplit(url)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname, parts.port))
