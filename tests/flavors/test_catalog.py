from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.conftest import ROOT

from brinery.errors import LibraryMissing, NotAModel
from brinery.flavors import catalog
from brinery.flavors.interface import Flavor

# What a package that brings a framework consists of: a module, and an entry point.
THIRD_PARTY = """
import json

from brinery.flavors.interface import Flavor, made_by


class Abacus(Flavor):
    name = "abacus"
    module = "abacus"
    formats = ("abacus",)

    def sniff(self, model):
        return made_by(model, "abacus")

    def load(self, source):
        return Beads(json.loads(source.path.read_text())["beads"])


class Beads:
    def __init__(self, beads):
        self.beads = beads

    def predict(self, given):
        return [self.beads + row for row in range(len(given))]
"""
USE = """
import sys
from pathlib import Path

import pandas as pd

from brinery.flavors import loading
from brinery.flavors.messages import Load

model, flavor = loading.load(Load(path=sys.argv[1], format="abacus"))
frame = pd.DataFrame({"a": [1, 2]})
print(flavor.name, flavor.describe(model).outline, flavor.score(model, frame).predictions.tolist())
"""


def test_pyproject_states_the_same_table() -> None:
    """The entry points of the package are the flavors that are found without them, in order."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert stated["project"]["entry-points"][catalog.GROUP] == catalog.OURS
    assert list(stated["project"]["entry-points"][catalog.GROUP]) == list(catalog.OURS)


def test_names_and_formats() -> None:
    """Each flavor is called what the table calls it, and no format is loaded by two."""
    ours = [flavor for flavor in catalog.flavors() if flavor.name in catalog.OURS]
    assert [flavor.name for flavor in ours] == list(catalog.OURS)
    formats = [form for flavor in catalog.flavors() for form in flavor.formats]
    assert len(formats) == len(set(formats))
    assert {"xgboost-json", "xgboost-ubj", "lightgbm-text", "catboost", "onnx"} <= set(formats)
    assert {"skops", "safetensors", "torch"} <= set(formats)


def test_no_framework_is_imported() -> None:
    """To find every flavor, and to ask each about an object, imports no framework."""
    code = (
        "import sys; from brinery.flavors import catalog, integrity; catalog.owner(object());"
        "frameworks = {'sklearn', 'xgboost', 'lightgbm', 'catboost', 'onnxruntime', 'onnx', "
        "'statsmodels', 'torch', 'safetensors', 'skops', 'mlflow', 'scipy'};"
        "print(sorted(frameworks & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def packaged(folder: Path, *, module: str = THIRD_PARTY, target: str = "abacus:Abacus") -> None:
    """Lay a package with a flavor into a folder, as an installer does."""
    (folder / "abacus.py").write_text(module)
    info = folder / "abacus-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: abacus\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{catalog.GROUP}]\nabacus = {target}\n")


def used(folder: Path, *options: str) -> Any:
    model = folder / "model.json"
    model.write_text('{"beads": 7}')
    return subprocess.run(
        [sys.executable, *options, "-c", USE, str(model)],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_packages_flavor(tmp_path: Path) -> None:
    """A package brings a framework with one module and one entry point."""
    packaged(tmp_path)
    done = used(tmp_path)
    assert done.stdout.strip() == "abacus Beads [7, 8]", done.stderr


def test_a_flavor_that_cannot_be_imported(tmp_path: Path) -> None:
    """It is left out with a warning, and keeps no model from loading that needs it not."""
    packaged(tmp_path, module="import nowhere_to_be_found")
    done = used(tmp_path, "-W", "always")
    assert "the flavor abacus (abacus:Abacus) is left out: No module named" in done.stderr
    assert "is of the format abacus, which no flavor loads" in done.stderr


def test_owner_by_name() -> None:
    """A model is taken by the flavor that took it before, or refused."""
    model = LogisticRegression()
    assert found(model, "") == "scikit-learn"
    assert found(model, "scikit-learn") == "scikit-learn"
    assert found(object(), "") is None
    with pytest.raises(NotAModel, match="LogisticRegression is no model of xgboost"):
        catalog.owner(model, "xgboost")
    with pytest.raises(LibraryMissing, match="by the flavor 'abacus', which is not installed"):
        catalog.owner(model, "abacus")


def found(model: Any, name: str) -> str | None:
    flavor = catalog.owner(model, name)
    return None if flavor is None else flavor.name


class Minimal(Flavor):
    """What a flavor must say: the rest is the same for most frameworks."""

    name = "minimal"
    module = "numpy"

    def sniff(self, model: Any) -> bool:
        """Return whether it is a model."""
        return model is not None


class Constant:
    """A model of the least framework."""

    def predict(self, given: Any) -> Any:
        """Return an answer per row."""
        return np.ones(len(given))


def test_the_least_a_flavor_says() -> None:
    """A flavor that only sniffs describes and scores whatever predicts."""
    flavor = Minimal()
    described = flavor.describe(Constant())
    assert described.framework == "minimal"
    assert described.framework_version == np.__version__
    assert described.outline == "Constant"
    assert described.n_features is None
    assert flavor.environment(Constant()) == ("numpy",)
    assert flavor.score(Constant(), pd.DataFrame({"a": [1, 2]})).predictions.tolist() == [1, 1]
