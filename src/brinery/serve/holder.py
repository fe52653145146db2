"""The model's process as the server sees it: loaded beside the loop, asked in turn, revived."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from threading import Event

import pyarrow as pa

from brinery.errors import (
    BrineryError,
    ModelConfined,
    ModelFileChanged,
    ModelFileError,
    ModelProcessDied,
    ModelProcessTimeout,
    NotServable,
    PredictionRefused,
)
from brinery.flavors import naming
from brinery.flavors.model_process import DEFAULT_TIMEOUT_S, ModelProcess
from brinery.pickles import attempts
from brinery.records.scores import Scores
from brinery.scorers.plan import COMPILER
from brinery.serve.columns import Reader, Rules
from brinery.serve.endpoint import Endpoint
from brinery.serve.pace import Pace
from brinery.serve.problems import FieldError, Problem, unavailable

_log = logging.getLogger("brinery.serve")

_FIRST_ROW_S = 0.01

# A model that tries ever new things fills no log.
_MOST_TOLD = 1000


class Holder:
    """Keeps the process of one endpoint's model.

    The event loop never waits for it: loading and scoring happen on one thread of their own, and
    only that thread talks to the process. The loop may kill it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._process: ModelProcess | None = None
        self._loading: Future[ModelProcess | None] | None = None
        self._closed = False
        self._told: set[str] = set()
        self._clock: asyncio.Timeout | None = None
        self.fault: str | None = None
        self.starts = 0  # of the process, those that succeeded
        self.pace = Pace(_FIRST_ROW_S)

    @property
    def ready(self) -> bool:
        """Return whether the model is loaded and its process runs."""
        process = self._process
        return process is not None and process.alive

    def load_soon(self) -> None:
        """Begin to load the model, unless that is under way; where it is loaded nothing happens.

        `ready` says when it is there, `fault` why it is not.
        """
        under_way = self._loading is not None and not self._loading.done()
        if not (self._closed or under_way):
            self._loading = self._thread.submit(self._load)

    async def load(self) -> None:
        """Return when the model is loaded.

        Raises:
            Problem: 503 where it cannot be.
        """
        self.load_soon()
        loading = self._loading
        if loading is None or await asyncio.wrap_future(loading) is None:
            raise unavailable("model-not-loaded", self.fault or "its process was ended")

    def memory_bytes(self) -> int:
        """Return the memory of the model's process that no other process shares."""
        process = self._process
        if process is None or not process.alive:
            return 0
        with suppress(OSError, ValueError):
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return 0

    async def score(self, table: pa.Table, *, timeout_s: float | None = None) -> Scores:
        """Return the model's answers for a table.

        Args:
            table: (n_rows, n_columns).
            timeout_s: how long that may take; the endpoint's time when None.

        Raises:
            Problem: 422 where the model raised, with the row; 503 or 504 where its process ended
                or did not answer in time.
        """
        if self._closed:
            raise unavailable("server-ending", "the server is ending")
        if timeout_s is None:
            timeout_s = self._endpoint.timeout_s
        given_up = Event()
        scoring = self._thread.submit(self._score, table, given_up)
        try:
            async with asyncio.timeout(timeout_s) as self._clock:
                return await asyncio.wrap_future(scoring)
        except TimeoutError:
            given_up.set()
            if not self.ready:
                raise unavailable("not-ready", "the model is being loaded") from None
            if scoring.running():
                self._kill()
                self.load_soon()
            message = "the model did not answer in time"
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, ModelProcessTimeout.code, message) from None
        except ModelProcessDied as error:
            self.load_soon()
            raise unavailable(
                error.code, "the model's process ended while it scored; it is being started again"
            ) from None
        finally:
            self._clock = None

    def give_up(self) -> None:
        """End what is being scored, as if its time were over."""
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        """End the process, whatever it does, and the thread."""
        self._closed = True
        self._kill()
        await asyncio.wrap_future(self._thread.submit(self._unload))
        self._thread.shutdown()

    def _kill(self) -> None:
        """End the process at once; who still asks it is told that it ended."""
        process, self._process = self._process, None
        if process is not None and process.alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def _score(self, table: pa.Table, given_up: Event) -> Scores:
        process = self._load()
        if process is None:
            reason = self.fault or "its process was ended"
            raise unavailable("model-not-loaded", f"the model could not be loaded: {reason}")
        # Whoever gives it up says so first and then kills a process that is there: what follows
        # is either not begun or ended.
        if given_up.is_set():
            raise TimeoutError
        began = time.monotonic()
        try:
            scores = _scored(process, table)
        except ModelProcessDied:
            self._process = None  # it has closed itself
            _log.error("the model's process of %s ended", self._endpoint.version.reference)
            raise
        finally:
            self._tell(process)
        self.pace.took(table.num_rows, time.monotonic() - began)
        return scores

    def _tell(self, process: ModelProcess) -> None:
        """Log what the model tried that no process of it had tried before."""
        for attempt in process.attempts:
            if attempt not in self._told and len(self._told) < _MOST_TOLD:
                self._told.add(attempt)
                did = attempts.told(attempt)
                _log.warning("the model of %s %s", self._endpoint.version.reference, did)

    def _load(self) -> ModelProcess | None:
        """Return the process, started where there is none that runs."""
        if self.ready or self._closed:
            return self._process
        self._unload()
        try:
            self._process = self._started()
        except (BrineryError, OSError) as error:
            self.fault = error.message if isinstance(error, BrineryError) else str(error.strerror)
            _log.error("%s: %s", self._endpoint.version.reference, self.fault)
        else:
            self.fault = None
            self.starts += 1
        return self._process

    def _started(self) -> ModelProcess:
        # Loading may take as long as it may at import; `score` times each request itself.
        endpoint = self._endpoint
        path, code, python = endpoint.model_file, endpoint.code_folder, endpoint.python
        try:
            process = ModelProcess(
                Path(path),
                artifact=endpoint.candidate.artifact,
                code=None if code is None else Path(code),
                timeout_s=DEFAULT_TIMEOUT_S + endpoint.timeout_s,
                limits=endpoint.limits,
                python=None if python is None else Path(python),
            )
        except ModelFileError as error:
            if Path(path).exists() and not isinstance(error, ModelFileChanged):
                raise
            raise NotServable(
                "the model's file is not the one that was registered",
                hint="restore it, or import the model again",
            ) from None
        _accelerate(process, endpoint)
        # What is imported at the first prediction is waited for here, not by the first client.
        with suppress(PredictionRefused):
            process.score(_example(endpoint))
        self._tell(process)
        return process

    def _unload(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


def _accelerate(process: ModelProcess, endpoint: Endpoint) -> None:
    """Have the scorer within the process answer, where it was compared with its library."""
    fast = endpoint.version.fast_path
    if fast is not None and fast.partial:
        columns = naming.inputs(process.description, endpoint.candidate.signature)
        told = process.accelerate(COMPILER, columns=columns, steps=fast.library)
        if told.reason:
            _log.error("%s is scored by its library: %s", endpoint.version.reference, told.reason)


def _scored(process: ModelProcess, table: pa.Table) -> Scores:
    try:
        return process.score(table)
    except PredictionRefused as error:
        where = "" if error.row is None else f"row {error.row}: "
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            error.code,
            f"{where}{error.reason}",
            errors=[FieldError(code=error.code, message=error.reason, row=error.row)],
        ) from None
    except ModelConfined as error:
        # A process that was ended for it is started again by whoever asks next.
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, error.message) from None


def _example(endpoint: Endpoint) -> pa.Table:
    """Return the signature's example as a table of one row."""
    signature = endpoint.candidate.signature
    reader = Reader(signature, Rules(unknown_categories=True, mlflow=True), lambda _, __: None)
    values = {name: [value] for name, value in signature.example.items()}
    return reader.batch(values, 1).table()
