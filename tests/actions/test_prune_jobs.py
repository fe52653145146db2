"""Old jobs are removed with what only they left, and nothing else is."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest
import sklearn
from tests.actions.job_plans import by_name, plan, reopened, run, shell, workspace

import brinery
from brinery.actions.asset_rooms import open_asset_rooms
from brinery.actions.prune_jobs import DataLimits, age, size
from brinery.errors import JobBusy, UserError
from brinery.records.asset import AssetKind
from brinery.records.job import JobRun
from brinery.records.plan import Data, Output, Software
from brinery.store.environments import Environments
from brinery.store.job_environments import JobEnvironments, Prepared
from brinery.store.pruning import using


def left(folder: Path, name: str, word: str, **more: object) -> JobRun:
    """A job of one step that leaves a word."""
    step = shell("s", f"echo {word} > ${{{{outputs.o}}}}/x", outputs={"o": Output()}, **more)
    return run(reopened(folder), plan(step, name=name, file="p.yml"))


def output(job: JobRun) -> Path:
    """What the step of a job left."""
    return Path(by_name(job)["s"].outputs["o"].path)


def built(folder: Path, digit: str, software: Software, *, old: bool = True) -> Path:
    """An environment of steps that declare such software, as it lies on the disk."""
    environments = folder / ".brinery" / "environments"
    place = environments / (digit * 32)
    packages = place / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "module.py").write_text("x = 1\n")
    record = Prepared(
        program="/usr/bin/python3",
        minor="3.11",
        key=place.name,
        packages=str(packages),
        definition=JobEnvironments(environments, table={}).definition(software),
    )
    (environments / "jobs").mkdir(exist_ok=True)
    (environments / "jobs" / f"{digit}.json").write_bytes(msgspec.json.encode(record))
    if old:
        os.utime(place, (0, 0))
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with three jobs, the second of which left what the first did."""
    workspace(tmp_path)
    left(tmp_path, "first", "one")
    left(tmp_path, "second", "one", variables={"A": "B"})
    left(tmp_path, "third", "three")
    return tmp_path


def test_nothing_goes_before_it_is_said(folder: Path) -> None:
    """What would go is told; jobs are listed as before."""
    told = brinery.prune_jobs(keep=1, workspace=folder)
    assert (told.jobs, told.outputs, told.removed) == (("second", "first"), 1, False)
    assert told.size_bytes == 4
    assert len(brinery.jobs(workspace=folder)) == 3


def test_what_a_job_that_stays_names_stays(folder: Path) -> None:
    """An output goes with the last job that names it, and is made again when it is asked for."""
    one = output(brinery.job("first", workspace=folder))
    assert brinery.prune_jobs(keep=2, remove=True, workspace=folder).jobs == ("first",)
    assert one.is_dir()
    assert left(folder, "again", "one").steps[0].reused
    told = brinery.prune_jobs(keep=0, remove=True, workspace=folder)
    assert set(told.jobs) == {"again", "third", "second"}
    assert not one.exists()
    assert not brinery.jobs(workspace=folder)
    made = left(folder, "anew", "one")
    assert not made.steps[0].reused
    assert (output(made) / "x").read_text() == "one\n"


def test_what_a_job_reused_stays(folder: Path) -> None:
    """A job of which another reused a step stays as long as that one does: the log is there."""
    again = left(folder, "again", "one")
    assert again.steps[0].reused == "first"
    told = brinery.prune_jobs(keep=1, remove=True, workspace=folder)
    assert set(told.jobs) == {"third", "second"}
    assert (folder / ".brinery/jobs/again/steps/s/logs/std_log.txt").is_file()


def test_what_a_job_reads_by_its_address_stays(folder: Path) -> None:
    """A job whose output another reads stays as long as that one does."""
    rooms = reopened(folder)
    address = Data(uri="azureml://jobs/first/outputs/default/paths/o")
    run(rooms, plan(shell("s", "true", inputs={"i": address}), name="reader"))
    told = brinery.prune_jobs(keep=1, workspace=folder)
    assert set(told.jobs) == {"third", "second"}


def test_a_limit_of_age(folder: Path) -> None:
    """Only jobs that ended before go."""
    assert brinery.prune_jobs(older_than=timedelta(hours=1), workspace=folder).jobs == ()
    assert len(brinery.prune_jobs(older_than=timedelta(), workspace=folder).jobs) == 3
    assert [age(text) for text in ("30d", "2W")] == [timedelta(days=30), timedelta(weeks=2)]
    with pytest.raises(UserError, match="'soon' is no time"):
        age("soon")


def test_nothing_goes_while_a_job_runs(folder: Path) -> None:
    """It may be about to reuse what would go."""
    with using(folder / ".brinery"), pytest.raises(JobBusy):
        brinery.prune_jobs(keep=0, remove=True, workspace=folder)
    assert len(brinery.jobs(workspace=folder)) == 3
    assert brinery.prune_jobs(workspace=folder).jobs == ()


def test_environments_that_nothing_names(folder: Path) -> None:
    """One goes that no job which stays and no asset names; a young one stays, and is not asked."""
    one, other, third = (
        Software(conda=f"dependencies: [pip: [{name}]]") for name in ("one", "other", "third")
    )
    left(folder, "kept", "kept", software=one)
    (folder / "env.yml").write_text("name: env\nimage: ubuntu\n")
    brinery.create_asset(AssetKind.ENVIRONMENT, folder / "env.yml", workspace=folder)
    (asset,) = reopened(folder).catalog.names("environment")
    registered = reopened(folder).catalog.environment(asset)
    assert registered is not None
    places = [built(folder, "1", one), built(folder, "2", registered)]
    gone = built(folder, "3", other)
    places.append(built(folder, "4", third, old=False))
    assert brinery.prune_jobs(workspace=folder).environments == ()
    told = brinery.prune_jobs(environments=True, workspace=folder)
    assert (told.environments, told.environments_bytes) == ((gone.name,), 6)
    assert gone.is_dir()
    brinery.prune_jobs(environments=True, remove=True, workspace=folder)
    assert not gone.exists()
    assert all(place.is_dir() for place in places)
    records = folder / ".brinery" / "environments" / "jobs"
    assert {path.stem for path in records.glob("*.json")} == {"1", "2", "4"}
    # With the last job that names it, one goes, too.
    again = brinery.prune_jobs(keep=0, environments=True, workspace=folder)
    assert again.environments == (places[0].name,)


def downloaded(folder: Path, *names: str) -> list[Path]:
    """Copies of data of elsewhere, of 1,000 bytes each, fetched as a job does."""
    rooms = open_asset_rooms(folder)
    found = []
    for name in names:
        address = f"memory://{folder.name}/{name}"
        if not fsspec.filesystem("memory").exists(address):  # one that is written anew is another
            with fsspec.open(address, "wb") as stream:
                stream.write(b"x" * 1000)
        found.append(rooms.data.resolve(address).parent)
    return found


def unused_for(place: Path, hours: float) -> None:
    """Have a copy be one that nobody asked for so long."""
    when = time.time() - hours * 3600
    os.utime(place, (when, when))


def test_copies_of_data_go_by_age(folder: Path) -> None:
    """One goes that nobody asked for since; without a limit none; one that is used is young."""
    old, used, young = places = downloaded(folder, "old.csv", "used.csv", "young.csv")
    for place, hours in zip(places, (50, 60, 2), strict=True):
        unused_for(place, hours)
    downloaded(folder, "used.csv")
    limits = DataLimits(older_than=timedelta(days=1))
    assert brinery.prune_jobs(remove=True, workspace=folder).copies == 0
    told = brinery.prune_jobs(data=limits, workspace=folder)
    assert (told.copies, told.copies_bytes, told.removed) == (1, 1000, False)
    assert old.is_dir()
    with using(folder / ".brinery"), pytest.raises(JobBusy):
        brinery.prune_jobs(data=limits, remove=True, workspace=folder)
    assert brinery.prune_jobs(data=limits, remove=True, workspace=folder).copies == 1
    assert [place.is_dir() for place in (old, used, young)] == [False, True, True]
    (again,) = downloaded(folder, "old.csv")
    assert (again / "old.csv").stat().st_size == 1000


def test_copies_of_data_go_by_size(folder: Path) -> None:
    """Those go that nobody asked for the longest, until the rest is small; none of this hour."""
    places = downloaded(folder, "a", "b", "c", "d")
    for place, hours in zip(places, (2, 9, 5, 0), strict=True):
        unused_for(place, hours)
    told = brinery.prune_jobs(data=DataLimits(larger_than=2500), workspace=folder)
    assert (told.copies, told.copies_bytes) == (2, 2000)
    limits = DataLimits(larger_than=2500)
    brinery.prune_jobs(data=limits, remove=True, workspace=folder)
    assert [place.is_dir() for place in places] == [True, False, False, True]
    brinery.prune_jobs(data=DataLimits(larger_than=0), remove=True, workspace=folder)
    assert [place.is_dir() for place in places] == [False, False, False, True]
    assert [size(text) for text in ("20GB", "1.5 mb", "0")] == [20 * 10**9, 1_500_000, 0]
    with pytest.raises(UserError, match="'much' is no size"):
        size("much")


@pytest.mark.slow
def test_environments_of_models(bank: Any, tmp_path: Path) -> None:
    """An environment that was built for a version of a model stays; one of another lock goes."""
    (tmp_path / "brinery.toml").touch()
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(f"scikit-learn=={sklearn.__version__}\n")
    version = brinery.import_model(
        bank.model,
        name="bank",
        data=bank.test,
        environment=str(wanted),
        workspace=tmp_path,
    )
    assert version.candidate is not None
    environments = Environments(tmp_path / ".brinery" / "environments")
    named = version.candidate.environment
    place = environments.path(named)
    assert place is not None
    assert environments.has(named)
    other = environments.path(msgspec.structs.replace(named, lock=("a==2",)))
    assert other is not None
    other.mkdir()
    for each in (place, other):
        os.utime(each, (0, 0))
    told = brinery.prune_jobs(environments=True, remove=True, workspace=tmp_path)
    assert told.environments == (other.name,)
    assert environments.has(named)
    assert environments.path(msgspec.structs.replace(named, built=False)) is None
