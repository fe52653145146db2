from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.flavors.loaded import TIMEOUT_S

from brinery.flavors.model_process import ModelProcess
from brinery.flavors.python import PlainPython
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.evaluation import PredictionType
from brinery.store.tables import to_arrow

FLAVOR = PlainPython()

RULES = """
import numpy as np
import pandas as pd


class Rule:
    # Reads its column by name, and is given a frame though it names none.
    def predict(self, frame):
        return ["high" if age > 40 else "low" for age in frame["age"]]


class Shares:
    def predict(self, frame):
        share = (frame["age"] / 100).to_numpy()
        return np.column_stack([1 - share, share])


class NamedShares(Shares):
    def predict(self, frame):
        return pd.DataFrame(super().predict(frame), columns=["low", "high"])


class Classes(Shares):
    classes_ = np.array(["low", "high"])

    def predict_proba(self, frame):
        return Shares.predict(self, frame)

    def predict(self, frame):
        return pd.Series(self.classes_[self.predict_proba(frame).argmax(axis=1)])
"""
AGES = pd.DataFrame({"age": [30.0, 60.0, 45.0]})


def opened(folder: Path, name: str) -> ModelProcess:
    """Return an instance of one of the rules, whose module is brought along."""
    code = folder / "code"
    code.mkdir()
    (code / "rules.py").write_text(RULES)
    path = folder / "model.pkl"
    path.write_bytes(f"crules\n{name}\n)R.".encode())
    artifact = Artifact(
        flavor="",
        format="pickle",
        file=path.name,
        sha256=digest(path),
        globals=(f"rules.{name}",),
        code=True,
        code_sha256=digest(code),
    )
    return ModelProcess(path, artifact=artifact, code=code, timeout_s=TIMEOUT_S)


def test_class_with_predict(tmp_path: Path) -> None:
    """A class of the user's own is given a frame, and its list of labels is an answer."""
    with opened(tmp_path, "Rule") as process:
        assert process.artifact.flavor == process.description.framework == "python"
        assert process.description.type is PredictionType.OTHER
        assert process.description.outline == "Rule"
        scores = process.score(to_arrow(AGES))
    assert scores.predictions.tolist() == ["low", "high", "high"]
    assert scores.probabilities is None


def test_nameless_probabilities(tmp_path: Path) -> None:
    """A table of probabilities is one, of classes that nobody named: predictions are indices."""
    with opened(tmp_path, "Shares") as process:
        scores = process.score(to_arrow(AGES))
    assert scores.classes == ()
    assert scores.probabilities is not None
    assert scores.probabilities.tolist() == [[0.7, 0.3], [0.4, 0.6], [0.55, 0.45]]
    assert scores.predictions.tolist() == [0, 1, 0]


def test_probabilities_named_by_a_frame(tmp_path: Path) -> None:
    """The columns of a frame name the classes, across the process too."""
    with opened(tmp_path, "NamedShares") as process:
        scores = process.score(to_arrow(AGES))
    assert scores.classes == ("low", "high")
    assert scores.predictions.tolist() == ["low", "high", "low"]


def test_classes_of_its_own(tmp_path: Path) -> None:
    """A class that follows scikit-learn's names is a classifier."""
    with opened(tmp_path, "Classes") as process:
        assert process.description.type is PredictionType.BINARY
        assert process.description.classes == ("low", "high")
        scores = process.score(to_arrow(AGES))
    assert scores.predictions.tolist() == ["low", "high", "low"]
    assert scores.probabilities is not None


class Regressor:
    _estimator_type = "regressor"
    feature_names_in_ = np.array(["age"], dtype=object)

    def predict(self, frame: pd.DataFrame) -> object:
        """Return a number per row."""
        return frame["age"]


@pytest.mark.parametrize(
    ("held", "taken"),
    [(Regressor(), True), (Regressor, False), (np, False), ({}, False)],
    ids=["instance", "class", "module", "dictionary"],
)
def test_sniff(held: object, *, taken: bool) -> None:
    """An instance with predict is a model; its class, a module and a dictionary are not."""
    assert FLAVOR.sniff(held) is taken


def test_describe() -> None:
    """A mark of its kind and names of columns are read where they are."""
    described = FLAVOR.describe(Regressor())
    assert described.type is PredictionType.REGRESSION
    assert described.feature_names == ("age",)
    assert described.n_features == 1
