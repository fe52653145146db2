"""`with brinery.shims():` in a notebook: what is there within the block, and not after it."""

from __future__ import annotations

import os
import sys
import urllib.request
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

import brinery
from brinery.errors import SettingsError

PAGE = "https://data.example.org/bank.csv"
ROWS = np.arange(12.0).reshape(12, 1)


def _fail(opened: object) -> None:
    assert import_module("dataiku").default_project_key()
    assert urllib.request.OpenerDirector.open is not opened
    raise RuntimeError


def test_the_process_is_as_it_was(tmp_path: Path) -> None:
    """Path, variables, modules and libraries are those of before, also where the block failed."""
    variables = ("BRINERY_SHIMS", "NO_PROXY", "MLFLOW_TRACKING_URI")
    before = (list(sys.path), {name: os.environ.get(name) for name in variables})  # noqa: TID251 - compared
    opened = urllib.request.OpenerDirector.open
    block = brinery.shims(workspace=tmp_path, mirrors={PAGE: str(tmp_path)})
    with pytest.raises(RuntimeError), block:
        _fail(opened)
    assert (list(sys.path), {name: os.environ.get(name) for name in variables}) == before  # noqa: TID251 - compared
    assert urllib.request.OpenerDirector.open is opened
    assert not [name for name in sys.modules if name.startswith(("dataiku", "brinery_shims"))]
    with pytest.raises(ModuleNotFoundError):
        import_module("dataiku")


def test_steps_are_off_where_they_are_switched_off(tmp_path: Path) -> None:
    """Without a step its library is as it is; without all, all are; afterwards too."""
    (tmp_path / "brinery.toml").write_text('[run]\nwithout = ["xgboost-labels"]\n')
    texts = np.array(["a", "b"] * 6)
    with brinery.shims(workspace=tmp_path, without=["default-folder"]):
        dataiku = import_module("dataiku")
        with pytest.raises(ValueError, match="the id of a managed folder is empty"):
            dataiku.Folder("").get_id()
        with pytest.raises(ValueError, match="Invalid classes"):
            xgb.XGBClassifier(n_estimators=1).fit(ROWS, texts)
    with brinery.shims(workspace=tmp_path, without=["all"], mirrors={PAGE: str(tmp_path)}):
        assert urllib.request.OpenerDirector.open.__name__ == "open"
    assert urllib.request.OpenerDirector.open.__name__ == "open"


def test_wrong_steps_and_mirrors_are_named(tmp_path: Path) -> None:
    """The nearest step is told, and a mirror's file must be there."""
    with (
        pytest.raises(SettingsError, match="did you mean mirror"),
        brinery.shims(workspace=tmp_path, without=["miror"]),
    ):
        pass
    with (
        pytest.raises(SettingsError, match=f"there is no {tmp_path}/none"),
        brinery.shims(workspace=tmp_path, mirrors={PAGE: f"{tmp_path}/none"}),
    ):
        pass
    (tmp_path / "brinery.toml").write_text('[run]\nwithout = ["skops"]\nwith = 1\n')
    with (
        pytest.raises(SettingsError, match=r"run.with is not a setting.*skops is no compat"),
        brinery.shims(workspace=tmp_path),
    ):
        pass


def test_nobody_answers_outside(tmp_path: Path) -> None:
    """What was imported in a block says after it what to do."""
    with brinery.shims(workspace=tmp_path):
        dataset = import_module("dataiku").Dataset("a")
    with pytest.raises(Exception, match=r"brinery run SCRIPT, or with brinery\.shims"):
        dataset.read_schema()
