"""Compatibility steps: what each does to the real library, that it says so, and how it is off."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
import xgboost as xgb
from sklearn.tree import DecisionTreeClassifier
from tests.shims.conftest import FILES, PAGE, Shimmed

from brinery.specs.compatibility import COMPATIBILITY

# MLflow's own classes have hints that it warns of.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint")
ROWS = np.arange(12.0).reshape(12, 1)
NAMES = np.array(["setosa", "virginica", "versicolor"] * 4)


def test_pages_are_answered_from_files(shimmed: Shimmed) -> None:
    """By requests as a block, by urllib and so pandas; a folder stands for all below it."""
    content = (shimmed.workspace / "bank.csv").read_bytes()
    with requests.get(PAGE, stream=True, timeout=240) as answer:
        assert (answer.status_code, answer.content) == (200, content)
    assert requests.get(f"{PAGE}?v=1", timeout=240).headers["Content-Length"] == str(len(content))
    assert requests.head(PAGE, timeout=240).content == b""
    with urllib.request.urlopen(f"{FILES}bank.csv") as stream:
        assert (stream.status, stream.read()) == (200, content)
    assert pd.read_csv(PAGE, sep=";")["y"].tolist() == ["no", "yes"]
    with pytest.raises(FileNotFoundError):
        urllib.request.urlopen(f"{FILES}../../etc/passwd")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("http://127.0.0.1:9/bank.csv")


def test_labels_of_any_kind(shimmed: Shimmed, capfd: pytest.CaptureFixture[str]) -> None:
    """XGBClassifier takes texts and says so; numbers are its own affair, and so are margins."""
    del shimmed
    model = xgb.XGBClassifier(n_estimators=3, max_depth=2)
    model.fit(ROWS, NAMES, eval_set=[(ROWS, NAMES)], verbose=False)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    found = model.predict(ROWS)
    assert set(found) <= set(NAMES)
    assert model.predict(ROWS, output_margin=True).dtype.kind == "f"
    assert (model.classes_[model.predict_proba(ROWS).argmax(axis=1)] == found).all()
    assert capfd.readouterr().err.count("xgboost-labels") <= 1
    plain = xgb.XGBClassifier(n_estimators=2).fit(ROWS, np.array([0, 1, 2] * 4))
    assert plain.classes_.tolist() == [0, 1, 2]
    assert plain.predict(ROWS).dtype.kind == "i"
    again = model.fit(ROWS, np.array([0, 1, 2] * 4))
    assert again.classes_.tolist() == [0, 1, 2]


def test_models_are_kept_as_before(shimmed: Shimmed, tmp_path: Path) -> None:
    """A tree is saved by cloudpickle where nobody says how, and by skops where somebody does."""
    mlflow = shimmed.module("mlflow")
    model = DecisionTreeClassifier().fit(ROWS, NAMES)
    mlflow.sklearn.save_model(model, tmp_path / "ours")
    assert "serialization_format: cloudpickle" in (tmp_path / "ours" / "MLmodel").read_text()
    trusted = ["numpy.dtype", "sklearn.tree._tree.Tree"]
    mlflow.sklearn.save_model(model, tmp_path / "theirs", skops_trusted_types=trusted)
    assert "serialization_format: skops" in (tmp_path / "theirs" / "MLmodel").read_text()


def test_a_script_that_is_older_than_its_libraries_is_told(
    shimmed: Shimmed, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library's own error comes first, and then where releases are listed that would do."""
    del shimmed
    for name in ("int", "float"):
        try:
            getattr(np, name)
        except AttributeError as error:
            sys.excepthook(AttributeError, error, None)
    said = capfd.readouterr().err
    assert "module 'numpy' has no attribute 'int'" in said
    assert "docs/how-to/dataiku.md lists those" in said


def test_each_step_is_one_that_can_be_switched_off(shimmed: Shimmed) -> None:
    """Names of steps are the same in the settings and in the process of a script."""
    hooks = shimmed.module("brinery_shims.hooks")
    waiting = {step for step, _, _ in hooks.STEPS}
    others = {
        shimmed.module("brinery_shims.old_libraries").STEP,
        shimmed.module("brinery_shims.libraries").STEP,
        "default-folder",
    }
    assert waiting | others == set(COMPATIBILITY)
    for _, _, name in hooks.STEPS:
        module = shimmed.module(name)
        assert module.STEP in waiting
        assert os.path.dirname(module.__file__).endswith("brinery_shims")  # noqa: PTH120 - a text
