"""The records of projects: one contract, whatever keeps them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.errors import AlreadyThere, NotFound
from brinery.records.dataset import Column, ColumnType, Dataset
from brinery.records.flow import Activity, ItemKind, RecipeCall, Use, UseKind
from brinery.records.folder import ManagedFolder
from brinery.records.project import Project
from brinery.store.project_records import (
    MemoryProjectRecords,
    ProjectRecords,
    StoredProjectRecords,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> ProjectRecords:
    """Records that are empty."""
    if request.param == "memory":
        return MemoryProjectRecords()
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "postgres":
        made: str = request.getfixturevalue("postgres").database()
        uri = made.replace("postgresql://", "postgresql+psycopg://")
    return StoredProjectRecords(uri)


def bank(project: str = "P", name: str = "bank") -> Dataset:
    columns = (Column(name="age", type=ColumnType.BIGINT),)
    return Dataset(project=project, name=name, created=NOON, columns=columns)


def run(recipe: str, job: str, *, completed: bool = True) -> Activity:
    use = Use(kind=UseKind.READ, item=ItemKind.DATASET, project="P", name="bank", version="ab")
    return Activity(
        project="P",
        recipe=recipe,
        call=RecipeCall(script=f"/w/{recipe}"),
        job=job,
        started=NOON,
        completed=completed,
        uses=(use,),
    )


def test_items_are_found_as_they_were_kept(records: ProjectRecords) -> None:
    """What was added is found whole, by its kind, project and key; and listed by key."""
    records.add(bank())
    records.add(bank(name="a"))
    records.add(bank(project="Q"))
    folder = ManagedFolder(project="P", id="abcdefgh", name="models", created=NOON)
    records.add(folder)
    assert records.find(Dataset, "P", key="bank") == bank()
    assert records.find(ManagedFolder, "P", key="abcdefgh") == folder
    assert records.find(Dataset, "P", key="none") is None
    assert [one.name for one in records.all(Dataset, "P")] == ["a", "bank"]
    assert len(records.all(Dataset)) == 3
    assert records.all(Project) == []


def test_a_key_is_taken_once(records: ProjectRecords) -> None:
    """A second item of one key is refused, and the first stays as it was."""
    records.add(bank())
    with pytest.raises(AlreadyThere, match="dataset bank already"):
        records.add(replace(bank(), columns=()))
    assert records.find(Dataset, "P", key="bank") == bank()


def test_a_change_sees_what_is_kept(records: ProjectRecords) -> None:
    """An edit is given what is kept at that moment, not what its caller knew."""
    records.add(bank())
    stale = bank()
    records.change(stale, lambda one: replace(one, description="first"))
    changed = records.change(stale, lambda one: replace(one, source=one.description))
    assert (changed.description, changed.source) == ("first", "first")


def test_what_was_removed_is_gone(records: ProjectRecords) -> None:
    """An item is removed once, and cannot be changed afterwards."""
    records.add(bank())
    assert records.remove(bank())
    assert not records.remove(bank())
    with pytest.raises(NotFound, match="is gone"):
        records.change(bank(), lambda one: one)


def test_the_newest_completed_run_of_each_recipe_counts(records: ProjectRecords) -> None:
    """Of each recipe the newest run that came to its end is told, the oldest recipe first."""
    records.begin(run("a.py", "one"))
    records.begin(run("b.py", "two"))
    number = records.begin(run("a.py", "three", completed=False))
    assert [one.job for one in records.latest("P")] == ["one", "two"]
    records.keep(number, run("a.py", "three"))
    assert [one.job for one in records.latest("P")] == ["two", "three"]
    assert records.latest("Q") == []
    assert records.of_job("three") == [run("a.py", "three")]
