"""Scripts as they are written for the platform, each run by `brinery run` on two ages of Python.

The older environment is Python 3.9 with MLflow 2.17 and the libraries of that time; the other is
the one that Brinery runs in, with MLflow 3.
"""

from __future__ import annotations

import json
import os
import subprocess
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer
from tests.conftest import Done, run_brinery
from tests.shims.conftest import CONDA
from tests.shims.test_signatures import CLIENT, SHIMS

from brinery.store.interpreters import installed

PAGE = "https://data.example.org/static/222/cells.zip"
FITTING = """\
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

def fitted(frame, target):
    first, second = train_test_split(frame, test_size=0.3, random_state=0)
    trees = RandomForestClassifier(10, max_depth=3)
    model = Pipeline([("scale", StandardScaler()), ("trees", trees)])
    return model.fit(first.drop(columns=target), first[target]), second
"""
PREPARE = f"""\
import io, zipfile
import dataiku
import pandas as pd
import requests

with requests.get("{PAGE}", stream=True) as answer:
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall()
dataiku.Dataset("cells").write_with_schema(pd.read_csv("cells.csv", sep=";"))
"""
TRAIN = """\
import pickle
import warnings
import dataiku
from cell_models.fitting import fitted

FOLDER = ""
model, held_out = fitted(dataiku.Dataset("cells").get_dataframe(), "y")
dataiku.Dataset("cells_test").write_with_schema(held_out)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    for piece in dataiku.Dataset("cells_test").iter_dataframes(chunksize=100):
        piece["y"] = 0
with dataiku.Folder(FOLDER).get_writer("model.pkl") as writer:
    pickle.dump(model, writer)
"""
DEPLOY = """\
import pickle
import dataiku
import mlflow
from datetime import datetime

FOLDER, EXPERIMENT = "", ""
client = dataiku.api_client()
client._session.verify = False
project = client.get_default_project()
folder = project.get_managed_folder(FOLDER)
with dataiku.Folder(FOLDER).get_download_stream("model.pkl") as stream:
    model = pickle.load(stream)
with project.setup_mlflow(managed_folder=folder) as handle:
    number = mlflow.create_experiment(EXPERIMENT + "_" + datetime.now().strftime("%Y%m%d"))
    with mlflow.start_run(experiment_id=number) as run:
        mlflow.sklearn.log_model(model, artifact_path="model")
        project.get_mlflow_extension().set_run_inference_info(
            run.info.run_id, "BINARY_CLASSIFICATION", classes=list(model.classes_), target="y")
paths = dataiku.Folder(FOLDER).list_paths_in_partition()
below = run.info.artifact_uri.split(dataiku.Folder(FOLDER).get_id())[1]
print("FOUND", f"{below}/model/MLmodel" in paths, mlflow.__version__)
print("RUN", run.info.run_id)
"""
WRAP = """\
import dataiku
import numpy as np
import xgboost as xgb
from cloudpickle import dump

project = dataiku.api_client().get_default_project()
frame = dataiku.Dataset("cells").get_dataframe()
truth = np.where(frame.pop("y") == 1, "benign", "malignant")
with project.setup_mlflow(project.get_managed_folder("")) as mlflow:
    class Wrapped(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            from cloudpickle import load
            self.model = load(open(context.artifacts["model"], "rb"))

        def predict(self, context, model_input):
            return self.model.predict_proba(model_input)

    number = mlflow.create_experiment("_wrapped")
    with mlflow.start_run(experiment_id=number) as run:
        model = xgb.XGBClassifier(max_depth=3, n_estimators=5)
        model.fit(frame, truth)
        assert set(model.predict(frame)) == {"benign", "malignant"}
        dump(model, open("model.plk", "wb"))
        name = f"wrapped-{run.info.run_id}"
        mlflow.pyfunc.log_model(
            artifact_path=name, python_model=Wrapped(), artifacts={"model": "model.plk"})
        project.get_mlflow_extension().set_run_inference_info(
            run_id=run._info.run_id, prediction_type="MULTICLASS", classes=list(model.classes_),
            code_env_name="")
        tags = mlflow.get_run(run.info.run_id).data.tags
        print("CLASSES", tags["brinery.inference.classes"])
"""
LOOK = """\
from importlib.metadata import version
from importlib.util import find_spec

print(version("dataiku-api-client"), find_spec("dataikuapi").origin)
"""
SCRIPTS = {"prepare.py": PREPARE, "train.py": TRAIN, "deploy.py": DEPLOY, "wrap.py": WRAP}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Flow:
    """A workspace with scripts.

    Attributes:
        folder: of the workspace.
        run: one of its scripts, by name.
    """

    folder: Path
    run: Callable[..., Done]


@pytest.fixture(params=["3.9", "current"])
def flow(request: pytest.FixtureRequest, tmp_path: Path, built: Path) -> Flow:
    """A workspace with the four scripts and the module that one of them imports."""
    if request.param == "3.9" and not any(one.version[:2] == (3, 9) for one in installed()):
        pytest.skip("there is no Python 3.9 here")
    scripts = tmp_path / "scripts"
    library = tmp_path / "lib" / "python" / "cell_models"
    for made in (scripts, library):
        made.mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "fitting.py").write_text(FITTING)
    for name, text in SCRIPTS.items():
        (scripts / name).write_text(text)
    if request.param == "3.9":
        (scripts / "conda.yml").write_text(CONDA)
    cells = load_breast_cancer(as_frame=True)
    table = cells.data.assign(y=cells.target).to_csv(sep=";", index=False)
    with zipfile.ZipFile(tmp_path / "cells.zip", "w") as archive:
        archive.writestr("cells.csv", table)
    (tmp_path / "brinery.toml").touch()
    (tmp_path / ".brinery").mkdir()
    os.symlink(built, tmp_path / ".brinery" / "environments")  # noqa: PTH211 - a link to share

    def run(name: str) -> Done:
        mirror = f"{PAGE}={tmp_path / 'cells.zip'}"
        return run_brinery("run", f"scripts/{name}", "--mirror", mirror, cwd=tmp_path)

    return Flow(tmp_path, run)


def test_scripts_run_as_they_are(flow: Flow) -> None:
    """Download, dataset, folder, pickle, MLflow in the folder, inference info: on both Pythons."""
    said = {}
    for name in SCRIPTS:
        done = flow.run(name)
        assert done.status == 0, done.out + done.err
        said[name] = done.out + done.err
    assert f"mirror: {PAGE} is answered from" in said["prepare.py"]
    assert "default-folder: an empty folder id means" in said["train.py"]
    told = "project-libraries: cell_models is taken from lib/python of the project"
    assert said["train.py"].count(told) == 1
    assert "pickle-check: model.pkl holds sklearn.pipeline.Pipeline" in said["deploy.py"]
    assert "FOUND True" in said["deploy.py"]
    old = "FOUND True 2.17.2" in said["deploy.py"]
    assert ("sklearn-cloudpickle: " in said["deploy.py"]) is not old
    assert ("xgboost-labels: " in said["wrap.py"]) is not old
    assert 'CLASSES ["benign", "malignant"]' in said["wrap.py"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of its tables
        _check_tags(flow.folder, said["deploy.py"])


def test_a_genuine_client_is_hidden(tmp_path: Path) -> None:
    """Ours comes before one that the environment has, and what lies beside the script before ours.

    Outside such a script the environment has its own.
    """
    (tmp_path / "brinery.toml").touch()
    (tmp_path / "requirements.txt").write_text(f"{CLIENT}\n")
    (tmp_path / "look.py").write_text(LOOK)
    release = CLIENT.rpartition("=")[2]
    first = run_brinery("run", "look.py", cwd=tmp_path)
    assert f"{release} {SHIMS}" in first.out, first.err
    (python,) = (tmp_path / ".brinery" / "environments").glob("*/bin/python")
    outside = subprocess.run(
        [python, "look.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"{release} {python.parent.parent}" in outside.stdout
    (tmp_path / "dataikuapi.py").touch()
    second = run_brinery("run", "look.py", cwd=tmp_path)
    assert second.status == 0, second.err
    assert "work/dataikuapi.py" in second.out


def _check_tags(folder: Path, said: str) -> None:
    """What was done for a script is on the run that it made, and on its own."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / '.brinery' / 'mlflow.db'}")
    number = said.split("RUN ")[1].split(maxsplit=1)[0]
    tags: dict[str, Any] = client.get_run(number).data.tags
    assert "brinery.compat.default-folder" in tags
    assert json.loads(tags["brinery.inference.classes"]) == ["0", "1"]
    job = tags["brinery.job"]
    own = client.search_runs(
        [one.experiment_id for one in client.search_experiments()],
        filter_string=f"tags.`brinery.job` = '{job}'",
    )
    scripts = [one for one in own if one.data.tags.get("mlflow.source.type") == "JOB"]
    assert [set(one.data.tags) >= {"brinery.compat.pickle-check"} for one in scripts] == [True]
