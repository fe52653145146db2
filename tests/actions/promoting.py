"""Promotes and goes back in processes that are killed, or that all want to be first.

A program of its own: it imports and opens everything once, closes its connections and forks, so
that a process costs a fraction of a second and inherits no connection.

    promoting.py make WORKSPACE... --store URI --versions 4
    promoting.py kill WORKSPACE... --store URI --rounds 100 --seed 7
    promoting.py race WORKSPACE... --store URI --rounds 3 --versions 4
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import mlflow.store.tracking.sqlalchemy_store  # noqa: TID253 - once, for all that are forked
import msgspec
from tests.contract.test_registry import PARITY, candidate

from brinery.actions import history
from brinery.actions.promote import PromoteAsked, promote_in, promote_steps
from brinery.actions.rollback import rollback_in
from brinery.actions.rooms import Rooms, open_rooms
from brinery.errors import ChampionChanged, RollbackImpossible
from brinery.records.audit import Change
from brinery.records.version import Alias, Stage
from brinery.store import advisory_lock, audit_database, decisions_database

IMPORTED = (mlflow, advisory_lock, audit_database, decisions_database)
NAME = "m"
WAIT_S = 240.0
TIMED = 5
# The share of the processes that are killed while they promote; the others, while they recover.
WORKING = 0.8
# How many promotions long a process may live once it works.
LONGEST = 1.5


def champion_of(rooms: Rooms) -> str:
    """Return the one champion."""
    (champion,) = [v for v in rooms.registry.versions(NAME) if Alias.CHAMPION in v.aliases]
    return champion.reference


def check_before(rooms: Rooms) -> None:
    """Raise where what a kill left is not explained by what was written first."""
    champion = f"{champion_of(rooms)} champion"
    done = [e for e in rooms.audit.entries(NAME) if e.change is not Change.IMPORT]
    left = [entry for _, entry in rooms.audit.open_entries(NAME)]
    assert len(left) <= 1, left
    assert champion in {entry.after for entry in (*done[-1:], *left)}, (champion, done[-1:], left)


def check_after(rooms: Rooms, *, least: int, killed: int) -> None:
    """Raise where the trail, the aliases and the stages do not tell the same story.

    Args:
        rooms: that were recovered.
        least: how many moves were told to be done.
        killed: how many processes were killed: each may have finished one more.
    """
    champion = champion_of(rooms)
    moves = [e for e in rooms.audit.entries(NAME) if e.change is not Change.IMPORT]
    assert rooms.audit.open_entries(NAME) == []
    assert moves[-1].after == f"{champion} champion"
    assert all(first.after == second.before for first, second in pairwise(moves))
    assert not [entry for entry in moves if entry.why == history.ELSEWHERE]
    assert least <= len(moves) <= least + killed
    line = history.champions(moves)
    versions = rooms.registry.versions(NAME)
    assert {v.number for v in versions if Alias.PREVIOUS in v.aliases} == set(line[-2:-1])
    former = history.ever_champions(moves)
    client = mlflow.MlflowClient(rooms.places.tracking_uri, rooms.places.tracking_uri)
    for found in client.search_model_versions(f"name = '{NAME}'"):
        number = int(found.version)
        due = Stage.ARCHIVED if number in former else Stage.NONE
        due = Stage.PRODUCTION if f"{NAME}@{number}" == champion else due
        assert found.current_stage == due.value, (number, found.current_stage, due)
        told = client.get_run(str(found.run_id)).data.tags.get("brinery.stage", Stage.NONE)
        assert told == due.value, (number, told, due)
    kept = {one.number for one in rooms.decisions.kept(NAME)}
    assert {e.decision for e in moves if e.change is Change.PROMOTE} <= kept


def promote_for_ever(rooms: Rooms, told: Callable[[str], None], *, seed: int) -> None:
    """Promote and go back, in any order, telling each that is done."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    numbers = [version.number for version in rooms.registry.versions(NAME)]
    while True:
        if chance.random() < 1 / 3:
            try:
                rollback_in(rooms, NAME)
            except RollbackImpossible:
                continue
        elif not promote_in(
            rooms, PromoteAsked(reference=f"{NAME}@{chance.choice(numbers)}")
        ).changed:
            continue
        told("done!\n")


def forked(work: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Return the number of a process that does some work, and where it tells of it."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        work(lambda text: _say(writing, text))
        status = 0
    except BaseException:  # noqa: BLE001 - a process of its own ends here
        traceback.print_exc()
    finally:
        os._exit(status)


def _say(writing: int, text: str) -> None:
    os.write(writing, text.encode())


def line_of(reading: int) -> str:
    """Return the first line that a process tells."""
    ready, _, _ = select.select([reading], [], [], WAIT_S)
    assert ready, "the process told nothing"
    return os.read(reading, 6).decode()


def rest_of(reading: int) -> str:
    """Return what else a process told before it ended."""
    with os.fdopen(reading) as pipe:
        return pipe.read()


def tell(result: object) -> None:
    """Print what was found out."""
    sys.stdout.write(msgspec.json.encode(result).decode())


def make(opened: Sequence[Callable[[], Rooms]], *, versions: int) -> None:
    """Register versions, and make the first one the champion."""
    rooms = opened[0]()
    file = rooms.workspace.state / "model.pkl"
    file.write_bytes(b"a model")
    for _ in range(versions):
        rooms.registry.commit(rooms.registry.stage(candidate(NAME), file), PARITY)
    promote_in(rooms, PromoteAsked(reference=f"{NAME}@1"))


def warm(opened: Sequence[Callable[[], Rooms]]) -> list[Rooms]:
    """Return rooms that were used once and have no connection: each process makes its own."""
    found = []
    for one in opened:
        rooms = one()
        rooms.registry.open()
        for ask in (rooms.registry.versions, rooms.audit.entries, rooms.decisions.of):
            ask(NAME)
        disconnect(rooms)
        found.append(rooms)
    return found


def disconnect(rooms: Any) -> None:
    """Close every connection, so that a process that is forked inherits none."""
    client = rooms.registry._client
    for store in (client._tracking_client.store, client._get_registry_client().store):
        store.engine.dispose()
    rooms.audit._trail.close()
    rooms.decisions._stored.close()
    if hasattr(rooms.registry._tables, "close"):
        rooms.registry._tables.close()


def moves_of(rooms: Rooms) -> int:
    """Return how many moves of an alias the trail has."""
    return sum(entry.change is not Change.IMPORT for entry in rooms.audit.entries(NAME))


def kill(everywhere: list[Rooms], *, rounds: int, seed: int) -> None:
    """Kill a promoting process at so many moments; what each leaves is checked by the next."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    acknowledged = 0
    before = moves_of(everywhere[0])
    disconnect(everywhere[0])

    def work(told: Callable[[str], None], *, number: int) -> None:
        rooms = everywhere[number % len(everywhere)]
        told("ready\n")
        check_before(rooms)
        history.recover(rooms)
        check_after(rooms, least=before + acknowledged, killed=number)
        told("right\n")
        if number < rounds:
            promote_for_ever(rooms, told, seed=chance.randrange(2**32))

    began = time.monotonic()
    one_s = 0.0
    for number in range(rounds + 1):
        process, reading = forked(partial(work, number=number))
        chance.random()  # as the forked one drew
        assert line_of(reading) == "ready\n"
        if number == 0:
            assert line_of(reading) == "right\n", "a check failed"
            working = time.monotonic()
            for _ in range(TIMED):
                assert line_of(reading) == "done!\n"
            one_s = (time.monotonic() - working) / TIMED
            acknowledged += TIMED
        elif chance.random() < WORKING:
            assert line_of(reading) == "right\n", "a check failed"
        if number < rounds:
            time.sleep(chance.uniform(0, LONGEST * one_s))
            os.kill(process, signal.SIGKILL)
        acknowledged += rest_of(reading).count("done")
        _, status = os.waitpid(process, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or (number == rounds and status == 0), f"round {number}: {status}"
    took = {"kills": rounds, "done": acknowledged, "one_s": one_s}
    tell({**took, "all_s": time.monotonic() - began})


def race(everywhere: list[Rooms], *, rounds: int, versions: int) -> None:
    """Have processes promote a version each, all judged against the same champion."""
    results = []
    for _ in range(rounds):
        process, reading = forked(lambda _: again(everywhere[0]))
        assert os.waitpid(process, 0)[1] == 0
        os.close(reading)
        starting, start = os.pipe()

        def work(told: Callable[[str], None], *, number: int, starting: int = starting) -> None:
            rooms = everywhere[number % len(everywhere)]
            steps = promote_steps(rooms, PromoteAsked(reference=f"{NAME}@{number}"))
            next(steps)  # it is judged
            told("ready\n")
            os.read(starting, 1)
            try:
                for _ in steps:
                    pass
            except ChampionChanged as error:
                told(f"told {error.message} | {error.hint}")
            else:
                told(f"won {number}")

        processes = [forked(partial(work, number=number)) for number in range(2, versions + 1)]
        for _, reading in processes:
            assert line_of(reading) == "ready\n"
        os.write(start, b"g" * len(processes))
        results.append([rest_of(reading) for _, reading in processes])
        assert all(os.waitpid(process, 0)[1] == 0 for process, _ in processes)
    tell(results)


def again(rooms: Rooms) -> None:
    """Make the first version the champion again."""
    if champion_of(rooms) != f"{NAME}@1":
        rollback_in(rooms, NAME, to=1)


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "kill", "race"])
    parser.add_argument("workspaces", nargs="+", type=Path)
    parser.add_argument("--store", default=None)
    parser.add_argument("--artifacts", default=None)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--versions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    opened = [
        partial(open_rooms, folder, store=asked.store, artifacts=asked.artifacts)
        for folder in asked.workspaces
    ]
    if asked.what == "make":
        make(opened, versions=asked.versions)
    elif asked.what == "kill":
        kill(warm(opened), rounds=asked.rounds, seed=asked.seed)
    else:
        race(warm(opened), rounds=asked.rounds, versions=asked.versions)


if __name__ == "__main__":
    main()
