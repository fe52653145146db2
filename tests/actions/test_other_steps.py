"""Steps of other libraries in a pipeline: category encoders here, samplers in their environment."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.actions.conftest import Run
from tests.serve.conftest import running

from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.actions.roster import endpoint_of
from brinery.errors import LibraryMissing
from brinery.pickles.scanner import scan
from brinery.records.requirements import Requirements
from brinery.records.scan import Verdict
from brinery.records.version import Version
from brinery.store.environments import Environments

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::category_encoders")]

ROWS = 5
SAMPLERS = ("imbalanced-learn==0.14.2",)


def people() -> pd.DataFrame:
    """Return numbers and categories, and whom few say yes of."""
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, 200).astype(float),
            "job": random.choice(["clerk", "nurse", "smith", "tailor"], 200),
            "town": random.choice(["Ulm", "Trier"], 200),
        }
    )
    chance = frame["age"] / 200 + (frame["job"] == "nurse") * 0.3
    return frame.assign(answer=np.where(random.random(200) < chance, "yes", "no"))


def check_served(rooms: Rooms, version: Version, frame: pd.DataFrame, own: Any) -> None:
    """Check that a version predicts and serves what the libraries said of a frame."""
    assert version.parity is not None
    with LoadedModel(rooms, version) as model:
        scores = model.predict(frame)
    assert scores.probabilities is not None
    assert scores.classes == ("no", "yes")
    # A scorer's exponential may end in another digit than the library's.
    np.testing.assert_allclose(scores.probabilities, np.asarray(own), rtol=0, atol=1e-12)
    rows = frame.head(ROWS).to_dict(orient="records")
    with running(endpoint_of(rooms, version)) as api:
        answered = api.post(f"/v1/models/{version.name}/predict", json={"rows": rows})
    assert answered.status_code == 200, answered.text
    table = [list(each["probabilities"].values()) for each in answered.json()["predictions"]]
    np.testing.assert_allclose(table, np.asarray(own)[:ROWS], rtol=0, atol=1e-12)


ENCODERS = [
    "BackwardDifferenceEncoder",
    "BaseNEncoder",
    "BinaryEncoder",
    "CatBoostEncoder",
    "CountEncoder",
    "HelmertEncoder",
    "JamesSteinEncoder",
    "LeaveOneOutEncoder",
    "MEstimateEncoder",
    "OneHotEncoder",
    "OrdinalEncoder",
    "PolynomialEncoder",
    "SumEncoder",
    "TargetEncoder",
    "WOEEncoder",
]


def encoded(encoder: str) -> Pipeline:
    """Return a fitted pipeline that begins with an encoder of all categories."""
    frame = people()
    encode = getattr(category_encoders, encoder)(cols=["job", "town"])
    model = make_pipeline(encode, StandardScaler(), LogisticRegression())
    return model.fit(frame.drop(columns="answer"), frame["answer"] == "yes")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_encoders_are_known(encoder: str, tmp_path: Path) -> None:
    """A pipeline with any of the encoders asks for no name that is not known safe."""
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(encoded(encoder)))
    report = scan(tmp_path / "model.pkl")
    assert report.verdict is Verdict.SAFE
    assert any(name.module.startswith("category_encoders.") for name in report.globals)


@pytest.mark.parametrize("encoder", ["TargetEncoder", "BinaryEncoder", "OrdinalEncoder"])
def test_encoders_are_served(encoder: str, run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """A pipeline of encoders, within columns or alone, is served as it predicts, without trust."""
    frame = people()
    inputs = frame.drop(columns="answer")
    kind = getattr(category_encoders, encoder)
    columns = make_column_transformer(
        (StandardScaler(), ["age"]), (kind(cols=["job", "town"]), ["job", "town"])
    )
    model = make_pipeline(columns, LogisticRegression())
    model.fit(inputs, (frame["answer"] == "yes").astype(int))
    model[-1].classes_ = np.array(["no", "yes"])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    version, _ = run(model=path, name="encoded", data=frame, target="answer")
    check_served(rooms, version, inputs, model.predict_proba(inputs))


SAMPLED = """
import pickle, sys
import numpy as np
import pandas as pd
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

folder = sys.argv[1]
frame = pd.read_csv(folder + "/people.csv")
inputs, answers = frame[["age", "balance"]], frame["answer"]
models = {
    "pipeline": make_pipeline(StandardScaler(), SMOTE(random_state=0), LogisticRegression()),
    "forest": BalancedRandomForestClassifier(n_estimators=10, random_state=0),
}
for name, model in models.items():
    model.fit(inputs, answers)
    with open(folder + "/" + name + ".pkl", "wb") as file:
        pickle.dump(model, file)
    np.save(folder + "/" + name + ".npy", model.predict_proba(inputs))
"""


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that imbalanced-learn wrote in an environment of its own."""
    folder = tmp_path_factory.mktemp("sampled")
    random = np.random.default_rng(6)
    frame = people().assign(balance=random.normal(size=200))[["age", "balance", "answer"]]
    frame.to_csv(folder / "people.csv", index=False)
    (folder / "requirements.txt").write_text("\n".join(SAMPLERS))
    environments = Environments(folder / "environments")
    python = environments.ensure(environments.build(Requirements(packages=SAMPLERS)))
    assert python is not None
    subprocess.run([str(python), "-W", "ignore", "-c", SAMPLED, str(folder)], check=True)
    return folder


@pytest.mark.parametrize("name", ["pipeline", "forest"])
def test_samplers_are_served(name: str, sampled: Path, run: Run, rooms: Rooms) -> None:
    """A pipeline that resampled, and a balanced forest, are served as they predict, without trust.

    Here imbalanced-learn is not installed, and the import says so until an environment is named.
    """
    path, frame = sampled / f"{name}.pkl", pd.read_csv(sampled / "people.csv")
    assert scan(path).verdict is Verdict.SAFE
    given = {"model": path, "name": name, "data": frame, "target": "answer"}
    with pytest.raises(LibraryMissing, match="imblearn") as caught:
        run(**given)
    assert "imbalanced-learn" in caught.value.hint
    version, _ = run(**given, environment=str(sampled / "requirements.txt"))
    check_served(rooms, version, frame.drop(columns="answer"), np.load(path.with_suffix(".npy")))
