"""What a job does beside its steps: a few threads for what takes long, one that syncs the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from brinery.records.job import Made
from brinery.store.outputs import Outputs
from brinery.store.reuse import Earlier, Reuse

# So long what ended is gathered, to be put on the disk together: little at first, for what is left
# for the end of a short job is waited for.
_FIRST_GATHER_S: Final = 0.05
_GATHER_S: Final = 0.2
# So long none of the first threads may end a call before there are more of them.
_STUCK_S: Final = 0.1


class Threads:
    """Calls functions beside the loop, and hands back what they return.

    Threads get in each other's way where they call what is short; there are more of them than
    processors only while all wait for something long, such as an environment that is built.

    Args:
        first: threads, as long as none is stuck.
        most: threads.
    """

    def __init__(self, first: int, *, most: int) -> None:
        self._wake: Callable[[], None] = lambda: None
        self._handed = threading.Event()
        self._first = first
        self._most = most
        self._ended = 0.0
        self._freed = 0
        self._todo: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._done: SimpleQueue[object] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._pending = 0

    def call(self, function: Callable[[], object]) -> None:
        """Have a function called; what it returns or raises is handed back."""
        if not self._pending:
            self._ended = time.monotonic()
        self._pending += 1
        if len(self._threads) < min(self._first, self._pending):
            self._start(self._work)
        self._todo.put(function)

    def wakes(self, wake: Callable[[], None]) -> None:
        """Have something called once there is something to hand back, where nothing was before."""
        self._wake = wake

    def wait(self, timeout_s: float) -> None:
        """Wait until there is something to hand back, or the time is over."""
        self._handed.wait(timeout_s)

    @property
    def handed(self) -> bool:
        """Return whether there is something to hand back."""
        return self._handed.is_set()

    def results(self) -> list[object]:
        """Return what was handed back since: results, and what was raised.

        It is asked for again and again while calls are pending: where none of them ends and some
        wait, it starts another thread.
        """
        found: list[object] = []
        self._handed.clear()
        with suppress(Empty):
            while True:
                found.append(self._done.get_nowait())
                self._pending -= 1
        now = time.monotonic()
        if found:
            self._ended = now
        elif now - self._ended > _STUCK_S:
            self._threads = [each for each in self._threads if each.is_alive()]
            if self._first <= len(self._threads) < min(self._most, self._pending):
                self._start(self._help)
        return found

    @property
    def pending(self) -> int:
        """Return how many calls have not been handed back."""
        return self._pending

    @property
    def count(self) -> int:
        """Return how many threads there are."""
        return sum(each.is_alive() for each in self._threads)

    def close(self) -> None:
        """End the threads, once each has done what it is about."""
        for _ in self._threads:
            self._todo.put(None)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (function := self._todo.get()) is not None:
            self._call(function)
            self._freed += 1

    def _help(self) -> None:
        """Work until one of the first threads is free again."""
        freed = self._freed
        while freed == self._freed and (function := self._todo.get()) is not None:
            self._call(function)

    def _call(self, function: Callable[[], object]) -> None:
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - it is raised by whoever reads it
            result = error
        self._done.put(result)
        if not self._handed.is_set():
            self._handed.set()
            self._wake()


class Committer:
    """Remembers what steps left, once it is on the disk; steps do not wait for it.

    Args:
        outputs: the store that it lies in.
        reuse: what is remembered.
    """

    def __init__(self, outputs: Outputs, reuse: Reuse) -> None:
        self._outputs = outputs
        self._reuse = reuse
        self._todo: SimpleQueue[tuple[str, Earlier] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self.error: OSError | None = None

    def add(self, key: str, earlier: Earlier) -> None:
        """Remember a run for a key, soon."""
        self._todo.put((key, earlier))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """Gather no longer: nothing more ends."""
        self._hurry.set()

    def close(self) -> None:
        """Wait until all is remembered.

        Raises:
            OSError: it could not be written.
        """
        self.hurry()
        if self._thread is not None:
            self._todo.put(None)
            self._thread.join()
            self._thread = None
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        ended, gather_s = False, _FIRST_GATHER_S
        while not ended:
            batch = [self._todo.get()]
            self._hurry.wait(gather_s)
            gather_s = min(2 * gather_s, _GATHER_S)
            try:
                while True:
                    batch.append(self._todo.get_nowait())
            except Empty:
                pass
            ended = None in batch
            try:
                self._commit([each for each in batch if each is not None])
            except OSError as error:
                self.error = self.error or error

    def _commit(self, batch: Sequence[tuple[str, Earlier]]) -> None:
        made: list[Made] = []
        for _, earlier in batch:
            made += earlier.run.outputs.values()
        if made:
            self._outputs.sync(made)
        for key, earlier in batch:
            self._reuse.add(key, earlier)
