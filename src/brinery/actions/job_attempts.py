"""The steps that run: what their drivers ask for is begun when there is room, its end told them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec import Struct, field

from brinery.actions.job_bench import StepBench
from brinery.actions.job_threads import Threads
from brinery.errors import BrineryError
from brinery.records.job import StepRun, Usage
from brinery.runners.interface import Ask, Attempt, Drive, Ended, Line, Outcome, Runner

_NOTHING = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)


class Active(Struct):
    """A step that is being run.

    Attributes:
        run: as it began.
        bench: where its attempts are made ready.
        drive: asks for them.
    """

    run: StepRun
    bench: StepBench
    drive: Drive
    wanted: deque[Attempt] = field(default_factory=deque)
    running: dict[str, int] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    busy: bool = True
    wake_at: float | None = None


class Asked(Struct, frozen=True):
    """A driver wants something."""

    step: str
    ask: Ask


class Over(Struct, frozen=True):
    """A step is over, one way or the other.

    Attributes:
        step: its name.
        run: what became of it; None where it was looked at or taken in with an error.
        error: that.
    """

    step: str
    run: StepRun | None = None
    error: Exception | None = None


class Take(Protocol):
    """Takes in what a step left."""

    def __call__(self, run: StepRun, bench: StepBench, *, outcome: Outcome) -> StepRun:
        """Return the step as it is now."""
        ...


class Attempts:
    """The steps that run.

    Args:
        runner: makes what runs attempts, once one is to be run.
        threads: that drivers are moved on by.
        limit: attempts at once.
        take: what takes in what a step left.
    """

    def __init__(
        self, runner: Callable[[], Runner], *, threads: Threads, limit: int, take: Take
    ) -> None:
        self._make = runner
        self._runner: Runner | None = None
        self._threads = threads
        self._limit = limit
        self._take = take
        self._active: dict[str, Active] = {}
        self._running = 0
        self._stopping = False

    def __len__(self) -> int:
        return len(self._active)

    @property
    def waiting(self) -> int:
        """Return how many attempts wait for room."""
        return sum(len(active.wanted) for active in self._active.values())

    def begin(self, active: Active) -> None:
        """Begin a step."""
        self._active[active.run.name] = active
        self._threads.call(partial(self._advance, active, None))

    def end(self, step: str) -> Active | None:
        """Forget a step that is over; return what it was."""
        return self._active.pop(step, None)

    def asked(self, told: Asked) -> None:
        """Take what a driver wants next."""
        active = self._active[told.step]
        active.busy = False
        active.wanted.extend(told.ask.start)
        wake_s = told.ask.wake_s
        active.wake_at = None if wake_s is None else time.monotonic() + wake_s
        for name in told.ask.stop:
            self._stop(active, name)
        if self._stopping:
            self._stop_all(active)

    def stop(self) -> None:
        """End everything that runs, or is yet to."""
        self._stopping = True
        for active in self._active.values():
            self._stop_all(active)

    def start(self) -> None:
        """Start what is wanted, as long as there is room."""
        for active in self._active.values():
            while active.wanted:
                first = active.wanted[0]
                asked = max(sum(first.machines), round(first.needs.cpus))
                size = min(asked, self._limit)
                if self._running + size > self._limit:
                    return
                attempt = active.wanted.popleft()
                self._running += size
                active.running[attempt.name] = size
                if self._runner is None:
                    self._runner = self._make()
                self._runner.start(attempt)

    def wait(self, timeout_s: float) -> list[Line]:
        """Wait until something happens or the time is over; return what attempts wrote."""
        now = time.monotonic()
        for active in self._active.values():
            if active.wake_at is not None:
                timeout_s = max(0.0, min(timeout_s, active.wake_at - now))
        if self._threads.handed:
            timeout_s = 0.0
        lines = []
        if self._runner is None:
            self._threads.wait(timeout_s)
        for each in self._runner.wait(timeout_s) if self._runner is not None else ():
            if isinstance(each, Line):
                lines.append(each)
            else:
                self._ended(each)
        now = time.monotonic()
        for active in self._active.values():
            due = active.wake_at is not None and now >= active.wake_at
            if not active.busy and (active.ended or due):
                ended, active.ended = active.ended, []
                active.busy, active.wake_at = True, None
                self._threads.call(partial(self._advance, active, ended))
        return lines

    def wake(self) -> None:
        """Have `wait` return at once; called by any thread."""
        if self._runner is not None:
            self._runner.wake()

    def close(self) -> None:
        """End everything that still runs."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    def _ended(self, ended: Ended) -> None:
        for active in self._active.values():
            if ended.name in active.running:
                self._running -= active.running.pop(ended.name)
                active.ended.append(ended)
                return

    def _advance(self, active: Active, ended: list[Ended] | None) -> Asked | Over:
        """Send a driver what ended; return what it asks for next, or that the step is over."""
        name = active.run.name
        try:
            try:
                ask = next(active.drive) if ended is None else active.drive.send(ended)
            except StopIteration as end:
                return Over(name, run=self._take(active.run, active.bench, outcome=end.value))
        except (BrineryError, OSError) as error:
            return Over(name, error=error)
        return Asked(name, ask)

    def _stop_all(self, active: Active) -> None:
        for name in [*active.running, *(each.name for each in active.wanted)]:
            self._stop(active, name)

    def _stop(self, active: Active, name: str) -> None:
        if name in active.running and self._runner is not None:
            self._runner.stop(name)
            return
        for attempt in [each for each in active.wanted if each.name == name]:
            active.wanted.remove(attempt)
            active.ended.append(Ended(name=name, exit_status=143, usage=_NOTHING, stopped=True))
