"""Registered models: what jobs may name of MLflow's registry, beside folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.actions.assets import create_asset
from brinery.actions.models import models
from brinery.actions.registered_models import model_answer, model_answers
from brinery.errors import NotFound
from brinery.records.asset import AssetKind


def test_a_job_may_name_a_model_of_mlflow(bank_workspace: Path, tmp_path: Path) -> None:
    """By its version or as the latest, and its run's artifacts; its copy is made once."""
    newest = models(workspace=bank_workspace)[0].versions[0]
    # The workspace is another's: what is found is copied into a cache of it, and nothing else.
    data = open_asset_rooms(bank_workspace).data
    found = data.resolve(f"azureml:{newest.name}:{newest.number}")
    assert list(found.rglob("MLmodel"))
    assert data.resolve(f"azureml:{newest.name}@latest") == found
    told = model_answer(newest.name, workspace=bank_workspace)
    assert (told["version"], told["type"]) == (str(newest.number), "mlflow_model")
    names = [one["name"] for one in model_answers(workspace=bank_workspace)]
    assert newest.name in names
    with pytest.raises(NotFound, match="there is no data nobody"):
        data.resolve("azureml:nobody:1")
    with pytest.raises(NotFound):
        model_answer("nobody", workspace=bank_workspace)
    (tmp_path / "m.pkl").write_text("m")
    create_asset(AssetKind.MODEL, workspace=tmp_path, name="m", path=str(tmp_path / "m.pkl"))
    assert [one["type"] for one in model_answers(workspace=tmp_path)] == ["custom_model"]
