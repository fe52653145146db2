"""A function or class of the user's own, as a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from brinery.errors import (
    BrineryError,
    ClassNotImportable,
    LibraryMissing,
    ModelFileChanged,
    ModelLoadFailed,
    NotAModel,
    NotTrusted,
)
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact

MODULE = """
import numpy as np
from churn.rates import RATE

def predict(frame):
    return frame["age"] * RATE

def labels(frame):
    return np.where(frame["age"] > 30, "yes", "no")

class Model:
    classes_ = np.array(["no", "yes"])

    def predict(self, frame):
        return labels(frame)

    def predict_proba(self, frame):
        high = np.asarray(frame["age"]) / 100
        return np.column_stack([1 - high, high])

class NeedsArguments:
    def __init__(self, rate):
        self.rate = rate

    def predict(self, frame):
        return frame["age"] * self.rate

model = NeedsArguments(3)
number = 7
"""

FRAME = pd.DataFrame({"age": [20, 40, 60], "job": ["a", "b", "c"]})


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with a package of two modules."""
    folder = tmp_path / "src"
    (folder / "churn").mkdir(parents=True)
    (folder / "churn" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "churn" / "rates.py").write_text("RATE = 0.5\n", encoding="utf-8")
    (folder / "churn" / "scoring.py").write_text(MODULE, encoding="utf-8")
    (folder / "churn" / "needing.py").write_text("import nolib\n", encoding="utf-8")
    (folder / "churn" / "raising.py").write_text("1 / 0\n", encoding="utf-8")
    return folder


def load(target: str, code: Path, *, trusted: str | None = None) -> ModelProcess:
    """Return a named function or class, loaded in a process of its own."""
    path = code.parent / "callable.json"
    path.write_text(json.dumps({"target": target}), encoding="utf-8")
    artifact = Artifact(
        flavor="",
        format="callable",
        file=path.name,
        sha256=digest(path),
        globals=(trusted or target.replace(":", "."),),
        code=True,
        code_sha256=digest(code),
    )
    return ModelProcess(path, artifact=artifact, code=code)


def table() -> pa.Table:
    """Return the rows as a model's process takes them."""
    return pa.Table.from_pandas(FRAME, preserve_index=False)


def test_a_function_predicts(code: Path) -> None:
    """A function is given the frame, and its series is the predictions; its imports are found."""
    with load("churn.scoring:predict", code) as model:
        assert model.score(table()).predictions.tolist() == [10.0, 20.0, 30.0]
        assert (model.artifact.flavor, model.description.outline) == ("callable", "predict")


@pytest.mark.parametrize("name", ["predict", "Model"])
def test_its_environment(code: Path, name: str) -> None:
    """What its modules import is named, though the process had it before; so is the frame's."""
    (code / "churn" / "rates.py").write_text("import msgspec\nRATE = 0.5\n", encoding="utf-8")
    with load(f"churn.scoring:{name}", code) as model:
        model.score(table())
        found = model.environment(("churn",)).packages
    assert {"numpy", "pandas", "msgspec"} <= set(found)
    assert not {"brinery", "pyarrow", "scikit-learn"} & set(found)


def test_a_class_is_made_and_predicts(code: Path) -> None:
    """A class is made without arguments; its labels, probabilities and classes are used."""
    with load("churn.scoring:Model", code) as model:
        scores = model.score(table())
        assert scores.predictions.tolist() == ["no", "yes", "yes"]
        assert scores.classes == ("no", "yes")
        assert scores.probabilities is not None
        assert np.allclose(scores.probabilities[:, 1], [0.2, 0.4, 0.6], atol=1e-12)
        assert model.artifact.flavor == "python"


def test_an_instance_predicts(code: Path) -> None:
    """An instance that the module made is taken as it is."""
    with load("churn.scoring:model", code) as model:
        assert model.score(table()).predictions.tolist() == [60, 120, 180]


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        ("churn.scoring:NeedsArguments", NotAModel, "without arguments"),
        ("churn.scoring:number", NotAModel, "is a int"),
        ("churn.scoring:predikt", ClassNotImportable, "has no predikt"),
        ("json:dumps", ClassNotImportable, "not in the code"),
        ("churn.needing:predict", LibraryMissing, "churn.needing:predict needs the module 'nolib'"),
        ("churn.raising:predict", ModelLoadFailed, "churn.raising:predict could not be loaded"),
    ],
)
def test_what_cannot_predict(code: Path, target: str, error: type[BrineryError], said: str) -> None:
    """A class that wants arguments, a number, a wrong name and another's module are refused."""
    with pytest.raises(error) as raised:
        load(target, code)
    assert said in raised.value.message


def test_only_the_name_that_was_vouched_for(code: Path) -> None:
    """A name that nobody vouched for is not imported, even if the file says it."""
    with pytest.raises(NotTrusted):
        load("churn.scoring:predict", code, trusted="churn.scoring.labels")


def test_other_code_is_refused(code: Path) -> None:
    """Modules that are not those that were imported once are not loaded."""
    model = load("churn.scoring:predict", code)
    model.close()
    (code / "churn" / "rates.py").write_text("RATE = 9\n", encoding="utf-8")
    with pytest.raises(ModelFileChanged):
        ModelProcess(code.parent / "callable.json", artifact=model.artifact, code=code)
