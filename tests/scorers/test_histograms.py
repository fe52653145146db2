"""Boosting over binned columns: losses, missing values, and categories of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, compiled
from tests.scorers.thresholds import rows_beside

from brinery.scorers.data import Columns, Declined, Sparse
from brinery.scorers.histograms import HistBoosting, KnownCodes

_ROWS = 300


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return more rows than are fitted on, with codes that were not there."""
    rng = np.random.default_rng(0)
    columns = {
        "plain": rng.normal(size=500),
        "tied": rng.integers(0, 3, size=500).astype(float),
        "wide": rng.normal(size=500) * 10.0 ** rng.integers(-200, 15, size=500),
        "code": rng.integers(0, 9, size=500).astype(float),
        "text": rng.choice(["red", "green", "blue", "grün"], size=500),
    }
    frame = pd.DataFrame(columns)
    frame.loc[_ROWS:, "code"] += 4
    frame.loc[_ROWS + 5 :: 7, "text"] = "unseen"
    return frame


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="text")


def _holes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)


def _classes(frame: pd.DataFrame, count: int) -> Any:
    score = frame["plain"] + frame["tied"] + (frame["code"] % 3 == 1)
    return np.digitize(score, [1.0, 2.0, 3.0][: count - 1])


def _edges(model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows at the thresholds of a model without categories."""
    splits: list[tuple[int, float]] = []
    for predictor in np.ravel(np.array(model._predictors, dtype=object)):
        inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        splits += zip(inner["feature_idx"].tolist(), inner["num_threshold"].tolist(), strict=True)
    return rows_beside(frame, splits)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("holes", ["never", "at the fit", "later"])
@pytest.mark.parametrize(
    "settings", [{}, {"max_depth": 1, "learning_rate": 3.0}, {"early_stopping": True}], ids=stable
)
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, count: int, holes: str, settings: dict[str, Any]
) -> None:
    """With missing values and without, at every threshold and beside it in float64."""
    table = _numbers(frame)
    fitted = _holes(table) if holes == "at the fit" else table
    model = HistGradientBoostingClassifier(max_iter=12, **settings)
    model.fit(fitted[:_ROWS], _classes(frame, count)[:_ROWS])
    asked = table if holes == "never" else _holes(table)
    scorer = agrees(model, asked)
    agrees(model, _edges(model, table), scorer=scorer)
    found = scorer.plan.model.decision(
        Columns(tuple(map(str, asked)), tuple(asked.to_numpy().T), len(asked))
    )
    np.testing.assert_array_equal(found, model.decision_function(asked))


@pytest.mark.parametrize(
    ("loss", "more"),
    [
        ("squared_error", {}),
        ("absolute_error", {}),
        ("poisson", {}),
        ("gamma", {}),
        ("quantile", {"quantile": 0.2}),
        ("squared_error", {"monotonic_cst": [1, 0, 0, -1]}),
        ("squared_error", {"interaction_cst": "no_interactions", "max_bins": 5}),
        ("squared_error", {"min_samples_leaf": 1000}),
    ],
    ids=stable,
)
def test_a_regressor_answers_as_the_library(
    frame: pd.DataFrame, loss: str, more: dict[str, Any]
) -> None:
    """With every loss; some of which predict logarithms."""
    table = _numbers(frame)
    target = np.exp(table["plain"] / 2) + table["tied"]
    model = HistGradientBoostingRegressor(loss=loss, max_iter=12, **more)
    model.fit(_holes(table)[:_ROWS], target[:_ROWS])
    scorer = agrees(model, _holes(table))
    edges = _edges(model, table)
    if len(edges):
        agrees(model, edges, scorer=scorer)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "categorical", [[3], ["code"], [False, False, False, True], [1, 3]], ids=stable
)
@pytest.mark.parametrize("holes", [True, False])
def test_codes_are_split_as_the_library_splits_them(
    frame: pd.DataFrame, categorical: Any, count: int, *, holes: bool
) -> None:
    """A code that was not there at the fit counts as missing."""
    table = _numbers(frame)
    model = HistGradientBoostingClassifier(max_iter=10, categorical_features=categorical)
    model.fit((_holes(table) if holes else table)[:_ROWS], _classes(frame, count)[:_ROWS])
    agrees(model, _holes(table))


@pytest.mark.parametrize("holes", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(max_iter=10),
        HistGradientBoostingClassifier(max_iter=10, categorical_features=["text", "code"]),
        HistGradientBoostingRegressor(max_iter=10, categorical_features=[4]),
    ],
    ids=stable,
)
def test_text_is_split_as_the_library_splits_it(
    frame: pd.DataFrame, model: Any, *, holes: bool
) -> None:
    """Its columns are known by their type, by name or by place."""
    table = _holes(frame) if holes else frame
    given = table.astype({"text": pd.CategoricalDtype(sorted(frame["text"].unique()))})
    model.fit(given[:_ROWS], _classes(frame, 2)[:_ROWS])
    agrees(model, table.astype({"text": object}), given=given)


def test_many_categories_fill_their_sets() -> None:
    """As many as a column may have; every one of them is asked for."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"code": np.tile(np.arange(250.0), 8), "plain": rng.normal(size=2000)})
    target = rng.normal(size=250)[table["code"].astype(int)] + table["plain"]
    model = HistGradientBoostingRegressor(
        max_iter=8, categorical_features=[0], min_samples_leaf=2, max_leaf_nodes=None
    )
    agrees(model.fit(table, target), table)


def test_an_infinite_value_is_compared() -> None:
    """It is larger than any threshold but the infinite one, which splits off missing values."""
    x = np.array([[0.0], [1.0], [np.inf], [-np.inf], [np.nan]] * 30)
    target = np.tile([0.0, 1.0, 2.0, 3.0, 4.0], 30)
    for rows in (x, x[~np.isinf(x).ravel()]):
        fitted = target[np.isin(x.ravel(), rows) | np.isnan(x.ravel())][: len(rows)]
        model = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=1).fit(rows, fitted)
        node = compiled(model, pd.DataFrame({"a": [0.0]})).plan.model
        np.testing.assert_array_equal(node.answer(x).values, model.predict(x))


def test_the_extremes_are_answered_as_the_library_does() -> None:
    """The largest float64, the smallest, and their neighbours."""
    extremes = np.array([1.7976931348623157e308, -1.7e308, 5e-324, -5e-324, 0.0, -0.0, 1e200])
    x = np.resize(extremes, (140, 1))
    model = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=1)
    model.fit(x, np.resize(np.arange(7.0), 140))
    node = compiled(model, pd.DataFrame({"a": [0.0]})).plan.model
    for rows in (x, np.nextafter(x, 0.0), x / 2):
        np.testing.assert_array_equal(node.answer(rows).values, model.predict(rows))


def test_a_sparse_table_is_left_to_the_library(frame: pd.DataFrame) -> None:
    """It refuses one."""
    table = _numbers(frame)
    model = HistGradientBoostingRegressor(max_iter=2).fit(table, table["plain"])
    rows = Sparse(np.array([0, 1]), np.array([0]), np.array([1.0]), width=4)
    with pytest.raises(Declined):
        compiled(model, table).plan.model.answer(rows)


def test_codes_of_old_versions_are_known_or_missing() -> None:
    """They are whole numbers below 256; what else it is, the library is asked."""
    known = np.zeros((1, 256), dtype=bool)
    known[0, [0, 2]] = True
    step = KnownCodes(columns=np.array([1]), known=known)
    table = np.array([[9.0, 0.0], [9.0, 1.0], [9.0, 2.0], [np.nan, np.nan]])
    expected = np.array([[9.0, 0.0], [9.0, np.nan], [9.0, 2.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(step.transform(table), expected)
    for code in (-1.0, 256.0, np.inf):
        with pytest.raises(Declined):
            step.transform(np.array([[0.0, code]]))
    with pytest.raises(ValueError, match="not there"):
        step.transform(np.zeros((1, 1)))


def test_forged_codes_and_sums_are_refused(frame: pd.DataFrame) -> None:
    """Each column has its 256 codes, and each sum its beginning."""
    known = np.zeros((1, 256), dtype=bool)
    for columns, codes in (
        (np.array([-1]), known),
        (np.array([[0]]), known),
        (np.array([0, 1]), known),
        (np.array([0]), known[:, :255]),
        (np.array([0]), known.astype(np.int64)),
    ):
        with pytest.raises(ValueError, match="codes"):
            KnownCodes(columns=columns, known=codes)
    table = _numbers(frame)
    node = compiled(
        HistGradientBoostingRegressor(max_iter=2).fit(table, table["plain"]), table
    ).plan.model
    assert isinstance(node, HistBoosting)
    with pytest.raises(ValueError, match="begin elsewhere"):
        replace(node, base=np.zeros(3))
