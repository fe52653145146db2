"""MLflow for the steps of a job: a port that listens at once, and a server behind it once asked.

Importing MLflow takes longer than most steps, so nothing of it runs before somebody connects. Then
MLflow's own server is started as a process, told of the runs that were begun, and what the steps
and the server say to each other is passed on byte for byte. The runs of a job whose steps never
connect are only written down, for whoever opens the registry next.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import urlencode

import msgspec

from brinery.errors import RegistryFault
from brinery.records.tracked_run import RUNS_PATH, Measured, TrackedRun
from brinery.runners.addresses import LOOPBACK, Guard

_STRANGER: Final = "this is the MLflow of a job: its steps have MLFLOW_TRACKING_TOKEN"
_BACKLOG: Final = 256
_CHUNK: Final = 1 << 16
_START_S: Final = 180.0
_POLL_S: Final = 0.02
_END_S: Final = 5.0
_ASK_S: Final = 120.0
_PAGE: Final = 25_000
_REFUSED: Final = 400


class Tracking:
    """The tracking of one job, while the block runs; several threads may call it.

    Args:
        server: the program that becomes the server, and its arguments. It ends when its standard
            input does.
        told: the first line that it reads there; `{socket}` in it becomes the path of the Unix
            socket that it is to listen on.
        spool: file that the runs are written down in; it is gone once MLflow knows them.
        host: address of this machine to listen at. Where that is not its own alone, those who ask
            must have the secret that is among the variables.
    """

    def __init__(
        self, server: Sequence[str], *, told: str, spool: Path, host: str = LOOPBACK
    ) -> None:
        self._server = _Server(server, told=told)
        self._spool = spool
        self._lines: IO[bytes] | None = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._host = host
        self._guard = Guard() if host != LOOPBACK else None
        self._runs: dict[str, TrackedRun] = {}
        # Begun or ended, and not yet told.
        self._untold: dict[str, TrackedRun] = {}
        self._state = threading.Lock()
        self._serving = threading.Lock()
        self._closed = False
        self._uri = ""

    def __enter__(self) -> Self:
        """Listen."""
        self._listener.bind((self._host, 0))
        self._listener.listen(_BACKLOG)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._uri = f"http://{host}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="tracking", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Have MLflow told what it is not told yet, if it was ever asked, and end its server."""
        with self._state:
            self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._serving:
            known = False
            try:
                if self._server.alive:
                    self._tell()
                    known = True
            except (OSError, RegistryFault):
                known = False  # the spool says it to whoever comes next
            finally:
                self._server.stop()
                if self._lines is not None:
                    if known:
                        self._spool.unlink(missing_ok=True)
                    self._lines.close()

    @property
    def uri(self) -> str:
        """Return the address that steps know MLflow under."""
        return self._uri

    def begin(self, run: TrackedRun) -> Mapping[str, str]:
        """Return the variables of the process that logs to a run.

        They are `MLFLOW_TRACKING_URI`, `MLFLOW_RUN_ID`, `MLFLOW_EXPERIMENT_NAME` and a few that
        keep MLflow from waiting or talking. Begin a parent before its children. A run that was
        begun before, and is begun again, goes on.
        """
        self._note(run)
        return self.variables(run.id)

    def variables(self, run_id: str) -> Mapping[str, str]:
        """Return the variables of a process that logs to a run that was begun."""
        with self._state:
            run = self._runs[run_id]
        spared = [each for each in (os.environ.get("NO_PROXY"), self._host, "localhost") if each]
        guarded = {}
        if self._guard is not None:
            # A name and a password would go before it.
            guarded = {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""}
            guarded["MLFLOW_TRACKING_TOKEN"] = self._guard.secret
        return {
            **guarded,
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_RUN_ID": run.id,
            "MLFLOW_EXPERIMENT_NAME": run.experiment,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            # The address is that of this job alone.
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(int(_START_S + _ASK_S)),
            "GIT_PYTHON_REFRESH": "quiet",
            "NO_PROXY": ",".join(spared),
            "no_proxy": ",".join(spared),
        }

    def end(self, run_id: str, *, status: str, ended_ms: int) -> None:
        """Say how a run ended; its own nested runs that still go on end with it.

        Args:
            run_id: of a run that was begun.
            status: `FINISHED`, `FAILED` or `KILLED`.
            ended_ms: since 1970.
        """
        with self._state:
            run = self._runs[run_id]
        self._note(msgspec.structs.replace(run, status=status, ended_ms=ended_ms))

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Say more of a run that was begun: tags, beside those that it has."""
        with self._state:
            run = self._runs[run_id]
        self._note(msgspec.structs.replace(run, tags={**run.tags, **tags}))

    @property
    def asked(self) -> bool:
        """Return whether anybody has connected."""
        return self._server.process is not None

    def metrics(self, run_id: str) -> Mapping[str, float]:
        """Return the last value of each metric of a run; none where nobody ever connected.

        Raises:
            RegistryFault: MLflow's server does not answer.
        """
        if not self.asked:
            return {}
        run = self._get("/api/2.0/mlflow/runs/get", run_id=run_id)["run"]
        return {each["key"]: float(each["value"]) for each in run["data"].get("metrics", ())}

    def history(self, run_id: str, metric: str) -> tuple[Measured, ...]:
        """Return every value of a metric of a run, in the order that they were logged.

        Raises:
            RegistryFault: MLflow's server does not answer.
        """
        found: list[Measured] = []
        page = ""
        while self.asked:
            answer = self._get(
                "/api/2.0/mlflow/metrics/get-history",
                run_id=run_id,
                metric_key=metric,
                max_results=str(_PAGE),
                **({"page_token": page} if page else {}),
            )
            found += [
                Measured(
                    value=float(each["value"]),
                    step=int(each.get("step", 0)),
                    at_ms=int(each["timestamp"]),
                )
                for each in answer.get("metrics", ())
            ]
            page = answer.get("next_page_token", "")
            if not page:
                break
        return tuple(sorted(found, key=lambda each: (each.at_ms, each.step)))

    def _note(self, run: TrackedRun) -> None:
        """Write down what a run has come to, for now or for later."""
        with self._state:
            self._runs[run.id] = self._untold[run.id] = run
            if self._lines is None:
                self._lines = _held(self._spool)
            self._lines.write(msgspec.json.encode(run) + b"\n")

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        """Pass on what a client and the server say to each other, until either has said all."""
        with client:
            said = b""
            if self._guard is not None:
                found = self._guard.admitted(client)
                if found is None:
                    _refuse(client, _STRANGER, status="401 Unauthorized", heard=True)
                    return
                said = found
            try:
                server = self._ready()
            except (OSError, RegistryFault) as error:
                _refuse(client, str(error), heard=bool(said))
                return
            with server:
                server.sendall(said)
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()

    def _ready(self) -> socket.socket:
        """Return a connection to the server, which is started, and told of every run.

        Raises:
            RegistryFault: it cannot be started.
        """
        with self._serving:
            with self._state:
                if self._closed:
                    raise RegistryFault("the job is over", hint="log before its steps end")
            self._tell_all()
            return self._server.connected()

    def _tell_all(self) -> None:
        """Start the server where it does not run, and tell it of the runs that it does not know.

        Raises:
            RegistryFault: it cannot be started, or does not take them.
        """
        if not self._server.alive:
            with self._state:
                self._untold = dict(self._runs)
            self._server.start()
        self._tell()

    def _tell(self) -> None:
        """Tell the server of the runs that it does not know yet.

        Raises:
            RegistryFault: it does not take them.
        """
        with self._state:
            runs, self._untold = self._untold, {}
        if not runs:
            return
        try:
            self._server.request("POST", RUNS_PATH, body=msgspec.json.encode(list(runs.values())))
        except (OSError, RegistryFault):
            with self._state:
                self._untold = {**runs, **self._untold}
            raise

    def _get(self, path: str, **asked: str) -> Any:
        with self._serving:
            self._tell_all()
        return msgspec.json.decode(self._server.request("GET", f"{path}?{urlencode(asked)}"))


class _Server:
    """A process that listens on a Unix socket, and what it is asked.

    Args:
        command: the program, and its arguments.
        told: its first line of standard input, with `{socket}` for the path to listen on.
    """

    def __init__(self, command: Sequence[str], *, told: str) -> None:
        self._command = list(command)
        self._told = told
        self._folder = ""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Return whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it listens.

        Raises:
            RegistryFault: it does not.
        """
        self.stop()
        self._folder = tempfile.mkdtemp(prefix="brinery-job-")
        log = Path(self._folder, "log")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.process = process
        told = self._told.replace("{socket}", self._place)
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.write(told.encode() + b"\n")
                process.stdin.flush()
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < _START_S:
            try:
                self.connected().close()
            except OSError:
                time.sleep(_POLL_S)
                continue
            return
        said = log.read_text(errors="replace").strip().splitlines()
        raise RegistryFault(
            f"MLflow's server did not start: {said[-1] if said else 'it said nothing'}",
            hint="brinery up says more",
        )

    @property
    def _place(self) -> str:
        return str(Path(self._folder, "socket"))

    def stop(self) -> None:
        """End the server, where there is one."""
        process = self.process
        if process is not None:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._place)
        except OSError:
            connection.close()
            raise
        return connection

    def request(self, method: str, path: str, *, body: bytes | None = None) -> bytes:
        """Return what the server answers.

        Raises:
            RegistryFault: it refuses, or is gone.
        """
        # Not before somebody asked: most jobs do without.
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection("localhost", timeout=_ASK_S)
        try:
            connection.sock = self.connected()
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise RegistryFault(
                f"MLflow's server does not answer: {error}", hint="brinery up says more"
            ) from None
        finally:
            connection.close()
        if answer.status >= _REFUSED:
            said = content.decode(errors="replace")[:300]
            raise RegistryFault(f"MLflow's server refuses: {said}", hint="brinery up says more")
        return content


def _held(path: Path) -> IO[bytes]:
    """Return a file that is appended to, held as long as this process lives.

    Nobody else tells of runs that go on. Whoever did of those before has removed the file by then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        stream = path.open("ab", buffering=0)
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                return stream
        except FileNotFoundError:
            pass
        stream.close()


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Send on everything that comes, and then its end."""
    with suppress(OSError):
        while content := one.recv(_CHUNK):
            other.sendall(content)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _refuse(
    client: socket.socket, why: str, *, status: str = f"{_REFUSED} Bad Request", heard: bool = False
) -> None:
    """Tell a client why, in words that MLflow's clients repeat and do not ask again after."""
    said = msgspec.json.encode({"error_code": "INTERNAL_ERROR", "message": why})
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(said)}\r\nConnection: close\r\n\r\n"
    )
    with suppress(OSError):
        if not heard:
            client.recv(_CHUNK)
        client.sendall(head.encode() + said)
