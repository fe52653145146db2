"""A connection to PostgreSQL that breaks while its lock is held: nothing more is changed then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.actions.steps import GATES
from tests.contract.test_registry import PARITY, candidate
from tests.postgres import Postgres

from brinery.actions import history
from brinery.actions.loop import run_turn
from brinery.actions.progress import result_of
from brinery.actions.promote import PromoteAsked, promote_in
from brinery.actions.rooms import Rooms, open_rooms
from brinery.errors import LockLost
from brinery.records.audit import AuditEntry
from brinery.records.event import Step
from brinery.records.turn import Ending
from brinery.specs.loop import read
from brinery.store.audit import StoredAudit
from brinery.store.audit_database import SqlAudit

pytestmark = pytest.mark.slow

OURS = "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database "
OURS += "WHERE datname = current_database())"
LOOP = """\
name: lamps
model: lamps
train: {command: [sh, -c, 'exit 1'], model: model.pkl}
evaluate: {data: rows.csv, target: broken}
"""
END = "SELECT pg_terminate_backend(pid) FROM pg_locks"


@pytest.fixture
def database(postgres: Postgres) -> str:
    """A database that two machines share."""
    return postgres.database()


@pytest.fixture
def machines(database: str, tmp_path: Path) -> tuple[Rooms, Rooms]:
    """Two machines with three versions of a model, of which the first is the champion."""
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "brinery.toml").write_text(GATES, encoding="utf-8")
        rooms = open_rooms(folder, store=database, artifacts=str(tmp_path / "artifacts"))
        rooms.workspace.prepare()
        found.append(rooms)
    file = tmp_path / "model.pkl"
    file.write_bytes(b"a model")
    for _ in range(3):
        found[0].registry.commit(found[0].registry.stage(candidate("m"), file), PARITY)
    promote_in(found[0], PromoteAsked(reference="m@1"))
    return found[0], found[1]


class Interrupted(StoredAudit):
    """An audit trail beside which something happens, once, when a move is meant or done."""

    def __init__(self, uri: str, *, when: str, happens: Callable[[], object]) -> None:
        super().__init__(uri)
        self._when, self._happens = when, happens

    def begin(self, entry: AuditEntry) -> int:
        """Append what is meant."""
        number = super().begin(entry)
        self._let("meant")
        return number

    def settle(self, number: int, *, done: bool) -> None:
        """Say that it was done."""
        self._let("done")
        super().settle(number, done=done)

    def _let(self, when: str) -> None:
        if when == self._when:
            self._when = ""
            self._happens()


def champions(rooms: Rooms) -> list[str]:
    """Return what became the champion, one after the other, and check that the last one is it."""
    history.recover(rooms)
    (now,) = [v.reference for v in rooms.registry.versions("m") if "champion" in v.aliases]
    told = [entry.after for entry in rooms.audit.entries("m") if entry.after.endswith("champion")]
    assert told[-1] == f"{now} champion"
    assert rooms.audit.open_entries("m") == []
    return [one.partition(" ")[0] for one in told]


@pytest.mark.parametrize("other", [True, False], ids=["taken", "free"])
def test_a_lock_that_is_lost_moves_nothing(
    machines: tuple[Rooms, Rooms], postgres: Postgres, database: str, *, other: bool
) -> None:
    """It breaks before the alias moves: the alias stays, also where another moved it meanwhile."""
    ours, theirs = machines

    def lose() -> None:
        postgres.ask(database, f"{END} WHERE {OURS}")
        if other:
            with ThreadPoolExecutor(1) as pool:  # as another process, which has its own lock
                pool.submit(promote_in, theirs, PromoteAsked(reference="m@3")).result()

    broken = replace(ours, audit=Interrupted(ours.database, when="meant", happens=lose))
    with pytest.raises(LockLost, match="nothing was changed") as raised:
        promote_in(broken, PromoteAsked(reference="m@2"))
    assert "brinery history" in str(raised.value.hint)
    assert champions(theirs) == (["m@1", "m@3"] if other else ["m@1"])
    promote_in(ours, PromoteAsked(reference="m@2"))
    assert champions(theirs)[-1] == "m@2"


def test_what_moved_before_is_settled_by_the_next(
    machines: tuple[Rooms, Rooms], postgres: Postgres, database: str
) -> None:
    """It breaks after the alias moved: the promotion is told to be lost, and is found done."""
    ours, theirs = machines

    def lose() -> None:
        postgres.ask(database, f"{END} WHERE {OURS}")

    broken = replace(ours, audit=Interrupted(ours.database, when="done", happens=lose))
    with pytest.raises(LockLost):
        promote_in(broken, PromoteAsked(reference="m@2"))
    assert champions(theirs) == ["m@1", "m@2"]


def test_what_is_being_written_is_waited_for(
    machines: tuple[Rooms, Rooms], postgres: Postgres, database: str
) -> None:
    """Who takes a lock that was lost begins when its last holder's transaction has ended."""
    ours, theirs = machines
    taken = threading.Event()

    def take() -> None:
        with theirs.lock():
            taken.set()

    with ThreadPoolExecutor(1) as pool:
        with ours.lock(), SqlAudit(database).session() as session:
            session.execute(sa.text("SELECT 1"))
            holds = "SELECT pid FROM pg_locks WHERE mode = 'ExclusiveLock' AND"
            (pid,) = postgres.ask(database, f"{holds} {OURS}")
            postgres.ask(database, f"SELECT pg_terminate_backend({pid})")
            waiting = pool.submit(take)
            assert not taken.wait(1)
        waiting.result()
    assert taken.is_set()


def test_a_turn_whose_claim_is_lost_is_let_go(
    machines: tuple[Rooms, Rooms], postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """Who loses the claim of a loop while it trains keeps nothing once another resumed the turn."""
    ours, theirs = machines
    (tmp_path / "rows.csv").write_text("hours,broken\n1,yes\n2,no\n", encoding="utf-8")
    (tmp_path / "loop.yml").write_text(LOOP, encoding="utf-8")
    file = read(tmp_path / "loop.yml")
    steps = run_turn(ours, file)
    while next(steps).step is not Step.TRAIN:
        continue
    postgres.ask(database, f"{END} WHERE {OURS}")
    resumed = result_of(run_turn(theirs, file))
    assert (resumed.number, resumed.attempts, resumed.ending) == (1, 2, Ending.FAILED)
    with pytest.raises(LockLost, match="another process goes on with lamps turn 1") as raised:
        result_of(steps)
    assert "brinery loop history lamps" in str(raised.value.hint)
    assert ours.turns.of("lamps") == [resumed]
