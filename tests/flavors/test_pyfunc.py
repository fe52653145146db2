"""MLflow's Python functions, written by MLflow itself and loaded in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

from brinery.errors import ModelFileError, NotTrusted
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.pickles.scanner import scan
from brinery.records.artifact import Artifact

# The wrapper of MLflow's and Dataiku's tutorials as it stands there, logged as it is there.
TUTORIAL = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb
from cloudpickle import dump, load
from sklearn import datasets
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

mlflow.set_tracking_uri("sqlite:///mlflow.db")
iris = datasets.load_iris()
X = pd.DataFrame(iris.data, columns=iris.feature_names)
preprocessor = Pipeline([
    ('imp', SimpleImputer(strategy='median')),
    ('sts', StandardScaler()),
])
X_train = preprocessor.fit_transform(X)
artifacts = {
    "xgb_model": "xgb_model.plk",
    "preprocessor": "preprocessor.pkl"
}
dump(preprocessor, open(artifacts.get("preprocessor"), 'wb'))

class XGBWrapper(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from cloudpickle import load
        self.model = load(open(context.artifacts["xgb_model"], 'rb'))
        self.preprocessor = load(open(context.artifacts["preprocessor"], 'rb'))

    def predict(self, context, model_input):
        model_input = model_input[['sepal length (cm)', 'sepal width (cm)',
                                   'petal length (cm)', 'petal width (cm)']]
        model_input = self.preprocessor.transform(model_input)
        return self.model.predict_proba(model_input)

model = xgb.XGBClassifier(max_depth=5, n_estimators=50)
model.fit(X_train, iris.target)
dump(model, open(artifacts.get("xgb_model"), 'wb'))
with mlflow.start_run() as run:
    mlflow_pyfunc_model_path = f"xgb_mlflow_pyfunc-{run.info.run_id}"
    info = mlflow.pyfunc.log_model(
        artifact_path=mlflow_pyfunc_model_path, python_model=XGBWrapper(),
        artifacts=artifacts, pip_requirements=["mlflow", "xgboost", "scikit-learn"])
    np.save("expected.npy", mlflow.pyfunc.load_model(info.model_uri).predict(X))
mlflow.artifacts.download_artifacts(info.model_uri, dst_path="model")
"""

# Other ways in which MLflow keeps a Python function.
OTHERS = '''
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

class Scaled(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.rate = float(open(context.artifacts["rate"]).read())

    def predict(self, context, model_input, params=None):
        assert str(model_input.dtypes["a"]) == "float32"
        return model_input["a"] * self.rate + context.model_config["shift"]

class WithoutContext(mlflow.pyfunc.PythonModel):
    def predict(self, model_input, params=None):
        return model_input["a"] + 1

open("rate.txt", "w").write("2.5")
open("script.py", "w").write("""
import mlflow
from mlflow.models import ModelConfig
rate = ModelConfig().get("rate")

class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input["a"] * rate

mlflow.models.set_model(Model())
""")
open("shop_loader.py", "w").write("""
import shop_rates

class _Model:
    def predict(self, frame):
        return frame["a"] * shop_rates.RATE

def _load_pyfunc(path):
    assert open(path + "/weights").read() == "w"
    return _Model()
""")
open("shop_rates.py", "w").write("RATE = 7")
import os
os.mkdir("weights-folder"); open("weights-folder/weights", "w").write("w")
needs = dict(pip_requirements=["mlflow"])
signature = ModelSignature(inputs=Schema([ColSpec("float", "a"), ColSpec("string", "b")]))
mlflow.pyfunc.save_model("class", python_model=Scaled(), artifacts={"rate": "rate.txt"},
    model_config={"shift": 1.0}, signature=signature, **needs)
mlflow.pyfunc.save_model("without", python_model=WithoutContext(), **needs)
mlflow.pyfunc.save_model("function", python_model=lambda frame: frame["a"] - 1, **needs)
mlflow.pyfunc.save_model("script", python_model="script.py", model_config={"rate": 3}, **needs)
mlflow.pyfunc.save_model("loader", loader_module="shop_loader", data_path="weights-folder",
    code_paths=["shop_loader.py", "shop_rates.py"], **needs)
frame = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]})
for name in ("class", "without", "function", "script", "loader"):
    given = frame.astype({"a": "float32"}) if name == "class" else frame
    answers = mlflow.pyfunc.load_model(name).predict(given)
    pd.Series(answers, dtype="float64").to_csv(name + ".csv", index=False)
'''

FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]})
WORD = {"script": "script.__init__", "loader": "shop_loader._load_pyfunc"}


def _run(program: str, folder: Path) -> None:
    (folder / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tutorial was done: the model, and what MLflow answers with it."""
    folder = tmp_path_factory.mktemp("tutorial")
    _run(TUTORIAL, folder)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MLflow models of other kinds, and what MLflow answers with each."""
    folder = tmp_path_factory.mktemp("others")
    _run(OTHERS, folder)
    return folder


def artifact(folder: Path, *doubted: str) -> Artifact:
    """Return how a folder is loaded, all that it asks for being trusted but some names."""
    return Artifact(
        flavor="",
        format="mlflow",
        file=folder.name,
        sha256=digest(folder),
        globals=tuple(set(map(str, scan(folder).globals)) - set(doubted)),
    )


def table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as it crosses to the process."""
    return pa.Table.from_pandas(frame, preserve_index=False)


def test_the_tutorials_wrapper(tutorial: Path) -> None:
    """The wrapper of the tutorial gives the probabilities that MLflow gives with it, to the bit."""
    folder = tutorial / "model"
    frame = load_iris(as_frame=True).data
    with ModelProcess(folder, artifact=artifact(folder)) as model:
        assert model.artifact.flavor == "mlflow"
        assert model.description.outline == "XGBWrapper"
        assert model.description.feature_names is None
        scores = model.score(table(frame))
        assert (model.warnings, model.attempts) == ((), ())
    expected = np.load(tutorial / "expected.npy")
    assert expected.shape == (150, 3)
    assert scores.probabilities is not None
    assert np.array_equal(scores.probabilities, expected.astype(np.float64))
    assert scores.classes == ()
    assert np.array_equal(scores.predictions, expected.argmax(axis=1))


@pytest.mark.parametrize("name", ["class", "without", "function", "script", "loader"])
def test_other_functions(others: Path, name: str) -> None:
    """Classes with and without a context, functions, scripts and loaders answer as in MLflow."""
    folder = others / name
    with ModelProcess(folder, artifact=artifact(folder)) as model:
        predicted = model.score(table(FRAME)).predictions
    expected = pd.read_csv(others / f"{name}.csv").iloc[:, 0]
    assert np.array_equal(np.asarray(predicted, dtype=np.float64), expected)


def test_the_signature_names_the_columns(others: Path) -> None:
    """The inputs that MLflow's signature names are the model's columns, with their types."""
    folder = others / "class"
    with ModelProcess(folder, artifact=artifact(folder)) as model:
        description = model.description
    assert description.feature_names == ("a", "b")
    assert {name: str(use.type) for name, use in description.columns.items()} == {
        "a": "number",
        "b": "string",
    }


@pytest.mark.parametrize("name", ["script", "loader"])
def test_code_that_nobody_vouched_for(others: Path, name: str) -> None:
    """A script and a loader are not run without the user's word."""
    folder = others / name
    with pytest.raises(NotTrusted) as raised:
        ModelProcess(folder, artifact=artifact(folder, WORD[name]))
    assert WORD[name] in raised.value.message


def test_a_pickled_class_that_nobody_vouched_for(others: Path) -> None:
    """The pickle of a model may ask for the accepted names only."""
    folder = others / "class"
    bare = msgspec.structs.replace(artifact(folder), globals=())
    with pytest.raises(NotTrusted):
        ModelProcess(folder, artifact=bare)


def test_an_artifact_that_lies_elsewhere(others: Path, tmp_path: Path) -> None:
    """An MLmodel whose artifact lies outside of its folder is refused."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("python_model.pkl", "requirements.txt"):
        (folder / name).write_bytes((others / "class" / name).read_bytes())
    stated = (others / "class" / "MLmodel").read_text(encoding="utf-8")
    assert "path: artifacts/rate.txt" in stated
    (folder / "MLmodel").write_text(
        stated.replace("path: artifacts/rate.txt", "path: ../../../etc/hostname"),
        encoding="utf-8",
    )
    with pytest.raises(ModelFileError) as raised:
        ModelProcess(folder, artifact=artifact(folder))
    assert "lies elsewhere" in raised.value.message
