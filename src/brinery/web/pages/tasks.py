"""Work that takes longer than a request: begun by a form, followed on a page, also after a reload.

It is done by threads of this process, and everything that it says is kept in the workspace: a page
that comes after a new start of the server is told what became of it, or that it was cut off.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from brinery.errors import BrineryError, OutputUnwritable
from brinery.records.comparison import Comparison
from brinery.records.decision import Decision
from brinery.records.event import Event
from brinery.records.package import Package
from brinery.records.ready import decoded
from brinery.records.task import TaskBegun, TaskEnded, TaskKept
from brinery.records.version import Promotion
from brinery.serve.problems import unexpected
from brinery.store.tasks import TaskJournal, TaskJournals

_log = logging.getLogger("brinery")

_KEPT: Final = 50
_AT_A_TIME: Final = 2
_EVENTS: Final = 500
_ID_BYTES: Final = 8
# What work returns, by its name in a journal.
_RESULTS: Final[Mapping[str, type[Any]]] = {
    one.__name__: one for one in (Comparison, Decision, Package, Promotion)
}
_CUT_OFF: Final = (
    "The server ended before this was done. What else this page says is as it is stored."
)


@dataclass
class Task:
    """Some work.

    Attributes:
        begun: what was asked, and when.
        events: what it said so far.
        ended: when; None while it waits or runs.
        waits: whether other work is before it.
        cut_off: whether the process that did it ended before it did.
        result: what it returned.
        message: why it failed; empty where it did not.
        hint: what to do about that.
    """

    begun: TaskBegun
    events: list[Event] = field(default_factory=list)
    ended: datetime | None = None
    waits: bool = True
    cut_off: bool = False
    result: Any = None
    message: str = ""
    hint: str = ""

    @property
    def id(self) -> str:
        """Return by what a page finds it."""
        return self.begun.id

    @property
    def runs(self) -> bool:
        """Return whether it is not done."""
        return self.ended is None and not self.cut_off

    def tell(self, event: Event) -> None:
        """Keep an event; one that only says how far a step is gives way to the next."""
        if self.events and self.events[-1].progress and self.events[-1].step is event.step:
            self.events[-1] = event
        elif len(self.events) < _EVENTS:
            self.events.append(event)


class Tasks:
    """Does work in threads, a little at a time.

    Each task is told as it was when it was asked for: a page that shows it as running asks again.

    Args:
        journals: what is kept of each.
    """

    def __init__(self, journals: TaskJournals) -> None:
        self._journals = journals
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.Semaphore(_AT_A_TIME)

    def begin(
        self,
        key: str,
        steps: Generator[Event, None, Any],
        *,
        command: str,
        path: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Task:
        """Return the task of some work, begun now; the one that does it already where there is one.

        Args:
            key: what it is about.
            steps: yields its events and returns its result; nothing is done before it is asked.
            command: what does the same on the command line.
            path: of the form that began it; empty where a link did.
            fields: of that form.

        Raises:
            OutputUnwritable: nothing can be kept of it; it is not begun.
        """
        with self._lock:
            for known in self._tasks.values():
                if known.begun.key == key and known.runs:
                    steps.close()
                    return replace(known)
            begun = TaskBegun(
                id=secrets.token_hex(_ID_BYTES),
                key=key,
                began=datetime.now(UTC),
                command=command,
                path=path,
                fields=dict(fields or {}),
            )
            journal = self._journals.begin(begun)
            task = Task(begun)
            self._tasks[task.id] = task
            done = [one.id for one in self._tasks.values() if not one.runs]
            for old in done[: max(0, len(self._tasks) - _KEPT)]:
                del self._tasks[old]
        threading.Thread(
            target=self._work, args=(task, steps, journal), name=f"task {key}", daemon=True
        ).start()
        return replace(task)

    def find(self, task_id: str) -> Task | None:
        """Return a task, of an earlier process too; None where there is none, or it is gone."""
        with self._lock:
            found = self._tasks.get(task_id)
        return _kept(self._journals.read(task_id)) if found is None else replace(found)

    def latest(self, key: str) -> Task | None:
        """Return the task that was begun last about something; None where there is none."""
        with self._lock:
            known = (one for one in reversed(self._tasks.values()) if one.begun.key == key)
            found = next(known, None)
        return _kept(self._journals.latest(key)) if found is None else replace(found)

    def _work(self, task: Task, steps: Generator[Event, None, Any], journal: TaskJournal) -> None:
        with self._free:
            task.waits = False
            try:
                while True:
                    event = next(steps)
                    task.tell(event)
                    journal.tell(event)
            except StopIteration as end:
                task.result = end.value
            except BrineryError as error:
                task.message, task.hint = error.message, error.hint
            except Exception:  # noqa: BLE001 - a fault of ours is told on the page
                _log.exception("the task %s", task.begun.key)
                fault = unexpected()
                task.message, task.hint = fault.detail, fault.hint
            finally:
                at = datetime.now(UTC)
                try:
                    _keep_end(task, journal, at=at)
                finally:
                    task.ended = at


def _keep_end(task: Task, journal: TaskJournal, *, at: datetime) -> None:
    """Write down how a task ended; what cannot be written is known to this process only."""
    result = task.result
    try:
        journal.end(
            TaskEnded(
                at=at,
                kind="" if result is None else type(result).__name__,
                result=msgspec.Raw(msgspec.json.encode(result)),
                message=task.message,
                hint=task.hint,
            )
        )
    except OutputUnwritable as error:
        _log.warning("%s", error.message)
    finally:
        journal.close()


def _kept(found: TaskKept | None) -> Task | None:
    """Return a task of an earlier process, or another one; None where nothing is known of it."""
    if found is None:
        return None
    task = Task(found.begun, events=list(found.events), waits=False)
    if found.ended is None:
        task.cut_off = not found.goes_on
        if task.cut_off:
            task.message, task.hint = _CUT_OFF, found.begun.command
        return task
    task.ended, task.message, task.hint = found.ended.at, found.ended.message, found.ended.hint
    kind = _RESULTS.get(found.ended.kind)
    if kind is not None:
        try:
            task.result = decoded(found.ended.result, kind)
        except msgspec.MsgspecError:  # of another release
            return None
    return task
