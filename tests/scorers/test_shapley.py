"""Shapley values: against all coalitions of columns, through the scorer itself."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Callable
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
from sklearn.neighbors import KNeighborsRegressor
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
from tests.scorers.agreement import columns_of, compiled, inputs_of

from brinery.records.contributions import Contributions, Unit
from brinery.records.signature import ColumnType
from brinery.scorers.additive import Additive, Weights
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import rows_of
from brinery.scorers.interface import Model
from brinery.scorers.plan import Input, Plan
from brinery.scorers.scorer import Scorer
from brinery.scorers.shapley import Against, Inexact, explain

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


# The model is given the frame, with the columns of text as categories.
_NO_STEPS = "passthrough"
_FOREST: dict[str, Any] = {"n_estimators": 5, "random_state": 0}
_QUIET: dict[str, Any] = {"n_estimators": 8, "verbose": -1, "min_child_samples": 5}
_SILENT: dict[str, Any] = {"iterations": 8, "verbose": 0, "allow_writing_files": False}
_MODELS: dict[str, Any] = {
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
    "histograms, a frame": (
        2,
        _NO_STEPS,
        HistGradientBoostingClassifier(max_iter=8, categorical_features="from_dtype"),
    ),
    "xgboost, a frame": (
        2,
        _NO_STEPS,
        xgboost.XGBClassifier(n_estimators=8, enable_categorical=True),
    ),
    "lightgbm, a frame": (3, _NO_STEPS, lightgbm.LGBMClassifier(**_QUIET)),
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
    """Return the scorer of a model that is fitted on the frame, from its file."""
    rows = _frame()
    given = rows.astype({"d": "category", "f": "category"}) if preparation == _NO_STEPS else rows
    y = _target(count)
    if count > 1 and isinstance(model, xgboost.XGBClassifier):
        y = np.unique(y, return_inverse=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(preparation, model).fit(given, y)
    return compiled(pipeline, rows)


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


def _moved(found: Contributions) -> Any:
    return found.values  # noqa: PD011 - it is no frame


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


_REASONS: dict[str, Any] = {
    "parts": (
        make_pipeline(_preparation(), PCA(3), RandomForestRegressor(**_FOREST)),
        "a feature of it is made of several columns",
    ),
    "products": (
        make_pipeline(_preparation(), PolynomialFeatures(2), Ridge()),
        "a feature of it is made of several columns",
    ),
    "distances": (
        make_pipeline(_preparation(), KNeighborsRegressor()),
        "it is neither a sum of trees nor one of weighted columns",
    ),
    "several": (
        make_pipeline(_preparation(), RandomForestRegressor(**_FOREST)),
        "it answers each row with several values",
    ),
}


@pytest.mark.parametrize("name", _REASONS)
def test_what_has_no_exact_way_has_a_reason(name: str) -> None:
    """So that whoever asks can go on by sampling."""
    pipeline, reason = _REASONS[name]
    target = _target(1)
    if name == "several":
        target = np.column_stack([target, target**2])
    scorer = compile_model(pipeline.fit(_frame(), target), inputs_of(_frame()))
    rows, background = _samples()
    found = explain(scorer, columns_of(rows), background=columns_of(background))
    assert found == Inexact(reason)


def test_a_background_is_looked_at_once() -> None:
    """Who asks again and again gets what is got from scratch, row by row, for less work."""
    scorer = _scorer(2, _preparation(), RandomForestClassifier(**_FOREST))
    rows, background = _samples()
    whole = explain(scorer, columns_of(rows), background=columns_of(background))
    assert isinstance(whole, Contributions)
    against = Against(scorer, columns_of(background))
    for at in range(len(rows)):
        found = against.explain(columns_of(rows[at : at + 1]))
        assert isinstance(found, Contributions)
        alone, among = found.values, whole.values  # noqa: PD011
        np.testing.assert_allclose(alone[0], among[at], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found.base, whole.base)
    one = columns_of(rows[:1])
    kept = _work(lambda: against.explain(one))
    assert kept < _work(lambda: explain(scorer, one, background=columns_of(background)))


def _work(ask: Callable[[], object]) -> float:
    """Return the least processor time of some calls, in seconds."""
    taken = []
    for _ in range(15):
        began = time.process_time()
        ask()
        taken.append(time.process_time() - began)
    return min(taken)


def test_a_row_that_the_scorer_declines_has_a_reason() -> None:
    """The library would refuse it too."""
    scorer = _scorer(1, _preparation(), Ridge())
    rows, background = _samples()
    unseen = columns_of(rows.assign(f="neither"))
    found = explain(scorer, unseen, background=columns_of(background))
    assert found == Inexact("a category that was not there at the fit")


def test_a_calibrated_forest_has_a_reason() -> None:
    """Its probability is a function of the sums, not a sum."""
    model = CalibratedClassifierCV(RandomForestClassifier(**_FOREST), cv=2)
    scorer = _scorer(2, _preparation(), model)
    rows, background = map(columns_of, _samples())
    assert isinstance(explain(scorer, rows, background=background), Inexact)


def test_no_background_has_a_reason() -> None:
    """There must be a row to compare with."""
    scorer = _scorer(1, _preparation(), Ridge())
    rows, background = _samples()
    found = explain(scorer, columns_of(rows), background=columns_of(background[:0]))
    assert found == Inexact("there is no row to compare with")


def test_no_row_has_no_contribution() -> None:
    """Nothing to explain is no error."""
    scorer = _scorer(2, _preparation(), RandomForestClassifier(**_FOREST))
    rows, background = _samples()
    found = _explained(scorer, rows[:0], background)
    assert _moved(found).shape == (0, 6, 1)
    assert found.gap == 0


def test_one_of_two_classes_is_explained_and_each_of_three() -> None:
    """Of two the second: what moves it moves the first the other way."""
    rows, background = _samples()
    two = _explained(_scorer(*_MODELS["forest"]), rows, background)
    assert (two.classes, two.unit, two.method) == (("yes",), Unit.PROBABILITY, "TreeSHAP")
    three = _explained(_scorer(*_MODELS["forest of three"]), rows, background)
    assert three.classes == ("no", "perhaps", "yes")
    np.testing.assert_allclose(_moved(three).sum(axis=2), 0, atol=_TOLERANCE)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("boosting", Unit.LOG_ODDS),
        ("boosting, exponential", Unit.LOG_ODDS),
        ("boosting of three", Unit.MARGIN),
        ("boosting of values", Unit.VALUE),
        ("histograms, logarithms", Unit.LOGARITHM),
        ("xgboost", Unit.LOG_ODDS),
        ("xgboost of three", Unit.MARGIN),
        ("lightgbm", Unit.LOG_ODDS),
        ("catboost", Unit.LOG_ODDS),
        ("logistic", Unit.LOG_ODDS),
        ("support vectors", Unit.MARGIN),
        ("vote", Unit.PROBABILITY),
        ("line", Unit.VALUE),
    ],
)
def test_the_unit_is_that_of_the_sum(name: str, unit: Unit) -> None:
    """It is what the model adds up before a link makes a probability or a value of it."""
    assert _scorer(*_MODELS[name]).additive().unit is unit


def test_a_text_is_one_column() -> None:
    """Whatever terms it has, with weights that depend on each other."""
    texts = ["a good day", "a bad day", "good and good", "so bad", "day after day", "and so on"]
    rows = pd.DataFrame({"text": texts, "a": np.arange(6.0)})
    preparation = make_column_transformer((TfidfVectorizer(), "text"), remainder="passthrough")
    pipeline = make_pipeline(preparation, Ridge()).fit(rows, np.arange(6.0) ** 2)
    scorer = compile_model(pipeline, inputs_of(rows))
    found = _explained(scorer, rows[:3], rows[2:])
    wanted = _all_coalitions(scorer, rows[:3], rows[2:], Unit.VALUE)
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=_TOLERANCE)
    assert found.method == "linear"


def test_many_rows_are_explained_as_each_alone() -> None:
    """However many go through the trees together, on either side."""
    scorer = _scorer(*_MODELS["forest of three"])
    every = pd.concat([_frame()] * 4, ignore_index=True)
    whole = _explained(scorer, every[:1100], every)
    for row in (0, 511, 512, 1099):
        alone = _explained(scorer, every[row : row + 1], every[:_ROWS])
        np.testing.assert_allclose(_moved(whole)[row], _moved(alone)[0], rtol=0, atol=_TOLERANCE)


def test_a_column_that_no_node_asks_for_adds_nothing() -> None:
    """Its values could be any."""
    rows, background = _samples()
    model = DecisionTreeRegressor(max_depth=1)
    found = _explained(_scorer(1, _preparation(), model), rows, background)
    assert np.count_nonzero(_moved(found).any(axis=(0, 2))) <= 1


class _Astray(Model):
    """A sum that is said to be another one than it is."""

    def additive(self, origins: Any) -> Additive:
        """Return one of a column, and answers without it."""
        weights = Weights(np.ones((1, 1)), origins, lambda data: data)
        return Additive((weights,), lambda data: np.zeros((rows_of(data), 1)), Unit.VALUE)


def test_what_does_not_add_up_is_not_told() -> None:
    """A reason is better than a wrong figure."""
    plan = Plan(inputs=(Input("a", ColumnType.NUMBER),), model=_Astray())
    found = explain(Scorer(plan), {"a": [1.0]}, background={"a": [0.0]})
    assert found == Inexact("its contributions do not add up to its answers")
