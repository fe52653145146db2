"""MLflow's server behind `brinery up`, beside `mlflow server` itself, on the same workspace.

What a client asks passes our guard and a hop more, and what it is told of places is rewritten; its
own middleware that checks who asks is off behind ours. Asked in turn (A B A B …) over connections
that are kept: a registered model by name, and an artifact of 64 MB, sent and fetched.

Equality first: both must give the same model and the same bytes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median

import httpx

PROGRAMS = Path(sys.executable).parent
ARTIFACT = os.urandom(64 * 2**20)
ROUNDS = {"a registered model": 300, "64 MB sent": 9, "64 MB fetched": 9}
WAIT_S = 180.0
MODEL = "/api/2.0/mlflow/registered-models/get?name=m"
PLACE = "/api/2.0/mlflow-artifacts/artifacts/bench.bin"


def free_port() -> int:
    """Return a port that no one listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[httpx.Client]:
    """Run a server while the block runs; gives a client of it once it answers."""
    environ = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=environ, start_new_session=True, **silent
    )  # type: ignore[call-overload]
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    try:
        end = time.monotonic() + WAIT_S
        while not _answers(client):
            if time.monotonic() > end:
                raise SystemExit(f"{command} does not answer")
            time.sleep(0.2)
        yield client
    finally:
        client.close()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/version").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def timed(ask: Callable[[httpx.Client], httpx.Response], client: httpx.Client) -> float:
    """Return how many seconds a request took."""
    began = time.perf_counter()
    ask(client).raise_for_status()
    return time.perf_counter() - began


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, ".brinery")
        ours = [str(PROGRAMS / "brinery"), "--workspace", folder, "up"]
        theirs = [
            str(PROGRAMS / "mlflow"), "server", "--workers", "1",
            "--backend-store-uri", f"sqlite:///{state / 'mlflow.db'}",
            "--artifacts-destination", str(state / "artifacts"),
        ]  # fmt: skip
        with running(ours, free_port()) as a, running(theirs, free_port()) as b:
            a.post("/api/2.0/mlflow/registered-models/create", json={"name": "m"})
            a.put(PLACE, content=ARTIFACT)
            if a.get(MODEL).json() != b.get(MODEL).json():
                raise SystemExit("the models differ")
            if a.get(PLACE).content != ARTIFACT or b.get(PLACE).content != ARTIFACT:
                raise SystemExit("the artifacts differ")
            asks: dict[str, Callable[[httpx.Client], httpx.Response]] = {
                "a registered model": lambda client: client.get(MODEL),
                "64 MB sent": lambda client: client.put(PLACE, content=ARTIFACT),
                "64 MB fetched": lambda client: client.get(PLACE),
            }
            print(f"A: brinery up; B: mlflow server --workers 1 (mlflow {version('mlflow')})")
            print("| asked | A, median ms | B, median ms | median A/B |\n|---|--:|--:|--:|")
            for what, ask in asks.items():
                pairs = [(timed(ask, a), timed(ask, b)) for _ in range(ROUNDS[what])]
                ours_ms = median(one for one, _ in pairs) * 1e3
                theirs_ms = median(other for _, other in pairs) * 1e3
                ratio = median(one / other for one, other in pairs)
                print(f"| {what} | {ours_ms:.1f} | {theirs_ms:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
