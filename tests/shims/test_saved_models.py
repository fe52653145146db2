"""Saved models, as a script has them: the modules as they are, a real gateway, a real registry."""

from __future__ import annotations

import importlib
import json
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests import patience
from tests.conftest import serving
from tests.there import texts

import brinery
from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.projects import create_project
from brinery.actions.rooms import open_rooms
from brinery.records.version import Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference

ROWS = 240


def data(seed: int = 0) -> pd.DataFrame:
    """Rows of two numbers and a category, and whether somebody buys."""
    source = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"age": source.integers(20, 70, ROWS), "balance": source.normal(1000, 300, ROWS)}
    )
    chance = 1 / (1 + np.exp(-(frame["balance"] - 1200) / 150))
    frame["y"] = np.where(source.random(ROWS) < chance, "yes", "no")
    return frame


def fitted(frame: pd.DataFrame) -> Any:
    """A small classifier."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(
        frame[["age", "balance"]], frame["y"]
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that the modules ask."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def project(workspace: Path) -> Iterator[Any]:
    """A project with the dataset `bank`, asked through the modules."""
    with brinery.shims(workspace=workspace):
        import dataiku  # noqa: PLC0415 - only there

        dataiku.Dataset("bank").write_with_schema(data())
        dataiku.Dataset("later").write_with_schema(data(1).assign(age=lambda f: f["age"] + 30))
        yield dataiku.api_client().get_default_project()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory that MLflow wrote."""
    place = tmp_path_factory.mktemp("models") / "model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.sklearn

        mlflow.sklearn.save_model(fitted(data()), str(place), serialization_format="cloudpickle")
    return place


@pytest.fixture(scope="module")
def evaluated(project: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A saved model whose version v01 is evaluated; its directory was deleted at once."""
    copy = tmp_path_factory.mktemp("gone") / "model"
    shutil.copytree(folder, copy)
    model = project.create_mlflow_pyfunc_model("clf", "BINARY_CLASSIFICATION")
    handler = model.import_mlflow_version_from_path("v01", str(copy), "some-env")
    shutil.rmtree(copy)
    assert model.get_active_version()["id"] == "v01"
    handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="bank")
    handler.evaluate("bank", skip_expensive_reports=False)
    return model


def test_an_evaluated_version_is_ours(evaluated: Any, project: Any, workspace: Path) -> None:
    """It is a registered model with a champion, found under its own id, with an audit row."""
    (version,) = evaluated.list_versions()
    assert (version["id"], version["active"], version["waiting"]) == ("v01", True, False)
    known = evaluated.get_version_details("v01").get_performance_metrics()
    assert version["snippet"]["auc"] == known["auc"]
    found = next(one for one in project.list_saved_models() if one["name"] == "clf")
    assert found["id"] == evaluated.id
    assert len(evaluated.id) == 8
    assert _named(workspace, "clf@v01").aliases == ("champion",)
    (chapter,) = brinery.history("clf", workspace=workspace)
    assert chapter.after == "clf@1"
    assert "no gate was asked" in chapter.why


def test_figures_have_the_names_that_scripts_read(evaluated: Any) -> None:
    """The figures are those of our evaluation, a binary model's at its threshold."""
    details = evaluated.get_version_details("v01")
    figures = details.get_performance_metrics()
    for name in ("auc", "accuracy", "precision", "recall", "f1", "logLoss", "averagePrecision"):
        assert 0 <= figures[name] <= 2
    raw = details.get_raw()
    cuts = raw["perf"]["perCutData"]
    assert len({len(cuts[name]) for name in ("cut", "tp", "fp", "f1", "recall")}) == 1
    threshold = details.get_user_meta()["activeClassifierThreshold"]
    assert threshold == raw["perf"]["optimalThreshold"]
    place = int(np.searchsorted(cuts["cut"], threshold))
    assert figures["f1"] == cuts["f1"][place] == max(one for one in cuts["f1"] if one is not None)
    roc = details.get_roc_curve_data()["yes"]
    assert (roc[0]["x"], roc[0]["y"]) == (0, 0)
    assert (roc[-1]["x"], roc[-1]["y"]) == (1, 1)
    features = details.get_preprocessing_settings()["per_feature"]
    assert {name: one["role"] for name, one in features.items()} == {
        "age": "INPUT",
        "balance": "INPUT",
        "y": "TARGET",
    }
    assert details.full_id == f"S-{evaluated.project_key}-{evaluated.id}-v01"
    metric = evaluated.get_metric_values("v01").get_global_value("model_perf:auc")
    assert metric == pytest.approx(figures["auc"])


def test_why_and_where_are_answered(evaluated: Any, tmp_path: Path) -> None:
    """Shapley importance, partial dependence, groups, doubts and a document."""
    details = evaluated.get_version_details("v01")
    importance = details.get_global_explanations().get_absolute_importance()
    assert next(iter(importance)) == "balance"
    assert sum(importance.values()) == pytest.approx(1)
    details.compute_shapley_feature_importance().wait_for_result()
    dependence = details.compute_partial_dependencies(["balance"])
    (drawn,) = dependence.get_partial_dependence("balance").get_raw()["data"]
    assert drawn["partialDependence"][0] < drawn["partialDependence"][-1]
    groups = details.compute_subpopulation_analyses("age").get_analysis("age")
    assert sum(one.get_raw()["nbRecords"] for one in groups.modalities) == ROWS
    with pytest.raises(ValueError, match="shoe"):
        details.compute_partial_dependencies("shoe")
    assert all(one.get_message() for one in details.get_diagnostics())
    export = details.generate_documentation().wait_for_result()["exportId"]
    details.download_documentation_to_file(export, str(tmp_path / "report.html"))
    assert "<html" in (tmp_path / "report.html").read_text()
    details.get_scoring_mlflow(str(tmp_path / "model.zip"))
    shutil.unpack_archive(tmp_path / "model.zip", tmp_path / "model")
    assert (tmp_path / "model" / "MLmodel").is_file()


def test_what_is_said_of_a_version_is_kept(evaluated: Any) -> None:
    """Its labels and its threshold; the figures are those of the threshold."""
    details = evaluated.get_version_details("v01")
    meta = details.get_user_meta()
    before = meta["activeClassifierThreshold"]
    meta["description"], meta["activeClassifierThreshold"] = "of the tests", 0.9
    details.save_user_meta()
    again = evaluated.get_version_details("v01")
    assert again.get_user_meta()["description"] == "of the tests"
    assert again.get_performance_metrics()["recall"] < details.get_performance_metrics()["recall"]
    meta["activeClassifierThreshold"] = before
    details.save_user_meta()


def test_another_version_becomes_active_and_takes_an_id_over(
    project: Any, folder: Path, workspace: Path
) -> None:
    """Ids are free; one that is given again names the newer version; the active id stays so."""
    model = project.create_mlflow_pyfunc_model("several", "BINARY_CLASSIFICATION")
    for name in ("1_b", "2026_11.a"):
        handler = model.import_mlflow_version_from_path(name, str(folder))
        handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="bank")
    assert [one["id"] for one in model.list_versions()] == ["1_b", "2026_11.a"]
    assert model.get_active_version()["id"] == "2026_11.a"
    model.set_active_version("1_b")
    assert model.get_active_version()["id"] == "1_b"
    assert _named(workspace, "several@2026_11.a").number == 2
    again = model.import_mlflow_version_from_path("2026_11.a", str(folder), set_active=False)
    again.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="bank")
    assert [one["id"] for one in model.list_versions()] == ["1_b", "2026_11.a"]
    assert _named(workspace, "several@2026_11.a").number == 3
    over = model.import_mlflow_version_from_path("1_b", str(folder), set_active=False)
    assert model.get_active_version()["id"] == "1_b"
    over.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="bank")
    assert model.get_active_version()["id"] == "1_b"
    assert _named(workspace, "several@champion").ids == ("1_b",)
    with pytest.raises(ValueError, match="active"):
        model.delete_versions("1_b")
    model.delete_versions(["2026_11.a"])
    assert [one["id"] for one in model.list_versions()] == ["1_b"]
    model.delete()
    assert "several" not in [one["name"] for one in project.list_saved_models()]


def test_what_is_wrong_is_refused_as_the_original_refuses_it(
    project: Any, evaluated: Any, folder: Path
) -> None:
    """Wrong classes, both sources of features, ids with dashes, types, and no metadata."""
    model = project.create_mlflow_pyfunc_model("wrong", "BINARY_CLASSIFICATION")
    handler = model.import_mlflow_version_from_path("v1", str(folder))
    with pytest.raises(Exception, match="exactly 2"):
        handler.set_core_metadata("y", ["a", "b", "c"], get_features_from_dataset="bank")
    with pytest.raises(Exception, match="not from both"):
        handler.set_core_metadata(
            "y", ["no", "yes"], get_features_from_dataset="bank", features_list=[]
        )
    with pytest.raises(ValueError, match="set_core_metadata first"):
        handler.evaluate("bank")
    with pytest.raises(Exception, match="the target has 'yes', 'no'"):
        handler.set_core_metadata("y", ["0", "1"], get_features_from_dataset="bank")
    of_registered = evaluated.get_external_model_version_handler("v01")
    with pytest.raises(ValueError, match="yes, no, and the model has them in the order no, yes"):
        of_registered.set_core_metadata("y", ["yes", "no"], get_features_from_dataset="bank")
    with pytest.raises(ValueError, match="dashes"):
        model.import_mlflow_version_from_path("v-1", str(folder))
    with pytest.raises(Exception, match="MLmodel"):
        model.import_mlflow_version_from_path("v2", str(folder.parent))
    with pytest.raises(FileNotFoundError):
        model.import_mlflow_version_from_path("v2", "/nowhere/model")
    with pytest.raises(ValueError, match="prediction_type"):
        project.create_mlflow_pyfunc_model("other", "CLUSTERING")
    with pytest.raises(Exception, match="did you mean clf"):
        project.get_saved_model("cfl").list_versions()
    with pytest.raises(NotImplementedError, match="brinery export"):
        evaluated.get_version_details("v01").get_scoring_pmml_stream()
    model.delete()


def test_evaluations_are_followed_and_drift_is_found(project: Any, evaluated: Any) -> None:
    """A store evaluates a version on newer rows, checks them, and tells how far they drifted."""
    from dataikuapi.dss.modelevaluationstore import (  # noqa: PLC0415 - only there
        DriftParams,
        DSSModelEvaluationStore,
        PerColumnDriftParamBuilder,
    )

    store = project.create_model_evaluation_store("watch")
    assert store.get_latest_model_evaluation() is None
    settings = store.get_settings()
    settings.get_raw().update(
        savedModelId=evaluated.id,
        datasetName="later",
        metricsChecks={"checks": [{"metricId": "auc", "minimum": 0.99, "meta": {"name": "good"}}]},
    )
    settings.save()
    store.build()
    evaluation = store.get_latest_model_evaluation()
    info = evaluation.get_full_info()
    assert info.prediction_type == "BINARY_CLASSIFICATION"
    assert info.model_full_id.endswith("-v01")
    assert info.full_id == evaluation.full_id
    assert 0 < info.metrics["auc"] < 1
    told = {one["metric"]["metricType"]: one for one in evaluation.get_metrics()["metrics"]}
    assert float(told["AUC"]["lastValues"][0]["value"]) == info.metrics["auc"]
    assert store.run_checks()["status"] == "ERROR"
    assert len(evaluation.get_sample_df()) == ROWS
    columns = PerColumnDriftParamBuilder().with_column_drift_param("balance", enabled=False)
    found = evaluation.compute_drift(drift_params=DriftParams.from_params(columns.build()))
    accuracy = found.drift_model_result.drift_model_accuracy
    assert (
        accuracy.lower_confidence_interval <= accuracy.value <= accuracy.upper_confidence_interval
    )
    assert accuracy.value > 0.6
    assert accuracy.pvalue < 0.01
    sizes = found.drift_model_result.get_raw()
    assert sizes["referenceSampleSize"] == sizes["currentSampleSize"] > 0
    assert found.univariate_drift_result.per_column_drift_data["age"]["ksTestPvalue"] < 1e-6
    handling = {one.name: one.actual_column_handling for one in found.per_column_settings}
    assert handling == {"age": "NUMERICAL", "balance": "IGNORED"}
    assert found.prediction_drift_result.psi is not None
    same = evaluation.compute_drift(reference=evaluation)
    assert same.univariate_drift_result.per_column_drift_data["age"]["ksTestPvalue"] == 1
    store.add_custom_model_evaluation(
        [DSSModelEvaluationStore.MetricDefinition("auc", 0.995)], labels=[], evaluation_id="mine"
    )
    assert store.run_checks()["status"] == "OK"
    history = store.get_metric_history("auc")["values"]
    assert [one["value"] for one in history][1:] == [0.995]
    store.delete_model_evaluations(["mine"])
    assert len(store.list_model_evaluations()) == 1


def test_a_version_is_asked_for_predictions(evaluated: Any) -> None:
    """Labels at the version's threshold, probabilities, percentiles and contributions."""
    import dataiku  # noqa: PLC0415 - only there

    model = dataiku.Model("clf")
    assert model.get_id() == evaluated.id
    assert [one["versionId"] for one in model.list_versions()] == ["v01"]
    assert model.get_version_metrics("v01").get_performance_values()["auc"] > 0.5
    predictor = model.get_predictor()
    assert predictor.get_classes() == ["no", "yes"]
    rows = data(2).iloc[::7]
    found = predictor.predict(rows, with_proba_percentile=True, with_explanations=True)
    assert list(found.index) == list(rows.index)
    assert predictor.get_proba_columns() == ["proba_no", "proba_yes"]
    threshold = evaluated.get_version_details("v01").get_user_meta()["activeClassifierThreshold"]
    assert ((found["proba_yes"] >= threshold) == (found["prediction"] == "yes")).all()
    by_chance = found.sort_values("proba_yes")["proba_percentile"]
    assert by_chance.is_monotonic_increasing
    assert 1 <= by_chance.iloc[0] < by_chance.iloc[-1] <= 100
    assert next(iter(json.loads(found["explanations"].iloc[0]))) == "balance"
    assert "age" in predictor.predict(rows, with_input_cols=True, with_probas=False)
    with pytest.raises(ValueError, match="the data frame has no rows"):
        predictor.predict(rows.head(0))
    with pytest.raises(NotImplementedError):
        predictor.predict(rows, with_conditional_outputs=True)


def test_datasets_are_named_by_texts_and_by_handles(project: Any, folder: Path) -> None:
    """A name, one with the project's key, a handle and a `dataiku.Dataset` mean the same rows."""
    dataiku = importlib.import_module("dataiku")
    model = project.create_mlflow_pyfunc_model("named", "BINARY_CLASSIFICATION")
    for number, given in enumerate(
        (
            project.get_dataset("bank"),
            dataiku.Dataset("bank"),
            f"{project.project_key}.bank",
        )
    ):
        handler = model.import_mlflow_version_from_path(f"v{number}", str(folder))
        handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset=given)
        handler.evaluate(given)
        found = model.get_version_details(f"v{number}").get_performance_metrics()
        assert found["auc"] > 0.5
    with pytest.raises(Exception, match="NOWHERE"):
        handler.evaluate("NOWHERE.bank")
    with pytest.raises(TypeError, match="a dataset is a name"):
        handler.evaluate(3)


def test_a_dataset_of_another_project_is_found(project: Any, workspace: Path, folder: Path) -> None:
    """`PROJECT.name` and handles of another project mean its rows, not those of the same name."""
    create_project(open_project_rooms(workspace), "OTHERS")
    other = project.client.get_project("OTHERS")
    dataiku = importlib.import_module("dataiku")
    dataiku.Dataset("afar", project_key="OTHERS").write_with_schema(data(4))
    model = other.create_mlflow_pyfunc_model("theirs", "BINARY_CLASSIFICATION")
    handler = model.import_mlflow_version_from_path("v1", str(folder))
    handler.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="afar")
    handler.evaluate(other.get_dataset("afar"))
    assert model.get_version_details("v1").get_performance_metrics()["auc"] > 0.5


@pytest.fixture(scope="module")
def service(project: Any, evaluated: Any) -> Any:
    """An API service with one endpoint, whose package v1 is published."""
    made = project.create_api_service("marketing")
    settings = made.get_settings()
    settings.add_prediction_endpoint("buys", evaluated.id)
    settings.save()
    made.create_package("v1", release_notes="the first")
    made.publish_package("v1")
    return made


@pytest.fixture(scope="module")
def url(service: Any, workspace: Path) -> Iterator[str]:
    """The address of the endpoint, of a server that runs."""
    with serving(workspace, "clf") as home:
        yield f"{home}/public/api/v1/{service.id}/buys"


def test_a_published_service_is_answered(service: Any, url: str) -> None:
    """Bodies and answers over HTTP have the documented shape; the version is the package's."""
    assert service.get_package_summary("v1")["endpoints"][0]["versionId"] == "v01"
    with pytest.raises(ValueError, match="published"):
        service.delete_package("v1")
    threshold = service.get_package_summary("v1")["endpoints"][0]["threshold"]
    rows = data(3)[["age", "balance"]].head(3).to_dict("records")
    one = patience.post(
        f"{url}/predict", json={"features": rows[0], "context": {"who": "me"}}
    ).json()
    many = patience.post(
        f"{url}/predict-multi",
        json={"items": [{"features": row} for row in rows], "dispatch": {"forcedGeneration": "v1"}},
    ).json()
    assert set(one["result"]) == {"prediction", "probas", "probaPercentile", "ignored"}
    assert sum(one["result"]["probas"].values()) == pytest.approx(1)
    assert 1 <= one["result"]["probaPercentile"] <= 100
    chance = one["result"]["probas"]["yes"]
    assert (one["result"]["prediction"] == "yes") == (chance >= threshold)
    assert one["apiContext"] == {
        "serviceId": "marketing",
        "endpointId": "buys",
        "serviceGeneration": "v1",
    }
    assert many["results"][0] == one["result"]
    assert len(many["results"]) == 3


def test_a_service_is_asked_by_its_client(service: Any, url: str) -> None:
    """`APINodeClient` asks for one row and for many, explained, and says what is refused."""
    client = importlib.import_module("dataikuapi").APINodeClient(
        url.partition("/public")[0] + "/", service.id
    )
    rows = data(3)[["age", "balance"]].head(3).to_dict("records")
    one = client.predict_record(
        "buys", {**rows[0], "age": np.int64(rows[0]["age"])}, with_explanations=True
    )
    assert set(one["result"]["explanations"]) == {"age", "balance"}
    many = client.predict_records(
        "buys", [{"features": row} for row in rows], forced_generation="v1"
    )
    assert len(many["results"]) == len(rows)
    assert many["results"][0]["probas"] == one["result"]["probas"]
    with pytest.raises(Exception, match="404"):
        client.predict_record("none", rows[0])
    with pytest.raises(Exception, match="balance"):
        client.predict_record("buys", {"age": 1})
    with pytest.raises(ValueError, match="features"):
        client.predict_records("buys", [rows[0]])
    with pytest.raises(NotImplementedError, match="predict_record"):
        client.run_function("buys")


@pytest.mark.parametrize("method", ["SHAPLEY", "ICE"])
def test_a_service_explains_rows(url: str, method: str, evaluated: Any) -> None:
    """Explanations are asked for with the rows; a script that asks the version has the same."""
    import dataiku  # noqa: PLC0415 - only there

    rows = data(3)[["age", "balance"]].head(2)
    wanted = {"enabled": True, "method": method, "nExplanations": 1, "nMonteCarloSteps": 25}
    body = {"items": [{"features": row} for row in rows.to_dict("records")], "explanations": wanted}
    told = patience.post(f"{url}/predict-multi", json=body).json()
    found = [one["explanations"] for one in told["results"]]
    assert [list(one) for one in found] == [["balance"], ["balance"]]
    assert told["explained"]["unit"] == "log_odds"
    assert told["explained"]["exact"] == (method == "SHAPLEY")
    one = patience.post(
        f"{url}/predict", json={"features": rows.to_dict("records")[0], "explanations": wanted}
    )
    assert one.json()["result"]["explanations"] == pytest.approx(found[0])
    predictor = dataiku.Model(evaluated.id).get_predictor("v01")
    same = predictor.predict(
        rows, with_explanations=True, explanation_method=method, n_explanations=1
    )
    sign = [json.loads(each)["balance"] > 0 for each in same["explanations"]]
    assert sign == [one["balance"] > 0 for one in found]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"rows": []}, ""),
        ({"features": {"age": 3}}, "balance"),
        ({"features": {"age": "x", "balance": 1}}, "/features/age"),
        ({"explanations": {"enabled": True, "method": "LIME"}}, "/explanations/method"),
        ({"explanations": {"enabled": True, "nExplanations": 0}}, "/explanations/nExplanations"),
        (
            {"explanations": {"enabled": True, "nMonteCarloSteps": 1}},
            "/explanations/nMonteCarloSteps",
        ),
        ({"dispatch": {"forcedGeneration": "v7"}}, "/dispatch/forcedGeneration"),
    ],
)
def test_a_wrong_question_to_a_service_is_told(url: str, body: dict[str, Any], place: str) -> None:
    """The problem names the place, under the names that clients of the platform look for too."""
    features = (
        {} if "features" in body or "rows" in body else {"features": {"age": 3, "balance": 1}}
    )
    answer = patience.post(f"{url}/predict", json={**features, **body})
    told = answer.json()
    assert answer.status_code == 422
    assert told["errorType"] == told["code"]
    assert told["message"] == told["detail"]
    errors = [one.get("pointer", one.get("column")) for one in told.get("errors", [])]
    assert errors == ([place] if place else [])


def test_a_service_may_ask_for_a_key(service: Any, url: str, workspace: Path) -> None:
    """Who sends none is told how, who sends a wrong one is refused; keys are never kept."""
    settings = service.get_settings()
    with pytest.raises(ValueError, match="OAUTH2"):
        _saved(settings, {"authMethod": "OAUTH2"})
    _saved(settings, {"authMethod": "API_KEYS", "authRealm": {"queryKeys": [{"key": "s3cret"}]}})
    body = {"features": {"age": 30, "balance": 1000}}

    def status(*auth: Any) -> int:
        return patience.post(f"{url}/predict", json=body, auth=auth or None).status_code

    try:
        _until(lambda: status() == 401)
        assert "Basic" in patience.post(f"{url}/predict", json=body).headers["www-authenticate"]
        assert status("wrong", "") == 403
        assert status("s3cret", "") == status("", "s3cret") == 200
        bearer = {"authorization": "Bearer s3cret"}
        assert patience.post(f"{url}/predict", json=body, headers=bearer).status_code == 200
        again = service.get_settings()
        again.save()
        assert "key" not in again.get_raw()["authRealm"]["queryKeys"][0]
        assert status("s3cret", "") == 200
        client = importlib.import_module("dataikuapi").APINodeClient
        home = url.partition("/public")[0]
        for told in ({"api_key": "s3cret"}, {"bearer_token": "s3cret"}):
            answer = client(home, service.id, **told).predict_record("buys", body["features"])
            assert answer["result"]["prediction"] in ("yes", "no")
        with pytest.raises(Exception, match="401"):
            client(home, service.id).predict_record("buys", body["features"])
        assert not any(b"s3cret" in text for text in texts(workspace))
    finally:
        _saved(settings, {"authMethod": "PUBLIC"})
    _until(lambda: status() == 200)


def _saved(settings: Any, changes: dict[str, Any]) -> None:
    settings.get_raw().update(changes)
    settings.save()


def _until(true: Callable[[], bool]) -> None:
    """Wait until a server has followed."""
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_paths_in_a_folder_may_begin_with_a_slash(project: Any, folder: Path) -> None:
    """A model directory of a managed folder is found with and without; another is told of."""
    import dataiku  # noqa: PLC0415 - only there

    managed = dataiku.Folder("")
    for file in (path for path in folder.rglob("*") if path.is_file()):
        managed.upload_file(f"/exported/clf/{file.relative_to(folder).as_posix()}", str(file))
    model = project.create_mlflow_pyfunc_model("slashed", "BINARY_CLASSIFICATION")
    handle = project.get_managed_folder("")
    for version, path in (
        ("v1", "/exported/clf"),
        ("v2", "exported/clf/"),
        ("v3", "//exported/clf"),
    ):
        model.import_mlflow_version_from_managed_folder(version, handle, path)
    assert [one["id"] for one in model.list_versions()] == ["v1", "v2", "v3"]
    with pytest.raises(Exception, match="nowhere"):
        model.import_mlflow_version_from_managed_folder("v4", managed.get_id(), "/nowhere")


def test_a_folder_is_that_of_the_models_project(
    project: Any, workspace: Path, folder: Path
) -> None:
    """An id means a folder of the saved model's project, a handle the one that it is of."""
    dataiku = importlib.import_module("dataiku")
    create_project(open_project_rooms(workspace), "BESIDE")
    beside = project.client.get_project("BESIDE")
    managed = dataiku.Folder(beside.create_managed_folder("kept").id, project_key="BESIDE")
    for file in (path for path in folder.rglob("*") if path.is_file()):
        managed.upload_file(file.relative_to(folder).as_posix(), str(file))
    model = beside.create_mlflow_pyfunc_model("beside", "BINARY_CLASSIFICATION")
    model.import_mlflow_version_from_managed_folder("v1", managed.get_id(), "/")
    assert dataiku.Model(f"BESIDE.{model.id}").get_name() == "beside"
    here = project.create_mlflow_pyfunc_model("here", "BINARY_CLASSIFICATION")
    for number, given in enumerate((managed, beside.get_managed_folder(managed.get_id()))):
        here.import_mlflow_version_from_managed_folder(f"v{number}", given, "")
    assert [one["id"] for one in here.list_versions()] == ["v0", "v1"]
    with pytest.raises(Exception, match="there is no folder"):
        here.import_mlflow_version_from_managed_folder("v2", managed.get_id(), "")
    with pytest.raises(Exception, match="and not int"):
        here.import_mlflow_version_from_managed_folder("v2", 3, "")


def test_a_comparison_takes_what_predicts_the_same(project: Any, evaluated: Any) -> None:
    """Versions are added by their full ids, and looked up by them."""
    comparison = project.create_model_comparison("both", "BINARY_CLASSIFICATION")
    settings = comparison.get_settings()
    full = evaluated.get_version_details("v01").full_id
    settings.add_compared_item(full)
    settings.save()
    assert comparison.get_settings().get_compared_items() == [full]
    assert comparison.get_evaluation_like_from_full_id(full).full_id == full
    other = project.create_model_comparison("other", "REGRESSION").get_settings()
    other.add_compared_item(full)
    with pytest.raises(ValueError, match="compares REGRESSION"):
        other.save()


def _named(workspace: Path, reference: str) -> Version:
    """The version that a reference means."""
    return resolve(open_rooms(workspace).registry, Reference.parse(reference))
