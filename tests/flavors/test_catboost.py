from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pytest
from tests.flavors.loaded import amount, check_answers, frame, numbers, opened, target

from brinery.flavors.catboost import CatBoost
from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType

FLAVOR = CatBoost()
FEW: dict[str, Any] = {
    "iterations": 4,
    "verbose": 0,
    "allow_writing_files": False,
    "thread_count": 1,
}


def texts() -> Any:
    """Return the inputs with the category as text, as CatBoost takes it."""
    return frame().assign(job=frame()["job"].astype(str).astype(object))


def saved(model: Any, path: Path, *, pickled: bool) -> Path:
    if pickled:
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(str(path), format="cbm")
    return path


@pytest.mark.parametrize("pickled", [True, False])
@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), ("a", "b", "c")], ids=str)
def test_classifier(tmp_path: Path, labels: tuple[Any, ...], *, pickled: bool) -> None:
    """The estimator's own predictions and probabilities, from a pickle or its own file."""
    inputs = texts()
    model = catboost.CatBoostClassifier(**FEW, cat_features=["job"]).fit(inputs, target(*labels))
    with opened(saved(model, tmp_path / "model.bin", pickled=pickled)) as process:
        described = process.description
        assert process.artifact.flavor == described.framework == "catboost"
        assert process.artifact.format == ("pickle" if pickled else "catboost")
        assert described.framework_version == catboost.__version__
        assert described.classes == labels
        assert described.feature_names == ("age", "balance", "job")
        assert described.columns["age"].type is ColumnType.NUMBER
        assert described.columns["job"].type is None
        check_answers(
            process,
            inputs,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )


@pytest.mark.parametrize("loss", ["RMSE", "Poisson", "Quantile:alpha=0.8", "MAE"])
@pytest.mark.parametrize("pickled", [True, False])
def test_regressor_of_arrays(tmp_path: Path, loss: str, *, pickled: bool) -> None:
    """A regressor of numbered columns answers as itself, also from a file without its class."""
    inputs = numbers().to_numpy()
    model = catboost.CatBoostRegressor(**FEW, loss_function=loss).fit(inputs, abs(amount()))
    with opened(saved(model, tmp_path / "model.bin", pickled=pickled)) as process:
        assert process.description.type is PredictionType.REGRESSION
        assert process.description.feature_names is None
        assert process.description.n_features == 2
        check_answers(process, numbers(), predictions=model.predict(inputs))


def test_without_a_class_of_its_own(tmp_path: Path) -> None:
    """The bare `CatBoost` of a classification gives labels, where its own predict gives scores."""
    model = catboost.CatBoost({**FEW, "loss_function": "Logloss"}).fit(numbers(), target(0, 1))
    with opened(saved(model, tmp_path / "model.pkl", pickled=True)) as process:
        assert process.description.type is PredictionType.BINARY
        check_answers(
            process,
            numbers(),
            predictions=model.predict(numbers(), prediction_type="Class"),
            probabilities=model.predict(numbers(), prediction_type="Probability"),
        )


def test_ranker() -> None:
    """A ranking is neither a class nor a number that means something by itself."""
    pool = catboost.Pool(numbers(), target(0, 1), group_id=np.repeat([0, 1], 60))
    model = catboost.CatBoost({**FEW, "loss_function": "YetiRank"}).fit(pool)
    assert FLAVOR.describe(model).type is PredictionType.OTHER


def test_several_outputs() -> None:
    """A model of several outputs answers each row with all of them."""
    both = np.column_stack([amount(), amount()])
    model = catboost.CatBoostRegressor(**FEW, loss_function="MultiRMSE").fit(numbers(), both)
    scores = FLAVOR.score(model, numbers())
    assert scores.outputs == ("output_0", "output_1")
    assert np.array_equal(scores.predictions, model.predict(numbers()))
