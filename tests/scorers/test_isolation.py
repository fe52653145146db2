"""Isolation forests: outliers, scores, and the depths that they come of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.ensemble import IsolationForest
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of
from tests.scorers.thresholds import rows_at

from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Columns, Declined, Sparse
from brinery.scorers.interface import Unsupported
from brinery.scorers.isolation import Isolation

_ROWS = 200


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return rows of which the later half lies further and further away."""
    table = np.random.default_rng(0).normal(size=(400, 4))
    table[:, 1] = np.round(table[:, 1])
    table[_ROWS:] *= np.linspace(1, 9, 200)[:, np.newaxis]
    return pd.DataFrame(table, columns=list("abcd"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"contamination": 0.2},
        {"max_features": 0.5, "max_samples": 50},
        {"max_features": 2, "bootstrap": True, "contamination": 0.01},
        {"max_samples": 2},
        {"max_samples": 3},
        {"n_estimators": 1},
    ],
    ids=stable,
)
def test_outliers_are_those_of_the_library(frame: pd.DataFrame, settings: dict[str, Any]) -> None:
    """And so are the scores, at every threshold and beside it."""
    model = IsolationForest(**{"n_estimators": 20, "random_state": 0, **settings})
    model.fit(frame[:_ROWS])
    scorer = agrees(model, frame)
    edges = rows_at(frame, model.estimators_, features=model.estimators_features_)[::3]
    agrees(model, edges, scorer=scorer)
    for rows in (frame, frame[:1]):
        columns = Columns(tuple(map(str, rows)), tuple(rows.to_numpy().T), len(rows))
        found = scorer.plan.model.decision(columns)
        np.testing.assert_array_equal(found, model.decision_function(rows))


def test_missing_values_go_where_the_library_sends_them(frame: pd.DataFrame) -> None:
    """Whether or not some were missing at the fit."""
    holes = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)
    for fitted in (frame, holes):
        agrees(IsolationForest(n_estimators=10).fit(fitted[:_ROWS]), holes)


def test_a_sparse_table_is_answered_as_a_dense_one(frame: pd.DataFrame) -> None:
    """Its zeros are values like others."""
    table = np.where(np.abs(frame) > 1, frame, 0.0)
    model = IsolationForest(n_estimators=10).fit(table)
    rows, columns = np.nonzero(table)
    starts = np.searchsorted(rows, np.arange(len(table) + 1))
    given = Sparse(starts, columns, table[rows, columns], width=4)
    found = compiled(model, frame).plan.model.decision(given)
    np.testing.assert_array_equal(found, model.decision_function(table))


def test_what_float32_cannot_hold_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """It is infinite there."""
    scorer = compiled(IsolationForest(n_estimators=2).fit(frame), frame)
    with pytest.raises(Declined):
        scorer.score(columns_of(frame[:1].assign(a=1e39)))


def test_a_forest_of_single_rows_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """There are no depths in it."""
    model = IsolationForest(n_estimators=2, max_samples=1).fit(frame)
    with pytest.raises(Unsupported, match="single rows"):
        compile_model(model, inputs_of(frame))


def test_a_forged_forest_is_refused(frame: pd.DataFrame) -> None:
    """There is something to divide by."""
    node = compiled(IsolationForest(n_estimators=2).fit(frame), frame).plan.model
    assert isinstance(node, Isolation)
    for usual in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="without depths"):
            replace(node, usual=usual)
