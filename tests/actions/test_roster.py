"""What a server is told to serve, as aliases move and versions come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed_to
from tests.contract.test_registry import PARITY, candidate

from brinery.actions.rooms import Rooms, open_rooms
from brinery.actions.roster import Roster
from brinery.errors import InvalidReference, NotFound, NotServable, RegistryFault
from brinery.records.version import Alias, Candidate, Environment, Version
from brinery.registry.memory import MemoryRegistry
from brinery.serve.manifest import Manifest
from brinery.specs.reference import Reference


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """A workspace with two versions of one model and one of another, none of them promoted."""
    (tmp_path / "brinery.toml").touch()
    (tmp_path / "registry").mkdir()
    rooms = replace(open_rooms(tmp_path), registry=MemoryRegistry(tmp_path / "registry"))
    for name in ("bank", "bank", "iris"):
        add(rooms, candidate(name))
    return rooms


def add(rooms: Rooms, made: Candidate) -> None:
    """Register a version."""
    file = rooms.workspace.root / "model.pkl"
    file.write_bytes(b"a model")
    rooms.registry.commit(rooms.registry.stage(made, file), PARITY)


def roster(rooms: Rooms, *asked: str, **options: Any) -> Roster:
    return Roster(rooms, [Reference.parse(one) for one in asked], **options)


def targets(manifest: Manifest | None) -> dict[str, int] | None:
    """Return which version answers under the name of each model; None where nothing changed."""
    return None if manifest is None else {one.name: one.number for one in manifest.targets}


def champion(rooms: Rooms, number: int, alias: Alias = Alias.CHAMPION) -> None:
    rooms.registry.set_alias("bank", number, alias=alias)


def test_a_name_follows_its_champion(rooms: Rooms) -> None:
    """When the alias moves the manifest says so, once."""
    champion(rooms, 1)
    server = roster(rooms, "bank", "iris@1")
    first = server.first()
    assert targets(first) == {"bank": 1, "iris": 1}
    assert [target.follows for target in first.targets] == ["champion", None]
    assert server.changed() is None
    champion(rooms, 2)
    assert targets(server.changed()) == {"bank": 2, "iris": 1}
    assert server.changed() is None


def test_what_was_never_promoted_replaces_nothing(rooms: Rooms) -> None:
    """Without a champion the newest version is served, and stays until there is a champion."""
    server = roster(rooms, "bank")
    assert targets(server.first()) == {"bank": 2}
    add(rooms, candidate("bank"))
    moved = server.changed()
    assert targets(moved) == {"bank": 2}
    assert moved is not None
    assert {offer.number for offer in moved.offers} == {1, 2, 3}
    champion(rooms, 1)
    assert targets(server.changed()) == {"bank": 1}


def test_who_asks_for_the_latest_gets_it(rooms: Rooms) -> None:
    """`bank@latest` is another matter, and so is another alias."""
    champion(rooms, 1, Alias.CHALLENGER)
    latest, challenger = roster(rooms, "bank@latest"), roster(rooms, "bank@challenger")
    assert targets(latest.first()) == {"bank": 2}
    assert targets(challenger.first()) == {"bank": 1}
    add(rooms, candidate("bank"))
    champion(rooms, 2, Alias.CHALLENGER)
    assert targets(latest.changed()) == {"bank": 3}
    assert targets(challenger.changed()) == {"bank": 2}


def test_all_models_may_be_served(rooms: Rooms) -> None:
    """Those that come later too; none is loaded before it is asked for."""
    server = roster(rooms, every=True)
    first = server.first()
    assert targets(first) == {"bank": 2, "iris": 1}
    assert not any(target.eager for target in first.targets)
    add(rooms, candidate("churn"))
    moved = server.changed()
    assert moved is not None
    assert {target.name for target in moved.targets} == {"bank", "iris", "churn"}


def test_a_version_whose_environment_is_gone_is_not_built_unasked(rooms: Rooms) -> None:
    """It is offered with the reason, and with the command that builds it."""
    gone = Environment(python="3.9.1", platform="linux-x86_64", packages={}, built=True)
    add(rooms, changed_to(candidate("bank"), environment=gone))
    offer = next(o for o in roster(rooms, "bank@1").first().offers if o.number == 3)
    assert offer.endpoint is None
    assert "brinery serve bank@3 builds it" in offer.fault


def test_a_version_of_another_program_is_offered_with_its_reason(rooms: Rooms) -> None:
    """It is not checked: it cannot be asked for, and does not keep the others from being."""
    registry = rooms.registry
    assert isinstance(registry, MemoryRegistry)
    stranger = changed_to(registry.versions("bank")[0], candidate=None, number=3)
    registry._versions["bank"].append(stranger)
    server = roster(rooms, "bank@1")
    offer = next(offer for offer in server.first().offers if offer.number == 3)
    assert "registered by another program" in offer.fault
    with pytest.raises(NotServable):
        roster(rooms, "bank@3").first()


def test_what_cannot_be_served_is_said_with_the_next_command(rooms: Rooms, tmp_path: Path) -> None:
    """Nothing, everything and something, one model twice, and what is not there."""
    with pytest.raises(InvalidReference, match="either") as refused:
        roster(rooms)
    assert "--all" in refused.value.hint
    with pytest.raises(InvalidReference, match="either"):
        roster(rooms, "bank", every=True)
    with pytest.raises(InvalidReference, match="bank is asked for twice"):
        roster(rooms, "bank@1", "iris", "bank@2")
    with pytest.raises(NotFound, match="no model 'bnak'"):
        roster(rooms, "bnak").first()
    empty = replace(rooms, registry=MemoryRegistry(tmp_path / "empty"))
    with pytest.raises(NotFound, match="no model to serve"):
        roster(empty, every=True).first()


def test_an_alias_that_goes_leaves_what_was_served(rooms: Rooms) -> None:
    """A server does not stop because somebody took an alias away."""
    champion(rooms, 1, Alias.CHALLENGER)
    server = roster(rooms, "bank@challenger")
    server.first()
    registry = rooms.registry
    assert isinstance(registry, MemoryRegistry)
    registry._versions["bank"] = [
        changed_to(version, aliases=()) for version in registry._versions["bank"]
    ]
    assert targets(server.changed()) == {"bank": 1}


def test_the_memory_limit_is_that_of_the_command(rooms: Rooms) -> None:
    """Where it has none it is that of the settings, which have none by themselves."""
    assert roster(rooms, "bank", memory_limit_gb=2).first().memory_limit_bytes == 2_000_000_000
    assert roster(rooms, "bank").first().memory_limit_bytes is None


class Failing(MemoryRegistry):
    """A registry that fails when it is told to."""

    fails = False

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, or fail."""
        if self.fails:
            raise RegistryFault("the database is locked")
        return super().versions(name)


def test_what_could_not_be_asked_is_asked_again(rooms: Rooms, tmp_path: Path) -> None:
    """A promotion is not lost because the registry failed while it was looked at."""
    registry = Failing(tmp_path)
    failing = replace(rooms, registry=registry)
    for _ in range(2):
        add(failing, candidate("bank"))
    champion(failing, 1)
    server = roster(failing, "bank")
    server.first()
    champion(failing, 2)
    registry.fails = True
    for _ in range(2):
        with pytest.raises(RegistryFault):
            server.changed()
    registry.fails = False
    assert targets(server.changed()) == {"bank": 2}


def test_a_version_that_is_deleted_answers_on(rooms: Rooms) -> None:
    """Until another takes its place: a server process that is started now is told of it, too."""
    champion(rooms, 1)
    server = roster(rooms, "bank")
    server.first()
    registry = rooms.registry
    assert isinstance(registry, MemoryRegistry)
    del registry._versions["bank"][:1]
    moved = server.changed()
    assert targets(moved) == {"bank": 1}
    assert moved is not None
    assert {offer.number: offer.endpoint is not None for offer in moved.offers}[1]
    champion(rooms, 2)
    last = server.changed()
    assert targets(last) == {"bank": 2}
    assert last is not None
    assert [offer.number for offer in last.offers] == [2]
