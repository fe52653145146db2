"""Import of each flavor runs end to end to a served prediction that is the library's own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import catboost
import cloudpickle
import joblib
import lightgbm
import mlflow  # noqa: TID253 - the peer
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
import skops.io
import statsmodels.api
import xgboost
from sklearn import __version__ as installed
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.actions.conftest import Run
from tests.serve.conftest import running
from tests.store.test_environments import FOREST, by, write

from brinery.actions.export_model import Order, export_in
from brinery.actions.rooms import Rooms
from brinery.actions.roster import endpoint_of
from brinery.errors import LibraryMissing
from brinery.records.evaluation import PredictionType
from brinery.records.export import ExportFormat
from brinery.store.environments import Environments

pytestmark = pytest.mark.slow

SPECIES = ("setosa", "versicolor", "virginica")
ROWS = 5


@dataclass(frozen=True)
class Case:
    """A model as a user has it, and what its library says of the first rows.

    Attributes:
        model: what is given to `brinery import`.
        predictions: of the first rows.
        probabilities: of the first rows; None where it gives none.
        target: the column with the truth.
        options: of the import.
    """

    model: str | Path
    predictions: Any
    probabilities: Any = None
    target: str | None = "species"
    options: dict[str, Any] = field(default_factory=dict)


def iris_data(folder: Path) -> pd.DataFrame:
    """Return the data, its classes by name and by number, and whether one is the last."""
    frame = pd.read_parquet(folder / "iris.parquet")
    large = (frame["species"] == len(SPECIES) - 1).astype(int)
    return frame.assign(name=[SPECIES[code] for code in frame["species"]], large=large)


def features(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["sepal_length", "sepal_width", "petal_length", "petal_width"]]


def _of_estimator(model: Any, frame: pd.DataFrame, path: Path, **more: Any) -> Case:
    few = features(frame).head(ROWS)
    proba = model.predict_proba(few) if hasattr(model, "predict_proba") else None
    return Case(path, model.predict(few), proba, **more)


def sklearn_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    model = RandomForestClassifier(10, random_state=0).fit(features(frame), frame["name"])
    path = folder / "forest.pkl"
    path.write_bytes(pickle.dumps(model))
    return _of_estimator(model, frame, path, target="name")


def sklearn_joblib(frame: pd.DataFrame, folder: Path) -> Case:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        features(frame), frame["species"]
    )
    joblib.dump(model, folder / "model.joblib", compress=3)
    return _of_estimator(model, frame, folder / "model.joblib")


def sklearn_skops(frame: pd.DataFrame, folder: Path) -> Case:
    model = make_pipeline(SimpleImputer(), RandomForestClassifier(5, random_state=0))
    model.fit(features(frame), frame["name"])
    skops.io.dump(model, folder / "model.skops")
    return _of_estimator(model, frame, folder / "model.skops", target="name")


def _boosted(frame: pd.DataFrame) -> Any:
    return xgboost.XGBClassifier(n_estimators=5, max_depth=2).fit(features(frame), frame["species"])


def xgboost_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    model = _boosted(frame)
    (folder / "xgb.pkl").write_bytes(pickle.dumps(model))
    return _of_estimator(model, frame, folder / "xgb.pkl")


def xgboost_json(frame: pd.DataFrame, folder: Path) -> Case:
    model = _boosted(frame)
    model.save_model(folder / "xgb.json")
    return _of_estimator(model, frame, folder / "xgb.json")


def xgboost_ubj(frame: pd.DataFrame, folder: Path) -> Case:
    model = _boosted(frame)
    model.save_model(folder / "xgb.ubj")
    return _of_estimator(model, frame, folder / "xgb.ubj")


def xgboost_booster_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    booster = xgboost.train(
        {"objective": "binary:logistic"},
        xgboost.DMatrix(features(frame), label=frame["large"]),
        num_boost_round=3,
    )
    (folder / "booster.pkl").write_bytes(pickle.dumps(booster))
    second = booster.predict(xgboost.DMatrix(features(frame).head(ROWS))).astype(np.float64)
    table = np.column_stack([1 - second, second])
    return Case(folder / "booster.pkl", table.argmax(axis=1), table, target="large")


def xgboost_booster(frame: pd.DataFrame, folder: Path) -> Case:
    booster = xgboost.train(
        {"objective": "multi:softprob", "num_class": 3},
        xgboost.DMatrix(features(frame), label=frame["species"]),
        num_boost_round=3,
    )
    booster.save_model(folder / "booster.ubj")
    table = booster.predict(xgboost.DMatrix(features(frame).head(ROWS)))
    names = np.array(SPECIES)[table.argmax(axis=1)]
    return Case(folder / "booster.ubj", names, table, target="name")


def lightgbm_text(frame: pd.DataFrame, folder: Path) -> Case:
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(
        features(frame), frame["species"]
    )
    model.booster_.save_model(folder / "model.txt")
    return _of_estimator(model, frame, folder / "model.txt")


def lightgbm_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(features(frame), frame["name"])
    (folder / "lgbm.pkl").write_bytes(pickle.dumps(model))
    return _of_estimator(model, frame, folder / "lgbm.pkl", target="name")


def catboost_native(frame: pd.DataFrame, folder: Path) -> Case:
    model = catboost.CatBoostClassifier(
        iterations=5, verbose=0, allow_writing_files=False, thread_count=1
    ).fit(features(frame), frame["name"])
    model.save_model(folder / "model.cbm")
    case = _of_estimator(model, frame, folder / "model.cbm", target="name")
    return Case(case.model, case.predictions.reshape(-1), case.probabilities, target="name")


def catboost_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    model = catboost.CatBoostClassifier(
        iterations=5, verbose=0, allow_writing_files=False, thread_count=1
    ).fit(features(frame), frame["name"])
    (folder / "cat.pkl").write_bytes(pickle.dumps(model))
    case = _of_estimator(model, frame, folder / "cat.pkl", target="name")
    return Case(case.model, case.predictions.reshape(-1), case.probabilities, target="name")


def lightgbm_booster_pickle(frame: pd.DataFrame, folder: Path) -> Case:
    booster = lightgbm.train(
        {"objective": "multiclass", "num_class": 3, "verbose": -1},
        lightgbm.Dataset(features(frame), label=frame["species"]),
        num_boost_round=3,
    )
    (folder / "booster.pkl").write_bytes(pickle.dumps(booster))
    table = booster.predict(features(frame).head(ROWS))
    return Case(folder / "booster.pkl", np.asarray(table).argmax(axis=1), table)


def outlier_detector(frame: pd.DataFrame, folder: Path) -> Case:
    model = IsolationForest(n_estimators=10, random_state=0).fit(features(frame))
    joblib.dump(model, folder / "outliers.joblib")
    return _of_estimator(model, frame, folder / "outliers.joblib", target=None)


def cloudpickled_pipeline(frame: pd.DataFrame, folder: Path) -> Case:
    widen = FunctionTransformer(lambda given: given.assign(ratio=given["petal_length"] / 2))
    model = make_pipeline(widen, LogisticRegression()).fit(features(frame), frame["name"])
    (folder / "cloud.pkl").write_bytes(cloudpickle.dumps(model))
    trust = ("cloudpickle.*",)
    return _of_estimator(
        model, frame, folder / "cloud.pkl", target="name", options={"trust": trust}
    )


RATIO = """
from sklearn.base import BaseEstimator, TransformerMixin

class Ratio(TransformerMixin, BaseEstimator):
    def fit(self, frame, target=None):
        return self

    def transform(self, frame):
        return frame.assign(ratio=frame["petal_length"] / frame["petal_width"])
"""


def users_first_step(frame: pd.DataFrame, folder: Path) -> Case:
    (folder / "code").mkdir()
    (folder / "code" / "own_steps.py").write_text(RATIO)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "code"))
        ratio = import_module("own_steps").Ratio()
        columns = make_column_transformer((StandardScaler(), ["ratio", "sepal_width"]))
        model = make_pipeline(ratio, columns, LogisticRegression())
        model.fit(features(frame), frame["name"])
        joblib.dump(model, folder / "ratio.joblib")
    options = {"code": folder / "code", "trust": ("own_steps.Ratio",)}
    return _of_estimator(model, frame, folder / "ratio.joblib", target="name", options=options)


def onnx_classifier(frame: pd.DataFrame, folder: Path) -> Case:
    model = LogisticRegression().fit(features(frame).to_numpy(np.float32), frame["species"])
    made = skl2onnx.to_onnx(model, features(frame).to_numpy(np.float32)[:1])
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    session = onnxruntime.InferenceSession(str(path))
    labels, maps = session.run(
        None, {session.get_inputs()[0].name: features(frame).head(ROWS).to_numpy(np.float32)}
    )
    return Case(path, labels, np.array([[row[code] for code in range(3)] for row in maps]))


def statsmodels_result(frame: pd.DataFrame, folder: Path) -> Case:
    columns = frame[["sepal_length", "sepal_width", "petal_length"]]
    result = statsmodels.api.OLS(frame["petal_width"], columns).fit()
    result.save(str(folder / "ols.pickle"))
    return Case(folder / "ols.pickle", result.predict(columns.head(ROWS)), target="petal_width")


def statsmodels_classifier(frame: pd.DataFrame, folder: Path) -> Case:
    columns = statsmodels.api.add_constant(features(frame)[["sepal_length", "sepal_width"]])
    result = statsmodels.api.Logit(frame["large"], columns).fit(disp=False)
    result.save(str(folder / "logit.pickle"))
    second = np.asarray(result.predict(columns.head(ROWS)))
    table = np.column_stack([1 - second, second])
    return Case(folder / "logit.pickle", table.argmax(axis=1), table, target="large")


def clusterer(frame: pd.DataFrame, folder: Path) -> Case:
    model = KMeans(3, n_init=1, random_state=0).fit(features(frame))
    joblib.dump(model, folder / "clusters.joblib")
    return _of_estimator(model, frame, folder / "clusters.joblib", target=None)


def mlflow_sklearn(frame: pd.DataFrame, folder: Path) -> Case:
    model = LinearRegression().fit(
        frame[["sepal_length", "sepal_width", "petal_length"]], frame["petal_width"]
    )
    mlflow.sklearn.save_model(
        model,
        folder / "logged",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    few = frame[["sepal_length", "sepal_width", "petal_length"]].head(ROWS)
    return Case(folder / "logged", model.predict(few), target="petal_width")


WRAPPER = """
import mlflow

class Wrapper(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from cloudpickle import load
        self.model = load(open(context.artifacts["model"], "rb"))
        self.preprocessor = load(open(context.artifacts["preprocessor"], "rb"))

    def predict(self, context, model_input):
        model_input = model_input[["sepal_length", "sepal_width", "petal_length", "petal_width"]]
        return self.model.predict_proba(self.preprocessor.transform(model_input))
"""


def mlflow_python_model(frame: pd.DataFrame, folder: Path) -> Case:
    script: dict[str, Any] = {"__name__": "__main__"}
    exec(WRAPPER, script)  # noqa: S102 - a class of a notebook, as users write it
    preprocessor = Pipeline([("imp", SimpleImputer()), ("sts", StandardScaler())])
    given = preprocessor.fit_transform(features(frame))
    model = xgboost.XGBClassifier(n_estimators=5).fit(given, frame["species"])
    artifacts = {}
    for name, part in (("model", model), ("preprocessor", preprocessor)):
        artifacts[name] = str(folder / f"{name}.pkl")
        Path(artifacts[name]).write_bytes(cloudpickle.dumps(part))
    mlflow.pyfunc.save_model(
        folder / "wrapped",
        python_model=script["Wrapper"](),
        artifacts=artifacts,
        pip_requirements=["scikit-learn", "xgboost"],
    )
    table = model.predict_proba(preprocessor.transform(features(frame).head(ROWS)))
    names = np.array(SPECIES)[table.argmax(axis=1)]
    return Case(
        folder / "wrapped",
        names,
        table,
        target="name",
        options={"trust": ("cloudpickle.*", "mlflow.*", "builtins.*")},
    )


def callable_function(frame: pd.DataFrame, folder: Path) -> Case:
    (folder / "code").mkdir()
    (folder / "code" / "rules.py").write_text(
        "def width(frame):\n    return (frame['petal_length'] * 0.4).to_numpy()\n"
    )
    return Case(
        "rules:width",
        frame["petal_length"].head(ROWS) * 0.4,
        target="petal_width",
        options={"code": folder / "code", "type": "regression"},
    )


def own_class(frame: pd.DataFrame, folder: Path) -> Case:
    (folder / "code").mkdir()
    (folder / "code" / "mine.py").write_text(
        "class Threshold:\n"
        "    classes_ = ['big', 'small']\n"
        "    def predict(self, frame):\n"
        "        return ['big' if width > 1 else 'small' for width in frame['petal_width']]\n"
    )
    frame.assign(size=np.where(frame["petal_width"] > 1, "big", "small")).to_parquet(
        folder / "data.parquet"
    )
    (folder / "mine.pkl").write_bytes(b"\x80\x04cmine\nThreshold\n)\x81.")
    return Case(
        folder / "mine.pkl",
        np.where(frame["petal_width"].head(ROWS) > 1, "big", "small"),
        target=None,
        options={"code": folder / "code", "trust": ("mine.Threshold",)},
    )


CASES: list[Callable[[pd.DataFrame, Path], Case]] = [
    sklearn_pickle,
    sklearn_joblib,
    sklearn_skops,
    xgboost_pickle,
    xgboost_json,
    xgboost_ubj,
    xgboost_booster_pickle,
    xgboost_booster,
    lightgbm_text,
    lightgbm_pickle,
    catboost_native,
    catboost_pickle,
    lightgbm_booster_pickle,
    outlier_detector,
    cloudpickled_pipeline,
    users_first_step,
    onnx_classifier,
    statsmodels_result,
    statsmodels_classifier,
    clusterer,
    mlflow_sklearn,
    mlflow_python_model,
    callable_function,
    own_class,
]


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
@pytest.mark.filterwarnings("ignore::UserWarning:mlflow", "ignore::FutureWarning")
def test_served_as_the_library_predicts(
    make: Callable[[pd.DataFrame, Path], Case], run: Run, rooms: Rooms, iris: Path, tmp_path: Path
) -> None:
    """A model of each framework is imported, registered and served, and answers as its library."""
    frame = iris_data(iris)
    case = make(frame, tmp_path)
    drop = [name for name in ("species", "name", "large") if name != case.target]
    data = frame.drop(columns=drop)
    version, _ = run(model=case.model, name="each", data=data, target=case.target, **case.options)
    assert version.parity is not None
    assert version.candidate is not None
    inputs = data.drop(columns=case.target) if case.target else data
    rows = inputs.head(ROWS).to_dict(orient="records")
    with running(endpoint_of(rooms, version)) as api:
        answered = api.post("/v1/models/each/predict", json={"rows": rows})
    assert answered.status_code == 200, answered.text
    answers = answered.json()["predictions"]
    if case.probabilities is None:
        found = [answer.get("label", answer.get("value")) for answer in answers]
        if version.candidate.description.type is PredictionType.REGRESSION:
            # Sums in another order, of a frame whose columns lie otherwise, end in other digits.
            assert np.allclose(found, case.predictions, rtol=1e-14, atol=0)
        else:
            assert found == np.asarray(case.predictions).tolist()
        return
    assert [answer["label"] for answer in answers] == np.asarray(case.predictions).tolist()
    table = [list(answer["probabilities"].values()) for answer in answers]
    # A scorer's exponential may end in another digit than the library's.
    np.testing.assert_allclose(table, np.asarray(case.probabilities), rtol=0, atol=1e-12)


@pytest.mark.parametrize("release", ["1.3.2", "1.0.2"])
def test_old_model_is_served_as_its_old_library_predicts(
    run: Run, rooms: Rooms, tmp_path: Path, release: str
) -> None:
    """A model of an old library, imported with `auto`, is served with that library's own answers.

    The import says why it is not loaded here, builds nothing that is there, and tells of no attempt
    that numpy made while it was imported. What its environment lacks is not to be installed here.
    """
    environments = Environments(rooms.workspace.environments)
    wrote = environments.build(by("scikit-learn", release, "sklearn"))
    assert any(line.startswith("numpy==1.") for line in wrote.lock)
    path = write(wrote, FOREST, of=environments, folder=tmp_path)
    frame = pd.read_csv(tmp_path / "data.csv")
    version, events = run(model=path, name="old", data=frame, environment="auto")
    (said,) = [event.message for event in events if event.warning]
    assert said.startswith(f"written by scikit-learn {release}, installed here is {installed}: ")
    assert not [event for event in events if event.message.startswith("building ")]
    rows = frame.head(ROWS).astype(object).where(frame.head(ROWS).notna(), None)
    with running(endpoint_of(rooms, version)) as api:
        answered = api.post("/v1/models/old/predict", json={"rows": rows.to_dict(orient="records")})
    assert answered.status_code == 200, answered.text
    answers = answered.json()["predictions"]
    table = [list(answer["probabilities"].values()) for answer in answers]
    assert table == np.load(tmp_path / "probabilities.npy")[:ROWS].tolist()
    order = Order(
        version=version,
        to=ExportFormat.SKOPS,
        folder=tmp_path / "exported",
        frame=frame,
        words="data.csv",
    )
    with pytest.raises(LibraryMissing, match="in the environment that was built for old@1") as made:
        export_in(rooms, order, allow_difference=False)
    assert f"FILE lists skops beside scikit-learn=={release}" in made.value.hint
