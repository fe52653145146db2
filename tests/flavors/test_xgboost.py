from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from tests.flavors.loaded import amount, check_answers, frame, numbers, opened, target

from brinery.errors import PredictionRefused
from brinery.flavors import catalog
from brinery.flavors.xgboost import XGBoost
from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType
from brinery.store.tables import to_arrow

FLAVOR = XGBoost()
FEW: dict[str, Any] = {"n_estimators": 4, "max_depth": 3}


def classifier(labels: Any, inputs: Any) -> Any:
    return xgboost.XGBClassifier(**FEW, enable_categorical=True).fit(inputs, labels)


def booster(objective: str, labels: Any, inputs: Any = None, **parameters: Any) -> Any:
    matrix = xgboost.DMatrix(numbers() if inputs is None else inputs, labels)
    return xgboost.train({"objective": objective, **parameters}, matrix, num_boost_round=3)


@pytest.mark.parametrize("classes", [2, 3])
def test_pickled_classifier(tmp_path: Path, classes: int) -> None:
    """The estimator's own predictions and probabilities, categories and gaps among its inputs."""
    inputs, labels = frame(), target(*range(classes))
    model = classifier(labels, inputs)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    with opened(path) as process:
        described = process.description
        assert process.artifact.flavor == described.framework == "xgboost"
        assert described.framework_version == xgboost.__version__
        assert described.outline == "XGBClassifier"
        assert described.classes == tuple(range(classes))
        assert described.feature_names == ("age", "balance", "job")
        assert described.columns["job"].categories == ("clerk", "nurse", "smith")
        assert described.columns["age"].type is ColumnType.NUMBER
        check_answers(
            process,
            inputs,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )


def test_text_is_the_categories_it_knows(tmp_path: Path) -> None:
    """A column of text, as a csv file has it, is answered as the categories it stands for."""
    inputs = frame()
    model = classifier(target(0, 1), inputs)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    texts = inputs.assign(job=inputs["job"].astype(str).astype(object))
    with opened(path) as process:
        check_answers(
            process,
            texts,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )
        texts.loc[5, "job"] = "pilot"
        with pytest.raises(PredictionRefused, match="'pilot', which is none of the 3 categories"):
            process.score(to_arrow(texts))


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_estimators_own_file(tmp_path: Path, suffix: str) -> None:
    """A file that an estimator wrote is that estimator again."""
    inputs = frame()
    model = classifier(target(0, 1, 2), inputs)
    model.save_model(tmp_path / f"model.{suffix}")
    path = (tmp_path / f"model.{suffix}").rename(tmp_path / "model.bin")
    with opened(path) as process:
        assert process.artifact.format == f"xgboost-{suffix}"
        assert process.description.outline == "XGBClassifier"
        check_answers(
            process,
            inputs,
            predictions=model.predict(inputs),
            probabilities=model.predict_proba(inputs),
        )


def test_regressor_of_arrays(tmp_path: Path) -> None:
    """A regressor that was fitted on an array has no names."""
    inputs = numbers().to_numpy()
    model = xgboost.XGBRegressor(**FEW).fit(inputs, amount())
    model.save_model(tmp_path / "model.json")
    with opened(tmp_path / "model.json") as process:
        assert process.description.type is PredictionType.REGRESSION
        assert process.description.feature_names is None
        assert process.description.n_features == 2
        check_answers(process, numbers(), predictions=model.predict(inputs))


@pytest.mark.parametrize("pickled", [True, False])
def test_booster(tmp_path: Path, *, pickled: bool) -> None:
    """A booster's probability of class 1 makes labels of 0 and 1."""
    model = booster("binary:logistic", target(0, 1))
    path = tmp_path / "model.ubj"
    if pickled:
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(path)
    probability = model.predict(xgboost.DMatrix(numbers())).astype(np.float64)
    with opened(path) as process:
        assert process.description.type is PredictionType.BINARY
        assert process.description.classes == (0, 1)
        check_answers(
            process,
            numbers(),
            predictions=(probability > 0.5).astype(int),
            probabilities=np.column_stack([1 - probability, probability]),
        )


@pytest.mark.parametrize(
    ("objective", "kind", "n_classes"),
    [
        ("binary:logistic", PredictionType.BINARY, 2),
        ("binary:logitraw", PredictionType.BINARY, 2),
        ("binary:hinge", PredictionType.BINARY, 2),
        ("multi:softprob", PredictionType.MULTICLASS, 3),
        ("multi:softmax", PredictionType.MULTICLASS, 3),
        ("reg:squarederror", PredictionType.REGRESSION, 0),
        ("count:poisson", PredictionType.REGRESSION, 0),
        ("survival:cox", PredictionType.OTHER, 0),
        ("rank:pairwise", PredictionType.OTHER, 0),
    ],
)
def test_objectives(objective: str, kind: PredictionType, n_classes: int) -> None:
    """The objective says what a booster predicts, and every prediction is a class or a number."""
    labels = target(*range(n_classes or 3))
    extra = {"num_class": 3} if objective.startswith("multi") else {}
    if objective == "survival:cox":
        labels = labels + 1
    model = booster(objective, labels, **extra)
    described = FLAVOR.describe(model)
    assert described.type is kind
    assert described.classes == tuple(range(n_classes))
    scores = FLAVOR.score(model, numbers())
    raw = model.predict(xgboost.DMatrix(numbers()))
    if described.gives_probabilities:
        assert scores.probabilities is not None
        assert scores.predictions.tolist() == scores.probabilities.argmax(axis=1).tolist()
    elif n_classes:
        expected = raw > 0 if objective == "binary:logitraw" else raw
        assert scores.predictions.tolist() == expected.astype(int).tolist()
    else:
        assert scores.predictions.tolist() == raw.tolist()


def test_ranker_estimator() -> None:
    """A ranker is neither a classifier nor a regressor."""
    model = xgboost.XGBRanker(**FEW).fit(numbers(), target(0, 1), qid=np.repeat([0, 1], 60))
    assert FLAVOR.describe(model).type is PredictionType.OTHER


def test_several_outputs() -> None:
    """A model of several outputs answers each row with all of them; so does its booster."""
    both = pd.DataFrame({"a": amount(), "b": amount()})
    model = xgboost.XGBRegressor(**FEW).fit(numbers(), both)
    for found in (model, model.get_booster()):
        scores = FLAVOR.score(found, numbers())
        assert scores.outputs == ("output_0", "output_1")
        assert np.array_equal(scores.predictions, model.predict(numbers()))


def test_sniff_is_by_class() -> None:
    """Estimators and boosters are XGBoost's; a pipeline that ends in one is scikit-learn's."""
    assert catalog.owner(xgboost.XGBClassifier()) is not None
    assert FLAVOR.sniff(booster("reg:squarederror", amount()))
    assert not FLAVOR.sniff(xgboost)
    assert FLAVOR.environment(xgboost.XGBClassifier()) == ("sklearn", "xgboost")
