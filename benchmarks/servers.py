"""The servers that are measured: ours, its peers in environments of their own, and empty ones.

A peer's environment is made by uv with the versions of scikit-learn, numpy and pandas that wrote
the model, and is kept outside of the repository. Every server has one process that predicts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

HERE = Path(__file__).parent
APPS = HERE / "peers"
BRINERY = Path(sys.executable).parent / "brinery"
CACHE = Path.home() / ".cache" / "brinery-tests" / "servers"
SHARED = tuple(f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "scipy", "pandas"))
START_S, STOP_S, LOOK_S, RESUMED_S = 120.0, 15.0, 0.005, 0.2

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A model that all serve.

    Attributes:
        name: iris or bank.
        folder: holds `model.pkl`, `test.csv`, a workspace with the model as its champion, and the
            model as MLflow saved it in `mlflow`.
        rows: what is asked, row by row.
        labels: (n_rows,) what the pickle says of each.
        chances: (n_rows, n_classes) its probabilities.
        classes: (n_classes,) their names, as JSON has them.
        least_of_empty: how much of the speed of an empty handler ours must reach.
    """

    name: str
    folder: Path
    rows: list[Row]
    labels: list[Any]
    chances: list[list[float]]
    classes: list[str]
    least_of_empty: float


@dataclass(frozen=True)
class Server:
    """How one is started and asked.

    Attributes:
        name: what the table calls it.
        command: what starts it, given the model and a port.
        path: where it predicts.
        body: what it is sent for a row.
        label: what it said, from its answer; None for one that says nothing.
        packages: of its environment; none for our own.
        files: what it needs in the folder that it starts in, by name.
    """

    name: str
    command: Callable[[Case, int], Sequence[str | Path]]
    path: Callable[[Case], str]
    body: Callable[[Case, Row], Any]
    label: Callable[[Any], Any] | None
    packages: tuple[str, ...] = ()
    files: Callable[[Case, int], Mapping[str, Any]] = field(default=lambda *_: {})

    @property
    def environment(self) -> Path:
        """Return the folder of its environment."""
        return CACHE / self.name.partition(" ")[0].strip(",").lower()

    @property
    def told(self) -> str:
        """Return its name and version."""
        if not self.packages:
            return self.name
        code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
        asked = [self.program("python"), "-c", code, self.packages[0].partition("[")[0]]
        done = subprocess.run(list(map(str, asked)), capture_output=True, text=True, check=True)
        return f"{self.name} {done.stdout.strip()}"

    def installed(self) -> str:
        """Return why its environment cannot be had; empty where it can."""
        if not self.packages:
            return ""
        wanted = "\n".join((*SHARED, *self.packages))
        ready = self.environment / "ready"
        if ready.exists() and ready.read_text() == wanted:
            return ""
        uv = (sys.executable, "-m", "uv")
        python = str(self.environment / "bin" / "python")
        make = (*uv, "venv", "--quiet", "--clear", "--python", sys.executable)
        fill = (*uv, "pip", "install", "--quiet", "--python", python, *SHARED, *self.packages)
        for command in ((*make, str(self.environment)), fill):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(self.environment, ignore_errors=True)
                return done.stderr.strip().splitlines()[-1]
        ready.write_text(wanted)
        return ""

    def program(self, name: str) -> Path:
        """Return a program of its environment."""
        return self.environment / "bin" / name


class Running:
    """A server that runs.

    Attributes:
        server: which one.
        url: where it predicts.
        start_s: from its start to its first answer.
    """

    def __init__(self, server: Server, case: Case) -> None:
        self.server = server
        self.case = case
        port = free_port()
        folder = case.folder / f"{server.environment.name}-{port}"
        folder.mkdir()
        for name, content in server.files(case, port).items():
            (folder / name).write_text(json.dumps(content))
        self._log = (folder / "log").open("wb")
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environ |= {"KIND": case.name, "MODEL": str(case.folder / "model.pkl")}
        environ |= {"MODEL_FOLDER": str(case.folder / "mlflow"), "BENTOML_DO_NOT_TRACK": "True"}
        environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "1"}
        if server.packages:
            environ["PATH"] = f"{server.environment / 'bin'}:{environ['PATH']}"
        self.url = f"http://127.0.0.1:{port}{server.path(case)}"
        began = time.perf_counter()
        self._process = subprocess.Popen(
            server.command(case, port),
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._wait(began + START_S)
        self.start_s = time.perf_counter() - began

    def ask(self, row: Row, client: httpx.Client) -> Any:
        """Return its answer for a row."""
        answer = client.post(self.url, json=self.server.body(self.case, row), timeout=60)
        if answer.status_code != httpx.codes.OK:
            sys.exit(f"{self.server.name}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def memory_mb(self) -> float:
        """Return the proportional set sizes of its processes, summed."""
        return sum(_pss_kb(pid) for pid in _family(self._process.pid)) / 1e3

    def pause(self) -> None:
        """Have none of its processes do anything."""
        for pid in _family(self._process.pid):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have them go on."""
        for pid in _family(self._process.pid):
            os.kill(pid, signal.SIGCONT)
        time.sleep(RESUMED_S)

    def stop(self) -> None:
        """End it, and all that it started."""
        with suppress(ProcessLookupError):
            self.resume()
        self._process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _wait(self, end: float) -> None:
        """Return when it has answered."""
        content = json.dumps(self.server.body(self.case, self.case.rows[0])).encode()
        while time.perf_counter() < end and self._process.poll() is None:
            with suppress(OSError, HTTPException):
                if _status(self.url, content) == HTTPStatus.OK:
                    return
            time.sleep(LOOK_S)
        log = Path(self._log.name)
        self.stop()
        sys.exit(f"{self.server.name} did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def running(servers: Sequence[Server], case: Case) -> Iterator[list[Running]]:
    """Give servers that run."""
    found: list[Running] = []
    try:
        for server in servers:
            found += [Running(server, case)]  # those before it end where it cannot start
        yield found
    finally:
        for one in found:
            one.stop()


def _status(url: str, content: bytes) -> int:
    """Return the status of one request on a connection of its own."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=START_S)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST", parts.path, body=content, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def _pss_kb(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _mlserver(case: Case, port: int) -> dict[str, Any]:
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "debug": False}
    model = {"name": case.name, "implementation": "mlserver_sklearn.SKLearnModel"}
    return {
        "settings.json": {**settings, "metrics_port": free_port(), "parallel_workers": 0},
        "model-settings.json": {**model, "parameters": {"uri": str(case.folder / "model.pkl")}},
    }


def _inference(case: Case, row: Row) -> Any:
    """Return a row in the form of the Open Inference Protocol."""
    if case.name == "iris":
        data = list(row.values())
        tensor = {"name": "rows", "shape": [1, len(data)], "datatype": "FP64", "data": data}
        return {"inputs": [tensor]}
    columns = [
        {"name": name, "shape": [1, 1], "datatype": "INT64", "data": [value]}
        if isinstance(value, int)
        else {
            "name": name,
            "shape": [1, 1],
            "datatype": "BYTES",
            "data": [value],
            "parameters": {"content_type": "str"},
        }
        for name, value in row.items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": columns}


def _split(_: Case, row: Row) -> Any:
    return {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}


OURS = Server(
    name="brinery serve",
    command=lambda case, port: [
        *(BRINERY, "--workspace", case.folder, "serve", case.name),
        *("--port", str(port)),
    ],
    path=lambda case: f"/v1/models/{case.name}/predict",
    body=lambda _, row: row,
    label=lambda said: said["predictions"][0]["label"],
)
EMPTY = Server(
    name="Granian, installed alone",
    command=lambda _, port: [
        *(CACHE / "granian" / "bin" / "python", APPS / "empty.py", str(port)),
    ],
    path=lambda _: "/",
    body=lambda _, row: row,
    label=None,
    packages=(f"granian=={version('granian')}",),
)
# Brinery has Granian with uvloop.
EMPTY_HERE = Server(
    name="Granian, on our loop",
    command=lambda _, port: [sys.executable, APPS / "empty.py", str(port)],
    path=lambda _: "/",
    body=lambda _, row: row,
    label=None,
)
MLFLOW = Server(
    name="mlflow models serve",
    command=lambda case, port: [
        *(CACHE / "mlflow" / "bin" / "mlflow", "models", "serve", "--env-manager", "local"),
        *("--model-uri", case.folder / "mlflow", "--port", str(port)),
    ],
    path=lambda _: "/invocations",
    body=_split,
    label=lambda said: said["predictions"][0],
    packages=("mlflow",),
)
FASTAPI = Server(
    name="FastAPI with MLflow's model",
    command=lambda _, port: [
        *(CACHE / "fastapi" / "bin" / "uvicorn", "fastapi_app:app", "--app-dir", APPS),
        *("--port", str(port), "--no-access-log", "--log-level", "warning"),
    ],
    path=lambda _: "/label",
    body=lambda _, row: row,
    label=lambda said: said["label"],
    packages=("fastapi[standard]", "mlflow"),
)
BENTOML = Server(
    name="BentoML",
    command=lambda case, port: [
        *(CACHE / "bentoml" / "bin" / "bentoml", "serve", f"bento_service:{case.name.title()}"),
        *("--working-dir", APPS, "--port", str(port), "--host", "127.0.0.1"),
    ],
    path=lambda _: "/predict",
    body=lambda case, row: {"rows": [list(row.values()) if case.name == "iris" else row]},
    label=lambda said: said[0],
    packages=("bentoml",),
)
LITSERVE = Server(
    name="LitServe",
    command=lambda _, port: [
        *(CACHE / "litserve" / "bin" / "python", APPS / "lit_server.py", str(port)),
    ],
    path=lambda _: "/predict",
    body=lambda _, row: row,
    label=lambda said: said["label"],
    packages=("litserve",),
)
MLSERVER = Server(
    name="MLServer",
    command=lambda *_: [CACHE / "mlserver" / "bin" / "mlserver", "start", "."],
    path=lambda case: f"/v2/models/{case.name}/infer",
    body=_inference,
    label=lambda said: said["outputs"][0]["data"][0],
    packages=("mlserver", "mlserver-sklearn"),
    files=_mlserver,
)
PEERS = (MLFLOW, FASTAPI, BENTOML, LITSERVE, MLSERVER)
