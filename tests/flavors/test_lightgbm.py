from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from tests.flavors.loaded import amount, check_answers, frame, numbers, opened, target

from brinery.flavors.lightgbm import LightGBM
from brinery.records.evaluation import PredictionType

FLAVOR = LightGBM()
FEW: dict[str, Any] = {"n_estimators": 4, "verbose": -1, "num_threads": 1}


def booster(objective: str, labels: Any, **parameters: Any) -> Any:
    data = lightgbm.Dataset(numbers(), labels, **parameters.pop("data", {}))
    options = {"objective": objective, "verbose": -1, "num_threads": 1, **parameters}
    return lightgbm.train(options, data, num_boost_round=3)


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), ("a", "b", "c")], ids=str)
def test_pickled_classifier(tmp_path: Path, labels: tuple[Any, ...]) -> None:
    """The estimator's own predictions and probabilities, for labels of any type."""
    inputs = frame()
    model = lightgbm.LGBMClassifier(**FEW).fit(inputs, target(*labels))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    with opened(path) as process:
        described = process.description
        assert process.artifact.flavor == described.framework == "lightgbm"
        assert described.framework_version == lightgbm.__version__
        assert described.classes == labels
        assert described.feature_names == ("age", "balance", "job")
        assert described.columns["job"].categories == ("clerk", "nurse", "smith")
        check_answers(
            process,
            inputs,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )
        texts = inputs.assign(job=inputs["job"].astype(str).astype(object))
        check_answers(
            process,
            texts,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )


@pytest.mark.parametrize("pickled", [True, False])
def test_booster(tmp_path: Path, *, pickled: bool) -> None:
    """A booster's probability of class 1 makes labels of 0 and 1, from a pickle or its text."""
    model = lightgbm.LGBMClassifier(**FEW).fit(frame(), target("no", "yes")).booster_
    path = tmp_path / "model.bin"
    if pickled:
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(path)
    probability = np.asarray(model.predict(frame()))
    with opened(path) as process:
        assert process.artifact.format == ("pickle" if pickled else "lightgbm-text")
        assert process.description.type is PredictionType.BINARY
        assert process.description.classes == (0, 1)
        check_answers(
            process,
            frame(),
            predictions=(probability > 0.5).astype(int),
            probabilities=np.column_stack([1 - probability, probability]),
        )


def test_regressor_of_arrays(tmp_path: Path) -> None:
    """A booster that was fitted on an array has numbered columns, which are no names."""
    model = lightgbm.LGBMRegressor(**FEW).fit(numbers().to_numpy(), amount())
    model.booster_.save_model(tmp_path / "model.txt")
    with opened(tmp_path / "model.txt") as process:
        assert process.description.type is PredictionType.REGRESSION
        assert process.description.feature_names is None
        assert process.description.n_features == 2
        check_answers(process, numbers(), predictions=model.predict(numbers().to_numpy()))


@pytest.mark.parametrize(
    ("objective", "kind", "n_classes"),
    [
        ("binary", PredictionType.BINARY, 2),
        ("multiclass", PredictionType.MULTICLASS, 3),
        ("multiclassova", PredictionType.MULTICLASS, 3),
        ("cross_entropy", PredictionType.REGRESSION, 0),
        ("regression", PredictionType.REGRESSION, 0),
        ("quantile", PredictionType.REGRESSION, 0),
        ("poisson", PredictionType.REGRESSION, 0),
        ("lambdarank", PredictionType.OTHER, 0),
    ],
)
def test_objectives(objective: str, kind: PredictionType, n_classes: int) -> None:
    """The objective says what a booster predicts, and its output is given as it is."""
    extra: dict[str, Any] = {"num_class": 3} if objective.startswith("multi") else {}
    if objective == "lambdarank":
        extra["data"] = {"group": [60, 60]}
    model = booster(objective, target(*range(n_classes or 2)), **extra)
    described = FLAVOR.describe(model)
    assert described.type is kind
    assert described.classes == tuple(range(n_classes))
    scores, raw = FLAVOR.score(model, numbers()), np.asarray(model.predict(numbers()))
    if n_classes == 3:
        assert scores.probabilities is not None
        assert scores.probabilities.tolist() == raw.tolist()
        assert scores.predictions.tolist() == raw.argmax(axis=1).tolist()
    elif not n_classes:
        assert scores.predictions.tolist() == raw.tolist()


def test_ranker_estimator() -> None:
    """A ranker is neither a classifier nor a regressor."""
    model = lightgbm.LGBMRanker(**FEW).fit(numbers(), target(0, 1), group=[60, 60])
    assert FLAVOR.describe(model).type is PredictionType.OTHER
