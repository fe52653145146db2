"""What a job does beside its steps: few threads for short calls, more where all of them wait."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

from brinery.actions.job_threads import Committer, Threads
from brinery.records.job import Status, StepRun
from brinery.store.fingerprints import Fingerprints
from brinery.store.outputs import Outputs
from brinery.store.reuse import Earlier, Reuse

FIRST, MOST, CALLS = 2, 4, 7
PATIENCE_S = 60.0


class Waiting:
    """Calls that last until they may end, and the threads that do them."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.by: set[int] = set()
        self.begun = threading.Semaphore(0)

    def call(self, number: int) -> int:
        """Return the number, once that is allowed."""
        self.by.add(threading.get_ident())
        self.begun.release()
        self.end.wait(PATIENCE_S)
        return number

    def begin(self, count: int) -> None:
        """Wait until so many more calls have begun."""
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE_S)


def gathered(threads: Threads, count: int) -> list[object]:
    """Return so many results."""
    found: list[object] = []
    until = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < until:
        threads.wait(0.01)
        found += threads.results()
    return found


def test_there_are_more_threads_where_all_wait_and_no_more_than_asked_for() -> None:
    """The first do what they can; where none of them ends a call, others begin what is left."""
    threads, waiting = Threads(FIRST, most=MOST), Waiting()
    for number in range(CALLS):
        threads.call(partial(waiting.call, number))
    waiting.begin(FIRST)
    assert len(waiting.by) == FIRST
    assert not waiting.begun.acquire(timeout=0.01)
    until = time.monotonic() + PATIENCE_S
    while len(waiting.by) < MOST and time.monotonic() < until:
        threads.wait(0.01)
        assert threads.results() == []
    waiting.begin(MOST - FIRST)
    waiting.end.set()
    assert sorted(map(str, gathered(threads, CALLS))) == sorted(map(str, range(CALLS)))
    assert len(waiting.by) == MOST
    assert threads.pending == 0
    # What helped ends with the call that it is given next.
    until = time.monotonic() + PATIENCE_S
    while threads.count > FIRST and time.monotonic() < until:
        threads.call(partial(waiting.call, 0))
        assert gathered(threads, 1) == [0]
    assert threads.count == FIRST
    threads.close()


def test_there_are_no_more_threads_than_calls() -> None:
    """One call that lasts is done by one thread, however often its result is asked for."""
    threads, waiting = Threads(FIRST, most=MOST), Waiting()
    threads.call(partial(waiting.call, 1))
    waiting.begin(1)
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        threads.wait(0.01)
        assert threads.results() == []
    assert threads.count == 1
    waiting.end.set()
    assert gathered(threads, 1) == [1]
    threads.close()


def test_what_ended_is_remembered_soon_and_all_of_it_at_the_end(tmp_path: Path) -> None:
    """Runs are found by their keys while a job goes on; once it is over, the last of them too."""
    outputs = Outputs(tmp_path / "store", Fingerprints(tmp_path / "cache"))
    reuse = Reuse(tmp_path / "reuse")
    committer = Committer(outputs, reuse)

    def ended(key: str) -> None:
        (tmp_path / key).write_text(key)
        made = outputs.keep(str(tmp_path / key))
        run = StepRun(name=key, status=Status.COMPLETED, key=key, outputs={"o": made})
        committer.add(key, Earlier(job="a_job", run=run))

    ended("first")
    until = time.monotonic() + PATIENCE_S
    while reuse.find("first") is None and time.monotonic() < until:
        time.sleep(0.01)
    assert reuse.find("first") is not None
    ended("second")
    committer.hurry()
    ended("third")
    committer.close()
    assert [one is not None for one in map(reuse.find, ("first", "second", "third"))] == [True] * 3
