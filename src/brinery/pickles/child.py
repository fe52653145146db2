"""The process a model lives in: started, asked, ended.

Issue by issue more confinement goes under it; that the model lives elsewhere is here from the
start, so nothing above this room changes when it does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import weakref
from typing import IO, Self

from brinery.errors import ModelProcessDied, ModelProcessTimeout
from brinery.pickles.frames import Channel, ChannelClosed, ChannelTimeout

_END_WAIT_S = 2.0
_TAIL_BYTES = 2000


class ChildProcess:
    """A Python process that runs one module and answers frames.

    Use it as a context manager: at its end the process is gone, whatever happened. One that is
    forgotten ends when it is collected, or with this process.

    Args:
        module: run as `python -P -m module READ_FD WRITE_FD ARGUMENT…`; it answers one frame per
            frame.
        arguments: what else it is told.
        timeout_s: for each answer.
    """

    def __init__(self, module: str, *arguments: str, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `_end`
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        self._channel = Channel(to_parent, from_parent)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(to_child), str(from_child), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=(to_child, from_child),
            )
        except BaseException:
            self._channel.close()
            self._said.close()
            raise
        finally:
            os.close(to_child)
            os.close(from_child)
        self._finalizer = weakref.finalize(self, _end, self._process, self._channel, self._said)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def ask(self, header: bytes, payload: bytes | memoryview = b"") -> tuple[bytes, memoryview]:
        """Return the header and payload that the child answers with.

        Raises:
            ModelProcessDied: it ended instead, or had been closed.
            ModelProcessTimeout: it did not answer in time; it is ended.
        """
        if not self._finalizer.alive:
            raise ModelProcessDied(
                "the process that held the model was closed", hint="load the model again"
            )
        began = time.monotonic()
        try:
            self._channel.send(header, payload, timeout_s=self.timeout_s)
            return self._channel.receive(timeout_s=self.timeout_s - (time.monotonic() - began))
        except ChannelTimeout:
            self._process.kill()
            self.close()
            raise ModelProcessTimeout(
                f"the model did not answer within {self.timeout_s:g} seconds",
                hint="a larger timeout_s in brinery.toml, [model] or [serve], gives it longer",
            ) from None
        except ChannelClosed:
            raise self._died() from None
        except BaseException:
            # Interrupted: the next frame to come would be the answer to this question.
            self._process.kill()
            self.close()
            raise

    def close(self) -> None:
        """End the process, gently and then not."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _died(self) -> ModelProcessDied:
        self._channel.close()
        status = _status(self._process)
        tail = _tail(self._said)
        self.close()
        return ModelProcessDied(
            f"the process that held the model ended ({_meaning(status)})",
            hint=f"its last words: {tail}" if tail else "it said nothing before it ended",
        )


def _end(process: subprocess.Popen[bytes], channel: Channel, said: IO[bytes]) -> None:
    """End a process, and close what was between it and this one."""
    channel.close()
    _status(process)
    said.close()


def _status(process: subprocess.Popen[bytes]) -> int:
    """Return how a process ended, once it has; it is made to."""
    try:
        return process.wait(timeout=_END_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _tail(said: IO[bytes]) -> str:
    """Return the last line of what the child printed."""
    if said.closed:
        return ""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _TAIL_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _meaning(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"
