"""History: the story of a model's aliases, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.actions.steps import rooms_with

from brinery.actions.history import champions, history_in, recover
from brinery.actions.promote import PromoteAsked, promote_in
from brinery.actions.rollback import rollback_in
from brinery.actions.rooms import Rooms
from brinery.records.audit import Change
from brinery.records.history import Deed
from brinery.records.version import Alias


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Three versions of `iris`, none of them promoted."""
    return rooms_with(tmp_path, "iris", versions=3)


def promote(rooms: Rooms, reference: str, *, force: bool = False) -> None:
    """Promote a version; by force, against a gate that passes none."""
    asked = PromoteAsked(
        reference=reference,
        gate="strict" if force else None,
        force=force,
        why="no time" if force else "",
    )
    promote_in(rooms, asked)


def test_everything_is_told_in_order(rooms: Rooms) -> None:
    """Promotions, refusals, what was forced, rollbacks and others' moves, oldest first."""
    promote(rooms, "iris@1")
    promote_in(rooms, PromoteAsked(reference="iris@2", gate="strict"), if_better=True)
    promote(rooms, "iris@2", force=True)
    rollback_in(rooms, "iris", why="worse")
    rooms.registry.set_alias("iris", 3, alias=Alias.CHAMPION)
    told = history_in(rooms, "iris")
    assert [(one.deed, one.before, one.after, one.why) for one in told] == [
        (Deed.PROMOTED, None, "iris@1", ""),
        (Deed.NOT_PROMOTED, "iris@1", "iris@2", ""),
        (Deed.PROMOTED, "iris@1", "iris@2", "no time"),
        (Deed.ROLLED_BACK, "iris@2", "iris@1", "worse"),
        (Deed.MOVED, "iris@1", "iris@3", ""),
    ]
    me = rooms.entry(Change.IMPORT, "iris", after="").who
    assert [one.who for one in told] == [me, me, me, me, ""]
    assert [one.forced for one in told] == [False, False, True, False, False]


def test_a_verdict_is_told_in_words(rooms: Rooms) -> None:
    """Each move names its decision; what was forced says so before what the gate had said."""
    promote(rooms, "iris@1")
    promote(rooms, "iris@2", force=True)
    rollback_in(rooms, "iris")
    first, second, third = history_in(rooms, "iris")
    assert first.verdict == "passes the gate default, with no champion yet"
    assert second.verdict.startswith("FORCED: fails the gate strict: report")
    assert third.verdict == ""
    assert (first.number, second.number, third.number) == (1, 2, None)


def test_who_asks_settles_what_was_left_open(rooms: Rooms) -> None:
    """A promotion killed before the alias moved is not told, and is settled by asking."""
    promote(rooms, "iris@1")
    rooms.audit.begin(rooms.entry(Change.PROMOTE, "iris", after="iris@2 champion"))
    assert [one.after for one in history_in(rooms, "iris")] == ["iris@1"]
    assert rooms.audit.open_entries("iris") == []


def test_a_start_settles_every_model(rooms: Rooms) -> None:
    """What was left half done is finished: the trail, and the champion before."""
    promote(rooms, "iris@1")
    meant = rooms.entry(
        Change.PROMOTE, "iris", before="iris@1 champion", after="iris@2 champion", forced=True
    )
    rooms.audit.begin(meant)
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    recover(rooms)
    assert rooms.audit.entries("iris")[-1] == meant
    assert [version.aliases for version in rooms.registry.versions("iris")] == [
        (),
        ("champion",),
        ("previous",),
    ]


@pytest.mark.parametrize(
    ("moves", "line"),
    [
        ("", []),
        ("1 2 3", [1, 2, 3]),
        ("1 2 3 <2", [1, 2]),
        ("1 2 3 <2 <1", [1]),
        ("1 2 3 <1", [1]),
        ("1 2 1 3", [1, 2, 1, 3]),
        ("1 2 1 <2", [1, 2]),
        ("1 2 3 <2 <3", [1, 2, 3]),
        ("1 2 2 2", [1, 2]),
    ],
)
def test_a_rollback_takes_back_what_came_after(rooms: Rooms, moves: str, line: list[int]) -> None:
    """The line of champions that is gone back through is that without what was taken back."""
    entries = [
        rooms.entry(
            Change.ROLLBACK if move.startswith("<") else Change.PROMOTE,
            "iris",
            after=f"iris@{move.lstrip('<')} champion",
        )
        for move in moves.split()
    ]
    challenger = rooms.entry(Change.PROMOTE, "iris", after="iris@9 challenger")
    imported = rooms.entry(Change.IMPORT, "iris", after="iris@9")
    assert champions([imported, *entries, challenger]) == line
