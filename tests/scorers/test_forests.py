"""Decision trees and forests: every setting that changes how one is grown or read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from scipy import sparse
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
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

from brinery.scorers.data import Declined, Sparse
from brinery.scorers.forests import Forest

_ROWS = 150


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return more rows than are fitted on: ties, a constant column, very different sizes."""
    rng = np.random.default_rng(0)
    columns = {
        "plain": rng.normal(size=400),
        "tied": rng.integers(0, 4, size=400).astype(float),
        "constant": np.ones(400),
        "wide": rng.normal(size=400) * 10.0 ** rng.integers(-40, 15, size=400),
        "offset": 1e6 + rng.normal(size=400) * 1e-2,
    }
    frame = pd.DataFrame(columns)
    frame.iloc[_ROWS:, :2] *= 5
    return frame


def _target(frame: pd.DataFrame, n_classes: int) -> Any:
    score = (frame["plain"] + (frame["tied"] > 1) * (frame["wide"] > 0)).to_numpy()
    return np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes))


def _trees(model: Any) -> Any:
    return getattr(model, "estimators_", [model])


@pytest.mark.parametrize("n_classes", [1, 2, 4])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(criterion="entropy", max_depth=3),
        DecisionTreeClassifier(criterion="log_loss", min_samples_leaf=5, splitter="random"),
        DecisionTreeClassifier(max_leaf_nodes=7, class_weight="balanced", ccp_alpha=0.01),
        DecisionTreeClassifier(max_depth=1),
        ExtraTreeClassifier(random_state=0, max_features=None),
        RandomForestClassifier(20, random_state=0),
        RandomForestClassifier(17, max_depth=4, class_weight="balanced_subsample"),
        RandomForestClassifier(5, criterion="entropy", bootstrap=False, max_samples=None),
        RandomForestClassifier(9, max_samples=0.3, class_weight={0: 3.7}),
        ExtraTreesClassifier(20, max_depth=5, n_jobs=1),
    ],
    ids=stable,
)
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, model: Any, n_classes: int
) -> None:
    """At every threshold and beside it, too."""
    model.fit(frame[:_ROWS], _target(frame, n_classes)[:_ROWS])
    scorer = agrees(model, frame)
    edges = rows_at(frame, _trees(model))
    if len(edges):
        agrees(model, edges, scorer=scorer)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(random_state=0),
        DecisionTreeRegressor(criterion="absolute_error", max_depth=4),
        DecisionTreeRegressor(criterion="poisson", max_depth=4),
        DecisionTreeRegressor(min_impurity_decrease=1e9),
        ExtraTreeRegressor(random_state=0),
        RandomForestRegressor(20, random_state=0),
        RandomForestRegressor(5, criterion="absolute_error", max_depth=3),
        RandomForestRegressor(5, criterion="poisson", max_depth=3),
        RandomForestRegressor(7, max_features=0.5, oob_score=False),
        ExtraTreesRegressor(20, bootstrap=True, max_depth=6),
    ],
    ids=stable,
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_regressor_answers_as_the_library(
    frame: pd.DataFrame, model: Any, n_outputs: int
) -> None:
    """Of several outputs, too, and at every threshold."""
    values = np.column_stack([np.exp(frame["plain"]), frame["tied"], np.hypot(frame["plain"], 3)])
    target = values[:, 0] if n_outputs == 1 else values
    model.fit(frame[:_ROWS], target[:_ROWS])
    scorer = agrees(model, frame)
    edges = rows_at(frame, _trees(model))
    if len(edges):
        agrees(model, edges, scorer=scorer)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=4),
        DecisionTreeRegressor(max_depth=4),
        RandomForestClassifier(10),
        RandomForestRegressor(10),
        ExtraTreesClassifier(10),
    ],
    ids=stable,
)
@pytest.mark.parametrize("fitted_on_missing", [True, False])
def test_missing_values_go_where_the_library_sends_them(
    frame: pd.DataFrame, model: Any, *, fitted_on_missing: bool
) -> None:
    """Whether or not some were missing at the fit."""
    holes = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.3)
    model.fit((holes if fitted_on_missing else frame)[:_ROWS], _target(frame, 3)[:_ROWS])
    agrees(model, holes)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(monotonic_cst=[1, 0, 0, -1, 0]),
        RandomForestRegressor(10, monotonic_cst=[1, 0, 0, -1, 0]),
    ],
    ids=stable,
)
def test_a_monotonic_tree_answers_as_the_library(frame: pd.DataFrame, model: Any) -> None:
    """Missing values included, where its version takes them."""
    model.fit(frame[:_ROWS], _target(frame, 2)[:_ROWS])
    agrees(model, frame)
    agrees(model, frame.mask(frame > 1))


def test_the_extremes_are_answered_as_the_library_does(frame: pd.DataFrame) -> None:
    """The largest and the smallest float32, and what rounds to them or to 0."""
    target = _target(frame, 2)
    extremes = np.array([3.4028234e38, -3.4028234e38, 3e38, 1e-45, -1e-45, 1e-320, -0.0])
    table = np.array(frame[:210])
    table[:, 3] = np.resize(extremes, 210)
    model = ExtraTreesClassifier(20).fit(table, target[:210])
    node = compiled(model, frame).plan.model
    for rows in (table, table * 1e-7, table * (1 - 1e-9)):
        answer = node.answer(rows)
        np.testing.assert_array_equal(answer.probabilities, model.predict_proba(rows))
        np.testing.assert_array_equal(answer.labels, model.predict(rows))


def test_what_float32_cannot_hold_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """It refuses such a value as infinite."""
    model = DecisionTreeClassifier().fit(frame[:_ROWS].to_numpy(), _target(frame, 2)[:_ROWS])
    node = compiled(model, frame).plan.model
    for value in (1e39, -1e39, np.inf):
        large = np.array(frame[:1].assign(wide=value))
        with np.errstate(over="ignore"), pytest.raises(ValueError, match="too large"):
            model.predict(large)
        with pytest.raises(Declined):
            node.answer(large)


@pytest.mark.parametrize("model", [DecisionTreeClassifier(), ExtraTreesRegressor(5)], ids=stable)
def test_a_sparse_table_is_answered_as_the_library_does(model: Any) -> None:
    """A missing value in one is left to the library, which refuses it."""
    table = sparse.random(200, 30, density=0.1, format="csr", random_state=0)
    model.fit(table, np.asarray(table[:, :3].sum(axis=1)).ravel() > 0)
    node = compiled(model, pd.DataFrame(table.toarray())).plan.model
    rows = Sparse(table.indptr, table.indices, table.data, width=table.shape[1])
    answer = node.answer(rows)
    found = answer.values  # noqa: PD011 - of an answer
    if answer.labels is not None:
        found = model.classes_[answer.labels]
    np.testing.assert_array_equal(found, model.predict(table))
    values = np.where(np.arange(len(table.data)) == 5, np.nan, table.data)
    with pytest.raises(Declined):
        node.answer(Sparse(table.indptr, table.indices, values, width=table.shape[1]))


def test_text_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """A tree takes numbers only, whatever the text says."""
    model = DecisionTreeClassifier().fit(frame[:_ROWS], _target(frame, 2)[:_ROWS])
    text = frame.astype({"plain": str})
    with pytest.raises(Declined):
        compiled(model, text).score(columns_of(text))


def test_a_forest_without_trees_is_refused() -> None:
    """There is nothing to average, and no number of trees to divide by."""
    frame = pd.DataFrame({"a": [0.0, 1.0]})
    forest = compiled(DecisionTreeRegressor().fit(frame, [0.0, 1.0]), frame).plan.model
    assert isinstance(forest, Forest)
    none = np.zeros(0, np.int32)
    with pytest.raises(ValueError, match="without trees"):
        replace(forest, trees=replace(forest.trees, roots=none, outputs=none, n_outputs=0))
