"""Runs attempts as tasks of a Ray cluster: the same plan, on as many machines as there are.

A task starts the attempt as `local` does, on the machine that it was sent to, so that processes,
logs and limits are the same. All machines see the workspace's folder under the same path, and have
Brinery installed. What Ray tells of is only whether a task's machine was lost: such an attempt is
told as lost, never repeated by Ray, because its folder must be made ready again first.
A task that runs is told to end by a file beside its log: Ray's own way, an interrupt of Python, is
lost where Python waits for a process.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import msgspec
import ray

from brinery.errors import EndpointUnreachable
from brinery.records.job import Usage
from brinery.runners.interface import Attempt, Ended, Line
from brinery.runners.local import LocalRunner

_POLL_S: Final = 0.2
_ENDED_BY_US: Final = 143
_NOTHING: Final = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)


class RayRunner:
    """Tasks of a cluster.

    Args:
        address: of the cluster, `auto` or `HOST:PORT`; one is started on this machine when empty.
        protected: absolute folders that no attempt may write to, where the system can hold it.

    Raises:
        EndpointUnreachable: no cluster answers there.
    """

    def __init__(self, address: str = "", protected: Sequence[str] = ()) -> None:
        self._ours = not ray.is_initialized()
        try:
            if self._ours:
                _probe(address)
                ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    include_dashboard=False if not address else None,
                    logging_level=logging.ERROR,
                )
        except (OSError, ValueError, RuntimeError, TimeoutError) as error:
            raise EndpointUnreachable(
                f"no Ray cluster answers at {address}: {error}", hint="ray start --head"
            ) from None
        self._protected = list(protected)
        self._refs: dict[str, Any] = {}
        self._attempts: dict[str, Attempt] = {}
        self._read: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._told: SimpleQueue[str] = SimpleQueue()
        self._task = ray.remote(max_retries=0)(_run)

    @property
    def name(self) -> str:
        """Return `ray`."""
        return "ray"

    @property
    def capacity(self) -> int:
        """Return the number of processors of the cluster."""
        resources: dict[str, float] = ray.cluster_resources()
        return max(1, int(resources.get("CPU", 1)))

    def start(self, attempt: Attempt, /) -> None:
        """Send an attempt to the cluster, which begins it where there is room."""
        _stop_file(attempt).unlink(missing_ok=True)
        cores = min(len(attempt.processes), self.capacity)
        task = self._task.options(num_cpus=cores, name=attempt.name)
        ref = task.remote(msgspec.json.encode(attempt), self._protected)
        self._refs[attempt.name] = ref
        self._attempts[attempt.name] = attempt
        ref.future().add_done_callback(partial(self._done, attempt.name))

    def stop(self, name: str, /) -> None:
        """End an attempt: its task is told, and ends what it started."""
        if name in self._refs and name not in self._stopped:
            self._stopped.add(name)
            _stop_file(self._attempts[name]).touch()
            # A task that still waits for room ends at once.
            ray.cancel(self._refs[name], force=False)

    def wait(self, timeout_s: float, /) -> list[Ended | Line]:
        """Return what happened, waiting until something has or the time is over."""
        end = time.monotonic() + timeout_s
        while True:
            lines: list[Ended | Line] = [*self._lines()]
            names = self._ready(0.0 if lines else min(_POLL_S, max(0.0, end - time.monotonic())))
            for name in filter(None, names):
                if name in self._refs:
                    lines += [*self._lines(), self._end(name)]
            if lines or names or time.monotonic() >= end:
                return lines

    def wake(self) -> None:
        """Have `wait` return at once."""
        self._told.put("")

    def close(self) -> None:
        """End everything that still runs; leave the cluster, or end it where it is ours."""
        for name in [*self._refs]:
            self.stop(name)
        if self._refs:
            ray.wait([*self._refs.values()], num_returns=len(self._refs), timeout=10.0)
        self._refs.clear()
        if self._ours:
            ray.shutdown()

    def _done(self, name: str, future: Future[Any]) -> None:
        del future
        self._told.put(name)

    def _ready(self, timeout_s: float) -> list[str]:
        found = []
        try:
            found.append(
                self._told.get(timeout=timeout_s) if timeout_s else self._told.get_nowait()
            )
            while True:
                found.append(self._told.get_nowait())
        except Empty:
            return found

    def _lines(self) -> list[Line]:
        """Return what attempts have written to their logs since, where that is wanted."""
        found = []
        for name, attempt in self._attempts.items():
            if not attempt.told or not Path(attempt.log).is_file():
                continue
            with Path(attempt.log).open("rb") as stream:
                stream.seek(self._read.get(name, 0))
                content = stream.read()
            whole, _, _ = content.rpartition(b"\n")
            if whole:
                self._read[name] = self._read.get(name, 0) + len(whole) + 1
                texts = whole.decode("utf-8", "replace").split("\n")
                # Each line stands behind its time.
                found += [Line(name=name, text=text.partition(" ")[2]) for text in texts]
        return found

    def _end(self, name: str) -> Ended:
        ref = self._refs.pop(name)
        _stop_file(self._attempts.pop(name)).unlink(missing_ok=True)
        self._read.pop(name, None)
        stopped = name in self._stopped
        self._stopped.discard(name)
        try:
            ended = msgspec.json.decode(ray.get(ref), type=Ended)
        except ray.exceptions.RayError as error:
            lost = "" if stopped else f"lost with its machine: {_first_line(error)}"
            status = _ENDED_BY_US if stopped else 1
            return Ended(name=name, exit_status=status, usage=_NOTHING, stopped=stopped, lost=lost)
        return ended


def _run(told: bytes, protected: Sequence[str]) -> bytes:
    """Run an attempt where this task is; return its end. It is ended once it is told to."""
    attempt = msgspec.json.decode(told, type=Attempt)
    stop = _stop_file(attempt)
    runner = LocalRunner(protected)
    try:
        runner.start(msgspec.structs.replace(attempt, told=False))
        while True:
            try:
                for each in runner.wait(_POLL_S):
                    if isinstance(each, Ended):
                        return msgspec.json.encode(each)
                if stop.exists():
                    runner.stop(attempt.name)
            except KeyboardInterrupt:
                runner.stop(attempt.name)
    finally:
        runner.close()


def _stop_file(attempt: Attempt) -> Path:
    return Path(f"{attempt.log}.stop")


def _probe(address: str) -> None:
    """Raise ConnectionError where nobody listens: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").partition(":")
    if port.isdigit():
        with socket.create_connection((host, int(port)), timeout=5.0):
            return


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")
