"""What every keeper of turns does; run against the fake and against a database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.errors import LockLost
from brinery.records.decision import Decision, Outcome
from brinery.records.turn import Ending, Lineage, NewFile, Phase, StageRun, State, Trigger, Turn
from brinery.store.turns import MemoryTurns, StoredTurns, Turns
from brinery.store.turns_database import SqlTurns

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def turn(loop: str = "bank-weekly") -> Turn:
    """Return a turn that has just begun."""
    return Turn(loop=loop, model="bank", trigger=Trigger.CRON, started=NOW, due=NOW)


@pytest.fixture(
    params=["memory", "sqlite", "late", pytest.param("postgres", marks=pytest.mark.slow)]
)
def turns(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Turns]:
    """Each implementation, empty."""
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "postgres":
        uri = request.getfixturevalue("postgres").database()
    if request.param in {"sqlite", "postgres"}:
        kept = SqlTurns(uri)
        yield kept
        kept.close()
        return
    yield MemoryTurns() if request.param == "memory" else StoredTurns(uri)


def test_turns_are_numbered_by_loop(turns: Turns) -> None:
    """Each loop counts its own turns from 1, and gives them back in order."""
    numbers = [turns.begin(turn(loop)).number for loop in ("bank-weekly", "iris", "bank-weekly")]
    assert numbers == [1, 1, 2]
    assert [one.number for one in turns.of("bank-weekly")] == [1, 2]
    assert turns.of("none") == []
    assert turns.loops() == ["bank-weekly", "iris"]


def test_a_turn_is_kept_as_it_goes(turns: Turns) -> None:
    """What is kept of a turn is what was kept last, whole."""
    begun = turns.begin(turn())
    stage = StageRun(phase=Phase.TRAIN, state=State.DONE, started=NOW, ended=NOW, note="fitté")
    new = NewFile(path="incoming/1.csv", size_bytes=7, sha256="ab")
    decision = Decision(
        reference="bank@3",
        champion="bank@2",
        gate="default",
        created=NOW,
        data=None,
        rules=(),
        outcome=Outcome.PASSES,
    )
    going = replace(
        begun.with_stage(stage), version=3, lineage=Lineage(new_files=(new,)), decision=decision
    )
    turns.keep(going)
    assert turns.of("bank-weekly") == [going]


def test_a_turn_is_open_until_it_ended(turns: Turns) -> None:
    """The newest turn is open until it is kept with an end."""
    assert turns.open("bank-weekly") is None
    begun = turns.begin(turn())
    assert turns.open("bank-weekly") == begun
    turns.keep(replace(begun, ended=NOW, ending=Ending.KEPT))
    assert turns.open("bank-weekly") is None


def test_a_turn_has_one_holder(turns: Turns) -> None:
    """Who resumes a turn has one attempt more, and who had it before keeps nothing of it."""
    begun = turns.begin(turn())
    again = turns.resume(begun)
    assert (again.number, again.attempts) == (begun.number, 2)
    with pytest.raises(LockLost, match="bank-weekly turn 1"):
        turns.keep(replace(begun, ended=NOW, ending=Ending.KEPT))
    assert turns.open("bank-weekly") == again
    turns.keep(replace(again, version=2))
    assert turns.of("bank-weekly") == [replace(again, version=2)]


def test_loops_whose_newest_turn_failed(turns: Turns) -> None:
    """A turn that ended well since is a failure no more."""
    for loop in ("bank-weekly", "iris"):
        begun = turns.begin(turn(loop))
        turns.keep(replace(begun, ended=NOW, ending=Ending.FAILED, error="it broke"))
    assert {one.loop for one in turns.failed()} == {"bank-weekly", "iris"}
    begun = turns.begin(turn("iris"))
    turns.keep(replace(begun, ended=NOW, ending=Ending.KEPT))
    assert [one.loop for one in turns.failed()] == ["bank-weekly"]
