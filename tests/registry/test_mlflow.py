"""What an ordinary MLflow program sees of what Brinery registered."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import brinery
from brinery.errors import NotServable, RegistryFault
from brinery.registry.mlflow import MlflowRegistry

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
frame = pd.read_csv(sys.argv[2], sep=";").drop(columns="y")
answers = {
    uri: mlflow.pyfunc.load_model(uri).predict(frame).tolist() for uri in sys.argv[3:]
}
answers["probabilities"] = mlflow.sklearn.load_model(sys.argv[3]).predict_proba(frame).tolist()
print(json.dumps(answers))
"""


def _uri(workspace: Path) -> str:
    return f"sqlite:///{workspace}/.brinery/mlflow.db"


LOGGED = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("bank")
with mlflow.start_run(run_name="tuned"):
    mlflow.log_metrics({"roc_auc": 0.91, "lost": float("nan")})
"""


@pytest.fixture
def client(bank_workspace: Path) -> Iterator[MlflowClient]:
    """An ordinary MLflow client of the workspace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        yield MlflowClient(tracking_uri=_uri(bank_workspace), registry_uri=_uri(bank_workspace))


def test_another_program_gets_the_same_predictions(bank: Any, bank_workspace: Path) -> None:
    """An MLflow program loads the model by number, alias and stage, and predicts as we do."""
    uris = ["models:/bank/1", "models:/bank@champion", "models:/bank/Production"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, _uri(bank_workspace), str(bank.test), *uris],
        capture_output=True,
        text=True,
        check=True,
        cwd=bank_workspace,
    )
    answers = json.loads(done.stdout)
    with brinery.load("bank@champion", workspace=bank_workspace) as model:
        ours = model.predict(bank.frame)
    for uri in uris:
        assert answers[uri] == ours.predictions.tolist()
    assert ours.probabilities is not None
    assert answers["probabilities"] == ours.probabilities.tolist()


def test_the_run_holds_the_figures(bank_workspace: Path, client: MlflowClient) -> None:
    """MLflow's run shows the metrics, the parameters, the data set and the logged model."""
    version = client.get_model_version("bank", "1")
    assert version.run_id is not None
    run = client.get_run(version.run_id)
    ours = brinery.version("bank@1", workspace=bank_workspace)
    assert ours.candidate is not None
    assert ours.candidate.evaluation is not None
    assert run.data.metrics == pytest.approx(ours.candidate.evaluation.metrics, abs=0)
    assert run.data.params["target"] == "y"
    assert run.info.status == "FINISHED"
    assert run.inputs is not None
    assert run.outputs is not None
    assert [data.dataset.name for data in run.inputs.dataset_inputs] == ["test.csv"]
    (output,) = run.outputs.model_outputs
    assert version.source == f"models:/{output.model_id}"
    logged = client.get_logged_model(output.model_id)
    assert {metric.key for metric in logged.metrics or ()} == set(run.data.metrics)
    assert {metric.dataset_name for metric in logged.metrics or ()} == {"test.csv"}


def test_a_run_of_the_users_own_is_on_the_leaderboard(tmp_path: Path) -> None:
    """What a program logs in the experiment of a model's name is a run of it: what is finite."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    registry = MlflowRegistry(uri, tmp_path / "artifacts")
    assert registry.runs("bank") == []
    subprocess.run([sys.executable, "-c", LOGGED, uri], check=True, cwd=tmp_path)
    (run,) = registry.runs("bank")
    assert (run.name, run.metrics, run.data) == ("tuned", {"roc_auc": 0.91}, "")
    assert run.created.tzinfo is not None


def test_a_real_server_shows_the_run(bank_workspace: Path, free_port: int) -> None:
    """MLflow's own server, started on the workspace, shows the run, its model and its version."""
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(free_port)]
    environ = {
        **os.environ,  # noqa: TID251 - passed on to a program that is not ours
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    server = subprocess.Popen(
        [*command, "--backend-store-uri", _uri(bank_workspace)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{free_port}"
        _wait_for(f"{url}/health", server)
        experiment = _get(f"{url}/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=bank")
        version = _get(f"{url}/ajax-api/2.0/mlflow/model-versions/get?name=bank&version=1")
        run_id = version["model_version"]["run_id"]
        run = _get(f"{url}/ajax-api/2.0/mlflow/runs/get?run_id={run_id}")["run"]
        page = urllib.request.urlopen(f"{url}/").read().decode()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=120)
    assert run["info"]["experiment_id"] == experiment["experiment"]["experiment_id"]
    assert {metric["key"] for metric in run["data"]["metrics"]} >= {"accuracy", "roc_auc"}
    assert version["model_version"]["current_stage"] == "Production"
    assert "MLflow" in page


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        assert server.poll() is None
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
    raise AssertionError("MLflow's server did not come up")


def test_every_type_of_column_goes_through_mlflow(tmp_path: Path) -> None:
    """A frame of whole numbers, gaps, booleans, texts and categoricals is scored by pyfunc too."""
    import mlflow

    frame = pd.DataFrame(
        {
            "whole": range(60),
            "gaps": [float("nan") if i % 7 == 0 else i / 3 for i in range(60)],
            "flag": [i % 2 == 0 for i in range(60)],
            "text": pd.Categorical(["abc"[i % 3] for i in range(60)]),
            "code": pd.Categorical([i % 4 for i in range(60)]),
        }
    )
    own = HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=5)
    own.fit(frame, frame["whole"] * 2.0)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(own))
    brinery.import_model(tmp_path / "model.pkl", name="types", data=frame, workspace=tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(_uri(tmp_path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers = mlflow.pyfunc.load_model("models:/types/1").predict(frame)
    finally:
        mlflow.set_tracking_uri(before)
    assert np.asarray(answers).tolist() == own.predict(frame).tolist()


def test_requirements_are_the_models_own(bank_workspace: Path) -> None:
    """The model directory asks for what the model uses, pinned, and not for all that is there."""
    (file,) = bank_workspace.glob(".brinery/artifacts/bank/models/*/artifacts/requirements.txt")
    names = {line.partition("==")[0] for line in file.read_text().splitlines()}
    assert {"mlflow", "scikit-learn", "numpy", "scipy", "pandas"} <= names
    assert not names & {"granian", "starlette", "ruff", "pytest", "pyarrow", "brinery"}


def test_the_bytes_are_the_users(bank: Any, bank_workspace: Path) -> None:
    """What is registered is the file that was imported, byte for byte."""
    (file,) = bank_workspace.glob(".brinery/artifacts/bank/models/*/artifacts/model.pkl")
    assert file.read_bytes() == bank.model.read_bytes()


def test_a_strangers_version_is_listed_and_not_loaded(
    bank_workspace: Path, client: MlflowClient
) -> None:
    """A version that another program registered is listed as it is, and never loaded."""
    client.create_registered_model("stranger")
    client.create_model_version("stranger", source="file:///nowhere")
    version = brinery.version("stranger", workspace=bank_workspace)
    assert (version.reference, version.candidate, version.parity) == ("stranger@1", None, None)
    with pytest.raises(NotServable) as raised:
        brinery.load("stranger@1", workspace=bank_workspace)
    assert "brinery import" in raised.value.hint


def test_an_alias_set_by_others_is_the_truth(bank_workspace: Path, client: MlflowClient) -> None:
    """An alias that another program sets is resolved like ours."""
    client.set_registered_model_alias("bank", "canary", "1")
    assert brinery.version("bank@canary", workspace=bank_workspace).number == 1
    client.delete_registered_model_alias("bank", "canary")


def test_the_processs_own_uri_is_left_alone(
    bank: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import leaves the tracking URI of the user's own MLflow code as it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mine.db")
    before = mlflow.get_tracking_uri()
    brinery.import_model(bank.model, name="bank", data=bank.test, workspace=tmp_path)
    assert mlflow.get_tracking_uri() == before


def test_the_database_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """A half made database of a killed process is made anew; other runs' artifacts go with ours."""
    (tmp_path / "mlflow.db.part").write_bytes(b"half of a database")
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    registry.open()
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".lock") == ["mlflow.db"]
    from mlflow import MlflowClient

    default = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db").get_experiment("0")
    assert default.artifact_location == f"{(tmp_path / 'artifacts').as_uri()}/0"


def test_foreign_errors_are_translated(tmp_path: Path) -> None:
    """What MLflow, SQLAlchemy and the file system raise becomes a fault of the registry."""
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    with pytest.raises(RegistryFault):
        registry.open()
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db/not-a-folder/mlflow.db", tmp_path)
    with pytest.raises(RegistryFault):
        registry.open()
