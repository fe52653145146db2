"""Granian, with one application per worker process, told what to serve by a file."""

from __future__ import annotations

import logging
import multiprocessing
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from granian.constants import Interfaces
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from brinery.errors import AddressInUse, SettingsError
from brinery.serve import access_log
from brinery.serve.companion import Companion
from brinery.serve.manifest import Manifest, ManifestFile

_log = logging.getLogger("brinery.serve")

# How often is asked for what is served from now on; a worker looks again after `app.LOOK_S`.
LOOK_S = 0.5
# How long requests that were taken have to be answered when the server is told to end: less than
# the half minute that those who run containers wait before they kill.
_DRAIN_S = 25
_KILL_S = 1
_POLL_S = 0.02
# Who listens on all addresses is reached at these.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - they are not listened on
_MAX_HEADERS_BYTES = 400_000
# A server whose workers die so often in so many seconds is beyond help, and ends.
_DEATHS = 10
_DEATHS_S = 60.0


def url(host: str, port: int) -> str:
    """Return the address of a server."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def own_url(host: str, port: int) -> str:
    """Return the address at which a server is reached from its own machine."""
    return url(_ANY.get(host, host), port)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is asked and told in the course of a server's life, by the process that starts workers.

    Attributes:
        on_start: called once, when the port is open.
        changed: asked twice a second for what is served from now on; None where that stays.
        on_stop: called when the server is told to end, before its workers are.
    """

    on_start: Callable[[], None]
    changed: Callable[[], Manifest | None]
    on_stop: Callable[[], None] | None = None


def check_address(host: str, port: int) -> None:
    """Check that one can listen on an address.

    Raises:
        AddressInUse: another program does.
        SettingsError: it is no address of this machine, or not ours to use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == socket.errno.EADDRINUSE:  # type: ignore[attr-defined]
                raise AddressInUse(
                    f"another program listens on {host}:{port}", hint=f"try --port {port + 1}"
                ) from None
            raise SettingsError(
                f"cannot listen on {host}:{port}: {error}", hint="try --host 127.0.0.1 --port 8000"
            ) from None


def serve(
    manifest: Manifest,
    *,
    host: str,
    port: int,
    workers: int,
    log: str | None = None,
    course: Course,
    companion: Companion | None = None,
) -> None:
    """Serve models until the process is told to end (SIGINT or SIGTERM).

    Args:
        manifest: what is served at first.
        host: address to listen on.
        port: port to listen on.
        workers: processes, each with model processes of its own.
        log: path of the access log, or - for standard error; None for none.
        course: what is asked and told meanwhile.
        companion: a process that answers what the workers do not.

    Raises:
        SettingsError: the access log cannot be written.
    """
    if log is not None:
        access_log.check(log)
    # A fresh process per worker: nothing of the registry, and no thread of it, comes along.
    multiprocessing.set_start_method("spawn", force=True)
    with tempfile.TemporaryDirectory(prefix="brinery-serve-") as folder:
        file = ManifestFile(Path(folder, "manifest"))
        file.write(manifest)
        server = _Server(
            "brinery.serve.app",
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            workers=workers,
            websockets=False,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=_KILL_S,
            http1_settings=HTTP1Settings(header_read_timeout=int(manifest.body_timeout_s * 1000)),
            http2_settings=HTTP2Settings(max_headers_size=_MAX_HEADERS_BYTES),
        )
        server.on_startup(course.on_start)
        server.on_stop = course.on_stop
        with _counted_together(workers) as counted, _Watch(file, course.changed):
            server.serve(
                target_loader=partial(_load, file, counted, (log, companion)), wrap_loader=False
            )


class _Server(MPServer):
    """Granian's, which outlives a worker that dies again as soon as it was started again.

    Granian ends where one dies twice within seconds, and the others with it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deaths: deque[float] = deque(maxlen=_DEATHS)
        self.on_stop: Callable[[], None] | None = None

    def _respawn_workers(self, workers: Any, *arguments: Any, **options: Any) -> None:
        super()._respawn_workers(workers, *arguments, **options)
        self._deaths.extend([time.monotonic()] * len(workers))
        if len(self._deaths) < _DEATHS or self._deaths[-1] - self._deaths[0] > _DEATHS_S:
            self.respawned_wrks.clear()

    def _stop_workers(self) -> None:
        """Wait until the workers have ended; kill those that have not in time."""
        if self.on_stop is not None:
            self.on_stop()
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]
        end = time.monotonic() + _DRAIN_S
        while any(one.inner.is_alive() for one in self.wrks) and time.monotonic() < end:
            time.sleep(_POLL_S)
        super()._stop_workers()  # type: ignore[no-untyped-call]


@contextmanager
def _counted_together(workers: int) -> Iterator[Path | None]:
    """Give the folder in which several workers count together; None where there is one."""
    if workers == 1:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="brinery-metrics-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _load(
    file: ManifestFile, folder: Path | None, told: tuple[str | None, Companion | None]
) -> Any:
    """Return a worker's application, whose modules the process that starts workers never needs."""
    log, companion = told
    worker = import_module("brinery.serve.worker")
    return worker.load(file, folder, log=log, companion=companion)


class _Watch:
    """A thread that has the manifest replaced when something else is to be served."""

    def __init__(self, file: ManifestFile, changed: Callable[[], Manifest | None]) -> None:
        self._file = file
        self._changed = changed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="manifest", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(_DRAIN_S)

    def _run(self) -> None:
        told = ""
        while not self._ended.wait(LOOK_S):
            try:
                manifest = self._changed()
                if manifest is not None:
                    self._file.write(manifest)
                told = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, it is asked for again
                if str(error) != told:
                    told = str(error)
                    _log.error("what is to be served cannot be asked for: %s", error)
