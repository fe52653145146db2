"""Runs one command, and ends it with everything it started when whoever asked for it is gone.

Started as a script by `command.run`, and imports nothing of ours: it must be there in no time. It
reads a pipe that nobody writes to. When the pipe ends, its reader was told to stop, or was killed:
the command's process group is asked to end, and killed after a while.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

_GRACE_S = 5.0
_POLL_S = 0.05
_NOT_FOUND, _NOT_RUN = 127, 126


def main(arguments: list[str]) -> int:
    """Return the exit status of a command; 128 and the signal's number where one ended it."""
    pipe, *command = arguments
    os.set_inheritable(int(pipe), False)  # noqa: FBT003 - the system's own signature
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: not found\n")
        return _NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return _NOT_RUN
    threading.Thread(target=_watch, args=(int(pipe), process.pid), daemon=True).start()
    status = process.wait()
    # What it left running in its group ends with it.
    _signal(process.pid, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _watch(pipe: int, group: int) -> None:
    with suppress(OSError):
        os.read(pipe, 1)
    _signal(group, signal.SIGTERM)
    end = time.monotonic() + _GRACE_S
    while time.monotonic() < end:
        time.sleep(_POLL_S)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
