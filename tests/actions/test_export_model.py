"""A registered model written in another format."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import joblib
import lightgbm
import msgspec
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tests.conftest import artifact_of

import brinery
from brinery.actions.export_model import Order, export_in
from brinery.actions.rooms import Rooms
from brinery.errors import NotExportable, ParityFailed
from brinery.flavors import catalog, naming, signature
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.description import Description
from brinery.records.export import Export, ExportFormat
from brinery.records.version import (
    Candidate,
    DataFingerprint,
    Environment,
    Origin,
    Parity,
    Version,
)

COLUMNS = ["a", "b", "c", "d"]
TABLE, SPECIES = load_iris(return_X_y=True)
FRAME = pd.DataFrame(TABLE, columns=COLUMNS)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]

Register = Callable[..., Version]


@pytest.fixture
def register(rooms: Rooms, tmp_path: Path) -> Register:
    """Registers a model, given pickled or as a file, without an import around it."""

    def register(model: Any, *, code: Path | None = None) -> Version:
        path = model
        if not isinstance(model, Path):
            path = tmp_path / "model.pkl"
            path.write_bytes(pickle.dumps(model))
        artifact = _named(path) if path.name == "callable.json" else artifact_of(path)
        if code is not None:
            artifact = msgspec.structs.replace(artifact, code=True, code_sha256=digest(code))
        description, artifact = (
            _loaded(path, artifact, code=code)
            if isinstance(model, Path)
            else _described(model, artifact)
        )
        candidate = Candidate(
            name="model",
            origin=Origin(file=path.name, sha256="a" * 64, size_bytes=1, written_with={}),
            description=description,
            signature=signature.infer(description, FRAME, may_be_missing=()),
            evaluation=None,
            environment=Environment(
                python="3.11.7", platform="linux", packages={"scikit-learn": "1.9.1"}
            ),
            data=DataFingerprint(
                name="iris", rows=150, columns=tuple(COLUMNS), sha256="b" * 64, target=None
            ),
            code=None,
            artifact=artifact,
        )
        return rooms.registry.commit(
            rooms.registry.stage(candidate, path, code=code), Parity(rows=1, max_difference=0.0)
        )

    return register


def _loaded(path: Path, artifact: Artifact, *, code: Path | None) -> tuple[Description, Artifact]:
    """Return what the process of a file's model says of it."""
    with ModelProcess(path, artifact=artifact, code=code) as process:
        return process.description, process.artifact


def _described(model: Any, artifact: Artifact) -> tuple[Description, Artifact]:
    """Return what its process would say of a model that is here: it takes no second to start."""
    flavor = catalog.owner(model)
    assert flavor is not None
    description = naming.describe(flavor.describe(model), artifact)
    return description, msgspec.structs.replace(artifact, flavor=flavor.name)


def _named(path: Path) -> Artifact:
    return Artifact(
        flavor="",
        format="callable",
        file=path.name,
        sha256=digest(path),
        globals=("shop.predict",),
    )


def export(rooms: Rooms, version: Version, to: str, folder: Path, **asked: Any) -> Export:
    """Return what was written."""
    allow = asked.pop("allow_difference", False)
    order = Order(
        version=version,
        to=ExportFormat(to),
        folder=folder,
        frame=asked.pop("frame", FRAME),
        words="iris.csv",
        **asked,
    )
    return export_in(rooms, order, allow_difference=allow)


def test_skops(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A pipeline as a skops file: skops reads it, and it answers to the bit as the model."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, NAMES)
    done = export(rooms, register(model), "skops", tmp_path / "out")
    assert done.files == ("model.skops", "requirements.txt")
    assert (done.rows, done.labels_differ, done.max_difference) == (150, 0, 0.0)
    file = tmp_path / "out" / "model.skops"
    read = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    assert read.predict(FRAME).tolist() == model.predict(FRAME).tolist()
    requirements = (tmp_path / "out" / "requirements.txt").read_text(encoding="utf-8")
    assert requirements == "scikit-learn==1.9.1\n"


def test_joblib(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A forest as a joblib file: joblib reads it."""
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(FRAME, NAMES)
    done = export(rooms, register(model), "joblib", tmp_path / "out")
    assert done.equal
    read = joblib.load(tmp_path / "out" / "model.joblib")  # noqa: TID251 - what its reader does
    assert np.array_equal(read.predict_proba(FRAME), model.predict_proba(FRAME))


def test_onnx(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A pipeline as ONNX: the labels are equal, the difference is measured and within float32's."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, NAMES)
    done = export(rooms, register(model), "onnx", tmp_path / "out")
    assert done.labels_differ == 0
    assert 0 < done.max_difference <= done.tolerance == 1e-5
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    name = session.get_inputs()[0].name
    labels = session.run(None, {name: FRAME.to_numpy(dtype=np.float32)})[0]
    assert labels.tolist() == model.predict(FRAME).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("model", [RidgeClassifier(), SVC()], ids=["ridge", "svc"])
def test_onnx_of_a_classifier_without_probabilities(
    rooms: Rooms, register: Register, tmp_path: Path, model: Any
) -> None:
    """Its label goes along; the margins that a reader would take for probabilities do not."""
    done = export(rooms, register(model.fit(TABLE, NAMES)), "onnx", tmp_path / "out")
    assert done.labels_differ == 0
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    assert len(session.get_outputs()) == 1


def test_onnx_of_an_outlier_detector(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """Its converter knows older operators only, and is given them."""
    model = IsolationForest(n_estimators=5, random_state=0).fit(TABLE)
    done = export(rooms, register(model), "onnx", tmp_path / "out")
    assert done.labels_differ == 0


@pytest.mark.slow
def test_onnx_that_differs_is_refused(bank: Any, bank_workspace: Path, tmp_path: Path) -> None:
    """A forest behind a scaler falls into other leaves in float32: refused, with the figure.

    It is written all the same where that is allowed, and the record says how far it is off.
    """
    asked = {"to": "onnx", "data": bank.test, "workspace": bank_workspace}
    with pytest.raises(ParityFailed) as raised:
        brinery.export_model("bank@1", folder=tmp_path / "out", **asked)
    assert "the largest difference is 0." in raised.value.message
    assert "--allow-difference" in raised.value.hint
    assert not (tmp_path / "out").exists()
    kept = brinery.export_model("bank@1", folder=tmp_path / "out", allow_difference=True, **asked)
    assert not kept.equal
    assert kept.max_difference > kept.tolerance
    assert (tmp_path / "out" / "model.onnx").exists()


def test_native_xgboost(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """An XGBoost estimator in XGBoost's own format."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(FRAME, SPECIES)
    done = export(rooms, register(model), "native", tmp_path / "out")
    assert (done.files[0], done.max_difference) == ("model.ubj", 0.0)
    read = xgboost.XGBClassifier()
    read.load_model(tmp_path / "out" / "model.ubj")
    assert np.array_equal(read.predict_proba(FRAME), model.predict_proba(FRAME))


def test_native_lightgbm_names_its_classes(
    rooms: Rooms, register: Register, tmp_path: Path
) -> None:
    """LightGBM's text keeps no names of classes: the export says which number is which."""
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(FRAME, NAMES)
    done = export(rooms, register(model), "native", tmp_path / "out")
    assert done.classes == ("setosa", "versicolor", "virginica")
    assert done.equal
    read = lightgbm.Booster(model_file=str(tmp_path / "out" / "model.txt"))
    assert np.allclose(read.predict(FRAME), model.predict_proba(FRAME), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("to", "file"), [("native", "model.cbm"), ("onnx", "model.onnx")])
def test_catboost(rooms: Rooms, register: Register, tmp_path: Path, *, to: str, file: str) -> None:
    """CatBoost writes its own format, and ONNX, itself."""
    model = catboost.CatBoostClassifier(iterations=5, verbose=False, allow_writing_files=False)
    model.fit(FRAME, NAMES)
    done = export(rooms, register(model), to, tmp_path / "out")
    assert done.equal
    assert file in done.files


SUMS = TABLE[:, 0] * 2 + SPECIES
FEW: dict[str, Any] = {"n_estimators": 5}
QUIET: dict[str, Any] = {**FEW, "verbose": -1}


def _trained(table: Any, **asked: Any) -> Any:
    named = xgboost.DMatrix(table, label=SPECIES, feature_names=COLUMNS)
    return xgboost.train({"num_class": 3, **asked}, named, num_boost_round=3)


def _stopped(table: Any) -> Any:
    model = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=2)
    rest = [(table[1::2], SPECIES[1::2])]
    return model.fit(table[::2], SPECIES[::2], eval_set=rest, verbose=False)


def _chosen(table: Any) -> Any:
    columns = make_column_transformer((SimpleImputer(), ["a", "d"]), ("passthrough", ["c"]))
    return make_pipeline(columns, xgboost.XGBRegressor(**FEW)).fit(table, SUMS)


def _binary_booster(table: Any) -> Any:
    asked = {"objective": "binary", "verbose": -1}
    return lightgbm.train(asked, lightgbm.Dataset(table, label=SPECIES > 1), num_boost_round=3)


# Models of XGBoost and LightGBM that ONNX holds.
BOOSTED: dict[str, Callable[[Any], Any]] = {
    "xgboost-classes": lambda table: xgboost.XGBClassifier(**FEW).fit(table, SPECIES),
    "xgboost-two": lambda table: xgboost.XGBClassifier(**FEW, base_score=0.3).fit(
        table, SPECIES > 1
    ),
    "xgboost-values": lambda table: xgboost.XGBRegressor(**FEW).fit(table, SUMS),
    "xgboost-counts": lambda table: xgboost.XGBRegressor(**FEW, objective="count:poisson").fit(
        table, SPECIES
    ),
    "xgboost-forest": lambda table: xgboost.XGBRFRegressor(**FEW).fit(table, SUMS),
    "xgboost-stopped": _stopped,
    "xgboost-booster": lambda table: _trained(table, objective="multi:softprob"),
    "xgboost-labels": lambda table: _trained(table, objective="multi:softmax"),
    "lightgbm-classes": lambda table: lightgbm.LGBMClassifier(**QUIET).fit(table, NAMES),
    "lightgbm-values": lambda table: lightgbm.LGBMRegressor(**QUIET).fit(table, SUMS),
    "lightgbm-booster": _binary_booster,
    "pipeline-xgboost": lambda table: make_pipeline(
        StandardScaler(), xgboost.XGBClassifier(**FEW)
    ).fit(table, SPECIES),
    "pipeline-lightgbm": lambda table: make_pipeline(
        SimpleImputer(), lightgbm.LGBMRegressor(**QUIET)
    ).fit(table, SUMS),
    "pipeline-columns": _chosen,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BOOSTED))
def test_onnx_of_a_boosted_model(
    rooms: Rooms, register: Register, tmp_path: Path, name: str
) -> None:
    """XGBoost and LightGBM, bare or behind steps, are written as ONNX and answer alike."""
    gaps = FRAME.mask(np.arange(FRAME.size).reshape(FRAME.shape) % 11 == 0)
    table = FRAME if name.startswith("pipeline-") else gaps
    version = register(BOOSTED[name](table))
    done = export(rooms, version, "onnx", tmp_path / "out", frame=table)
    assert (done.rows, done.labels_differ) == (150, 0)
    assert done.max_difference <= done.tolerance == 1e-5
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    assert len(session.get_inputs()) == (4 if name == "pipeline-columns" else 1)


# Models whose converter cannot write them, or writes them wrongly, by what is said.
BAGS: dict[str, Any] = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
UNHELD: dict[str, Callable[[], Any]] = {
    "XGBoost's dart": lambda: xgboost.XGBRegressor(**FEW, booster="dart"),
    "XGBoost's gblinear": lambda: xgboost.XGBRegressor(**FEW, booster="gblinear"),
    "a random forest of several classes": lambda: xgboost.XGBRFClassifier(**FEW),
    "LightGBM's random forests": lambda: lightgbm.LGBMClassifier(**QUIET, **BAGS),
    "one against all others": lambda: lightgbm.LGBMClassifier(**QUIET, objective="multiclassova"),
}


@pytest.mark.slow
@pytest.mark.parametrize("reason", list(UNHELD))
def test_boosted_models_that_onnx_does_not_hold(
    rooms: Rooms, register: Register, tmp_path: Path, reason: str
) -> None:
    """What the converters do not know is refused with its reason and the formats that hold it."""
    version = register(UNHELD[reason]().fit(FRAME, SPECIES))
    with pytest.raises(NotExportable, match=reason) as raised:
        export(rooms, version, "onnx", tmp_path / "out")
    assert "--to native and --to joblib" in raised.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_onnx_file_stays_itself(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A model that is ONNX already is written as it is."""
    model = LogisticRegression(max_iter=500).fit(TABLE, NAMES)
    first = export(rooms, register(model), "onnx", tmp_path / "out")
    assert first.equal
    file = tmp_path / "out" / "model.onnx"
    done = export(rooms, register(file), "native", tmp_path / "again")
    assert done.max_difference == 0.0
    assert (tmp_path / "again" / "model.onnx").read_bytes() == file.read_bytes()


def test_own_code_goes_along(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A function of the user's own is written with its modules."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "shop.py").write_text(
        "def predict(frame):\n    return frame['a'] * 2\n", encoding="utf-8"
    )
    path = tmp_path / "callable.json"
    path.write_text(json.dumps({"target": "shop:predict"}), encoding="utf-8")
    done = export(rooms, register(path, code=tmp_path / "code"), "mlflow", tmp_path / "out")
    assert done.files == ("callable.json", "code/")
    assert done.max_difference == 0.0


def test_what_a_format_does_not_hold(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A format that cannot hold the model is refused with those that can."""
    version = register(LogisticRegression(max_iter=500).fit(FRAME, NAMES))
    with pytest.raises(NotExportable) as raised:
        export(rooms, version, "native", tmp_path / "out")
    assert "--to skops" in raised.value.hint
    assert not (tmp_path / "out").exists()


def test_a_step_that_onnx_does_not_know(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A pipeline with a step that cannot be converted is refused, with the reason."""
    trees = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False)
    version = register(make_pipeline(StandardScaler(), trees).fit(FRAME, SPECIES))
    with pytest.raises(NotExportable) as raised:
        export(rooms, version, "onnx", tmp_path / "out")
    assert "CatBoostClassifier" in raised.value.message


@pytest.mark.slow
def test_rows_are_made_where_none_are_given(
    rooms: Rooms, register: Register, tmp_path: Path
) -> None:
    """Without data the two are compared on rows made from the signature, and it says so."""
    version = register(LogisticRegression(max_iter=500).fit(FRAME, NAMES))
    done = export(rooms, version, "skops", tmp_path / "out", frame=None)
    assert (done.rows, done.checked) == (200, "200 rows made from the signature")


def test_a_folder_that_is_not_free(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A folder with files is left alone; --force replaces an export, and nothing else."""
    version = register(LogisticRegression(max_iter=500).fit(FRAME, NAMES))
    out = tmp_path / "out"
    export(rooms, version, "skops", out)
    with pytest.raises(NotExportable) as raised:
        export(rooms, version, "joblib", out)
    assert "--force" in raised.value.hint
    assert export(rooms, version, "joblib", out, force=True).files == (
        "model.joblib",
        "requirements.txt",
    )
    assert sorted(path.name for path in out.iterdir()) == ["model.joblib", "requirements.txt"]
    (out / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(NotExportable) as raised:
        export(rooms, version, "skops", out, force=True)
    assert "thesis.tex" in raised.value.message
    assert (out / "thesis.tex").read_text(encoding="utf-8") == "years of work"


def test_a_folder_that_is_a_link(rooms: Rooms, register: Register, tmp_path: Path) -> None:
    """A link is not written through."""
    version = register(LogisticRegression(max_iter=500).fit(FRAME, NAMES))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotExportable):
        export(rooms, version, "skops", tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("to", ["skops", "joblib", "mlflow"])
def test_the_demo(bank: Any, bank_workspace: Path, tmp_path: Path, to: str) -> None:
    """The demo's pipeline of text and numbers is written, and answers alike on its own data."""
    done = brinery.export_model(
        "bank@1", to=to, folder=tmp_path / "out", data=bank.test, workspace=bank_workspace
    )
    assert (done.rows, done.labels_differ) == (905, 0)
    assert done.checked == "test.csv"


def test_an_mlflow_folder_is_mlflows(bank: Any, bank_workspace: Path, tmp_path: Path) -> None:
    """The exported MLflow folder is loaded by MLflow from where it lies."""
    folder = tmp_path / "out"
    brinery.export_model(
        "bank@1", to="mlflow", folder=folder, data=bank.test, workspace=bank_workspace
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        frame = bank.frame.drop(columns="y")
        answers = mlflow.pyfunc.load_model(str(folder)).predict(frame)
    with brinery.load("bank@1", workspace=bank_workspace) as model:
        assert np.asarray(answers).tolist() == model.predict(frame).predictions.tolist()


def test_the_command(bank: Any, bank_workspace: Path, tmp_path: Path, brinery_command: Any) -> None:
    """`brinery export` prints what was written and how near it is; --format json the record."""
    asked = ("--workspace", bank_workspace, "export", "bank@1", "--to", "joblib")
    done = brinery_command(*asked, tmp_path / "one", "--data", bank.test)
    assert done.status == 0, done.err
    assert "905 of 905 rows equal" in done.out
    again = brinery_command(*asked, tmp_path / "two", "--format", "json")
    record = json.loads(again.out)
    assert (record["format"], record["labels_differ"]) == ("joblib", 0)
    refused = brinery_command(*asked, tmp_path / "two")
    assert (refused.status, "is not empty" in refused.err) == (2, True)
