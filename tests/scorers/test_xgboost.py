"""XGBoost: its estimators and boosters answer bit for bit, whatever their objective."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from msgspec.structs import replace
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of
from tests.scorers.edges import edges

from brinery.flavors.xgboost import XGBoost
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Unsupported
from brinery.scorers.xgboost import BoostedLinear, BoostedTrees, Form, Outcome

_N = 400
_MULTI = ("multi:softprob", "multi:softmax")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(size=(_N, 5)) * [1, 10, 1e-3, 1e6, 1], columns=list("abcde"))
    made["e"] = made["e"].round()
    return made.mask(rng.random(made.shape) < 0.1)


def _score(frame: pd.DataFrame) -> Any:
    filled = frame.fillna(0.0)
    return filled["a"] + filled["b"] / 10 * filled["e"]


def _labels(frame: pd.DataFrame, count: int = 2) -> Any:
    return pd.qcut(_score(frame), count, labels=False)


def _same(model: Any, frame: pd.DataFrame) -> Any:
    """Assert that the scorer answers bit for bit as the flavor does; return the scorer."""
    flavor = XGBoost()
    scorer = compile_model(model, inputs_of(frame), classes=flavor.classes(model))
    assert scorer.fallbacks == ()
    rows = pd.concat([frame, edges(scorer, frame)]) if scorer.splits() else frame
    for part in (rows, rows.iloc[:3], rows.iloc[5:6]):
        found, wanted = scorer.score(columns_of(part)), flavor.score(model, part)
        np.testing.assert_array_equal(found.predictions, wanted.predictions)
        if wanted.probabilities is None:
            assert found.probabilities is None
        else:
            np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    return scorer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"base_score": 0.3},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"booster": "dart", "rate_drop": 0.5, "base_score": 0.2},
        {"booster": "dart", "rate_drop": 0.5},
        {"booster": "gblinear"},
        {"booster": "gblinear", "base_score": 0.2},
        {"missing": 1.0},
        {"missing": 0.0},
        {"tree_method": "exact", "gamma": 0.5},
        {"tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 9},
        {
            "max_depth": 0,
            "grow_policy": "lossguide",
            "max_leaves": 2,
            "monotone_constraints": "(1)",
        },
        {"objective": "binary:hinge"},
        {"scale_pos_weight": 1e4, "learning_rate": 100.0},
    ],
    ids=stable,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, settings: dict[str, Any], n_classes: int
) -> None:
    """Its class comes of the probability, which is rounded to float32."""
    model = xgboost.XGBClassifier(n_jobs=1, **{"n_estimators": 20, "max_depth": 4, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, _labels(frame, n_classes))
    _same(model, frame)


@pytest.mark.parametrize(
    "objective",
    [
        "reg:squarederror",
        "reg:squaredlogerror",
        "reg:logistic",
        "reg:pseudohubererror",
        "reg:absoluteerror",
        "reg:quantileerror",
        "reg:gamma",
        "reg:tweedie",
        "count:poisson",
    ],
)
@pytest.mark.parametrize("booster", ["gbtree", "dart", "gblinear"])
def test_a_regressor_answers_as_the_library(
    frame: pd.DataFrame, objective: str, booster: str
) -> None:
    """Each objective has its link, and its own start of the sums."""
    score = _score(frame)
    target = (score - score.min() + 1) / (score.max() - score.min() + 2)
    extra = {"quantile_alpha": 0.3} if objective == "reg:quantileerror" else {}
    model = xgboost.XGBRegressor(n_estimators=20, objective=objective, booster=booster, **extra)
    if booster == "gblinear" and objective in ("reg:absoluteerror", "reg:quantileerror"):
        pytest.skip("it has no such linear booster")
    model.fit(frame, target)
    _same(model, frame)


@pytest.mark.parametrize("kind", [xgboost.XGBRFClassifier, xgboost.XGBRFRegressor])
def test_a_random_forest_answers_as_the_library(frame: pd.DataFrame, kind: Any) -> None:
    """Its trees are those of one round."""
    _same(kind(n_estimators=30).fit(frame, _labels(frame, 3)), frame)


def test_a_ranker_answers_as_the_library(frame: pd.DataFrame) -> None:
    """Its values are scores."""
    model = xgboost.XGBRanker(n_estimators=10)
    model.fit(frame, _labels(frame), group=[_N // 4] * 4)
    scorer = compiled(model, frame)
    np.testing.assert_array_equal(scorer.score(columns_of(frame)).predictions, model.predict(frame))


def test_a_multiclass_estimator_that_gives_classes_answers_as_the_library(
    frame: pd.DataFrame,
) -> None:
    """Of `multi:softmax` scipy makes the probabilities."""
    model = xgboost.XGBClassifier(n_estimators=9, objective="multi:softmax")
    _same(model.fit(frame, _labels(frame, 4)), frame)


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_only_the_rounds_until_the_best_are_asked(
    frame: pd.DataFrame, booster: str, parallel: int, n_classes: int
) -> None:
    """The estimator asks those that early stopping kept; the bare booster asks all."""
    labels = _labels(frame, n_classes)
    model = xgboost.XGBClassifier(
        n_estimators=60,
        learning_rate=1.0,
        early_stopping_rounds=3,
        booster=booster,
        rate_drop=0.2,
        num_parallel_tree=parallel,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame[:200], labels[:200], eval_set=[(frame[200:], labels[200:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    few = _same(model, frame).plan.model
    many = _same(model.get_booster(), frame).plan.model
    assert len(few.trees.roots) < len(many.trees.roots)


@pytest.mark.parametrize(
    ("objective", "settings"),
    [
        ("binary:logistic", {}),
        ("binary:logistic", {"base_score": 0.1, "booster": "dart", "rate_drop": 0.5}),
        ("binary:logistic", {"booster": "gblinear"}),
        ("binary:logitraw", {}),
        ("binary:hinge", {}),
        ("multi:softprob", {"num_class": 3}),
        ("multi:softmax", {"num_class": 3}),
        ("reg:squarederror", {}),
        ("count:poisson", {}),
    ],
)
def test_a_booster_answers_as_its_flavor(
    frame: pd.DataFrame, objective: str, settings: dict[str, Any]
) -> None:
    """Its classes are numbers, and its probability of the first class is of float64."""
    labels = _labels(frame, settings.get("num_class", 2))
    matrix = xgboost.DMatrix(frame, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = xgboost.train({"objective": objective, "seed": 1, **settings}, matrix, 15)
    _same(model, frame)


@pytest.mark.parametrize("n_categories", [3, 70])
def test_categories_are_numbered_as_the_booster_kept_them(n_categories: int) -> None:
    """Those of text go right where the set has them; a missing one follows the default."""
    rng = np.random.default_rng(2)
    names = [f"name {place}" for place in range(n_categories)]
    text = rng.choice(names, size=600)
    frame = pd.DataFrame({"x": rng.normal(size=600), "c": pd.Categorical(text, categories=names)})
    frame.loc[::9, "c"] = None
    labels = (frame["c"].cat.codes % 3 + frame["x"] > 1).astype(int)
    model = xgboost.XGBClassifier(n_estimators=20, enable_categorical=True, max_cat_to_onehot=2)
    model.fit(frame, labels)
    given = frame.astype({"c": object})
    scorer = compile_model(model, inputs_of(given), classes=(0, 1))
    found, wanted = scorer.score(columns_of(given)), XGBoost().score(model, given)
    np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    assert (scorer.splits()[0].trees.sets > 0).any()
    with pytest.raises(Declined, match="category"):
        scorer.score({"x": [0.0], "c": ["another"]})


def test_a_pipeline_before_it_is_followed(frame: pd.DataFrame) -> None:
    """A scaler gives float64, which is rounded once."""
    model = make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=20))
    agrees(model.fit(frame, _labels(frame)), frame)


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("missing", [np.nan, 0.0, 1.0])
def test_what_a_sparse_table_does_not_hold_is_missing(kind: str, missing: float) -> None:
    """Of a dense table a zero is a zero."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"c": rng.choice(list("uvwxyz"), size=300), "n": rng.integers(-2, 3, 300)})
    labels = frame["c"].isin(["u", "x"]) ^ (frame["n"] > 0)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=kind == "sparse", handle_unknown="ignore"), ["c"]),
        remainder="passthrough",
        sparse_threshold=1.0 if kind == "sparse" else 0.0,
    )
    booster = xgboost.XGBClassifier(n_estimators=10, missing=missing)
    agrees(make_pipeline(encoder, booster).fit(frame, labels.astype(int)), frame)


def test_what_is_infinite_is_answered_where_the_library_answers(frame: pd.DataFrame) -> None:
    """An estimator takes a value that float32 cannot hold; a booster's matrix does not."""
    model = xgboost.XGBClassifier(n_estimators=20).fit(frame, _labels(frame))
    large = frame.iloc[:5].assign(a=[1e300, -1e300, 1e39, -1e39, 0.0])
    agrees(model, large)
    with pytest.raises(Declined, match="infinite"):
        compiled(model.get_booster(), large).score(columns_of(large))


def _custom(_: Any, predicted: Any) -> Any:
    return predicted, np.ones_like(predicted)


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "survival:cox"},
        {"n_estimators": 0},
        {"objective": _custom},
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
        {"multi_strategy": "multi_output_tree", "tree_method": "hist"},
    ],
    ids=stable,
)
def test_what_no_node_stands_for_is_unsupported(
    frame: pd.DataFrame, settings: dict[str, Any]
) -> None:
    """Those of several values per row, and objectives that nobody wrote down."""
    target = np.column_stack([_score(frame)] * 2) if "multi_strategy" in settings else _score(frame)
    model = xgboost.XGBRegressor(**{"n_estimators": 2, **settings}).fit(frame, target)
    with pytest.raises(Unsupported):
        compile_model(model, inputs_of(frame))


def test_a_forged_booster_is_refused(frame: pd.DataFrame) -> None:
    """Sums of another number, or another type, would be read outside of."""
    node = compiled(xgboost.XGBClassifier(n_estimators=2).fit(frame, _labels(frame)), frame)
    trees = node.plan.model
    assert isinstance(trees, BoostedTrees)
    for change in (
        {"base": np.zeros(2, dtype=np.float32)},
        {"base": np.zeros(1)},
        {"outcome": Outcome(trees.outcome.link, Form.CHANCES)},
    ):
        with pytest.raises(ValueError, match="booster"):
            replace(trees, **change)
    with pytest.raises(ValueError, match="weights"):
        BoostedLinear(
            weights=np.zeros((2, 1), dtype=np.float32),
            base=np.zeros(1, dtype=np.float32),
            taking=trees.taking,
            outcome=trees.outcome,
        )
    forged = replace(trees, taking=replace(trees.taking, width=9))
    with pytest.raises(ValueError, match="columns"):
        forged.answer(np.zeros((1, 5)))
