"""Rollback: the champion before is the champion again, in one step that is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.actions.steps import rooms_with

from brinery.actions.history import history_in
from brinery.actions.promote import PromoteAsked, promote_in
from brinery.actions.rollback import rollback_in
from brinery.actions.rooms import Rooms
from brinery.errors import ChampionChanged, NotFound, RollbackImpossible
from brinery.records.audit import Change
from brinery.records.version import Alias, Stage, Version
from brinery.registry.memory import MemoryRegistry


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Four versions of `iris`, of which the first three were the champion in turn."""
    rooms = rooms_with(tmp_path, "iris", versions=4)
    for number in (1, 2, 3):
        promote_in(rooms, PromoteAsked(reference=f"iris@{number}"))
    return rooms


def standing(rooms: Rooms) -> dict[str, int]:
    """Return alias to version."""
    return {
        alias: version.number
        for version in rooms.registry.versions("iris")
        for alias in version.aliases
    }


def test_it_goes_back_to_the_champion_before(rooms: Rooms) -> None:
    """Aliases and stages are as they were, and the trail says who took what back, and why."""
    done = rollback_in(rooms, "iris", why="it answers nonsense")
    assert (done.version.number, done.previous, done.changed) == (2, 3, True)
    assert standing(rooms) == {"champion": 2, "previous": 1}
    stages = {version.number: version.stage for version in rooms.registry.versions("iris")}
    assert stages == {
        4: Stage.NONE,
        3: Stage.ARCHIVED,
        2: Stage.PRODUCTION,
        1: Stage.ARCHIVED,
    }
    last = rooms.audit.entries("iris")[-1]
    assert (last.change, last.before, last.after, last.why) == (
        Change.ROLLBACK,
        "iris@3 champion",
        "iris@2 champion",
        "it answers nonsense",
    )


def test_twice_goes_back_twice(rooms: Rooms) -> None:
    """A second rollback takes back the promotion before, not the first rollback."""
    rollback_in(rooms, "iris")
    assert rollback_in(rooms, "iris").version.number == 1
    assert standing(rooms) == {"champion": 1}
    with pytest.raises(RollbackImpossible, match="iris@1 is the first champion") as raised:
        rollback_in(rooms, "iris")
    assert raised.value.hint == "brinery rollback iris --to 3; former champions: 2, 3"


@pytest.mark.parametrize(("to", "previous"), [(1, None), (2, 1)])
def test_any_former_champion_may_be_named(rooms: Rooms, to: int, previous: int | None) -> None:
    """What came after it is taken back with it."""
    assert rollback_in(rooms, "iris", to=to).version.number == to
    assert standing(rooms).get("previous") == previous


def test_a_rollback_can_be_taken_back(rooms: Rooms) -> None:
    """The version that was taken back was a champion: it may be named."""
    rollback_in(rooms, "iris")
    assert rollback_in(rooms, "iris", to=3).version.number == 3
    assert standing(rooms) == {"champion": 3, "previous": 2}


def test_what_others_moved_is_gone_back_from(rooms: Rooms) -> None:
    """An alias that another program moved is taken back as any promotion is."""
    rooms.registry.set_alias("iris", 4, alias=Alias.CHAMPION)
    done = rollback_in(rooms, "iris")
    assert (done.version.number, done.previous) == (3, 4)


def gone(rooms: Rooms, number: int) -> None:
    """Delete a version, as another program can."""
    registry = rooms.registry
    assert isinstance(registry, MemoryRegistry)
    registry._versions["iris"] = [
        version for version in registry._versions["iris"] if version.number != number
    ]


def test_a_version_that_is_gone_is_not_gone_back_to(rooms: Rooms) -> None:
    """It is named, with a former champion that is there; nothing is changed."""
    gone(rooms, 2)
    with pytest.raises(NotFound, match="iris@2 is gone") as raised:
        rollback_in(rooms, "iris")
    assert raised.value.hint == "brinery rollback iris --to 1; former champions: 1"
    assert standing(rooms) == {"champion": 3}


@pytest.mark.parametrize(
    ("to", "message", "hint"),
    [
        (3, "iris@3 is the champion already", "brinery rollback iris"),
        (4, "iris@4 was never the champion", "brinery promote iris@4"),
    ],
)
def test_what_is_no_return_is_refused(rooms: Rooms, to: int, message: str, hint: str) -> None:
    """The same version, and one that no one may promote by going back, are told apart."""
    with pytest.raises(RollbackImpossible) as raised:
        rollback_in(rooms, "iris", to=to)
    assert (raised.value.message, raised.value.hint) == (message, hint)
    assert standing(rooms)["champion"] == 3


def test_without_a_champion_there_is_nothing_to_go_back_from(tmp_path: Path) -> None:
    """A model that nobody promoted, and one that is not there, are told apart."""
    fresh = rooms_with(tmp_path, "bank", versions=1)
    with pytest.raises(RollbackImpossible, match="bank has no champion"):
        rollback_in(fresh, "bank")
    with pytest.raises(NotFound, match="there is no model 'bnak'"):
        rollback_in(fresh, "bnak")


def test_two_who_go_back_at_once_go_back_once(rooms: Rooms, tmp_path: Path) -> None:
    """Who comes second is told that it was done: two rollbacks in a panic are one."""

    class Panicked(MemoryRegistry):
        """A registry in which somebody else goes back once the champion was asked for."""

        asked = 0

        def versions(self, name: str) -> list[Version]:
            """Return what was there before."""
            found = super().versions(name)
            self.asked += 1
            if self.asked == 1:
                rollback_in(rooms, "iris")
                self.__dict__.update({**rooms.registry.__dict__, "asked": self.asked})
            return found

    both = Panicked(tmp_path)
    both.__dict__.update(rooms.registry.__dict__)
    with pytest.raises(ChampionChanged, match="iris@2 was made the champion by") as raised:
        rollback_in(replace(rooms, registry=both), "iris")
    assert raised.value.hint.startswith("brinery history iris")
    assert standing(rooms)["champion"] == 2


def test_a_killed_rollback_is_finished(rooms: Rooms) -> None:
    """Killed after the alias moved, it is shown as done, and what follows from it is put right."""
    meant = rooms.entry(
        Change.ROLLBACK, "iris", before="iris@3 champion", after="iris@2 champion", why="bad"
    )
    rooms.audit.begin(meant)
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    told = history_in(rooms, "iris")[-1]
    assert (told.deed, told.before, told.after, told.why) == (
        "rolled back",
        "iris@3",
        "iris@2",
        "bad",
    )
    assert standing(rooms) == {"champion": 2, "previous": 1}
