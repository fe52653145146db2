"""Every flavor that Brinery registers, loaded by an ordinary MLflow program."""

from __future__ import annotations

import importlib.util
import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import msgspec
import numpy as np
import pandas as pd
import pytest
import skl2onnx
import skops.io
import statsmodels.api
import xgboost
import yaml
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from tests.conftest import artifact_of

from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.description import Unscored
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType, Signature
from brinery.records.version import (
    Candidate,
    DataFingerprint,
    Environment,
    Origin,
    Parity,
)
from brinery.registry.mlflow import MlflowRegistry

# Every kind of model is built, registered and loaded once for all the tests.
pytestmark = pytest.mark.slow

COLUMNS = ("a", "b", "c", "d")

# Loads every version by MLflow's generic loader and, where it has one, by its framework's own.
PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
frame = pd.read_parquet(sys.argv[2])
found = {}
def plain(answers):
    if isinstance(answers, pd.DataFrame):
        answers = answers.iloc[:, 0]
    return np.asarray(answers).reshape(len(frame), -1).tolist()
for name, native in json.loads(sys.argv[3]).items():
    uri = f"models:/{name}/1"
    try:
        generic = plain(mlflow.pyfunc.load_model(uri).predict(frame))
    except mlflow.exceptions.MlflowException as error:
        generic = str(error)
    own = None
    if native:
        module = __import__(f"mlflow.{native}", fromlist=["load_model"])
        own = type(module.load_model(uri)).__name__
    found[name] = {"generic": generic, "own": own}
print(json.dumps(found))
"""

MODULE = """
import numpy as np
def predict(frame):
    return frame["a"] * 2 + frame["b"]
class Doubler:
    def predict(self, frame):
        return np.asarray(frame["a"]) * 2
"""

Built = tuple[Path, Any, str | None, str | None]
"""A model file or folder, what its library answers, and MLflow's flavor and class of it."""


class Bench:
    """Builds the models, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        table, species = load_iris(return_X_y=True)
        self.folder = folder
        self.frame = pd.DataFrame(table, columns=list(COLUMNS))
        self.species = species
        self.names = np.array(["setosa", "versicolor", "virginica"])[species]
        self.length = table[:, 2]
        self.code = folder / "code"
        self.code.mkdir()
        (self.code / "shop.py").write_text(MODULE, encoding="utf-8")

    def path(self, name: str) -> Path:
        """Return a path in a new folder."""
        folder = self.folder / f"made-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return folder / name

    def pickled(self, model: Any) -> Path:
        """Return the pickle of a model."""
        path = self.path("model.pkl")
        path.write_bytes(pickle.dumps(model))
        return path


def sklearn_pickle(bench: Bench) -> Built:
    """A plain pickle of scikit-learn, with classes of text."""
    model = LogisticRegression(max_iter=500).fit(bench.frame, bench.names)
    return bench.pickled(model), model.predict(bench.frame), "sklearn", "LogisticRegression"


def skops_file(bench: Bench) -> Built:
    """A skops file."""
    model = LogisticRegression(max_iter=500).fit(bench.frame, bench.names)
    path = bench.path("model.skops")
    skops.io.dump(model, path)
    return path, model.predict(bench.frame), "sklearn", "LogisticRegression"


def xgboost_pickle(bench: Bench) -> Built:
    """A pickle of an XGBoost estimator."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(bench.frame, bench.species)
    return bench.pickled(model), model.predict(bench.frame), "sklearn", "XGBClassifier"


def xgboost_ubj(bench: Bench) -> Built:
    """An XGBoost estimator in XGBoost's own format."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(bench.frame, bench.species)
    path = bench.path("model.ubj")
    model.save_model(path)
    return path, model.predict(bench.frame), "xgboost", "XGBClassifier"


def xgboost_booster_json(bench: Bench) -> Built:
    """A booster in XGBoost's JSON."""
    data = xgboost.DMatrix(bench.frame, label=bench.length)
    booster = xgboost.train({"max_depth": 3}, data, num_boost_round=3)
    path = bench.path("model.json")
    booster.save_model(path)
    return path, booster.predict(data), "xgboost", "Booster"


def xgboost_booster_pickle(bench: Bench) -> Built:
    """A pickled booster, which MLflow has no loader for."""
    data = xgboost.DMatrix(bench.frame, label=bench.length)
    booster = xgboost.train({"max_depth": 3}, data, num_boost_round=3)
    return bench.pickled(booster), booster.predict(data), None, None


def lightgbm_pickle(bench: Bench) -> Built:
    """A pickle of a LightGBM estimator, with classes of text."""
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(bench.frame, bench.names)
    return bench.pickled(model), model.predict(bench.frame), "lightgbm", "LGBMClassifier"


def lightgbm_text(bench: Bench) -> Built:
    """A LightGBM booster in its own text."""
    data = lightgbm.Dataset(bench.frame, label=bench.length)
    booster = lightgbm.train({"verbose": -1}, data, num_boost_round=3)
    path = bench.path("model.txt")
    booster.save_model(path)
    return path, booster.predict(bench.frame), "lightgbm", "Booster"


def catboost_cbm(bench: Bench) -> Built:
    """A CatBoost classifier in its own format, with classes of text."""
    model = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False)
    model.fit(bench.frame, bench.names)
    path = bench.path("model.cbm")
    model.save_model(str(path))
    return path, model.predict(bench.frame), "catboost", "CatBoostClassifier"


def catboost_pickle(bench: Bench) -> Built:
    """A pickled CatBoost regressor."""
    model = catboost.CatBoostRegressor(iterations=3, verbose=False, allow_writing_files=False)
    model.fit(bench.frame, bench.length)
    return bench.pickled(model), model.predict(bench.frame), "sklearn", "CatBoostRegressor"


def _onnx(bench: Bench, model: Any) -> Path:
    path = bench.path("model.onnx")
    options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    table = bench.frame.to_numpy().astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = skl2onnx.to_onnx(model, table, options=options)
    path.write_bytes(graph.SerializeToString())
    return path


def onnx_classifier(bench: Bench) -> Built:
    """A classifier in ONNX: a label and probabilities, which MLflow's loader cannot put in one."""
    model = LogisticRegression(max_iter=500).fit(bench.frame.to_numpy(), bench.names)
    return _onnx(bench, model), model.predict(bench.frame.to_numpy()), "onnx", "ModelProto"


def onnx_regression(bench: Bench) -> Built:
    """A regression in ONNX, which computes in float32."""
    model = LinearRegression().fit(bench.frame.to_numpy(), bench.length)
    predicted = model.predict(bench.frame.to_numpy())
    return _onnx(bench, model), predicted.astype(np.float32), "onnx", "ModelProto"


def statsmodels_constant(bench: Bench) -> Built:
    """A pickle of results of statsmodels on columns that `add_constant` added one to."""
    with_constant = statsmodels.api.add_constant(bench.frame)
    results = statsmodels.api.OLS(bench.length, with_constant).fit()
    predicted = results.predict(with_constant)
    return bench.pickled(results), predicted, "statsmodels", "RegressionResultsWrapper"


def statsmodels_pickle(bench: Bench) -> Built:
    """A pickle of results of statsmodels."""
    results = statsmodels.api.OLS(bench.length, bench.frame).fit()
    return (
        bench.pickled(results),
        results.predict(bench.frame),
        "statsmodels",
        "RegressionResultsWrapper",
    )


def python_model(bench: Bench) -> Built:
    """A folder of a `PythonModel` with an artifact, kept as it came."""
    path, rate = bench.path("model"), bench.path("rate.txt")
    rate.write_text("3", encoding="utf-8")
    program = (
        "import mlflow, sys\n"
        "class Rated(mlflow.pyfunc.PythonModel):\n"
        "    def load_context(self, context):\n"
        "        self.rate = float(open(context.artifacts['rate']).read())\n"
        "    def predict(self, context, model_input):\n"
        "        return model_input['a'] * self.rate\n"
        "mlflow.pyfunc.save_model(sys.argv[1], python_model=Rated(),\n"
        "    artifacts={'rate': sys.argv[2]}, pip_requirements=['mlflow', 'tomli==2.0.1'])\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(path), str(rate)]
    subprocess.run(command, check=True, capture_output=True, cwd=path.parent)
    return path, bench.frame["a"] * 3, None, None


def callable_file(bench: Bench) -> Built:
    """A function of the user's own."""
    path = bench.path("callable.json")
    path.write_text(json.dumps({"target": "shop:predict"}), encoding="utf-8")
    return path, bench.frame["a"] * 2 + bench.frame["b"], None, None


def own_class(bench: Bench) -> Built:
    """A pickle of a class of the user's own."""
    spec = importlib.util.spec_from_file_location("shop", bench.code / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    shop = importlib.util.module_from_spec(spec)
    sys.modules["shop"] = shop
    try:
        spec.loader.exec_module(shop)
        return bench.pickled(shop.Doubler()), bench.frame["a"] * 2, None, None
    finally:
        del sys.modules["shop"]


BUILDERS: dict[str, Callable[[Bench], Built]] = {
    builder.__name__.replace("_", "-"): builder
    for builder in (
        *(sklearn_pickle, skops_file, xgboost_pickle, xgboost_ubj, xgboost_booster_json),
        *(xgboost_booster_pickle, lightgbm_pickle, lightgbm_text, catboost_cbm, catboost_pickle),
        *(onnx_classifier, onnx_regression, statsmodels_pickle, python_model, callable_file),
        *(own_class, statsmodels_constant),
    )
}
WITH_CODE = {"callable-file", "own-class"}


def _artifact(path: Path, code: Path | None) -> Artifact:
    if path.name == "callable.json":
        found = Artifact(
            flavor="",
            format="callable",
            file=path.name,
            sha256=digest(path),
            globals=("shop.predict",),
        )
    else:
        found = artifact_of(path)
    if code is None:
        return found
    return msgspec.structs.replace(found, code=True, code_sha256=digest(code))


def _candidate(name: str, process: ModelProcess, frame: pd.DataFrame) -> Candidate:
    return Candidate(
        name=name,
        origin=Origin(file="model", sha256="a" * 64, size_bytes=1, written_with={}),
        description=process.description,
        signature=Signature(
            columns=tuple(Column(name=each, type=ColumnType.NUMBER) for each in frame.columns),
            example={str(key): value for key, value in frame.iloc[0].items()},
        ),
        evaluation=None,
        environment=Environment(
            python="3.11.7", platform="linux-x86_64", packages={"numpy": np.__version__}
        ),
        data=DataFingerprint(
            name="iris.csv", rows=len(frame), columns=COLUMNS, sha256="b" * 64, target=None
        ),
        code=None,
        artifact=process.artifact,
    )


class Answers:
    """What MLflow answers with each version, beside what its library does."""

    def __init__(self, built: dict[str, Built], found: dict[str, Any], registry: Any) -> None:
        self.built = built
        self.found = found
        self.registry = registry


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """All the models, registered by Brinery and then loaded in one MLflow program."""
    folder = tmp_path_factory.mktemp("flavors")
    bench = Bench(folder)
    uri = f"sqlite:///{folder}/mlflow.db"
    registry = MlflowRegistry(uri, folder / "artifacts")
    built = {name: builder(bench) for name, builder in BUILDERS.items()}
    for name, (path, *_) in built.items():
        code = bench.code if name in WITH_CODE else None
        with ModelProcess(path, artifact=_artifact(path, code), code=code) as process:
            candidate = _candidate(name, process, bench.frame)
        staged = registry.stage(candidate, path, code=code)
        registry.commit(staged, Parity(rows=1, max_difference=0.0))
    bench.frame.to_parquet(folder / "frame.parquet")
    asked = json.dumps({name: native for name, (_, _, native, _) in built.items()})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, uri, str(folder / "frame.parquet"), asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return Answers(built, json.loads(done.stdout.splitlines()[-1]), registry)


@pytest.mark.parametrize("name", BUILDERS)
def test_mlflow_answers_as_the_library(answers: Answers, name: str) -> None:
    """`mlflow.pyfunc.load_model` of what Brinery registered answers as the library itself."""
    _, expected, *_ = answers.built[name]
    found = answers.found[name]["generic"]
    assert not isinstance(found, str), found
    rows = np.asarray(expected).reshape(len(found), -1)
    if rows.dtype.kind == "f":
        tolerance = 1e-6 if name.startswith("onnx") else 0.0
        assert np.allclose(np.asarray(found, dtype=np.float64), rows, rtol=0, atol=tolerance)
    else:
        assert found == rows.tolist()


@pytest.mark.parametrize("name", BUILDERS)
def test_the_frameworks_own_loader(answers: Answers, name: str) -> None:
    """The flavor's own `load_model` gives the framework's own object."""
    *_, native, kind = answers.built[name]
    if native is not None:
        assert answers.found[name]["own"] == kind


def test_the_folder_is_kept_as_it_came(answers: Answers) -> None:
    """A folder of a `PythonModel` is stored byte for byte; what it asks for is asked for still."""
    path, *_ = answers.built["python-model"]
    (version,) = answers.registry.versions("python-model")
    stored = answers.registry.model_file(version)
    assert digest(stored) == digest(path)
    lines = (stored.parent / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("mlflow==")
    assert f"numpy=={np.__version__}" in lines
    assert "tomli==2.0.1" in lines


@pytest.mark.parametrize("name", ["sklearn-pickle", "statsmodels-pickle"])
def test_what_cannot_be_asked_is_loaded_by_its_framework(answers: Answers, name: str) -> None:
    """A plain pickle of what cannot be asked has its framework's flavor, and no `pyfunc`."""
    (version,) = answers.registry.versions(name)
    assert version.candidate is not None
    silent = msgspec.structs.replace(
        version.candidate,
        name=f"silent-{name}",
        data=None,
        description=msgspec.structs.replace(
            version.candidate.description, unscored=Unscored("it is silent", "nothing")
        ),
    )
    staged = answers.registry.stage(silent, answers.registry.model_file(version))
    folder = staged.model_file.parent
    stated = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    framework = name.partition("-")[0]
    assert sorted(stated["flavors"]) == ["brinery", framework]
    assert "signature" not in stated
    program = f"import mlflow.{framework} as own; print(type(own.load_model('.')).__module__)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    assert done.stdout.startswith(framework)


def test_no_promise_that_is_not_kept(answers: Answers, tmp_path: Path) -> None:
    """Weights that no program can score a frame with get no `python_function` flavor."""
    (version,) = answers.registry.versions("sklearn-pickle")
    assert version.candidate is not None
    weights = msgspec.structs.replace(
        version.candidate,
        name="weights",
        description=msgspec.structs.replace(
            version.candidate.description, type=PredictionType.OTHER
        ),
        artifact=Artifact(
            flavor="safetensors", format="safetensors", file="model.safetensors", sha256="c" * 64
        ),
    )
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    staged = answers.registry.stage(weights, tmp_path / "model.safetensors")
    stated = yaml.safe_load((staged.model_file.parent / "MLmodel").read_text(encoding="utf-8"))
    assert list(stated["flavors"]) == ["brinery"]
