"""Promote: the alias moves, the stage follows, and every move is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from brinery.actions.promote import promote_in
from brinery.actions.rooms import Rooms
from brinery.errors import NotFound, RegistryFault
from brinery.records.audit import Change
from brinery.records.event import Event
from brinery.records.version import Alias, Stage, Version
from brinery.registry.memory import MemoryRegistry
from brinery.specs.reference import Reference
from brinery.store.audit import MemoryAudit

Run = Callable[..., tuple[Version, list[Event]]]


@pytest.mark.usefixtures("two")
def test_champion_moves(rooms: Rooms) -> None:
    """A promotion says what it replaced, and the version shows its alias and stage."""
    first = promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert (first.previous, first.changed, first.version.stage) == (None, True, Stage.PRODUCTION)
    second = promote_in(rooms, Reference.parse("iris@2"), alias=Alias.CHAMPION, why="better")
    assert (second.previous, second.version.aliases) == (1, ("champion",))
    after = [entry.after for entry in rooms.audit.entries("iris")]
    assert after == ["iris@1", "iris@2", "iris@1 champion", "iris@2 champion"]
    last = rooms.audit.entries("iris")[-1]
    assert (last.before, last.why) == ("iris@1 champion", "better")


@pytest.mark.usefixtures("two")
def test_promoting_again_changes_nothing(rooms: Rooms) -> None:
    """Promoting the champion again is no change and no row of the audit trail."""
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    before = rooms.audit.entries()
    assert not promote_in(rooms, Reference.parse("iris@champion"), alias=Alias.CHAMPION).changed
    assert rooms.audit.entries() == before


@pytest.mark.usefixtures("two")
def test_a_bare_name_means_its_newest(rooms: Rooms) -> None:
    """`promote iris` promotes the newest version, not the champion again."""
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert promote_in(rooms, Reference.parse("iris"), alias=Alias.CHAMPION).version.number == 2


@pytest.mark.usefixtures("two")
def test_moves_by_others_are_noted(rooms: Rooms) -> None:
    """An alias that another program moved is written down before the next promotion."""
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    moves = [(e.before, e.after, e.why) for e in rooms.audit.entries("iris")][3:]
    assert moves == [
        ("iris@1 champion", "iris@2 champion", "by another program"),
        ("iris@2 champion", "iris@1 champion", ""),
    ]


@pytest.mark.usefixtures("two")
def test_challenger_beside_champion(rooms: Rooms) -> None:
    """The challenger is an alias of its own, and is Staging to older clients."""
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    done = promote_in(rooms, Reference.parse("iris@2"), alias=Alias.CHALLENGER)
    assert done.version.stage is Stage.STAGING
    assert rooms.registry.versions("iris")[1].stage is Stage.PRODUCTION


def test_nothing_to_promote(rooms: Rooms) -> None:
    """A model that is not there is refused with the command that makes one."""
    with pytest.raises(NotFound) as raised:
        promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert "brinery import" in raised.value.hint


@pytest.mark.usefixtures("two")
def test_what_a_killed_promotion_meant_is_kept(rooms: Rooms) -> None:
    """A promotion killed after the alias moved is written down with its own reason."""
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    meant = rooms.entry(Change.PROMOTE, "iris", after="iris@2 champion", why="better")
    rooms.audit.begin(meant)
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert [(e.after, e.why) for e in rooms.audit.entries("iris")][-2:] == [
        ("iris@2 champion", "better"),
        ("iris@1 champion", ""),
    ]


@pytest.mark.usefixtures("two")
def test_a_promotion_that_never_happened_is_not_shown(rooms: Rooms) -> None:
    """A promotion killed before the alias moved is settled as not done."""
    rooms.audit.begin(rooms.entry(Change.PROMOTE, "iris", after="iris@2 champion"))
    promote_in(rooms, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert [e.after for e in rooms.audit.entries("iris")][2:] == ["iris@1 champion"]
    assert rooms.audit.open_entries("iris") == []


class BrokenRegistry(MemoryRegistry):
    """A registry whose aliases cannot be moved."""

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Fail as a registry does that cannot be written."""
        raise RegistryFault(f"{name}@{number} {alias}")


@pytest.mark.usefixtures("two")
def test_a_failed_promotion_changes_nothing(rooms: Rooms, tmp_path: Path) -> None:
    """A promotion that the registry refuses is raised, and leaves no row and nothing open."""
    broken = BrokenRegistry(tmp_path)
    broken.__dict__.update(rooms.registry.__dict__)
    inside = replace(rooms, registry=broken)
    with pytest.raises(RegistryFault):
        promote_in(inside, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    assert [e.after for e in rooms.audit.entries("iris")] == ["iris@1", "iris@2"]
    assert rooms.audit.open_entries("iris") == []


@pytest.mark.usefixtures("two")
def test_a_version_without_a_row_gets_one(rooms: Rooms) -> None:
    """A version whose import was killed before its row was written gets it at the next change."""
    forgetful = replace(rooms, audit=MemoryAudit())
    promote_in(forgetful, Reference.parse("iris@1"), alias=Alias.CHAMPION)
    entries = forgetful.audit.entries("iris")
    assert [e.after for e in entries] == ["iris@1", "iris@2", "iris@1 champion"]
    assert entries[0].why == "found in the registry"
