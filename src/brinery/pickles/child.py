"""The process a model lives in: started, asked, ended.

Issue by issue more confinement goes under it; that the model lives elsewhere is here from the
start, so nothing above this room changes when it does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import IO, Self

from brinery.errors import ModelProcessDied, ModelProcessTimeout
from brinery.pickles.frames import Channel, ChannelClosed, ChannelTimeout

_END_WAIT_S = 2.0
_STDERR_TAIL_BYTES = 2000


class ChildProcess:
    """A Python process that runs one module and answers frames.

    Use it as a context manager: at its end the process is gone, whatever happened.

    Args:
        module: run as `python -P -m module READ_FD WRITE_FD`; it answers one frame per frame.
        timeout_s: for each answer.
    """

    def __init__(self, module: str, *, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(to_child), str(from_child)],
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
            pass_fds=(to_child, from_child),
        )
        os.close(to_child)
        os.close(from_child)
        self._channel = Channel(to_parent, from_parent)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def ask(self, header: bytes, payload: bytes | memoryview = b"") -> tuple[bytes, bytes]:
        """Return the header and payload that the child answers with.

        Raises:
            ModelProcessDied: it ended instead.
            ModelProcessTimeout: it did not answer in time; it is ended.
        """
        try:
            self._channel.send(header, payload)
            return self._channel.receive(timeout_s=self.timeout_s)
        except ChannelTimeout:
            self._process.kill()
            self.close()
            raise ModelProcessTimeout(
                f"the model did not answer within {self.timeout_s:g} seconds",
                hint="a larger --timeout gives it longer",
            ) from None
        except ChannelClosed:
            status = self._end()
            tail = self._tail()
            self.close()
            raise ModelProcessDied(
                f"the process that held the model ended ({_meaning(status)})",
                hint=f"its last words: {tail}" if tail else "it said nothing before it ended",
            ) from None

    def close(self) -> None:
        """End the process, gently and then not."""
        self._channel.close()
        self._end()
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self) -> int:
        try:
            return self._process.wait(timeout=_END_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _tail(self) -> str:
        """Return the last line of what the child printed."""
        if self._stderr.closed:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _STDERR_TAIL_BYTES))
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _meaning(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"
