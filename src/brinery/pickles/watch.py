"""Watches a model's process from outside: what it prints, and what no limit of the kernel counts.

One file is bounded by the kernel, the folder as a whole is not; memory that is shared counts in
no limit of data; and threads are counted for the user, not for the process.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from pathlib import Path

from brinery.pickles.limits import GB, Limits

_TICK_MS = 500
_PART_BYTES = 1 << 16
_TAIL_BYTES = 2000
_END_WAIT_S = 2.0

_MOST_FILES = 10_000
_DEEPEST = 32
_DELETED = " (deleted)"
_MOST_THREADS = 512
_THREADS_EACH = 16  # for each processor, where that is more


class Watch:
    """Reads what a process prints, keeps its end, and ends a process that takes too much.

    Args:
        process: to watch.
        said: a descriptor to read its output from; it becomes this object's own.
        scratch: the folder that it writes in.
        limits: what it may use.

    Attributes:
        broken: the limit that it went over, in words; empty where it kept to all.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], *, said: int, scratch: Path, limits: Limits
    ) -> None:
        self.broken = ""
        self._tail = b""
        self._process, self._said = process, said
        self._scratch, self._limits = scratch, limits
        self._thread = threading.Thread(target=self._run, name="brinery-watch", daemon=True)
        self._thread.start()

    def last_words(self) -> str:
        """Return the last line of what it printed, once it has ended."""
        self._thread.join(_END_WAIT_S)
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        """Wait until the output of a process that has ended is read."""
        self._thread.join(_END_WAIT_S)

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._said, select.POLLIN)
        checked = time.monotonic()
        try:
            while True:
                if poller.poll(_TICK_MS):
                    part = os.read(self._said, _PART_BYTES)
                    if not part:
                        return
                    self._tail = (self._tail + part)[-_TAIL_BYTES:]
                if time.monotonic() - checked >= _TICK_MS / 1000:
                    self._check()
                    checked = time.monotonic()
        except OSError:  # a folder whose path is too long to be read, too
            self.broken = self.broken or "it made files that cannot be listed"
            self._process.kill()
        finally:
            os.close(self._said)

    def _check(self) -> None:
        pid = self._process.pid
        if self.broken or self._process.poll() is not None:
            return
        self.broken = _too_much(self._scratch, pid, self._limits) or _too_many_threads(pid)
        if self.broken:
            self._process.kill()


def _too_much(folder: Path, pid: int, limits: Limits) -> str:
    """Return how a process went over its limit of files; empty where it did not."""
    size = count = 0
    waiting = [(str(folder), 0)]
    while waiting:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
                    if count > _MOST_FILES or depth > _DEEPEST:
                        return f"it made more than {_MOST_FILES:,} files, or folders too deep"
        except FileNotFoundError:
            continue
    if size + _nameless_bytes(pid, str(folder)) <= limits.scratch_gb * GB:
        return ""
    return (
        f"it wrote more than {limits.scratch_gb:g} GB: scratch_gb in brinery.toml, [sandbox], "
        "allows it more"
    )


def _nameless_bytes(pid: int, folder: str) -> float:
    """Return the size of the files of a folder that lost their name and are held open.

    One that is mapped counts as endless: how large it is cannot be seen.
    """
    size = 0
    try:
        with Path(f"/proc/{pid}/maps").open(encoding="utf-8", errors="replace") as maps:
            if any(folder in line and line.endswith(_DELETED + "\n") for line in maps):
                return float("inf")
        for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - descriptors are no paths
            path = f"/proc/{pid}/fd/{name}"
            target = os.readlink(path)  # noqa: PTH115 - as above
            if target.startswith(folder) and target.endswith(_DELETED):
                size += os.stat(path).st_blocks * 512  # noqa: PTH116 - as above
    except OSError:
        pass  # it has ended, or this is not Linux
    return size


def _too_many_threads(pid: int) -> str:
    most = max(_MOST_THREADS, _THREADS_EACH * (os.cpu_count() or 1))
    try:
        count = os.stat(f"/proc/{pid}/task").st_nlink - 2  # noqa: PTH116 - a count, not a file
    except OSError:
        return ""
    return f"it started more than {most} threads" if count > most else ""
