"""Models as ONNX graphs; the actions' tests compare what they answer."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import pandas as pd
import pytest
import xgboost
from tests.flavors.loaded import frame, numbers, target

from brinery.errors import NotExportable
from brinery.flavors.exports import export
from brinery.flavors.messages import Export


def test_categories(tmp_path: Path) -> None:
    """A boosted model of categories is refused: as ONNX it would take their numbers."""
    table = numbers().assign(job=pd.Categorical(frame()["job"]))
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(table, target("no", "yes"))
    columns = (("age", "number"), ("balance", "number"), ("job", "string"))
    asked = Export(path=str(tmp_path / "model.onnx"), to="onnx", columns=columns)
    with pytest.raises(NotExportable, match="the column job is of type string"):
        export(model, "lightgbm", asked=asked)


def test_a_model_keeps_its_names(tmp_path: Path) -> None:
    """The converter of XGBoost reads columns by number; the model has its names afterwards."""
    model = xgboost.XGBClassifier(n_estimators=2).fit(numbers(), target(0, 1))
    columns = (("age", "number"), ("balance", "number"))
    asked = Export(path=str(tmp_path / "model.onnx"), to="onnx", columns=columns)
    export(model, "xgboost", asked=asked)
    assert model.get_booster().feature_names == ["age", "balance"]
    assert (tmp_path / "model.onnx").exists()
