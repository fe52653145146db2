"""What MLflow's clients move is followed: the alias is the truth, a stage is a wish."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace
from tests.contract.test_registry import PARITY, candidate

from brinery.actions import history
from brinery.actions.rooms import Rooms
from brinery.actions.stages import Stages
from brinery.records.audit import Change
from brinery.records.history import Deed
from brinery.records.version import Alias
from brinery.registry.memory import MemoryRegistry


@pytest.fixture
def registry(rooms: Rooms, tmp_path: Path) -> MemoryRegistry:
    """A registry with three versions of a model, none of which is the champion."""
    rooms.workspace.prepare()
    file = tmp_path / "model.pkl"
    file.write_bytes(b"pickled")
    for number in range(3):
        staged = rooms.registry.stage(candidate("m", sha256=str(number) * 64), file)
        rooms.registry.commit(staged, PARITY)
    return cast("MemoryRegistry", rooms.registry)


def champion(rooms: Rooms) -> int | None:
    """Return the number of the champion."""
    found = history.holder(rooms.registry.versions("m"), Alias.CHAMPION)
    return None if found is None else found.number


def test_a_stage_moves_the_alias(rooms: Rooms, registry: MemoryRegistry) -> None:
    """What an older client puts into production becomes the champion, and history says by whom."""
    registry.set_alias("m", 1, alias=Alias.CHAMPION)
    stages = Stages(rooms)
    stages.look()
    registry.production["m"] = {1, 2}
    stages.look()
    assert champion(rooms) == 2
    assert registry.production["m"] == {2}
    last = history.history_in(rooms, "m")[-1]
    assert (last.deed, last.before, last.after) == (Deed.MOVED, "m@1", "m@2")


def test_an_alias_moves_the_stage(rooms: Rooms, registry: MemoryRegistry) -> None:
    """What a newer client makes the champion is in production for older ones."""
    registry.set_alias("m", 1, alias=Alias.CHAMPION)
    stages = Stages(rooms)
    stages.look()
    registry.set_alias("m", 3, alias=Alias.CHAMPION)
    registry.production["m"] = {1}  # MLflow keeps no two of them in step
    stages.look()
    assert (champion(rooms), registry.production["m"]) == (3, {3})


@pytest.mark.parametrize("promoted", [False, True], ids=["before the alias", "after it"])
def test_a_killed_promotion_is_settled(
    rooms: Rooms, registry: MemoryRegistry, *, promoted: bool
) -> None:
    """The first look settles what a killed process left open, also where there is no champion."""
    entry = rooms.entry(Change.PROMOTE, "m", after="m@2 champion")
    rooms.audit.begin(entry)
    if promoted:
        registry.set_alias("m", 2, alias=Alias.CHAMPION)
    Stages(rooms).look()
    assert rooms.audit.open_entries("m") == []
    deeds = [(one.deed, one.after) for one in history.history_in(rooms, "m")]
    assert deeds == ([(Deed.PROMOTED, "m@2")] if promoted else [])


@pytest.mark.parametrize("there", [{2}, {2, 3}])
def test_the_alias_wins(rooms: Rooms, registry: MemoryRegistry, there: set[int]) -> None:
    """Where both moved between two looks, the alias is what was meant, and the stage follows it."""
    registry.set_alias("m", 1, alias=Alias.CHAMPION)
    stages = Stages(rooms)
    stages.look()
    registry.set_alias("m", 3, alias=Alias.CHAMPION)
    registry.production["m"] = there
    stages.look()
    assert (champion(rooms), registry.production["m"]) == (3, {3})


@pytest.mark.parametrize("there", [{2}, {1, 2}])
def test_a_stage_without_an_alias_is_a_first_champion(
    rooms: Rooms, registry: MemoryRegistry, there: set[int]
) -> None:
    """What was in production before the server started becomes the champion, the newest of it."""
    registry.production["m"] = there
    Stages(rooms).look()
    assert champion(rooms) == 2


def test_a_stage_taken_away_takes_no_alias(rooms: Rooms, registry: MemoryRegistry) -> None:
    """Archiving the champion leaves it the champion."""
    registry.set_alias("m", 1, alias=Alias.CHAMPION)
    stages = Stages(rooms)
    stages.look()
    registry.production["m"] = set()
    stages.look()
    assert champion(rooms) == 1


def test_what_nobody_checked_is_no_champion(rooms: Rooms, registry: MemoryRegistry) -> None:
    """A version of another program stays in production, and the champion stays, too."""
    registry.set_alias("m", 1, alias=Alias.CHAMPION)
    stages = Stages(rooms)
    stages.look()
    registry._versions["m"][1] = replace(registry._versions["m"][1], candidate=None)
    registry.production["m"] = {2}
    stages.look()
    assert (champion(rooms), registry.production["m"]) == (1, {2})
