"""One job that logs, saves a model and trains in mini-batches, with what MLflow knows of it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.conftest import BRINERY

import brinery
from brinery.actions.rooms import open_rooms
from brinery.records.job import JobRun, StepRun
from brinery.store.jobs import read

pytestmark = pytest.mark.slow

# What is declared is no image that anybody has; the table says what stands for it.
SETTINGS = """
[environments.map]
"org/learning" = "current"
"""
SAVE = """
import sys
import mlflow
import numpy
from sklearn.dummy import DummyClassifier

model = DummyClassifier().fit(numpy.array([[0.0], [1.0]]), [0, 1])
mlflow.log_metric("loss", 0.25)
mlflow.sklearn.save_model(
    model, sys.argv[1], serialization_format="cloudpickle", input_example=numpy.array([[0.0]])
)
"""
SCORE = """
import mlflow
from sklearn.linear_model import LinearRegression

def init():
    mlflow.autolog(log_models=False)

def run(mini_batch):
    LinearRegression().fit([[0], [1]], [0, 1])
    return mini_batch
"""
JOB = """
type: pipeline
experiment_name: learning
inputs: {data: {type: uri_folder, path: ./data}}
outputs: {model: {type: mlflow_model}}
jobs:
  save:
    command: >-
      ls -A ${{outputs.model}}; python save.py ${{outputs.model}};
      mkdir -p outputs; echo left > outputs/left.txt; echo made > ${{outputs.artifacts}}/made.txt
    code: src
    environment: {image: org/learning:3}
    outputs: {model: "${{parent.outputs.model}}", artifacts: }
  score:
    type: parallel
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {rows: {type: uri_file}}
    input_data: ${{inputs.data}}
    mini_batch_size: "1"
    max_concurrency_per_instance: 2
    task:
      type: run_function
      code: ./src
      entry_script: score.py
      environment: {image: org/learning:3}
      append_row_to: ${{outputs.rows}}
  look:
    command: cat ${{inputs.from}}/outputs/left.txt ${{inputs.from}}/made.txt
    environment: {image: org/learning:3}
    inputs: {from: "${{parent.jobs.save.outputs.artifacts}}"}
"""


class Learned(NamedTuple):
    """A job that ran, and one in which nothing ran that registered its model."""

    folder: Path
    first: JobRun
    second: JobRun
    said: str
    runs: dict[str, dict[str, Any]]

    def step(self, name: str) -> StepRun:
        """A step of the first."""
        return next(step for step in self.first.steps if step.name == name)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """The same file twice; the second time with `--register`."""
    folder = tmp_path_factory.mktemp("learning")
    files = {
        "brinery.toml": SETTINGS,
        "src/save.py": SAVE,
        "src/score.py": SCORE,
        "job.yml": JOB,
        "test.csv": "x,y\n" + "0.0,0\n1.0,1\n" * 20,
        **{f"data/{number}": "row" for number in range(4)},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    job = (str(BRINERY), "--workspace", str(folder), "job", "create", "-f", str(folder / "job.yml"))
    told = []
    kept = ("--register", "dummy", "--data", str(folder / "test.csv"), "--target", "y")
    for more in (("--name", "first"), ("--name", "second", *kept)):
        done = subprocess.run([*job, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told.append(done.stdout)
    open_rooms(folder).runs().catch_up()
    jobs = folder / ".brinery" / "jobs"
    return Learned(folder, read(jobs / "first"), read(jobs / "second"), told[1], _runs(folder))


def _runs(folder: Path) -> dict[str, dict[str, Any]]:
    """What MLflow knows: the status, the tags and the metrics of each run, by its id."""
    with closing(sqlite3.connect(folder / ".brinery" / "mlflow.db")) as store:
        runs = {
            run: {"status": status, "tags": {}, "metrics": {}, "experiment": experiment}
            for run, status, experiment in store.execute(
                "SELECT run_uuid, status, experiments.name FROM runs "
                "JOIN experiments USING (experiment_id)"
            )
        }
        for table, kind in (("tags", "tags"), ("latest_metrics", "metrics")):
            for run, key, value in store.execute(f"SELECT run_uuid, key, value FROM {table}"):  # noqa: S608 - our own two names
                runs[run][kind][key] = value
    return runs


def test_a_model_is_saved_in_a_folder_that_is_there(learned: Learned) -> None:
    """MLflow asks for an empty folder, or none; it finds an empty one."""
    model = Path(learned.step("save").outputs["model"].path)
    assert (model / "MLmodel").is_file()
    log = learned.folder / ".brinery/jobs/first/steps/save/logs/std_log.txt"
    assert "MLmodel" not in log.read_text()


def test_the_output_artifacts_is_all_that_a_step_left(learned: Learned) -> None:
    """What lies in `./outputs` of its working directory is in it, and what was written to it."""
    log = learned.folder / ".brinery/jobs/first/steps/look/logs/std_log.txt"
    assert [line.split()[-1] for line in log.read_text().splitlines()] == ["left", "made"]


def test_each_step_has_a_run_of_its_own(learned: Learned) -> None:
    """It is a child of the job's, and has what the step logged."""
    run = learned.runs[learned.step("save").run_id]
    parent = learned.runs[run["tags"]["mlflow.parentRunId"]]
    assert parent["tags"]["brinery.job"] == "first"
    assert (run["status"], run["metrics"]["loss"]) == ("FINISHED", 0.25)


def test_runs_that_workers_open_are_beside_that_of_their_step(learned: Learned) -> None:
    """Every fit of an autologging worker is a run: the step's own, or one more; all are ended."""
    own = learned.runs[learned.step("score").run_id]
    others = [run for run in learned.runs.values() if "brinery.job" not in run["tags"]]
    others = [run for run in others if run["experiment"] == "learning"]
    assert own["metrics"]
    assert 1 <= len(others) <= 3
    assert {run["status"] for run in (own, *others)} == {"FINISHED"}
    rows = Path(learned.step("score").outputs["rows"].path).read_text().splitlines()
    assert len(rows) == 4


def test_a_job_in_which_nothing_ran_is_a_run(learned: Learned) -> None:
    """It names the runs that stand for its steps."""
    assert {step.reused for step in learned.second.steps} == {"first"}
    (run,) = [run for run in learned.runs.values() if run["tags"].get("brinery.job") == "second"]
    assert run["status"] == "FINISHED"
    assert run["tags"]["brinery.reused.save"] == learned.step("save").run_id


def test_the_model_of_a_job_is_registered(learned: Learned) -> None:
    """`--register` imports it as any other model, and evaluates it."""
    assert "registered as dummy@1" in learned.said
    show = ("--workspace", str(learned.folder), "model", "show", "dummy@1", "--format", "json")
    done = subprocess.run([str(BRINERY), *show], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_a_model_is_registered_as_an_asset_or_imported(learned: Learned) -> None:
    """`model create` keeps its files; with `--import` it is evaluated and has a version."""
    create = (str(BRINERY), "--workspace", str(learned.folder), "model", "create", "-n", "of_job")
    path = ("--path", "azureml://jobs/first/outputs/model", "--import", "--target", "y")
    data = ("--data", str(learned.folder / "test.csv"), "--query", "id", "-o", "tsv")
    done = subprocess.run([*create, *path, *data], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "azureml:of_job:1\n"
    assert brinery.version("of_job@1", workspace=learned.folder).parity is not None
    for wrong, said in (((), "the model has no path"), (path[:2] + path[3:], "are of --import")):
        done = subprocess.run(
            [*create, *wrong, *(("--import",) if not wrong else ())],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert said in done.stderr
