"""Models that lie with other programs are imported and served as their library predicts."""

from __future__ import annotations

import json
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import xgboost
import yaml
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops import io
from tests.actions.conftest import Run
from tests.conftest import serving
from tests.serve.conftest import running

import brinery
from brinery.actions.rooms import Rooms
from brinery.actions.roster import endpoint_of
from brinery.errors import DangerousModel
from brinery.records.requirements import Requirements
from brinery.records.version import Version
from brinery.serve.client import Client
from brinery.store.environments import Environments

FEATURES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
SPECIES = ("setosa", "versicolor", "virginica")
ROWS = 5


def iris_frame() -> pd.DataFrame:
    """Return the data as scikit-learn names it, the species in words."""
    data = load_iris(as_frame=True).frame
    words = [SPECIES[code] for code in data["target"]]
    frame: pd.DataFrame = data.drop(columns="target").assign(species=words)
    return frame


def codes(frame: pd.DataFrame) -> Any:
    """Return the species as numbers: (n_rows,)."""
    return np.array([SPECIES.index(word) for word in frame["species"]])


def answered(rooms: Rooms, version: Version, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what the endpoint of a version says of the first rows."""
    rows = frame[FEATURES].head(ROWS).to_dict(orient="records")
    with running(endpoint_of(rooms, version)) as api:
        answer = api.post(f"/v1/models/{version.name}/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["predictions"]
    return found


def probabilities(answers: list[dict[str, Any]]) -> Any:
    """Return the probabilities of answers, in the order of the species: (n_rows, n_classes)."""
    return np.array([[answer["probabilities"][name] for name in SPECIES] for answer in answers])


# The class of a tutorial of Dataiku's, word for word.
XGB_WRAPPER = """
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
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:mlflow", "ignore::FutureWarning")
def test_the_wrapper_of_the_tutorial(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """The tutorial's XGBWrapper, as written there, is imported and served as XGBoost predicts."""
    import mlflow

    frame = iris_frame()
    preprocessor = Pipeline([("imp", SimpleImputer(strategy="median")), ("sts", StandardScaler())])
    given = preprocessor.fit_transform(frame[FEATURES])
    model = xgboost.XGBClassifier(max_depth=5, n_estimators=50).fit(given, codes(frame))
    artifacts = {
        "xgb_model": str(tmp_path / "xgb_model.plk"),
        "preprocessor": str(tmp_path / "preprocessor.pkl"),
    }
    for name, part in (("xgb_model", model), ("preprocessor", preprocessor)):
        Path(artifacts[name]).write_bytes(cloudpickle.dumps(part))
    notebook: dict[str, Any] = {"__name__": "__main__", "mlflow": mlflow}
    exec(XGB_WRAPPER, notebook)  # noqa: S102 - a class of a notebook, as users write it
    mlflow.pyfunc.save_model(
        tmp_path / "logged",
        python_model=notebook["XGBWrapper"](),
        artifacts=artifacts,
        pip_requirements=["scikit-learn", "xgboost"],
    )
    version, _ = run(
        model=tmp_path / "logged",
        name="tutorial",
        data=frame,
        target="species",
        trust=("cloudpickle.*", "mlflow.*", "builtins.*"),
    )
    assert version.candidate is not None
    assert version.candidate.description.classes == SPECIES
    answers = answered(rooms, version, frame)
    expected = model.predict_proba(preprocessor.transform(frame[FEATURES].head(ROWS)))
    assert [answer["label"] for answer in answers] == frame["species"].head(ROWS).tolist()
    np.testing.assert_allclose(probabilities(answers), expected, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_a_run_is_imported_and_served(tmp_path: Path) -> None:
    """`runs:/…` is looked up, imported, registered, promoted and served over HTTP."""
    frame = iris_frame()
    model = LogisticRegression(max_iter=500).fit(frame[FEATURES], frame["species"])
    store = f"sqlite:///{tmp_path}/theirs.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(store)
        try:
            # Not set_experiment: it would leave MLFLOW_EXPERIMENT_ID behind for every later test.
            experiment = mlflow.create_experiment("theirs", artifact_location=tmp_path.as_uri())
            with mlflow.start_run(experiment_id=experiment) as started:
                mlflow.sklearn.log_model(
                    model,
                    name="model",
                    serialization_format="cloudpickle",
                    pip_requirements=["scikit-learn"],
                )
        finally:
            mlflow.set_tracking_uri(before)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    brinery.import_model(
        f"runs:/{started.info.run_id}/model",
        name="flowers",
        data=frame,
        target="species",
        tracking_uri=store,
        workspace=workspace,
    )
    brinery.promote("flowers@1", workspace=workspace)
    with serving(workspace, "flowers") as url, Client(url) as client:
        scores = client.predict(frame[FEATURES])
    assert scores.predictions.tolist() == model.predict(frame[FEATURES]).tolist()
    assert scores.probabilities is not None
    expected = model.predict_proba(frame[FEATURES])
    np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-12)


MLFLOW_2 = Requirements(packages=("mlflow-skinny==2.22.0", "pandas==2.2.3", "scikit-learn==1.7.1"))
WRITE_2 = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd, mlflow, mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

folder = sys.argv[1]
frame = pd.read_csv(folder + "/iris.csv")
features = frame.drop(columns="species")
model = LogisticRegression(max_iter=500).fit(features, frame["species"])
signature = infer_signature(features, model.predict(features))
mlflow.sklearn.save_model(model, folder + "/logged", signature=signature)
np.save(folder + "/probabilities.npy", model.predict_proba(features))
"""


@pytest.mark.slow
def test_a_folder_that_mlflow_2_wrote(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """A folder that MLflow 2 wrote is served, where its library is, as that library predicts."""
    environments = Environments(rooms.workspace.environments)
    python = environments.ensure(environments.build(MLFLOW_2))
    assert python is not None
    frame = iris_frame()
    frame.to_csv(tmp_path / "iris.csv", index=False)
    subprocess.run([str(python), "-c", WRITE_2, str(tmp_path)], check=True)
    told = yaml.safe_load((tmp_path / "logged" / "MLmodel").read_text(encoding="utf-8"))
    assert told["mlflow_version"] == "2.22.0"
    version, _ = run(
        model=tmp_path / "logged", name="two", data=frame, target="species", environment="auto"
    )
    assert version.candidate is not None
    assert version.candidate.environment.packages["scikit-learn"] == "1.7.1"
    answers = answered(rooms, version, frame)
    expected = np.load(tmp_path / "probabilities.npy")[:ROWS]
    assert [answer["label"] for answer in answers] == frame["species"].head(ROWS).tolist()
    np.testing.assert_allclose(probabilities(answers), expected, rtol=0, atol=1e-12)


def written(folder: Path) -> Path:
    """Return a skops file with a function that writes a file where it is called."""
    model = make_pipeline(FunctionTransformer(np.savetxt), LogisticRegression())
    io.dump(model, folder / "model.skops")
    return folder / "model.skops"


def trusting(path: Path, into: Path) -> Path:
    """Return a copy of a skops file whose every node says that what it names is trusted."""
    word = {"trusted": ["numpy.savetxt"], "skops_trusted_types": ["numpy.savetxt"]}

    def told(node: Any) -> Any:
        if isinstance(node, dict):
            found = {key: told(value) for key, value in node.items()}
            return {**found, **word} if "__loader__" in node else found
        return [told(one) for one in node] if isinstance(node, list) else node

    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(into, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "schema.json":
                content = json.dumps(told(json.loads(content))).encode()
                assert content.count(b"skops_trusted_types") > 1
            copy.writestr(name, content)
    return into


def test_a_skops_files_own_list_is_not_believed(run: Run, tmp_path: Path) -> None:
    """A skops file that says of its own types that they are trusted is refused all the same."""
    path = trusting(written(tmp_path), tmp_path / "says.skops")
    with pytest.raises(DangerousModel, match=r"numpy\.savetxt"):
        run(model=path, name="said", data=iris_frame(), target="species")


def test_the_list_of_an_mlmodel_is_not_believed(run: Run, tmp_path: Path) -> None:
    """A list of trusted types in an MLmodel, for its skops file, vouches for nothing."""
    folder = tmp_path / "logged"
    folder.mkdir()
    written(folder)
    told = {
        "flavors": {
            "python_function": {
                "loader_module": "mlflow.sklearn",
                "model_path": "model.skops",
                "python_version": "3.11.7",
            },
            "sklearn": {
                "pickled_model": "model.skops",
                "serialization_format": "skops",
                "skops_trusted_types": ["numpy.savetxt"],
                "sklearn_version": "1.9.1",
            },
        }
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(DangerousModel, match=r"numpy\.savetxt"):
        run(model=folder, name="said", data=iris_frame(), target="species")
