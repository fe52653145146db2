"""A model that cannot be asked for predictions, on the command line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from sklearn.cluster import DBSCAN, KMeans
from tests.conftest import run_brinery, serving

WHY = "cannot be asked for predictions, because it holds tensors, and no program that uses them"
WAIT_S = 120.0
X = np.random.default_rng(5).normal(size=(30, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, a clusterer that predicts, and its data."""
    made = tmp_path_factory.mktemp("unscored")
    save_file({"layer": np.zeros((2, 3), np.float32)}, made / "weights.safetensors")
    (made / "kmeans.pkl").write_bytes(pickle.dumps(KMeans(2).fit(X)))
    (made / "dbscan.pkl").write_bytes(pickle.dumps(DBSCAN().fit(X)))
    pd.DataFrame(X, columns=["a", "b"]).to_csv(made / "x.csv", index=False)
    return made


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Path:
    """A workspace in which weights are the champion of their name, beside what can be asked."""
    space = folder / "workspace"
    space.mkdir()
    data = ("--data", folder / "x.csv")
    for file, more in (("weights.safetensors", ()), ("kmeans.pkl", data)):
        name = file.partition(".")[0]
        done = run_brinery("--workspace", space, "import", folder / file, "--name", name, *more)
        assert done.status == 0, done.err
    done = run_brinery("--workspace", space, "promote", "weights@1")
    assert done.out.endswith("Next: brinery export weights --to native FOLDER\n")
    return space


def test_scan_tells(folder: Path) -> None:
    """A scan says that no data is needed, in the command that it suggests and to programs."""
    path = folder / "dbscan.pkl"
    lines = run_brinery("scan", path).out.splitlines()
    assert "  type      other: it cannot be asked for predictions, and needs no data" in lines
    assert f"  next:     brinery import {path} --name NAME" in lines
    (found,) = json.loads(run_brinery("scan", path, "--format", "json").out)
    assert found["predicts"] is False
    assert "--data FILE" in run_brinery("scan", folder / "kmeans.pkl").out


def test_data_is_asked_for(folder: Path, tmp_path: Path) -> None:
    """A model that predicts is not imported without data: one error, and the command."""
    path = folder / "kmeans.pkl"
    done = run_brinery("--workspace", tmp_path, "import", path, "--name", "k", "--format", "json")
    assert (done.status, done.out) == (2, "")
    error = json.loads(done.err.splitlines()[-1])["error"]
    assert error["code"] == "data-required"
    assert error["hint"] == f"brinery import {path} --name k --data FILE"
    assert not list(tmp_path.iterdir())


def test_shown(workspace: Path, brinery_command: Any) -> None:
    """Its page says why it is not scored; as JSON the reason is a field; the list says other."""
    shown = brinery_command("--workspace", workspace, "model", "show", "weights@1").out
    assert f"scored by    nothing: it {WHY}" in shown
    assert "parity       the registered file is the same bytes" in shown
    told = brinery_command(
        "--workspace", workspace, "model", "show", "weights@champion", "--format", "json"
    )
    unscored = json.loads(told.out)["candidate"]["description"]["unscored"]
    assert unscored["reason"] == "it holds tensors, and no program that uses them"
    assert "torch.onnx.export" in unscored["instead"]
    listed = brinery_command("--workspace", workspace, "model", "list").out
    line = next(line for line in listed.splitlines() if line.startswith("weights "))
    assert line.split()[1:7] == ["1", "none", "1", "other", "not", "scored"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "weights", "--data", "x.csv"],
        ["predict", "weights", "--data", "x.csv", "--output", "out/"],
        ["serve", "weights"],
        ["serve", "weights@1", "kmeans"],
        ["export", "weights", "out", "--to", "onnx"],
    ],
    ids=" ".join,
)
def test_refused(arguments: list[str], folder: Path, workspace: Path) -> None:
    """Who asks it for predictions gets one error, with the reason and what to do."""
    done = run_brinery("--workspace", workspace, *arguments, cwd=folder)
    assert (done.status, done.out) == (2, "")
    said = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert "because it holds tensors, and no program that uses them" in said[0]
    hint = "--to native" if arguments[0] == "export" else "torch.onnx.export"
    assert hint in done.err
    assert "Traceback" not in done.err
    assert not (folder / "out").exists()


def test_exported(folder: Path, workspace: Path, tmp_path: Path) -> None:
    """Its own file is written again, byte for byte."""
    done = run_brinery(
        "--workspace", workspace, "export", "weights", tmp_path / "out", "--to", "native"
    )
    assert done.status == 0, done.err
    assert "compared on  its bytes: sha256 " in done.out
    written = (tmp_path / "out" / "model.safetensors").read_bytes()
    assert written == (folder / "weights.safetensors").read_bytes()


def test_a_server_of_all(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A server of all models says that it does not serve it, and serves the others."""
    with serving(workspace, "--all") as url, httpx.Client(base_url=url, timeout=WAIT_S) as client:
        refused = client.post("/v1/models/weights/predict", json={"a": 1})
        assert (refused.status_code, WHY in refused.json()["detail"]) == (503, True)
        answered = client.post("/v1/models/kmeans/predict", json={"a": 1, "b": 2})
        assert answered.status_code == 200
        listed = {one["name"]: one for one in client.get("/v1/models").json()["models"]}
        assert listed["weights"]["fault"] == f"weights@1 {WHY}"
        assert listed["kmeans"]["fault"] is None
        assert client.get("/v2/health/ready").status_code == 200
        assert client.get("/v2/models/weights/ready").status_code == 503
        assert client.get("/docs", follow_redirects=True).status_code == 200
    said = capfd.readouterr().err
    assert f"weights is not served: weights@1 {WHY}" in said
    assert "Traceback" not in said
