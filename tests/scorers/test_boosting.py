"""Gradient boosting: every loss, and whatever the sums begin at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of
from tests.scorers.thresholds import rows_at

from brinery.scorers.boosting import Boosting, Meaning, Reading, Verdict
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Columns, Declined, Sparse
from brinery.scorers.interface import Unsupported

_ROWS = 150


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return more rows than are fitted on, some of them far away."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 4)) * [1, 1, 100, 1e-3]
    table[:, 1] = np.round(table[:, 1])
    table[_ROWS:] *= 4
    table[-1] = [9e15, -9e15, 1e-320, 0.0]
    return pd.DataFrame(table, columns=list("abcd"))


def _classes(frame: pd.DataFrame, count: int) -> Any:
    score = (frame["a"] + frame["b"]).to_numpy()
    return np.array(["no", "yes", "so"])[np.digitize(score, [-0.5, 0.8][: count - 1])]


def _agrees(model: Any, frame: pd.DataFrame) -> None:
    """Assert agreement, that of the decision function and that at the thresholds included."""
    scorer = agrees(model, frame)
    edges = rows_at(frame[:_ROWS], model.estimators_.ravel())
    agrees(model, edges, scorer=scorer)
    if hasattr(model, "decision_function"):
        columns = Columns(tuple(map(str, frame)), tuple(frame.to_numpy().T), len(frame))
        found = scorer.plan.model.decision(columns)
        np.testing.assert_allclose(found, model.decision_function(frame), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "init",
    [
        None,
        "zero",
        DummyClassifier(strategy="prior"),
        DummyClassifier(strategy="most_frequent"),
        RandomForestClassifier(5, random_state=0),
        DecisionTreeClassifier(max_depth=2),
        GradientBoostingClassifier(n_estimators=3),
    ],
    ids=stable,
)
def test_a_classifier_answers_as_the_library(frame: pd.DataFrame, count: int, init: Any) -> None:
    """Of two classes and of more, whatever its sums begin at."""
    model = GradientBoostingClassifier(n_estimators=15, learning_rate=0.3, init=init)
    _agrees(model.fit(frame[:_ROWS], _classes(frame, count)[:_ROWS]), frame)


@pytest.mark.parametrize("init", [None, "zero", RandomForestClassifier(5)], ids=stable)
def test_the_exponential_loss_halves_the_logits(frame: pd.DataFrame, init: Any) -> None:
    """Those that it begins at, and those that it ends with."""
    model = GradientBoostingClassifier(loss="exponential", n_estimators=12, init=init)
    _agrees(model.fit(frame[:_ROWS], _classes(frame, 2)[:_ROWS]), frame)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
@pytest.mark.parametrize(
    "init",
    [
        None,
        "zero",
        DummyRegressor(strategy="median"),
        DummyRegressor(strategy="constant", constant=-7.5),
        RandomForestRegressor(5),
        GradientBoostingRegressor(n_estimators=2),
    ],
    ids=stable,
)
def test_a_regressor_answers_as_the_library(frame: pd.DataFrame, loss: str, init: Any) -> None:
    """With every loss, whatever its sums begin at."""
    model = GradientBoostingRegressor(loss=loss, n_estimators=10, init=init, subsample=0.8)
    _agrees(model.fit(frame[:_ROWS], frame["a"][:_ROWS] * 3 + frame["b"][:_ROWS]), frame)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_leaf_nodes": 4, "max_features": 2},
        {"max_depth": 1},
        {"n_iter_no_change": 2, "validation_fraction": 0.3},
        {"ccp_alpha": 1e6},
        {"learning_rate": 30.0, "n_estimators": 40},
    ],
    ids=stable,
)
def test_every_way_to_grow_is_read(frame: pd.DataFrame, settings: dict[str, Any]) -> None:
    """Trees that were pruned to a leaf, stopped early, or grew until their sums overflow."""
    model = GradientBoostingClassifier(**{"n_estimators": 20, **settings})
    with np.errstate(all="ignore"):
        model.fit(frame[:_ROWS], _classes(frame, 2)[:_ROWS])
    agrees(model, frame)


def test_missing_values_are_left_to_the_library(frame: pd.DataFrame) -> None:
    """It refuses them."""
    model = GradientBoostingClassifier(n_estimators=3).fit(
        frame[:_ROWS], _classes(frame, 2)[:_ROWS]
    )
    holes = frame[:2].mask(frame[:2] > 0)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(holes)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(holes))


def test_a_sparse_table_is_answered_as_a_dense_one(frame: pd.DataFrame) -> None:
    """The first model is given it, too."""
    model = GradientBoostingRegressor(n_estimators=5, init=RandomForestRegressor(3))
    table = np.where(frame.abs() > frame.abs().median(), frame, 0.0)
    model.fit(table, frame["a"].clip(-9, 9))
    rows, columns = np.nonzero(table)
    starts = np.searchsorted(rows, np.arange(len(table) + 1))
    given = Sparse(starts, columns, table[rows, columns], width=table.shape[1])
    answer = compiled(model, frame).plan.model.answer(given)
    np.testing.assert_array_equal(answer.values, model.predict(table))


@pytest.mark.parametrize(
    "init", [LinearRegression(), DummyRegressor(), HistGradientBoostingClassifier()], ids=stable
)
def test_what_has_the_precision_of_float32_is_left_to_the_library(
    frame: pd.DataFrame, init: Any
) -> None:
    """A first estimator that was fitted on float32 is not read, unless it is a constant."""
    target = frame["a"][:_ROWS] > 0
    model = GradientBoostingRegressor(n_estimators=2, init=init).fit(frame[:_ROWS], target)
    if isinstance(init, DummyRegressor):
        agrees(model, frame)
        return
    with pytest.raises(Unsupported, match=f"begins at {type(init).__name__}"):
        compile_model(model, inputs_of(frame))


def test_a_dummy_that_throws_dice_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """Its answers are not the same for every row."""
    model = GradientBoostingClassifier(n_estimators=2, init=DummyClassifier(strategy="uniform"))
    model.fit(frame[:_ROWS], _classes(frame, 2)[:_ROWS])
    with pytest.raises(Unsupported, match="begins at DummyClassifier"):
        compile_model(model, inputs_of(frame))


def test_sums_are_read_as_each_version_reads_them() -> None:
    """What is closer to a tie than a probability can tell depends on the version."""
    sums = np.array([[0.0], [1e-17], [-1e-17], [1.0], [-800.0], [800.0]])
    labels = {
        Verdict.AT_LEAST: [1, 1, 0, 1, 0, 1],
        Verdict.ABOVE: [0, 1, 0, 1, 0, 1],
        Verdict.LIKELIEST: [0, 0, 0, 1, 0, 1],
    }
    for verdict, expected in labels.items():
        answer = Reading(Meaning.LOGIT, verdict).answer(sums)
        assert answer.labels is not None
        assert answer.labels.tolist() == expected
    three = np.array([[0.0, 1e-17, 0.0], [-1000.0, 0.0, 1000.0]])
    for meaning in (Meaning.SOFTMAX, Meaning.LOG_SOFTMAX):
        largest = Reading(meaning, Verdict.LARGEST).answer(three).labels
        likeliest = Reading(meaning, Verdict.LIKELIEST).answer(three)
        assert largest is not None
        assert largest.tolist() == [1, 2]
        assert likeliest.labels is not None
        assert likeliest.labels.tolist() == [0, 2]
        assert likeliest.probabilities is not None
        np.testing.assert_allclose(likeliest.probabilities[0], 1 / 3)


def test_forged_sums_are_refused(frame: pd.DataFrame) -> None:
    """As many numbers to begin at as there are sums, and a meaning that they can have."""
    model = GradientBoostingClassifier(n_estimators=2).fit(
        frame[:_ROWS], _classes(frame, 2)[:_ROWS]
    )
    node = compiled(model, frame).plan.model
    assert isinstance(node, Boosting)
    for fields in (
        {"base": np.zeros(2)},
        {"base": np.zeros((1, 1))},
        {"reading": Reading(Meaning.SOFTMAX, Verdict.LARGEST)},
        {"reading": Reading(Meaning.LOGIT)},
        {"reading": Reading(Meaning.VALUE, Verdict.ABOVE)},
    ):
        with pytest.raises(ValueError, match="boosted trees"):
            replace(node, **fields)
