"""The scheduler: what begins a turn, what is made up for, and what is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.actions.rooms import Rooms
from brinery.actions.scheduler import Scheduler, beginning
from brinery.errors import BrineryError, InvalidLoop
from brinery.records.turn import Ending, Trigger, Turn
from brinery.specs.loop import LoopFile, read

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
CRON = '{cron: "0 6 * * 1"}'
FILES = "{new_data: ./batches/*.csv}"


def loop(folder: Path, trigger: str, *, on_failure: str = "keep", name: str = "a") -> LoopFile:
    """Return a loop whose training fails."""
    (folder / "holdout.csv").write_text("a,y\n1,2\n")
    path = folder / f"{name}.yml"
    path.write_text(
        f"name: {name}\ntrain: {{command: [sh, -c, 'exit 1'], model: m.pkl}}\n"
        f"evaluate: {{data: holdout.csv, target: y}}\n"
        f"trigger: {trigger}\non_failure: {on_failure}\n",
        encoding="utf-8",
    )
    return read(path)


def turn(started: datetime, *, due: datetime | None = None, ending: Ending = Ending.KEPT) -> Turn:
    """Return a turn that ended."""
    trigger = Trigger.CRON if due else Trigger.BY_HAND
    return Turn(
        loop="a", model="a", trigger=trigger, due=due, started=started, ended=started, ending=ending
    )


def due(file: LoopFile, turns: list[Turn], now: datetime, *, fresh: bool = False) -> object:
    """Return when the turn was due that should begin now, or why; None where none should."""
    found = beginning(file, turns, since=MONDAY - DAY, now=now, fresh=fresh)
    return None if found is None else found.due or found.trigger


def test_a_turn_begins_when_it_is_due(tmp_path: Path) -> None:
    """A schedule begins a turn at its time, once, and not before the scheduler was there."""
    file = loop(tmp_path, CRON)
    assert due(file, [], MONDAY - timedelta(seconds=1)) is None
    assert due(file, [], MONDAY) == MONDAY
    assert due(file, [turn(MONDAY, due=MONDAY)], MONDAY + DAY) is None
    assert due(file, [turn(MONDAY, due=MONDAY)], MONDAY + WEEK) == MONDAY + WEEK


def test_missed_turns_are_made_up_for_once(tmp_path: Path) -> None:
    """However many turns were missed, one is due: that of the last time."""
    file = loop(tmp_path, CRON)
    turns = [turn(MONDAY - 9 * WEEK, due=MONDAY - 9 * WEEK)]
    assert due(file, turns, MONDAY + DAY) == MONDAY
    turns.append(turn(MONDAY + DAY, due=MONDAY))
    assert due(file, turns, MONDAY + 2 * DAY) is None


def test_a_loop_without_a_turn_has_missed_none(tmp_path: Path) -> None:
    """What was due before its scheduler began is no turn of it: as with cron, the next time is."""
    file = loop(tmp_path, CRON)
    begun = MONDAY + DAY
    for now in (begun, begun + 5 * DAY):
        assert beginning(file, [], since=begun, now=now, fresh=False) is None
    found = beginning(file, [], since=begun, now=MONDAY + WEEK, fresh=False)
    assert found is not None
    assert found.due == MONDAY + WEEK


def test_a_turn_that_did_not_end_comes_first(tmp_path: Path) -> None:
    """A turn that was killed is resumed at once, whatever is due."""
    going = replace(turn(MONDAY, due=MONDAY), ended=None, ending=None)
    assert due(loop(tmp_path, CRON), [going], MONDAY + DAY) == MONDAY


def test_new_data_alone_begins_a_turn(tmp_path: Path) -> None:
    """Without a schedule, a new file begins a turn; with one, it waits for its time."""
    assert due(loop(tmp_path, FILES), [], MONDAY, fresh=True) is Trigger.NEW_DATA
    assert due(loop(tmp_path, FILES), [], MONDAY) is None
    both = loop(tmp_path, '{cron: "0 6 * * 1", new_data: ./batches/*.csv}')
    assert due(both, [], MONDAY - DAY, fresh=True) is None


@pytest.mark.parametrize(("on_failure", "goes_on"), [("keep", True), ("stop", False)])
def test_a_failed_turn_stops_a_loop_that_is_to_stop(
    tmp_path: Path, on_failure: str, *, goes_on: bool
) -> None:
    """After a turn that failed, a loop goes on or stops, as it says."""
    file = loop(tmp_path, CRON, on_failure=on_failure)
    failed = turn(MONDAY, due=MONDAY, ending=Ending.FAILED)
    assert (due(file, [failed], MONDAY + WEEK) is not None) is goes_on


def test_two_loops_have_two_names(rooms: Rooms, tmp_path: Path) -> None:
    """Two loops of one name are refused: their turns could not be told apart."""
    file = loop(tmp_path, CRON)
    with pytest.raises(InvalidLoop, match="two loops are called a"):
        Scheduler(rooms, [file, file])


def test_it_begins_turns_and_stops(rooms: Rooms, tmp_path: Path) -> None:
    """A file that arrives begins one turn, a loop.yml that breaks is told once, and stop stops."""
    file = loop(tmp_path, FILES)
    ended: list[Turn] = []
    faults: list[BrineryError] = []
    scheduler = Scheduler(
        rooms,
        [file, loop(tmp_path, CRON, name="b")],
        on_turn=ended.append,
        on_error=lambda _, error: faults.append(error),
        poll_s=0.02,
    )
    scheduler.start()
    try:
        (tmp_path / "batches").mkdir()
        appear(tmp_path / "batches" / "1.csv", "x")
        assert soon(lambda: len(ended) == 1)
        assert ended[0].trigger is Trigger.NEW_DATA
        assert [state.name for state in scheduler.states()] == ["a", "b"]
        appear(file.file, "name: a\n")
        assert soon(lambda: len(faults) == 1)
        time.sleep(0.2)
    finally:
        scheduler.stop()
    assert (len(ended), len(faults)) == (1, 1)


def appear(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, whoever looks meanwhile."""
    part = path.parent.parent / "part"
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def soon(is_so: Callable[[], bool]) -> bool:
    """Return whether something becomes so within a while."""
    end = time.monotonic() + 240
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()
