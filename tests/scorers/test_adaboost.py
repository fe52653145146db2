"""AdaBoost: votes and weighted medians, of trees and of other models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled
from tests.scorers.thresholds import rows_at

from brinery.scorers.adaboost import Median, MedianTrees, Votes, VotingTrees, _elected, _logarithms
from brinery.scorers.data import Columns, Declined
from brinery.scorers.forests import TREES
from brinery.scorers.interface import class_name

_ROWS = 150


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return more rows than are fitted on, some of them far away."""
    table = np.random.default_rng(0).normal(size=(300, 4))
    table[:, 1] = np.round(table[:, 1])
    table[_ROWS:] *= 4
    return pd.DataFrame(table, columns=list("abcd"))


def _classes(frame: pd.DataFrame, count: int) -> Any:
    score = frame["a"] * frame["c"] + frame["b"]
    return np.array(["x", "y", "z"])[np.digitize(score, [0, 0.9][: count - 1])]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "base",
    [
        None,
        DecisionTreeClassifier(max_depth=3, class_weight="balanced"),
        DecisionTreeClassifier(),
        ExtraTreeClassifier(max_depth=2),
        RandomForestClassifier(3, max_depth=2),
    ],
    ids=stable,
)
@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, count: int, base: Any, rate: float
) -> None:
    """Its decision function, too, and at every threshold."""
    model = AdaBoostClassifier(base, n_estimators=12, learning_rate=rate, random_state=0)
    model.fit(frame[:_ROWS], _classes(frame, count)[:_ROWS])
    scorer = agrees(model, frame)
    columns = Columns(tuple(map(str, frame)), tuple(frame.to_numpy().T), len(frame))
    found = scorer.plan.model.decision(columns)
    np.testing.assert_array_equal(found, model.decision_function(frame))
    if class_name(model.estimators_[0]) in TREES:
        agrees(model, rows_at(frame, model.estimators_), scorer=scorer)


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize(
    "base",
    [None, DecisionTreeRegressor(max_depth=1), ExtraTreeRegressor(), RandomForestRegressor(3)],
    ids=stable,
)
def test_a_regressor_answers_as_the_library(frame: pd.DataFrame, base: Any, loss: str) -> None:
    """Ties among its members included."""
    model = AdaBoostRegressor(base, n_estimators=11, loss=loss, random_state=0)
    model.fit(frame[:_ROWS], (frame["a"] * 2 + frame["b"])[:_ROWS])
    scorer = agrees(model, frame)
    if class_name(model.estimators_[0]) in TREES:
        agrees(model, rows_at(frame, model.estimators_)[::7], scorer=scorer)


def test_a_missing_value_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """AdaBoost takes none, whatever its members take."""
    holes = frame[:3].mask(frame[:3] > 0)
    classes = _classes(frame, 2)
    for model in (
        AdaBoostClassifier(n_estimators=3).fit(frame, classes),
        AdaBoostClassifier(RandomForestClassifier(2), n_estimators=2).fit(frame, classes),
        AdaBoostRegressor(n_estimators=3).fit(frame, frame["a"]),
        AdaBoostRegressor(RandomForestRegressor(2), n_estimators=2).fit(frame, frame["a"]),
    ):
        with pytest.raises(ValueError, match="NaN"):
            model.predict(holes)
        with pytest.raises(Declined):
            compiled(model, frame).score(columns_of(holes))


def test_the_real_algorithm_of_old_versions_adds_logarithms() -> None:
    """SAMME.R, written out for one row: a probability of 0 counts as the smallest there is."""
    chances = np.array([[0.2, 0.8, 0.0]])
    logs = np.log([0.2, 0.8, np.finfo(float).eps])
    np.testing.assert_allclose(_logarithms(chances)[0], 2 * (logs - logs.mean()))
    assert chances[0, 2] == 0.0
    answer = _elected(_logarithms(chances), 1.0)
    assert answer.labels is not None
    assert answer.labels.tolist() == [1]


def test_forged_votes_are_refused(frame: pd.DataFrame) -> None:
    """Every member has its weight, and its output if it is a tree."""
    classes = _classes(frame, 3)
    trees = compiled(AdaBoostClassifier(n_estimators=3).fit(frame, classes), frame).plan.model
    forests = AdaBoostClassifier(RandomForestClassifier(2), n_estimators=2).fit(frame, classes)
    votes = compiled(forests, frame).plan.model
    median = compiled(AdaBoostRegressor(n_estimators=3).fit(frame, frame["a"]), frame).plan.model
    others = AdaBoostRegressor(RandomForestRegressor(2), n_estimators=2).fit(frame, frame["a"])
    middle = compiled(others, frame).plan.model
    assert isinstance(trees, VotingTrees)
    assert isinstance(votes, Votes)
    assert isinstance(median, MedianTrees)
    assert isinstance(middle, Median)
    for node, fields in (
        (trees, {"trees": median.trees.__class__(**_single(median))}),
        (votes, {"weights": np.ones(1)}),
        (votes, {"n_classes": 1}),
        (votes, {"n_classes": 1 << 34}),
        (votes, {"members": (), "weights": np.ones(0)}),
        (median, {"weights": np.ones(2)}),
        (median, {"trees": trees.trees}),
        (middle, {"weights": np.ones(3)}),
        (middle, {"members": (), "weights": np.ones(0)}),
    ):
        with pytest.raises(ValueError, match=r"vote|median"):
            replace(node, **fields)


def _single(median: MedianTrees) -> dict[str, Any]:
    """Return trees that have one output."""
    trees = median.trees
    zeros = np.zeros_like(trees.outputs)
    names = ("nodes", "roots", "leaves", "sets", "n_features")
    return {**{name: getattr(trees, name) for name in names}, "outputs": zeros, "n_outputs": 1}
