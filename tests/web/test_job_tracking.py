"""Steps with MLflow's own clients, old and new, log through the port of their job."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from brinery.actions.job_runs import job_run_id
from brinery.actions.job_software import step_software
from brinery.actions.job_tracking import JobTracking, job_tracking
from brinery.actions.rooms import open_rooms
from brinery.records.job import JobRun, Status
from brinery.records.plan import Plan, Software, Step
from brinery.store.workspace import Workspace

pytestmark = pytest.mark.slow

SETTINGS = """
[environments.map]
old = ["mlflow-skinny==2.18.0", "scikit-learn==1.5.2", "pandas==1.5.3", "numpy<2"]
"""
CURATED = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

# What data scientists write: nothing is set up.
SCRIPT = """
import json, sys
import mlflow, pandas
from sklearn.linear_model import LinearRegression
mlflow.autolog(log_input_examples=False)
mlflow.log_param("hello", "world")
for step, value in enumerate((0.5, 0.25)):
    mlflow.log_metric("loss", value, step=step)
with open("hello.txt", "w") as stream:
    stream.write("hi")
mlflow.log_artifact("hello.txt")
frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.1]})
LinearRegression().fit(frame[["x"]], frame["y"])
with mlflow.start_run(nested=True):
    mlflow.log_metric("inner", 1)
mlflow.start_run(nested=True)  # and is never ended
print(json.dumps([mlflow.__version__, mlflow.get_tracking_uri()]))
sys.stdout.flush()
import os; os._exit(int(sys.argv[1]))
"""


class Told(NamedTuple):
    """A job of two steps with clients of two times, after its end."""

    job: JobRun
    workspace: Path
    logged: Mapping[str, Mapping[str, float]]
    history: Mapping[str, list[tuple[int, float]]]
    runs: Mapping[str, str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What became of a job whose steps log, and of one whose steps do not."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "brinery.toml").write_text(SETTINGS)
    workspace = Workspace(folder)
    software = step_software(workspace, environ={"PATH": os.defpath})
    tracking = job_tracking(workspace)
    steps = (
        Step(name="old", software=Software(reference="azureml:old:1"), command="python s.py"),
        Step(name="new", software=Software(reference=CURATED), command="python s.py"),
    )
    quiet = job_of("quiet", steps)
    tracking.open(quiet)
    tracking.variables(steps[0], "")
    tracking.close(quiet)
    job = job_of("loud", steps)
    tracking.open(job)
    logged, history, runs = {}, {}, {}
    for step, status in zip(steps, (Status.COMPLETED, Status.FAILED), strict=True):
        work = folder / step.name
        work.mkdir()
        ready = software.ready(step, work)
        variables = {**ready.variables, **tracking.variables(step, "")}
        run(ready.python, variables, work, code=0 if status is Status.COMPLETED else 3)
        runs[step.name] = tracking.run_id(step, "")
        logged[step.name] = dict(tracking.metrics(runs[step.name]))
        history[step.name] = losses(tracking, runs[step.name])
        tracking.ended(runs[step.name], status)
    tracking.close(job)
    return Told(job, folder, logged, history, runs)


def job_of(name: str, steps: tuple[Step, ...]) -> JobRun:
    plan = Plan(name=name, pipeline=True, steps=steps, experiment="taxi", tags={"team": "x"})
    return JobRun(name=name, plan=plan, status=Status.FAILED, created=datetime.now(UTC), who="jo")


def losses(tracking: JobTracking, run_id: str) -> list[tuple[int, float]]:
    return [(each.step, each.value) for each in tracking.history(run_id, "loss")]


def run(python: str, variables: Mapping[str, str], work: Path, *, code: int) -> None:
    given = [f"{name}={value}" for name, value in variables.items()]
    done = subprocess.run(
        ["env", "-i", f"HOME={work}", *given, python, "-c", SCRIPT, str(code)],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr


def test_what_clients_log(told: Told) -> None:
    """The old client and the new one log into the run of their step, by hand and by itself."""
    for name in ("old", "new"):
        assert told.logged[name]["loss"] == 0.25
        assert told.logged[name]["training_r2_score"] > 0.99
        assert told.history[name] == [(0, 0.5), (1, 0.25)]


def test_what_mlflow_knows_afterwards(told: Told, tmp_path: Path) -> None:
    """Jobs are runs, steps their children, nested runs theirs; all are ended, and files are there.

    The job that nobody asked about is known, too.
    """
    rooms = open_rooms(told.workspace)
    assert not list(rooms.workspace.untold_runs.iterdir())
    runs = rooms.runs()
    assert runs.params(told.runs["old"])["hello"] == "world"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = runs._client
        (experiment,) = [e for e in client.search_experiments() if e.name == "taxi"]
        found = client.search_runs([experiment.experiment_id])
    parents = {each.info.run_id: each.data.tags.get("mlflow.parentRunId") for each in found}
    names = {each.info.run_id: each.info.run_name for each in found}
    assert sorted(name for name in names.values() if name in {"quiet", "loud"}) == ["loud", "quiet"]
    own = job_run_id(told.job)
    assert {parents[told.runs[name]] for name in ("old", "new")} == {own}
    for name, status in (("old", "FINISHED"), ("new", "FAILED")):
        step = told.runs[name]
        family = [e.info for e in found if e.info.run_id == step or parents[e.info.run_id] == step]
        # The step, the nested run that was ended, and the one that was not.
        assert len(family) == 3
        assert sorted(info.status for info in family) == sorted([status, status, "FINISHED"])
        kept = runs.fetch(step, tmp_path / name)
        assert kept is not None
        assert (kept / "hello.txt").read_text() == "hi"
        assert list(kept.rglob("MLmodel"))
        model = runs.fetch(step, tmp_path / f"{name}-model", path="model")
        assert model is not None
        assert (model / "MLmodel").is_file()
