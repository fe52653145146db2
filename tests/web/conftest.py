"""A server of a whole workspace, as `brinery up` runs it."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from tests import ports
from tests.conftest import BRINERY, END_WAIT_S, START_WAIT_S, _environment

import brinery

X = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})


@dataclass(frozen=True)
class Up:
    """A server that runs.

    Attributes:
        url: its address.
        process: the one that was started.
        workspace: its folder.
    """

    url: str
    process: subprocess.Popen[str]
    workspace: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Return the answer to a GET."""
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=240)

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Return the answer to a POST of a document."""
        return httpx.post(f"{self.url}{path}", json=body or {}, headers=headers, timeout=240)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        end = time.monotonic() + START_WAIT_S
        while not holds():
            assert time.monotonic() < end, "it never held"
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)

    def starts(self) -> None:
        """Wait until MLflow's server answers."""
        self.until(lambda: self.get("/version").status_code == httpx.codes.OK)

    def answered(self, name: str = "m") -> int:
        """Return which version answers for a model; 0 where none does."""
        answer = self.post(f"/v1/models/{name}/predict", {"x": 1.0})
        return int(answer.headers.get("x-model-version", "0").rpartition("@")[2] or 0)

    def companion(self) -> int:
        """Return the number of the process that answers for MLflow."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == self.process.pid and b"brinery.web" in command:
                return int(folder.name)
        raise AssertionError("there is none")


@contextmanager
def running_up(workspace: Path, *options: str, **environ: str) -> Iterator[Up]:
    """Run `brinery up` while the block runs."""
    port = ports.free()
    process = subprocess.Popen(
        [str(BRINERY), "--workspace", str(workspace), "up", "--port", str(port), *options],
        env={**_environment(), **environ},
        stderr=sys.stderr,
        text=True,
    )
    up = Up(f"http://localhost:{port}", process, workspace)
    try:
        up.until(lambda: _answers(up))
        yield up
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=END_WAIT_S)


def _answers(up: Up) -> bool:
    try:
        return up.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def lines(folder: Path, *, versions: int) -> Path:
    """Return a workspace with versions of a model `m`, each of which answers 1 with its number."""
    for number in range(1, versions + 1):
        model = LinearRegression().fit(X, X["x"] * number)
        path = folder / f"model{number}.pkl"
        path.write_bytes(pickle.dumps(model))
        brinery.import_model(path, name="m", data=X.assign(y=X["x"]), target="y", workspace=folder)
    return folder


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server of a workspace with two versions of a model, the first of which is the champion.

    The tests that move the champion end where they began.
    """
    workspace = lines(tmp_path_factory.mktemp("up"), versions=2)
    brinery.promote("m@1", force=True, why="a test", workspace=workspace)
    with running_up(workspace) as server:
        server.starts()
        yield server


def killed(number: int) -> None:
    """End a process as nothing else does."""
    os.kill(number, signal.SIGKILL)
