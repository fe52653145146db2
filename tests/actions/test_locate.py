"""What the user's word for a model means."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
import yaml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from brinery.actions.locate import locate, read
from brinery.actions.rooms import Rooms
from brinery.errors import (
    BrineryError,
    CodeUnusable,
    ModelFileError,
    ModelFileMissing,
    NotAModel,
    NotFound,
)
from brinery.pickles.digest import digest
from brinery.records.scan import Verdict
from brinery.records.source import ModelSource
from brinery.registry.mlflow import MlflowRegistry

NEEDS = ["mlflow==3.17.2", "scikit-learn==1.9.1"]


@pytest.fixture(scope="session")
def logged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Models logged and registered by MLflow itself, in a store of their own; name to URI."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        folder = tmp_path_factory.mktemp("theirs")
        uri = f"sqlite:///{folder}/mlflow.db"
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        # Not set_experiment: it would leave MLFLOW_EXPERIMENT_ID behind for every later test.
        experiment = mlflow.create_experiment(
            "theirs", artifact_location=(folder / "artifacts").as_uri()
        )
        table, species = load_iris(return_X_y=True, as_frame=True)
        model = LogisticRegression(max_iter=500).fit(table, species)
        try:
            with mlflow.start_run(experiment_id=experiment) as run:
                info = mlflow.sklearn.log_model(
                    model,
                    name="skops",
                    registered_model_name="theirs",
                    pip_requirements=NEEDS,
                    input_example=table.head(2),
                )
                # What MLflow 2 wrote: the model's files under the run's own artifacts.
                mlflow.sklearn.save_model(
                    model,
                    path=folder / "two",
                    serialization_format="cloudpickle",
                    pip_requirements=NEEDS,
                )
                mlflow.log_artifacts(str(folder / "two"), "model")
            mlflow.MlflowClient().set_registered_model_alias("theirs", "champion", "1")
        finally:
            mlflow.set_tracking_uri(before)
    return {
        "store": uri,
        "run": run.info.run_id,
        "model": str(info.model_id),
        "two": str(folder / "two"),
    }


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder for what is copied."""
    folder = tmp_path / "located"
    folder.mkdir()
    return folder


def mlflow_folder(path: Path, function: dict[str, Any], **files: bytes) -> Path:
    """Return an MLflow model directory whose python_function says what is given."""
    path.mkdir()
    flavors = {"python_function": {"python_version": "3.10.4", **function}}
    (path / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}), encoding="utf-8")
    for name, content in files.items():
        file = path / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def test_a_file_is_itself(rooms: Rooms, iris: Path, into: Path) -> None:
    """A file is the model, where it lies."""
    path = iris / "classifier.pkl"
    source = locate(rooms, str(path), into=into)
    assert source == ModelSource(path=path, name=str(path))
    assert read(source).sha256 == digest(path)


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("runs:/{run}/model", "model.pkl"),
        ("runs:/{run}/skops", "model.skops"),
        ("models:/theirs/1", "model.skops"),
        ("models:/theirs@champion", "model.skops"),
        ("models:/{model}", "model.skops"),
    ],
)
def test_uris_of_another_store(
    rooms: Rooms, logged: dict[str, str], tmp_path: Path, into: Path, *, uri: str, file: str
) -> None:
    """Runs, versions, aliases and logged models of a store, in both layouts, give their file."""
    ours = replace(
        rooms, registry=MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    )
    asked = uri.format(**logged)
    source = locate(ours, asked, into=into, tracking_uri=logged["store"])
    assert source.path.name == file
    assert source.path.is_relative_to(into)
    assert source.name == asked
    assert source.requirements.packages == tuple(sorted(NEEDS))
    assert source.requirements.python.startswith("3.")


def test_the_variable_names_the_store(
    rooms: Rooms, logged: dict[str, str], tmp_path: Path, into: Path
) -> None:
    """A URI is looked up where MLFLOW_TRACKING_URI says, unless --tracking-uri says otherwise."""
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    ours = replace(rooms, registry=registry, tracking_uri=logged["store"])
    assert locate(ours, "models:/theirs/1", into=into).path.name == "model.skops"


def test_a_uri_that_means_nothing(
    rooms: Rooms, logged: dict[str, str], tmp_path: Path, into: Path
) -> None:
    """A model that the store does not have is met with the nearest one that it has."""
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    with pytest.raises(NotFound) as raised:
        locate(
            replace(rooms, registry=registry),
            "models:/thiers/1",
            into=into,
            tracking_uri=logged["store"],
        )
    assert "models:/theirs/1" in raised.value.hint


def test_the_signature_is_declared(
    rooms: Rooms, logged: dict[str, str], tmp_path: Path, into: Path
) -> None:
    """The names of the inputs in an MLflow signature are kept."""
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts")
    source = locate(
        replace(rooms, registry=registry),
        "models:/theirs/1",
        into=into,
        tracking_uri=logged["store"],
    )
    assert source.columns == tuple(load_iris().feature_names)


def test_a_directory_is_its_frameworks_file(
    rooms: Rooms, logged: dict[str, str], into: Path
) -> None:
    """Of a directory of scikit-learn's flavor the pickle within is imported, byte for byte."""
    source = locate(rooms, logged["two"], into=into)
    assert source.path == Path(logged["two"]) / "model.pkl"
    assert (source.format, source.findings, source.code) == ("", (), None)
    assert read(source).format == "pickle"


def test_a_native_file(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """Of a directory of XGBoost's flavor the native file within is imported."""
    table, species = load_iris(return_X_y=True)
    model = xgboost.XGBClassifier(n_estimators=3).fit(table, species)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.xgboost

        mlflow.xgboost.save_model(model, path=tmp_path / "xgb", pip_requirements=["xgboost"])
    assert locate(rooms, str(tmp_path / "xgb"), into=into).path.name == "model.ubj"


def test_a_loader_needs_the_users_word(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """A loader and modules that a directory brings are named, and none of them is run."""
    marker = tmp_path / "ran"
    evil = f"open({str(marker)!r}, 'w')\ndef _load_pyfunc(path): ...\n".encode()
    path = mlflow_folder(
        tmp_path / "evil",
        {"loader_module": "evil_loader", "code": "code", "data": "data"},
        code__evil_loader_dot_py=evil,
        data__weights=b"0",
    )
    source = locate(rooms, str(path), into=into)
    assert source.format == "mlflow"
    assert {"evil_loader.__init__", "evil_loader._load_pyfunc"} <= set(
        read(source).asked(Verdict.NEEDS_TRUST)
    )
    assert not marker.exists()


def test_a_loader_beside_a_frameworks_flavor(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """A directory that names a loader of its own is that, whatever else it claims to be."""
    path = mlflow_folder(tmp_path / "two-faced", {"loader_module": "evil_loader"}, m=b"x")
    stated = yaml.safe_load((path / "MLmodel").read_text(encoding="utf-8"))
    stated["flavors"]["sklearn"] = {"pickled_model": "m"}
    (path / "MLmodel").write_text(yaml.safe_dump(stated), encoding="utf-8")
    source = locate(rooms, str(path), into=into)
    assert (source.path, source.format) == (path, "mlflow")


def test_modules_beside_a_frameworks_file(
    rooms: Rooms, logged: dict[str, str], tmp_path: Path, into: Path
) -> None:
    """The `code` of a framework's directory comes along, and needs the user's word."""
    path = tmp_path / "with-code"
    shutil.copytree(logged["two"], path)
    stated = yaml.safe_load((path / "MLmodel").read_text(encoding="utf-8"))
    stated["flavors"]["python_function"]["code"] = "code"
    (path / "MLmodel").write_text(yaml.safe_dump(stated), encoding="utf-8")
    (path / "code").mkdir()
    (path / "code" / "churn.py").write_text("X = 1\n", encoding="utf-8")
    source = locate(rooms, str(path), into=into)
    assert source.path == path / "model.pkl"
    assert source.code is not None
    assert source.code_sha256 == digest(source.code)
    assert [str(finding.name) for finding in source.findings] == ["churn.__init__"]
    assert "churn.__init__" in read(source).asked(Verdict.NEEDS_TRUST)


@pytest.mark.parametrize(
    ("function", "files", "error", "said"),
    [
        ({}, {}, NotAModel, "no framework"),
        ({"loader_module": "m", "data": "../x"}, {}, ModelFileError, "'../x'"),
        ({"loader_module": "m", "data": "/etc"}, {}, ModelFileError, "'/etc'"),
        ({"loader_module": "m", "data": "gone"}, {}, ModelFileError, "'gone'"),
        (
            {"loader_module": "m", "code": "code"},
            {"code__sklearn_dot_py": b""},
            CodeUnusable,
            "would hide",
        ),
    ],
)
def test_directories_that_are_refused(
    rooms: Rooms,
    tmp_path: Path,
    into: Path,
    *,
    function: dict[str, Any],
    files: dict[str, bytes],
    error: type[BrineryError],
    said: str,
) -> None:
    """A directory of no known flavor, or that reaches out of itself, is refused in words."""
    path = mlflow_folder(tmp_path / "model", function, **files)
    with pytest.raises(error) as raised:
        locate(rooms, str(path), into=into)
    assert said in raised.value.message


@pytest.mark.parametrize("text", ["", "[]", "a: [", "flavors: 3", "&a [*a, *a]", "[" * 5000])
def test_an_mlmodel_that_is_none(rooms: Rooms, tmp_path: Path, into: Path, text: str) -> None:
    """An MLmodel that is empty, no YAML, or nested without end is refused, and never crashes."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text(text, encoding="utf-8")
    with pytest.raises(NotAModel):
        locate(rooms, str(tmp_path / "model"), into=into)


def test_a_link_in_a_directory(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """A directory with a link to elsewhere is refused."""
    path = mlflow_folder(tmp_path / "model", {"loader_module": "m", "data": "data"})
    (path / "data").symlink_to("/etc/hostname")
    with pytest.raises(ModelFileError) as raised:
        locate(rooms, str(path), into=into)
    assert "is a link" in raised.value.message


def test_a_folder_that_is_no_model(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """A folder without an MLmodel is met with the one within it."""
    mlflow_folder(tmp_path / "model", {"loader_module": "m"})
    with pytest.raises(NotAModel) as raised:
        locate(rooms, str(tmp_path), into=into)
    assert str(tmp_path / "model") in raised.value.hint


def test_a_file_that_is_not_there(rooms: Rooms, iris: Path, into: Path) -> None:
    """A wrong name is met with the nearest."""
    with pytest.raises(ModelFileMissing) as raised:
        locate(rooms, str(iris / "clasifier.pkl"), into=into)
    assert str(iris / "classifier.pkl") in raised.value.hint


def test_named_code(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """`module:name` with --code is a small file and a copy of the code; naming it is the word."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "churn.py").write_text("def predict(frame): ...\n", encoding="utf-8")
    source = locate(rooms, "churn:predict", into=into, code=tmp_path / "src")
    assert (source.format, source.vouched) == ("callable", ("churn.predict",))
    assert source.code == into / "code"
    report = read(source)
    assert report.asked(Verdict.NEEDS_TRUST) == ("churn.predict",)
    stored = json.loads(source.path.read_text(encoding="utf-8"))
    assert stored == {"target": "churn:predict", "code_sha256": source.code_sha256}


def test_named_code_of_a_version(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """The MLflow folder of a version made of named code is that code again, and needs a word."""
    path = mlflow_folder(
        tmp_path / "model",
        {"loader_module": "brinery_loader", "data": "callable.json", "code": "loader"},
        callable_dot_json=b'{"target": "churn:predict"}',
        code__churn_dot_py=b"def predict(frame): ...",
        loader__brinery_loader_dot_py=b"",
    )
    source = locate(rooms, str(path), into=into)
    assert (source.path, source.format) == (path / "callable.json", "callable")
    assert source.code is not None
    assert [each.name for each in source.code.iterdir()] == ["churn.py"]
    assert read(source).asked(Verdict.NEEDS_TRUST) == ("churn.__init__",)


def test_named_code_is_told_apart(rooms: Rooms, tmp_path: Path) -> None:
    """Other code behind the same name is another model."""
    found = []
    for number in (1, 2):
        folder = tmp_path / f"src{number}"
        folder.mkdir()
        (folder / "churn.py").write_text(f"RATE = {number}\n", encoding="utf-8")
        into = tmp_path / f"into{number}"
        into.mkdir()
        found.append(read(locate(rooms, "churn:predict", into=into, code=folder)).sha256)
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("model", "hint"), [("churm:predict", "churn:predict"), ("zzz:predict", "it holds churn")]
)
def test_named_code_that_is_not_there(
    rooms: Rooms, tmp_path: Path, into: Path, model: str, hint: str
) -> None:
    """A module that the code does not hold is met with the nearest, or with all."""
    (tmp_path / "churn.py").write_text("", encoding="utf-8")
    with pytest.raises(CodeUnusable) as raised:
        locate(rooms, model, into=into, code=tmp_path / "churn.py")
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("churn.scorin:predict", "did you mean churn.scoring:predict?"),
        ("churn.zzz:predict", "churn has scoring"),
        ("churn.scoring.deep:predict", "churn.scoring has no module"),
    ],
)
def test_named_module_within_code_that_is_not_there(
    rooms: Rooms, tmp_path: Path, into: Path, model: str, hint: str
) -> None:
    """A module that a package of the code does not hold is met before anything is loaded."""
    (tmp_path / "src" / "churn").mkdir(parents=True)
    (tmp_path / "src" / "churn" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "src" / "churn" / "scoring.py").write_text("", encoding="utf-8")
    with pytest.raises(CodeUnusable, match=r"and --code .*src has no such file") as raised:
        locate(rooms, model, into=into, code=tmp_path / "src")
    assert raised.value.message.startswith(f"{model} is in churn/")
    assert raised.value.hint == hint


def test_named_code_needs_its_folder(rooms: Rooms, into: Path) -> None:
    """`module:name` without --code says what is missing."""
    with pytest.raises(CodeUnusable) as raised:
        locate(rooms, "churn:predict", into=into)
    assert "--code" in raised.value.hint


def test_code_beside_a_file(rooms: Rooms, tmp_path: Path, into: Path) -> None:
    """Modules come along with a pickle, as a copy with its digest."""
    (tmp_path / "churn.py").write_text("X = 1\n", encoding="utf-8")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(np.arange(3)))
    source = locate(rooms, str(tmp_path / "model.pkl"), into=into, code=tmp_path / "churn.py")
    assert source.code is not None
    assert source.code_sha256 == digest(source.code)
    assert [path.name for path in source.code.iterdir()] == ["churn.py"]
