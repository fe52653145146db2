"""One command, run to its end: no shell, its own process group, a time limit, its output in a log.

The group ends with us, however we end: a watcher stands between, and sees our end of a pipe close.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WATCHER: Final = Path(__file__).with_name("watcher.py")
_POLL_S: Final = 0.05
_TAIL_BYTES: Final = 4000


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: its exit status; 128 and the signal's number where one ended it.
        seconds: that it took.
        late: whether it was ended because its time was over.
        stopped: whether it was ended because it was told to stop.
    """

    status: int
    seconds: float
    late: bool = False
    stopped: bool = False


def run(
    command: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    log: Path,
    timeout_s: float,
    stop: threading.Event | None = None,
) -> Ended:
    """Return how a command ended; what it wrote is in the log.

    Args:
        command: the program, and its arguments; `python` is the one that runs us.
        folder: that it runs in.
        variables: of its environment, beside ours.
        log: a file that standard output and error are appended to.
        timeout_s: seconds until it is asked to end; it is killed five seconds later.
        stop: ends it when set.
    """
    began = time.monotonic()
    reader, writer = os.pipe()
    watcher = [sys.executable, "-I", "-S", str(_WATCHER), str(reader), *command]
    try:
        with log.open("ab") as stream:
            process = subprocess.Popen(
                watcher,
                cwd=folder,
                env=_environ(variables),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                pass_fds=(reader,),
                # Ctrl-C is ours to pass on: the whole group is ended, not one process of it.
                start_new_session=True,
            )
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    late = stopped = False
    try:
        while process.poll() is None and not (late or stopped):
            late = time.monotonic() - began > timeout_s
            stopped = stop is not None and stop.is_set()
            time.sleep(_POLL_S)
    finally:
        os.close(writer)
        status = process.wait()
    return Ended(status, time.monotonic() - began, late=late, stopped=stopped)


def _environ(variables: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with more variables, and with our Python first on its path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **variables}


def tail(log: Path) -> str:
    """Return the last line with something in it of a log; empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
