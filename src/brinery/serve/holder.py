"""The model's process as the server sees it: loaded beside the loop, asked in turn, revived."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import pyarrow as pa

from brinery.errors import (
    BrineryError,
    ModelProcessDied,
    ModelProcessTimeout,
    NotServable,
    PredictionRefused,
)
from brinery.flavors.model_process import ModelProcess
from brinery.records.scores import Scores
from brinery.serve.endpoint import Endpoint
from brinery.serve.problems import FieldError, Problem

_log = logging.getLogger("brinery.serve")


class Holder:
    """Keeps the process of one endpoint's model.

    The event loop never waits for it: loading and scoring happen on one thread of their own.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._process: ModelProcess | None = None
        self.fault: str | None = None

    @property
    def ready(self) -> bool:
        """Return whether the model is loaded and its process runs."""
        return self._process is not None and self._process.alive

    def load_soon(self) -> None:
        """Begin to load the model; `ready` says when it is there, `fault` why it is not."""
        self._thread.submit(self._load)

    async def score(self, table: pa.Table) -> Scores:
        """Return the model's answers for a table.

        Raises:
            Problem: 422 where the model raised, with the row; 503 or 504 where its process ended
                or did not answer in time.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._score, table)

    def close(self) -> None:
        """End the process and the thread."""
        self._thread.submit(self._unload)
        self._thread.shutdown()

    def _score(self, table: pa.Table) -> Scores:
        process = self._process
        if process is None or not process.alive:
            process = self._load()
        if process is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "model-not-loaded",
                f"the model could not be loaded: {self.fault}",
                retry_after_s=5,
            )
        try:
            return process.score(table)
        except PredictionRefused as error:
            raise _refused(error, process.refused_row(table)) from None
        except ModelProcessTimeout as error:
            self._revive()
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, error.code, error.message) from None
        except ModelProcessDied as error:
            self._revive()
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                error.code,
                "the model's process ended while it scored; it is being started again",
                retry_after_s=1,
            ) from None

    def _revive(self) -> None:
        _log.error(
            "the model's process of %s ended: loading it again", self._endpoint.version.reference
        )
        self._process = None
        self._thread.submit(self._load)

    def _load(self) -> ModelProcess | None:
        if self._process is not None and self._process.alive:
            return self._process
        try:
            self._process = self._started()
        except BrineryError as error:
            self._process = None
            self.fault = error.message
            _log.error("%s: %s", self._endpoint.version.reference, error.message)
        else:
            self.fault = None
        return self._process

    def _started(self) -> ModelProcess:
        path = Path(self._endpoint.model_file)
        expected = self._endpoint.candidate.model_sha256
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise NotServable(
                f"{path} is not the file that was registered",
                hint="restore it, or import the model again",
            )
        return ModelProcess(path, timeout_s=self._endpoint.timeout_s)

    def _unload(self) -> None:
        if self._process is not None:
            self._process.close()


def _refused(error: PredictionRefused, row: int) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        error.code,
        f"row {row}: {error.message}",
        errors=[FieldError(code=error.code, message=error.message, row=row)],
    )
