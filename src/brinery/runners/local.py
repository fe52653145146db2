"""Runs attempts on this machine, as children of one small process of their own: the nursery.

The nursery writes the logs, waits for what a step leaves in the background, counts what it used,
and kills everything when we are gone. It is started with the first attempt: a job in which nothing
is run has none.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Final

import msgspec

from brinery.records.job import Usage
from brinery.runners.interface import Attempt, Ended, Line
from brinery.runners.ranks import filled_here

# Python keeps what it compiled of a module, and of a script it does not: a sixth of the start.
_BEGIN: Final = "import sys; sys.path.append(sys.argv[1]); import nursery; nursery.main({})"
_FOLDER: Final = str(Path(__file__).parent)
_CHUNK: Final = 1 << 18
_NOT_FOUND: Final = 127
_LEAVE: Final = ("/bin/sh", "-c", '"$@" &', "sh")


class _Told(msgspec.Struct):
    ended: Ended | None = None
    line: Line | None = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Told)


class LocalRunner:
    """Processes of this machine.

    Args:
        protected: absolute files and folders that no attempt may write to, where the system can
            hold it.
        adopted: whether the nursery is nobody's child, because whoever runs us kills our children
            when it kills us, and the nursery would not come to end its own.
    """

    def __init__(self, protected: Sequence[str] = (), *, adopted: bool = False) -> None:
        self._protected = protected
        self._adopted = adopted
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._running: set[str] = set()
        self._refused: list[Ended] = []
        self._inbox = b""
        self._waker, self._woken = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)

    @property
    def name(self) -> str:
        """Return `local`."""
        return "local"

    @property
    def capacity(self) -> int:
        """Return the number of processors that we may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2

    def warm(self) -> None:
        """Start the nursery, so that the first attempt need not wait for it."""
        if self._process is None:
            ours, theirs = socket.socketpair()
            with theirs:
                begin = _BEGIN.format(theirs.fileno())
                command = [sys.executable, "-I", "-S", "-c", begin, _FOLDER]
                self._process = subprocess.Popen(
                    [*_LEAVE, *command] if self._adopted else command,
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._socket = ours
            self.protect(self._protected)

    def protect(self, folders: Sequence[str]) -> None:
        """Have no attempt that is started from now on write to files and folders."""
        self._protected = folders
        if self._socket is not None and folders:
            self._send({"protect": folders})

    def start(self, attempt: Attempt, /) -> None:
        """Begin an attempt."""
        if attempt.program and not which(attempt.program, path=attempt.variables.get("PATH")):
            said = f"it needs {attempt.program}, which is not on its PATH: install it where it runs"
            usage = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)
            self._refused.append(
                Ended(name=attempt.name, exit_status=_NOT_FOUND, usage=usage, lost=said)
            )
            return
        self.warm()
        self._running.add(attempt.name)
        if attempt.processes != ({},):
            processes = filled_here(attempt.processes, len(attempt.machines))
            attempt = msgspec.structs.replace(attempt, processes=processes)
        self._send({"start": attempt})

    def stop(self, name: str, /) -> None:
        """End an attempt: politely, and after five seconds by force."""
        if name in self._running:
            self._send({"stop": name})

    def wait(self, timeout_s: float, /) -> list[Ended | Line]:
        """Return what happened, waiting until something has or the time is over."""
        found: list[Ended | Line] = [*self._refused]
        self._refused.clear()
        end = time.monotonic() + timeout_s
        while not found:
            watched: list[int | socket.socket] = [self._waker]
            if self._socket is not None:
                watched.append(self._socket)
            ready, _, _ = select.select(watched, [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return found
            if self._waker in ready:
                while _read(self._waker):
                    pass
                if self._socket not in ready:
                    return found
            if self._socket in ready:
                found = self._hear()
        return found

    def wake(self) -> None:
        """Have `wait` return at once."""
        try:
            os.write(self._woken, b"x")
        except BlockingIOError:
            return  # it is awake

    def close(self) -> None:
        """Kill everything that still runs."""
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while self._socket.recv(_CHUNK):
                    pass  # its end is that of the nursery
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.wait()
            self._process = None
        for each in (self._waker, self._woken):
            os.close(each)

    def _send(self, told: dict[str, object]) -> None:
        if self._socket is not None:
            try:
                self._socket.sendall(_ENCODER.encode(told) + b"\n")
            except (BrokenPipeError, ConnectionResetError):
                return  # its end is heard of next

    def _hear(self) -> list[Ended | Line]:
        assert self._socket is not None  # noqa: S101 - for the type checker
        try:
            content = self._socket.recv(_CHUNK)
        except ConnectionResetError:
            content = b""
        if not content:
            return self._lost()
        *lines, self._inbox = (self._inbox + content).split(b"\n")
        found: list[Ended | Line] = []
        for line in lines:
            told = _DECODER.decode(line)
            if told.ended is not None:
                self._running.discard(told.ended.name)
                found.append(told.ended)
            elif told.line is not None:
                found.append(told.line)
        return found

    def _lost(self) -> list[Ended | Line]:
        """Return the ends of everything that ran: the nursery was killed."""
        assert self._socket is not None  # noqa: S101 - for the type checker
        self._socket.close()
        self._socket = None
        if self._process is not None:
            self._process.wait()
        self._process = None
        self._inbox = b""
        usage = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)
        said = "the process that runs the steps was killed"
        lost = [
            Ended(name=name, exit_status=137, usage=usage, lost=said)
            for name in sorted(self._running)
        ]
        self._running.clear()
        return list(lost)


def _read(pipe: int) -> bytes:
    try:
        return os.read(pipe, 4096)
    except BlockingIOError:
        return b""
