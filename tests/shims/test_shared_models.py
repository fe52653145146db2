"""Saved models of a store that several workspaces share, as scripts of each see them."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.postgres import Postgres

import brinery

pytestmark = pytest.mark.slow

SOURCE = np.random.default_rng(5)
X = pd.DataFrame({"age": SOURCE.integers(20, 70, 200), "balance": SOURCE.normal(size=200)})
DATA = X.assign(y=np.where(X["balance"] + SOURCE.normal(size=200) > 0, "yes", "no"))


@pytest.fixture(scope="module")
def folders(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two workspaces of one database and one folder of models."""
    both = (tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs"))
    models = tmp_path_factory.mktemp("models")
    settings = f'[store]\nuri = "{postgres.database()}"\nartifacts = "{models}"\n'
    for folder in both:
        (folder / "brinery.toml").write_text(settings, encoding="utf-8")
    return both


@contextmanager
def project_in(workspace: Path) -> Iterator[Any]:
    """Give the project as a script of a workspace has it."""
    with brinery.shims(workspace=workspace):
        yield import_module("dataiku").api_client().get_default_project()


@pytest.fixture(scope="module")
def ours(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a script of the first workspace knows of the saved model that it made."""
    place = tmp_path_factory.mktemp("mlflow") / "model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.sklearn

        model = LogisticRegression().fit(X, DATA["y"])
        mlflow.sklearn.save_model(model, str(place), serialization_format="cloudpickle")
    with project_in(folders[0]) as project:
        dataset = import_module("dataiku").Dataset("bank")
        dataset.write_with_schema(DATA)
        made = project.create_mlflow_pyfunc_model("clf", "BINARY_CLASSIFICATION")
        for name in ("v01", "v02"):
            handler = made.import_mlflow_version_from_path(name, str(place), set_active=False)
            handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="bank")
            handler.evaluate("bank")
        made.set_active_version("v01")
        made.import_mlflow_version_from_path("v03", str(place), set_active=False)
        return {"id": made.id, **seen(made)}


def seen(model: Any) -> dict[str, Any]:
    """What a script is told of a saved model."""
    return {
        "versions": [(one["id"], one["active"]) for one in model.list_versions()],
        "active": model.get_active_version()["id"],
        "figures": model.get_version_details("v01").get_performance_metrics(),
        "meta": model.get_version_details("v01").get_user_meta(),
        "core": model.get_version_details("v01").get_raw()["coreParams"],
        "type": model.get_settings().prediction_type,
    }


def test_another_workspace_sees_the_same_saved_model(
    folders: tuple[Path, Path], ours: dict[str, Any]
) -> None:
    """Its id, versions, active version, figures, threshold and settings are those of the first."""
    with project_in(folders[1]) as project:
        (listed,) = (one for one in project.list_saved_models() if one["name"] == "clf")
        assert listed["id"] == ours["id"]
        there = seen(project.get_saved_model(ours["id"]))
    assert there == {key: value for key, value in ours.items() if key != "id"}
    assert there["versions"] == [("v01", True), ("v02", False), ("v03", False)]
    assert there["figures"]["auc"] > 0.5


def test_what_another_changes_is_seen(folders: tuple[Path, Path], ours: dict[str, Any]) -> None:
    """A version that is activated elsewhere, and what is said of it there, are so everywhere."""
    for doing, looking, version in ((1, 0, "v02"), (0, 1, "v01")):
        with project_in(folders[doing]) as project:
            model = project.get_saved_model(ours["id"])
            model.set_active_version(version)
            details = model.get_version_details("v02")
            details.get_user_meta()["description"] = f"by {doing}"
            details.save_user_meta()
        with project_in(folders[looking]) as project:
            model = project.get_saved_model(ours["id"])
            assert model.get_active_version()["id"] == version
            meta = model.get_version_details("v02").get_user_meta()
            assert meta["description"] == f"by {doing}"


def test_what_lies_elsewhere_is_said(folders: tuple[Path, Path], ours: dict[str, Any]) -> None:
    """A version that waits, or rows that were evaluated, in another workspace: one clear error."""
    shutil.rmtree(folders[0] / ".brinery" / "cache" / "evaluated")  # as on another machine
    with project_in(folders[1]) as project:
        model = project.get_saved_model(ours["id"])
        waiting = model.get_external_model_version_handler("v03")
        waiting.set_core_metadata("y", ["no", "yes"], features_list=[])
        import_module("dataiku").Dataset("own").write_with_schema(DATA)
        with pytest.raises(Exception, match="v03 of clf waits for data in the workspace that"):
            waiting.evaluate("own")
        with pytest.raises(Exception, match="v01 of clf was evaluated on are not in this"):
            model.get_version_details("v01").compute_shapley_feature_importance().wait_for_result()
