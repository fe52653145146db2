"""The access log: one JSON object per request and line.

What is written waits in a queue, and a thread writes it, many lines at a time: a disk or a reader
that is slow costs lines, which are counted, and no request any time. A file is opened to append,
so that several processes write to the same, and opened again when it was moved away.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from select import PIPE_BUF
from typing import Any

import msgspec

from brinery.errors import SettingsError
from brinery.serve.answered import Answered

STANDARD_ERROR = "-"

_EVERY_S = 0.05
_MOST_WAITING = 50_000
_LINES = 1000  # made at once


def check(destination: str) -> None:
    """Check that the log can be written.

    Raises:
        SettingsError: it cannot.
    """
    if destination != STANDARD_ERROR:
        try:
            os.close(_opened(Path(destination)))
        except OSError as error:
            raise SettingsError(
                f"the access log {destination} cannot be written: {error.strerror}",
                hint="name a file in a folder that is there, or - for standard error",
            ) from None


class AccessLog:
    """Writes down each answer.

    Args:
        destination: path of a file, or - for standard error.
    """

    def __init__(self, destination: str) -> None:
        self._path = None if destination == STANDARD_ERROR else Path(destination)
        self._file: int | None = None
        self._waiting: deque[tuple[float, Answered]] = deque()
        self._lost = 0
        self._wanted = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    def __call__(self, answered: Answered) -> None:
        """Have an answer written down."""
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append((time.time(), answered))
        if not self._wanted.is_set():
            self._wanted.set()

    def close(self) -> None:
        """Return once everything is written."""
        self._closed = True
        self._wanted.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if not self._closed:
                time.sleep(_EVERY_S)  # what comes meanwhile is written with it
            self._wanted.clear()
            with suppress(OSError):  # a full disk, or a reader that is gone
                self._write_all()
            if self._closed and not self._waiting:
                return

    def _write_all(self) -> None:
        while self._waiting:
            n_lines = min(len(self._waiting), _LINES)
            lines = [_line(*self._waiting.popleft()) for _ in range(n_lines)]
            if self._lost:
                lines.append({"time": _written(time.time()), "lost_lines": self._lost})
                self._lost = 0
            try:
                self._write([msgspec.json.encode(line) + b"\n" for line in lines])
            except OSError:
                self._lost += n_lines
                raise

    def _write(self, lines: list[bytes]) -> None:
        """Write lines, as many at a time as a pipe takes without breaking one."""
        file = self._current()
        content = b""
        for line in [*lines, b""]:
            if content and (not line or len(content) + len(line) > PIPE_BUF):
                os.write(file, content)
                content = b""
            content += line

    def _current(self) -> int:
        """Return the open file, opened again where it was moved away or deleted."""
        if self._path is None:
            return sys.stderr.fileno()
        if self._file is not None:
            there = None
            with suppress(FileNotFoundError):
                there = self._path.stat()
            if there is not None and os.path.samestat(there, os.fstat(self._file)):
                return self._file
            os.close(self._file)
            self._file = None
        self._file = _opened(self._path)
        return self._file


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _line(at: float, answered: Answered) -> dict[str, Any]:
    """Return what is written of an answer."""
    model, _, version = answered.model.partition("@")
    return {
        "time": _written(at),
        "id": answered.id,
        "client": answered.scope.client,
        "method": answered.scope.method,
        "path": answered.path,
        "model": model or None,
        "version": int(version) if version else None,
        "status": answered.status,
        "code": answered.code or None,
        "rows": answered.n_rows,
        "bytes_received": answered.n_received,
        "bytes_sent": answered.n_sent,
        "seconds": round(answered.time_s, 6),
    }


def _written(at: float) -> str:
    """Return a time in the form of RFC 3339, UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
