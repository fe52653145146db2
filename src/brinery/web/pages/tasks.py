"""Work that takes longer than a request: begun by a form, followed on a page, also after a reload.

Its events are kept in this process while it runs, and for a while after. What it did is kept by the
action itself, where every other front door finds it: a page that comes later needs no task.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from brinery.errors import BrineryError
from brinery.records.event import Event
from brinery.serve.problems import unexpected

_log = logging.getLogger("brinery")

_KEPT: Final = 50
_AT_A_TIME: Final = 2
_EVENTS: Final = 500


@dataclass
class Task:
    """Some work.

    Attributes:
        id: by which a page finds it.
        key: what it is about; one that runs is not begun a second time.
        began: when.
        events: what it said so far.
        ended: when; None while it waits or runs.
        waits: whether other work is before it.
        result: what it returned.
        message: why it failed; empty where it did not.
        hint: what to do about that.
    """

    key: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    events: list[Event] = field(default_factory=list)
    ended: datetime | None = None
    waits: bool = True
    result: Any = None
    message: str = ""
    hint: str = ""

    @property
    def runs(self) -> bool:
        """Return whether it is not done."""
        return self.ended is None

    def tell(self, event: Event) -> None:
        """Keep an event; one that only says how far a step is gives way to the next."""
        if self.events and self.events[-1].progress and self.events[-1].step is event.step:
            self.events[-1] = event
        elif len(self.events) < _EVENTS:
            self.events.append(event)


class Tasks:
    """Does work in threads, a little at a time.

    Each task is told as it was when it was asked for: a page that shows it as running asks again.
    """

    def __init__(self) -> None:
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.Semaphore(_AT_A_TIME)

    def begin(self, key: str, steps: Generator[Event, None, Any]) -> Task:
        """Return the task of some work, begun now; the one that does it already where there is one.

        Args:
            key: what it is about.
            steps: yields its events and returns its result; nothing is done before it is asked.
        """
        with self._lock:
            for known in self._tasks.values():
                if known.key == key and known.runs:
                    steps.close()
                    return replace(known)
            task = Task(key)
            self._tasks[task.id] = task
            done = [one.id for one in self._tasks.values() if not one.runs]
            for old in done[: max(0, len(self._tasks) - _KEPT)]:
                del self._tasks[old]
        threading.Thread(
            target=self._work, args=(task, steps), name=f"task {key}", daemon=True
        ).start()
        return replace(task)

    def find(self, task_id: str) -> Task | None:
        """Return a task; None where there is none, or it is long done."""
        with self._lock:
            found = self._tasks.get(task_id)
        return None if found is None else replace(found)

    def latest(self, key: str) -> Task | None:
        """Return the task that was begun last about something; None where there is none."""
        with self._lock:
            found = next((one for one in reversed(self._tasks.values()) if one.key == key), None)
        return None if found is None else replace(found)

    def _work(self, task: Task, steps: Generator[Event, None, Any]) -> None:
        with self._free:
            task.waits = False
            try:
                while True:
                    task.tell(next(steps))
            except StopIteration as end:
                task.result = end.value
            except BrineryError as error:
                task.message, task.hint = error.message, error.hint
            except Exception:  # noqa: BLE001 - a fault of ours is told on the page
                _log.exception("the task %s", task.key)
                fault = unexpected()
                task.message, task.hint = fault.detail, fault.hint
            finally:
                task.ended = datetime.now(UTC)
