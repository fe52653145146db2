"""Shapley values: against all coalitions of columns, through the scorer itself."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.scorers.agreement import columns_of, inputs_of

from brinery.records.contributions import Contributions, Unit
from brinery.scorers.compiler import compile_model
from brinery.scorers.scorer import Scorer
from brinery.scorers.shapley import Inexact, explain

_ROWS = 400
_EXPLAINED, _BACKGROUND = 5, 6
_TOLERANCE = 1e-9
# XGBoost adds up in float32.
_SINGLE = 1e-5


def _frame() -> pd.DataFrame:
    """Return columns of numbers, one with values missing, and of text."""
    rng = np.random.default_rng(1)
    made = pd.DataFrame(rng.normal(size=(_ROWS, 3)), columns=list("abc"))
    made.loc[rng.random(_ROWS) < 0.2, "c"] = np.nan
    return made.assign(
        d=rng.choice(["x", "y", "z"], _ROWS),
        e=rng.integers(0, 5, _ROWS),
        f=rng.choice(["low", "high"], _ROWS),
    )


def _score(frame: pd.DataFrame) -> Any:
    """Return what the columns tell, together: (n_rows,)."""
    filled = frame["c"].fillna(1.5)
    return (
        frame["a"] * (frame["d"] == "x")
        + np.sin(frame["b"]) * filled
        + frame["e"] * (frame["f"] == "low") / 3
    ).to_numpy()


def _target(count: int) -> Any:
    """Return values, or classes of them: as many as asked for, above 1."""
    score = _score(_frame()) + np.random.default_rng(2).normal(size=_ROWS) / 4
    if count == 1:
        return np.exp(score / 2)
    edges = np.quantile(score, np.arange(1, count) / count)
    return np.array(["no", "perhaps", "yes"])[-count:][np.searchsorted(edges, score)]


def _preparation() -> Any:
    """Return steps that make several features of each column."""
    return make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), list("abc")),
        (OneHotEncoder(handle_unknown="ignore"), ["d"]),
        (OrdinalEncoder(), ["f"]),
        remainder="passthrough",
    )


def _numbered() -> Any:
    """Return steps that number categories and leave missing values as they are."""
    return make_column_transformer(
        (OrdinalEncoder(), ["d", "f"]), remainder="passthrough", sparse_threshold=0
    )


_FOREST = {"n_estimators": 5, "random_state": 0}
_QUIET = {"n_estimators": 8, "verbose": -1, "min_child_samples": 5}
_SILENT = {"iterations": 8, "verbose": 0, "allow_writing_files": False}
_MODELS = {
    "tree of classes": (2, _preparation(), DecisionTreeClassifier(max_depth=6)),
    "tree of values": (1, _preparation(), DecisionTreeRegressor(max_depth=6)),
    "forest": (2, _preparation(), RandomForestClassifier(**_FOREST)),
    "forest of three": (3, _preparation(), RandomForestClassifier(**_FOREST)),
    "forest of values": (1, _preparation(), RandomForestRegressor(**_FOREST)),
    "forest with missing": (2, _numbered(), RandomForestClassifier(**_FOREST)),
    "extra trees": (3, _preparation(), ExtraTreesClassifier(**_FOREST)),
    "extra values": (1, _preparation(), ExtraTreesRegressor(**_FOREST)),
    "boosting": (2, _preparation(), GradientBoostingClassifier(n_estimators=8)),
    "boosting, exponential": (
        2,
        _preparation(),
        GradientBoostingClassifier(n_estimators=8, loss="exponential"),
    ),
    "boosting of three": (3, _preparation(), GradientBoostingClassifier(n_estimators=5)),
    "boosting of values": (1, _preparation(), GradientBoostingRegressor(n_estimators=8)),
    "boosting on a forest": (
        1,
        _preparation(),
        GradientBoostingRegressor(n_estimators=8, init=RandomForestRegressor(**_FOREST)),
    ),
    "histograms": (2, _numbered(), HistGradientBoostingClassifier(max_iter=8)),
    "histograms, categories": (
        3,
        _numbered(),
        HistGradientBoostingClassifier(max_iter=5, categorical_features=[0, 1]),
    ),
    "histograms, logarithms": (
        1,
        _numbered(),
        HistGradientBoostingRegressor(max_iter=8, loss="poisson"),
    ),
    "xgboost": (2, _numbered(), xgboost.XGBClassifier(n_estimators=8)),
    "xgboost of three": (3, _numbered(), xgboost.XGBClassifier(n_estimators=5)),
    "xgboost of values": (1, _numbered(), xgboost.XGBRegressor(n_estimators=8)),
    "xgboost, linear": (
        1,
        _numbered(),
        xgboost.XGBRegressor(n_estimators=8, booster="gblinear"),
    ),
    "lightgbm": (2, _numbered(), lightgbm.LGBMClassifier(**_QUIET)),
    "lightgbm of three": (3, _numbered(), lightgbm.LGBMClassifier(**_QUIET)),
    "lightgbm of values": (1, _numbered(), lightgbm.LGBMRegressor(**_QUIET)),
    "lightgbm, categories": (
        2,
        _numbered(),
        lightgbm.LGBMClassifier(**_QUIET, categorical_feature=[0, 1]),
    ),
    "catboost": (2, _numbered(), catboost.CatBoostClassifier(**_SILENT)),
    "catboost of values": (1, _numbered(), catboost.CatBoostRegressor(**_SILENT)),
    "bagged lines": (1, _preparation(), BaggingRegressor(Ridge(), n_estimators=3)),
    "vote": (
        2,
        _preparation(),
        VotingClassifier(
            [("a", RandomForestClassifier(**_FOREST)), ("b", DecisionTreeClassifier(max_depth=4))],
            voting="soft",
            weights=[2, 1],
        ),
    ),
    "mean": (
        1,
        _preparation(),
        VotingRegressor([("a", Ridge()), ("b", RandomForestRegressor(**_FOREST))]),
    ),
    "line": (1, _preparation(), LinearRegression()),
    "ridge": (1, _preparation(), Ridge()),
    "logistic": (2, _preparation(), LogisticRegression()),
    "logistic of three": (3, _preparation(), LogisticRegression()),
    "logarithms": (1, _preparation(), PoissonRegressor()),
    "gradient descent": (2, _preparation(), SGDClassifier(loss="log_loss", random_state=0)),
    "support vectors": (2, _preparation(), LinearSVC()),
    "splines": (
        1,
        make_column_transformer((SplineTransformer(), ["a", "b"]), (PolynomialFeatures(3), ["e"])),
        Ridge(),
    ),
    "bins": (
        1,
        make_column_transformer(
            (KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), ["a", "b"])
        ),
        RandomForestRegressor(**_FOREST),
    ),
    "parts of one": (
        1,
        make_column_transformer(
            (make_pipeline(SplineTransformer(), PCA(2)), ["a"]), ("passthrough", ["b", "e"])
        ),
        RandomForestRegressor(**_FOREST),
    ),
}


def _scorer(count: int, preparation: Any, model: Any) -> Scorer:
    """Return the scorer of a model that is fitted on the frame."""
    rows = _frame()
    y = _target(count)
    if count > 1 and isinstance(model, xgboost.XGBClassifier):
        y = np.unique(y, return_inverse=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(preparation, model).fit(rows, y)
    return compile_model(pipeline, inputs_of(rows))


def _raw(scorer: Scorer, rows: pd.DataFrame, unit: Unit) -> Any:
    """Return a scorer's own answers in a unit: (n_rows, n_outputs)."""
    columns = columns_of(rows)
    scores = scorer.score(columns)
    if unit is Unit.MARGIN:
        found = np.asarray(scorer.additive().answers(scorer.read(columns)))
        if scores.probabilities is not None:
            powers = np.exp(found)
            shares = powers / powers.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(shares, scores.probabilities, rtol=0, atol=_SINGLE)
        return found
    if scores.probabilities is None:
        values = np.asarray(scores.predictions, dtype=np.float64).reshape(-1, 1)
        return np.log(values) if unit is Unit.LOGARITHM else values
    chances = scores.probabilities
    if unit is Unit.LOG_ODDS:
        return np.log(chances[:, 1:] / chances[:, :1])
    return chances[:, 1:] if chances.shape[1] == 2 else chances


def _all_coalitions(
    scorer: Scorer, rows: pd.DataFrame, background: pd.DataFrame, unit: Unit
) -> Any:
    """Return the Shapley values by their definition: (n_rows, n_columns, n_outputs)."""
    names = list(rows.columns)
    coalitions = list(itertools.product([False, True], repeat=len(names)))
    mixed = [
        row if taken else other
        for coalition in coalitions
        for x in rows.itertuples(index=False)
        for z in background.itertuples(index=False)
        for taken, row, other in zip(coalition, x, z, strict=True)
    ]
    table = pd.DataFrame(np.array(mixed, dtype=object).reshape(-1, len(names)), columns=names)
    raw = _raw(scorer, table.astype(dict(rows.dtypes)), unit)
    shape = len(coalitions), len(rows), len(background), -1
    worth = dict(zip(coalitions, raw.reshape(shape).mean(axis=2), strict=True))
    found = np.zeros((len(rows), len(names), raw.shape[1]))
    for place in range(len(names)):
        for coalition in coalitions:
            if coalition[place]:
                continue
            size = sum(coalition)
            others = len(names) - size - 1
            weight = math.factorial(size) * math.factorial(others) / math.factorial(len(names))
            joined = (*coalition[:place], True, *coalition[place + 1 :])
            found[:, place] += weight * (worth[joined] - worth[coalition])
    return found


def _explained(scorer: Scorer, rows: pd.DataFrame, background: pd.DataFrame) -> Contributions:
    found = explain(scorer, columns_of(rows), background=columns_of(background))
    assert isinstance(found, Contributions), found
    return found


def _samples() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows to explain and rows to compare them with, each with a value missing."""
    rows = _frame()
    missing = rows["c"].isna()
    both = [rows[missing][:2], rows[~missing][: _EXPLAINED + _BACKGROUND - 2]]
    mixed = pd.concat(both).sample(frac=1, random_state=3)
    return mixed[:_EXPLAINED], mixed[_EXPLAINED:]


@pytest.mark.parametrize("name", _MODELS)
def test_every_model_is_explained_as_all_coalitions_explain_it(name: str) -> None:
    """And its contributions add up to its answers."""
    count, preparation, model = _MODELS[name]
    scorer = _scorer(count, preparation, model)
    rows, background = _samples()
    found = _explained(scorer, rows, background)
    wanted = _all_coalitions(scorer, rows, background, found.unit)
    tolerance = _SINGLE if name.startswith("xgboost") else _TOLERANCE
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        found.answers, _raw(scorer, rows, found.unit), rtol=0, atol=tolerance
    )
    assert found.gap <= tolerance
    assert found.exact
    assert found.background_rows == _BACKGROUND
    assert np.abs(found.values).max() > 0
