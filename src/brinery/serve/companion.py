"""The process beside a server: started with it, started again when it dies, ended with it."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from msgspec import Struct

_log = logging.getLogger("brinery.serve")

_END_S = 25.0
_KILL_S = 5.0
# How soon it is started again: at once, and ever later where it dies again.
_FIRST_S = 0.1
_LAST_S = 30.0
_STEADY_S = 60.0


class Companion(Struct, frozen=True, kw_only=True):
    """How the process is reached.

    Attributes:
        socket: path of the Unix socket it listens on.
        hosts: names under which the server is asked, beside addresses and `localhost`.
        secret: that the sessions of browsers are signed with, in hexadecimal.
    """

    socket: str
    hosts: tuple[str, ...] = ()
    secret: str = ""


class Keeper:
    """Keeps a process running while the block runs.

    It is told what to do on its standard input, which stays open as long as this process lives: a
    process that reads its end knows that nobody is there to end it.

    Args:
        command: the program and its arguments.
        told: what it reads first; a line.
    """

    def __init__(self, command: Sequence[str], *, told: bytes) -> None:
        self._command = list(command)
        self._told = told
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="companion", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join(_KILL_S)

    def wind_down(self) -> None:
        """Tell the process that the end is near: what would go on for ever is to end now.

        Streams of events would keep the workers from ending until their clients have gone.
        """
        with self._lock:
            process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):
                process.stdin.write(b"\n")
                process.stdin.flush()

    def _run(self) -> None:
        wait_s = _FIRST_S
        while not self._ended.is_set():
            began = time.monotonic()
            process = self._started()
            if process is None:
                return
            status = process.wait()
            if self._ended.is_set():
                return
            wait_s = _FIRST_S if time.monotonic() - began > _STEADY_S else wait_s
            _log.error("the process of MLflow's server ended with %s; it is started again", status)
            self._ended.wait(wait_s)
            wait_s = min(2 * wait_s, _LAST_S)

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Return the process, told what to do; None where it is not wanted any more."""
        with self._lock:
            if self._ended.is_set():
                return None
            # In a session of its own: Ctrl-C is for the server, which ends it last.
            process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
            self._process = process
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.write(self._told)
                process.stdin.flush()
        return process
