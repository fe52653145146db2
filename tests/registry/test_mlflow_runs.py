"""Runs whose ids were chosen beforehand: told once or often, from memory or from what was left."""

from __future__ import annotations

import fcntl
import uuid
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from brinery.errors import NotFound
from brinery.records.tracked_run import TrackedRun
from brinery.registry.mlflow import MlflowRegistry
from brinery.registry.mlflow_runs import MlflowRuns
from brinery.specs import places

JOB = TrackedRun(id="a" * 32, name="job", experiment="taxi", started_ms=1000, user="jo")
STEP = TrackedRun(
    id="b" * 32, name="train", experiment="taxi", started_ms=2000, parent=JOB.id,
    tags={"brinery.step": "train"}, params={"rate": "0.1"},
)  # fmt: skip


class Place(NamedTuple):
    """Where MLflow keeps what it is told."""

    uri: str
    artifacts: str
    spool: Path


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Each kind of database."""
    folder = tmp_path_factory.mktemp("runs")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    if request.param == "postgres":
        uri = places.database(request.getfixturevalue("postgres").database())
    return Place(uri, (folder / "artifacts").as_uri(), folder / "spool")


@pytest.fixture
def runs(place: Place) -> MlflowRuns:
    """The runs of jobs, one of which is known."""
    place.spool.mkdir(exist_ok=True)
    found = MlflowRuns(place.uri, place.artifacts, spool=place.spool)
    found.tell([JOB])
    return found


def ended(run: TrackedRun, status: str) -> TrackedRun:
    return msgspec.structs.replace(run, status=status, ended_ms=3000)


def left(place: Place, name: str, *runs: TrackedRun, torn: bytes = b"") -> Path:
    """A file that a job left behind."""
    path = place.spool / f"{name}.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(run) + b"\n" for run in runs) + torn)
    return path


def test_what_mlflow_is_told(runs: MlflowRuns) -> None:
    """A run has its own id, its parent, its tags, and ends when it is told again; twice is once."""
    client = runs._client
    for _ in range(2):
        runs.tell([JOB, STEP])
    step = client.get_run(STEP.id)
    assert step.info.status == "RUNNING"
    assert step.data.tags["mlflow.parentRunId"] == JOB.id
    assert step.data.tags["brinery.step"] == "train"
    assert step.data.params == {"rate": "0.1"}
    assert step.info.artifact_uri.endswith(f"/taxi/{STEP.id}/artifacts")
    client.log_metric(STEP.id, "loss", 0.5)
    client.log_metric(STEP.id, "loss", 0.25, step=1)
    nested = client.create_run(
        step.info.experiment_id, tags={"mlflow.parentRunId": STEP.id}
    ).info.run_id
    runs.tell([ended(STEP, "FAILED"), ended(JOB, "FAILED")])
    for run_id in (STEP.id, JOB.id, nested):
        info = client.get_run(run_id).info
        assert (info.status, info.end_time) == ("FAILED", 3000)
    assert runs.metrics(STEP.id) == {"loss": 0.25}
    assert [(each.step, each.value) for each in runs.history(STEP.id, "loss")] == [
        (0, 0.5),
        (1, 0.25),
    ]
    assert runs.params(STEP.id) == {"rate": "0.1"}


def test_what_a_run_left(runs: MlflowRuns, tmp_path: Path) -> None:
    """Its files are fetched, all or one; none, and no run, are told apart."""
    # MLflow remembers where the files of an id lie, whatever the store.
    empty = msgspec.structs.replace(STEP, id=uuid.uuid4().hex, parent="")
    runs.tell([JOB, empty])
    assert runs.fetch(empty.id, tmp_path / "none") is None
    runs._client.log_text(empty.id, "hello", "notes/hello.txt")
    whole = runs.fetch(empty.id, tmp_path / "all")
    assert whole is not None
    assert (whole / "notes" / "hello.txt").read_text() == "hello"
    part = runs.fetch(empty.id, tmp_path / "part", path="notes/hello.txt")
    assert part is not None
    assert part.read_text() == "hello"
    with pytest.raises(NotFound):
        runs.fetch("d" * 32, tmp_path)


def test_what_a_job_left_behind(runs: MlflowRuns, place: Place) -> None:
    """Whoever opens the registry tells it, the last word of each run, and it is gone."""
    one = msgspec.structs.replace(JOB, id="e" * 32)
    path = left(place, "one", one, ended(one, "FINISHED"), torn=b'{"id":"f')
    registry = MlflowRegistry(place.uri, place.artifacts, spool=place.spool)
    registry.open()
    assert not path.exists()
    assert runs._client.get_run(one.id).info.status == "FINISHED"
    assert runs.catch_up() == 0


def test_a_job_that_goes_on_is_left_alone(runs: MlflowRuns, place: Place) -> None:
    """What it writes down is its own until it ends."""
    one = msgspec.structs.replace(JOB, id="9" * 32)
    path = left(place, "going", one)
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert runs.catch_up() == 0
        assert path.exists()
    assert runs.catch_up() == 1
    assert runs.metrics(one.id) == {}
