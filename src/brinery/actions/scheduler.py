"""The scheduler: begins turns of loops, and other work, when they are due, in threads of its own.

It keeps nothing of its own: what was missed, what is new and what is to be resumed is told by the
turns that were kept. So any number of them may run, and any of them may be killed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from brinery.actions.loop import Beginning, run_turn
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import BrineryError, Fault, InvalidLoop, LoopBusy
from brinery.records.event import Event
from brinery.records.turn import Ending, NewFile, Trigger, Turn
from brinery.specs.loop import LoopFile, OnFailure, read
from brinery.store import inputs

POLL_S: Final = 2.0

Seen = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class LoopState:
    """What a loop is about.

    Attributes:
        name: of the loop.
        file: its loop.yml.
        running: whether a turn of it goes on in this process.
        due: when the schedule begins the next one; None where it does not.
        told: why no turn will begin by itself; empty where one will.
    """

    name: str
    file: Path
    running: bool
    due: datetime | None
    told: str


class Watched(Protocol):
    """Something that is due at times."""

    @property
    def name(self) -> str:
        """Return what it is called."""
        ...

    def look(self) -> None:
        """Do what is due, and return when it is done; raise nothing."""
        ...


class Scheduler:
    """Begins turns, each loop in a thread of its own, and other work that is due at times.

    Args:
        rooms: of the workspace.
        files: the loops; each is read again before each turn, so that a change counts.
        others: what else is looked at, likewise.
        on_event: called with the loop's name and what its turn says, from the loop's thread.
        on_turn: called with each turn that ended, likewise.
        on_error: called with the loop's name and what kept a turn from beginning, likewise.
        poll_s: seconds between two looks at the clock and the files.
        now: the clock.

    Raises:
        InvalidLoop: two loops have one name.
    """

    def __init__(
        self,
        rooms: Rooms,
        files: Sequence[LoopFile],
        *,
        others: Sequence[Watched] = (),
        on_event: Callable[[str, Event], None] = lambda _, __: None,
        on_turn: Callable[[Turn], None] = lambda _: None,
        on_error: Callable[[str, BrineryError], None] = lambda _, __: None,
        poll_s: float = POLL_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        names = [file.loop.name for file in files]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InvalidLoop(
                f"two loops are called {twice}", hint="a loop has one file, and one name"
            )
        self._stop = threading.Event()
        self._poll_s = poll_s
        told = _Told(on_event, on_turn, on_error)
        self._loops = [
            _WatchedLoop(rooms, file, told=told, now=now, stop=self._stop) for file in files
        ]
        self._others = list(others)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to watch; returns at once."""
        self._stop.clear()
        self._threads = [
            threading.Thread(target=self._watch, args=(watched,), name=f"due {watched.name}")
            for watched in (*self._loops, *self._others)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End a training that goes on, and return when every thread has ended.

        A turn that went on has not ended: the next scheduler resumes it.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def ask_to_stop(self) -> None:
        """Have every thread end soon; returns at once, and may be called by a signal's handler."""
        self._stop.set()

    def wait(self) -> None:
        """Return when it was told to stop, in another thread or by a signal."""
        # A wait without an end would keep signals out.
        while not self._stop.wait(1.0):
            continue

    def states(self) -> list[LoopState]:
        """Return what each loop is about."""
        return [loop.state() for loop in self._loops]

    def _watch(self, watched: Watched) -> None:
        while not self._stop.is_set():
            watched.look()
            self._stop.wait(self._poll_s)


def start_loops(
    loops: Sequence[Folder], *, workspace: Folder | None = None, **told: Any
) -> Scheduler:
    """Return a scheduler of loops, which has started; end it with its `stop`.

    Args:
        loops: each a loop.yml.
        workspace: its folder; the nearest upwards when None.
        told: `on_event`, `on_turn` and `on_error`, as `Scheduler` takes them.

    Raises:
        InvalidLoop: a file is wrong, or two loops have one name.
    """
    files = [read(Path(loop)) for loop in loops]
    scheduler = Scheduler(open_rooms(workspace), files, **told)
    scheduler.start()
    return scheduler


def beginning(
    file: LoopFile, turns: Sequence[Turn], *, since: datetime, now: datetime, fresh: bool
) -> Beginning | None:
    """Return why a turn of a loop should begin now; None where none should.

    Args:
        file: the loop.
        turns: of it, oldest first.
        since: when the scheduler began: what a loop without turns missed before is not caught up.
        now: the moment.
        fresh: whether a file is there that no turn had, and has not changed for a while.
    """
    last = turns[-1] if turns else None
    if last is not None and last.ended is None:
        return Beginning(trigger=last.trigger, due=last.due)
    if stopped(file, turns):
        return None
    trigger = file.loop.trigger
    schedule = trigger.schedule if trigger is not None else None
    if schedule is not None:
        # However many times were missed, one turn makes up for them.
        due = schedule.missed(_begun(last) if last is not None else since, now)
        return None if due is None else Beginning(trigger=Trigger.CRON, due=due, if_new=True)
    if fresh:
        return Beginning(trigger=Trigger.NEW_DATA, if_new=True, again=False)
    return None


def stopped(file: LoopFile, turns: Sequence[Turn]) -> bool:
    """Return whether the last turn failed, and the loop is to stop then."""
    failed = bool(turns) and turns[-1].ending is Ending.FAILED
    return failed and file.loop.on_failure is OnFailure.STOP


def _begun(turn: Turn) -> datetime:
    """Return the moment whose due turns are behind us."""
    return turn.due or turn.started


@dataclass(frozen=True)
class _Told:
    """Who is told what."""

    event: Callable[[str, Event], None]
    turn: Callable[[Turn], None]
    error: Callable[[str, BrineryError], None]


class _WatchedLoop:
    """A loop that is watched."""

    def __init__(
        self,
        rooms: Rooms,
        file: LoopFile,
        *,
        told: _Told,
        now: Callable[[], datetime],
        stop: threading.Event,
    ) -> None:
        self.name = file.loop.name
        self._rooms = rooms
        self._file = file
        self._told = told
        self._now = now
        self._stop = stop
        self._since = now()
        self._seen: Seen = ()
        self._asked: tuple[Seen, tuple[NewFile, ...]] = ((), ())
        self._running = False
        self._last_error = ""

    def look(self) -> None:
        """Begin a turn where one is due, and return when it ended."""
        try:
            # A loop.yml that another wrote half of is read again at the next look.
            self._file = read(self._file.file)
            begun = self._due()
            if begun is None:
                self._last_error = ""
                return
            self._run(begun)
            self._last_error = ""
        except LoopBusy:
            return  # another process of ours is about it
        except BrineryError as error:
            self._complain(error)
        except Exception as error:  # noqa: BLE001 - the next turn may do better; it is told
            self._complain(Fault(f"{type(error).__name__}: {error}"))

    def _complain(self, error: BrineryError) -> None:
        if error.message != self._last_error:
            self._told.error(self.name, error)
        self._last_error = error.message

    def state(self) -> LoopState:
        """Return what it is about."""
        turns = self._rooms.turns.of(self.name)
        trigger = self._file.loop.trigger
        schedule = trigger.schedule if trigger is not None else None
        told = ""
        if trigger is None:
            told = "it has no trigger, and is run by hand"
        elif stopped(self._file, turns):
            told = f"its turn {turns[-1].number} failed, and on_failure is stop"
        due = schedule.next(self._now()) if schedule is not None and not told else None
        return LoopState(self.name, self._file.file, self._running, due, told)

    def _due(self) -> Beginning | None:
        turns = self._rooms.turns.of(self.name) if self._rooms.workspace.exists else []
        fresh = self._fresh(turns)
        return beginning(self._file, turns, since=self._since, now=self._now(), fresh=fresh)

    def _fresh(self, turns: Sequence[Turn]) -> bool:
        """Return whether a file is there that no turn had, and is as it was at the last look."""
        before, self._seen = self._seen, _seen(self._file)
        if not self._seen or before != self._seen:
            return False
        if self._asked[0] != self._seen:
            self._asked = (self._seen, tuple(inputs.met(path) for path in self._file.watched()))
        known = {new for turn in turns for new in turn.lineage.new_files}
        return any(found not in known for found in self._asked[1])

    def _run(self, begun: Beginning) -> None:
        self._running = True
        try:
            steps = run_turn(self._rooms, self._file, begun=begun, stop=self._stop)
            while True:
                try:
                    self._told.event(self.name, next(steps))
                except StopIteration as end:
                    turn: Turn = end.value
                    break
        finally:
            self._running = False
        if turn.ended is not None:
            self._told.turn(turn)


def _seen(file: LoopFile) -> Seen:
    """Return what tells that a watched file changed."""
    stats = [(str(path), path.stat()) for path in file.watched() if path.exists()]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
