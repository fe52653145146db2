"""One command, run to its end: no shell of the user's, a time limit, its output in a log.

It is an attempt of the local runner like a step of a job, and ends with us, however we end.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from brinery.runners.interface import Attempt, Ended
from brinery.runners.local import LocalRunner

_NAME: Final = "command"
# So long a wish to stop may go unheard.
_POLL_S: Final = 0.1
_TAIL_BYTES: Final = 4000


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

    What it leaves running ends with it.

    Args:
        command: the program, and its arguments; `python` is the one that runs us.
        folder: that it runs in.
        variables: of its environment, beside ours.
        log: a file that standard output and error are appended to, each line behind its time.
        timeout_s: seconds until it is asked to end; it is killed five seconds later.
        stop: ends it when set.
    """
    attempt = Attempt(
        name=_NAME,
        command=f"exec {shlex.join(command)}",
        folder=str(folder.absolute()),
        variables=_environ(variables),
        log=str(log.absolute()),
        timeout_s=timeout_s,
        waits=False,
    )
    runner = LocalRunner()
    try:
        runner.start(attempt)
        while True:
            for each in runner.wait(_POLL_S):
                if isinstance(each, Ended):
                    return each
            if stop is not None and stop.is_set():
                runner.stop(_NAME)
    finally:
        runner.close()


def _environ(variables: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with more variables, and with our Python first on its path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **variables}


def tail(log: Path) -> str:
    """Return the last line with something in it of a log, without its time; empty for none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    texts = (line.partition(" ")[2].strip() for line in reversed(lines))
    return next((text for text in texts if text), "")
