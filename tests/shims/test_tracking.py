"""`setup_mlflow` and the experiments of a project, on the MLflow that Brinery has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from tests.shims.conftest import Shimmed

from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.projects import create_project

# MLflow's own classes have hints that it warns of.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*type hint")]
WATCHED = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_CONTEXT")


def variables() -> dict[str, str | None]:
    """What MLflow is told by."""
    return {name: os.environ.get(name) for name in WATCHED}  # noqa: TID251 - compared


@pytest.fixture(scope="module")
def logged(shimmed: Shimmed) -> Any:
    """A run that logged a model into the default folder; tests read it."""
    folder = shimmed.dataiku.Folder("")
    before = variables()
    with shimmed.project.setup_mlflow(folder) as handle:
        assert handle is shimmed.module("mlflow")
        number = handle.create_experiment("Calls, 2026")
        with handle.start_run(experiment_id=number) as run:
            handle.log_metric("auc", 0.5)
            handle.log_param("depth", 3)
            handle.log_text("hello", "notes/a.txt")
            model = DummyClassifier().fit([[0], [1]], [0, 1])
            handle.sklearn.log_model(model, name="model")
        shimmed.project.get_mlflow_extension().set_run_inference_info(
            run.info.run_id, "BINARY_CLASSIFICATION", classes=[np.int64(0), 1], target="y"
        )
        found = handle.get_run(run.info.run_id)
    assert variables() == before
    return found


def test_files_of_a_run_lie_in_the_folder(shimmed: Shimmed, logged: Any) -> None:
    """Under the experiment's name, the run and `artifacts`; models of MLflow 3 too."""
    folder = shimmed.dataiku.Folder("")
    below = f"/Calls__2026/{logged.info.run_id}/artifacts"
    assert logged.info.artifact_uri.split(folder.get_id())[1] == below
    paths = folder.list_paths_in_partition()
    assert f"{below}/notes/a.txt" in paths
    assert f"{below}/model/MLmodel" in paths
    inner = os.stat(folder.file_path(f"{below}/model/MLmodel"))  # noqa: PTH116 - as scripts do
    assert inner.st_nlink == 2, "it is the same file as that of the model"


def test_runs_are_tagged(logged: Any) -> None:
    """A run says which compatibility steps were taken, and what its model predicts."""
    tags = logged.data.tags
    assert "the folder default" in tags["brinery.compat.default-folder"]
    assert tags["brinery.compat.sklearn-cloudpickle"].startswith("mlflow.sklearn keeps models")
    assert tags["brinery.inference.classes"] == '["0", "1"]'
    assert tags["brinery.inference.target"] == "y"


def test_active_from_construction_and_nested(shimmed: Shimmed) -> None:
    """A handle counts without `with`; the last one that is active does, in whatever order."""
    project, before = shimmed.project, variables()
    mlflow = shimmed.module("mlflow")
    folder = project.create_managed_folder("nested")
    outer = project.setup_mlflow("")
    first = mlflow.get_tracking_uri()
    inner = project.setup_mlflow(folder, host="http://127.0.0.1:9")
    assert mlflow.get_tracking_uri() == "http://127.0.0.1:9"
    outer.clear()
    assert mlflow.get_tracking_uri() == "http://127.0.0.1:9"
    again = project.setup_mlflow(folder.id)
    assert first.rpartition("/")[0] in mlflow.get_tracking_uri()
    assert mlflow.get_tracking_uri().endswith(folder.id)
    again.clear()
    inner.clear()
    inner.clear()
    assert variables() == before


def test_the_outer_experiment_is_chosen_again(shimmed: Shimmed) -> None:
    """What was set before a handle or in an outer one counts again, for MLflow and its children."""
    project, mlflow = shimmed.project, shimmed.module("mlflow")

    def chosen() -> tuple[Any, ...]:
        return (*variables().values(), mlflow.tracking.fluent._get_experiment_id())

    nothing = variables()
    with project.setup_mlflow("") as outer:
        first = outer.set_experiment("outer one")
        before = chosen()
        with project.setup_mlflow("") as inner:
            assert variables()["MLFLOW_EXPERIMENT_ID"] is None
            second = inner.set_experiment("inner one")
            third = project.setup_mlflow("")
            inner.set_experiment("innermost one")
            third.clear()
            with inner.start_run() as run:
                assert run.info.experiment_id == second.experiment_id
        assert chosen() == before
        assert variables()["MLFLOW_EXPERIMENT_ID"] == first.experiment_id
        with outer.start_run() as run:
            assert run.info.experiment_id == first.experiment_id
    assert variables() == nothing


def test_a_run_of_before_ends(shimmed: Shimmed) -> None:
    """A run that goes on elsewhere is ended, and one without an experiment lies in the folder."""
    with shimmed.project.setup_mlflow("") as handle:
        begun = handle.start_run()
        with shimmed.project.setup_mlflow(""):
            assert handle.active_run() is None
        assert handle.get_run(begun.info.run_id).info.status == "FINISHED"
        assert "/Default_" in begun.info.artifact_uri
        assert shimmed.dataiku.Folder("").get_id() in begun.info.artifact_uri


def test_experiments_of_two_projects_do_not_collide(shimmed: Shimmed, logged: Any) -> None:
    """The same name is two experiments, each in its project, under the name that it was given."""
    assert logged
    create_project(open_project_rooms(shimmed.workspace), "OTHER")
    client = shimmed.dataiku.api_client()
    other = client.get_project("OTHER")
    with other.setup_mlflow(other.create_managed_folder("trials")) as handle:
        made = handle.set_experiment("Calls, 2026")
        assert made.name == "Calls, 2026"
        assert handle.get_experiment_by_name("Calls, 2026").experiment_id == made.experiment_id
        with handle.start_run() as run:
            handle.log_metric("auc", 0.7)
    assert run.info.experiment_id == made.experiment_id
    assert made.artifact_location != logged.info.artifact_uri.split("/" + logged.info.run_id)[0]

    def named(project: Any) -> dict[str, str]:
        found = project.get_mlflow_extension().list_experiments()["experiments"]
        return {one["name"]: one["experiment_id"] for one in found}

    assert named(other) == {"Calls, 2026": made.experiment_id}
    assert named(shimmed.project)["Calls, 2026"] == logged.info.experiment_id
    other.get_mlflow_extension().rename_experiment(made.experiment_id, "Later")
    assert named(other) == {"Later": made.experiment_id}


def test_what_is_no_folder(shimmed: Shimmed) -> None:
    """Another type is a TypeError, an unknown id is named; MLflow is as it was."""
    before = variables()
    for wrong in (None, 3, object()):
        with pytest.raises(TypeError, match='must be "str", "DSSManagedFolder" or'):
            shimmed.project.setup_mlflow(wrong)
    with pytest.raises(Exception, match="NotFoundException: there is no folder nope1234"):
        shimmed.project.setup_mlflow("nope1234")
    assert variables() == before


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prediction_type": "CLUSTERING"}, "Invalid prediction type: CLUSTERING"),
        ({"prediction_type": "REGRESSION", "classes": ["a"]}, "only for BINARY"),
        ({"prediction_type": "MULTICLASS"}, "must be specified for MULTICLASS"),
        ({"prediction_type": "MULTICLASS", "classes": []}, "must be specified"),
        ({"prediction_type": "MULTICLASS", "classes": ("a", "b")}, "Wrong type for classes"),
        ({"prediction_type": "MULTICLASS", "classes": ["a", None]}, "class cannot be None"),
        ({"prediction_type": "OTHER", "code_env_name": 3}, "code_env_name must be a string"),
        ({"prediction_type": "OTHER", "target": 3}, "target must be a string"),
    ],
)
def test_what_a_model_predicts_is_checked(
    shimmed: Shimmed, given: dict[str, Any], says: str
) -> None:
    """What does not fit together is a ValueError, before anything is written down."""
    with pytest.raises(ValueError, match=says):
        shimmed.project.get_mlflow_extension().set_run_inference_info("none", **given)


def test_experiments_are_kept(shimmed: Shimmed, logged: Any) -> None:
    """They are listed, renamed, restored, made a dataset of, and removed for good with files."""
    kept = shimmed.project.get_mlflow_extension()
    assert [one["name"] for one in kept.list_models(logged.info.run_id)] == ["model"]
    with shimmed.project.setup_mlflow("") as handle:
        number = handle.create_experiment("Old")
        with handle.start_run(experiment_id=number) as run:
            handle.log_metric("m", 2.0)
        handle.delete_run(run.info.run_id)
        kept.restore_run(run.info.run_id)
        handle.delete_experiment(number)
        gone = kept.list_experiments(view_type="DELETED_ONLY")["experiments"]
        assert [one["name"] for one in gone] == ["Old"]
        kept.restore_experiment(number)
        kept.rename_experiment(number, "New")
    assert "New" in [one["name"] for one in kept.list_experiments()["experiments"]]
    assert len(kept.list_experiments(max_results=1)["experiments"]) == 1
    kept.create_experiment_tracking_dataset("runs_long", [number])
    rows = shimmed.dataiku.Dataset("runs_long").get_dataframe()
    assert rows.query("type == 'metric'")[["key", "value"]].to_numpy().tolist() == [["m", "2.0"]]
    kept.create_experiment_tracking_dataset("runs_json", format="JSON", filter_expr="metrics.m > 1")
    wide = shimmed.dataiku.Dataset("runs_json").get_dataframe()
    assert wide["run_id"].tolist() == [run.info.run_id]
    with shimmed.project.setup_mlflow("") as handle:
        handle.delete_experiment(number)
    kept.garbage_collect()
    assert kept.list_experiments(view_type="DELETED_ONLY")["experiments"] == []
    for wrong, kind in (("XML", ValueError), ("LONG", Exception)):
        with pytest.raises(kind, match=r"Invalid format|already"):
            kept.create_experiment_tracking_dataset("runs_long", format=wrong)


def test_runs_of_imports_are_not_a_scripts(shimmed: Shimmed, tmp_path: Path) -> None:
    """An experiment that has a saved model's name has the script's runs only, for the script."""
    project, mlflow = shimmed.project, shimmed.module("mlflow")
    rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "y": ["no", "yes", "no", "yes"]})
    shimmed.dataiku.Dataset("few").write_with_schema(rows)
    model = DummyClassifier().fit(rows[["a"]], rows["y"])
    mlflow.sklearn.save_model(model, str(tmp_path / "model"), serialization_format="cloudpickle")
    with project.setup_mlflow("") as handle:
        handle.set_experiment("chosen")
        with handle.start_run() as run:
            handle.log_metric("m", 1.0)
    for title in ("chosen", "alone"):
        saved = project.create_mlflow_pyfunc_model(title, "BINARY_CLASSIFICATION")
        handler = saved.import_mlflow_version_from_path("v1", str(tmp_path / "model"))
        handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="few")
    with project.setup_mlflow("") as handle:
        whole = handle.MlflowClient(handle.get_tracking_uri().partition("/managed-folders/")[0])
        assert {"chosen", "alone"} <= {one.name for one in whole.search_experiments()}
        assert len(whole.search_runs([run.info.experiment_id])) == 2
        (mine,) = handle.search_runs(experiment_names=["chosen"], output_format="list")
        (best,) = handle.search_runs(
            experiment_names=["chosen"],
            filter_string="metrics.m > 0.5",
            order_by=["attributes.start_time DESC"],
            max_results=1,
            output_format="list",
        )
    assert mine.info.run_id == best.info.run_id == run.info.run_id
    kept = project.get_mlflow_extension()
    shown = [one["name"] for one in kept.list_experiments()["experiments"]]
    assert "chosen" in shown
    assert "alone" not in shown
    kept.create_experiment_tracking_dataset("own_runs", [run.info.experiment_id], format="JSON")
    assert len(shimmed.dataiku.Dataset("own_runs").get_dataframe()) == 1


def test_experiments_of_brinery_are_not_a_scripts(shimmed: Shimmed) -> None:
    """A script does not find them, and its own of such a name lies in the folder all the same."""
    project, mlflow = shimmed.project, shimmed.module("mlflow")
    create_project(open_project_rooms(shimmed.workspace), "SECOND")
    second = project.client.get_project("SECOND")
    with project.setup_mlflow("") as handle:
        root = handle.get_tracking_uri().partition("/managed-folders/")[0]
        whole = handle.MlflowClient(root)
        # As `brinery run train.py` makes it for the run of the job.
        number = whole.create_experiment("train", artifact_location="mlflow-artifacts:/train")
        whole.create_run(number)
        assert "train" not in [one.name for one in handle.search_experiments()]
        assert handle.get_experiment_by_name("train") is None
        chosen = handle.set_experiment("train")
        assert chosen.name == "train"
        assert chosen.experiment_id != number
        with handle.start_run() as run:
            handle.log_text("hello", "a.txt")
        key = shimmed.dataiku.Folder("").get_id()
        assert run.info.artifact_uri.split(key)[1] == f"/train/{run.info.run_id}/artifacts"
        assert handle.set_experiment("train").experiment_id == chosen.experiment_id
        assert [one.name for one in handle.search_experiments()].count("train") == 1
        assert handle.get_experiment(chosen.experiment_id).name == "train"
    with second.setup_mlflow(second.create_managed_folder("trials")):
        assert mlflow.search_experiments() == []
        made = mlflow.set_experiment("train")
        assert [one.experiment_id for one in mlflow.search_experiments()] == [made.experiment_id]
    listed = project.get_mlflow_extension().list_experiments()["experiments"]
    same = [one["experiment_id"] for one in listed if one["name"] == "train"]
    assert same == [chosen.experiment_id]


def test_what_is_not_there(shimmed: Shimmed) -> None:
    """A run or an experiment that is not there is named; what cannot be is said to be none."""
    kept = shimmed.project.get_mlflow_extension()
    with pytest.raises(Exception, match="NotFoundException: there is no run"):
        kept.restore_run("0" * 32)
    with pytest.raises(Exception, match="NotFoundException: there is no experiment 999"):
        kept.rename_experiment("999", "x")
    with pytest.raises(ValueError, match="Invalid view type: NONE"):
        kept.list_experiments(view_type="NONE")
    with pytest.raises(NotImplementedError, match="brinery import"):
        kept.import_analyses_models_into_experiment([], "1")
