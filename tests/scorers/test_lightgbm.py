"""LightGBM: its estimators and boosters answer bit for bit, whatever their objective."""

from __future__ import annotations

import warnings
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of
from tests.scorers.edges import edges

from brinery.flavors.lightgbm import LightGBM
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Unsupported
from brinery.scorers.lightgbm import LeafwiseTrees, Link

_N = 400
_FEW: dict[str, Any] = {
    "n_estimators": 15,
    "num_leaves": 9,
    "min_child_samples": 5,
    "verbose": -1,
    "n_jobs": 1,
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(size=(_N, 5)) * [1, 10, 1e-3, 1e6, 1], columns=list("abcde"))
    made["e"] = made["e"].round() + 0.0
    return made.mask(rng.random(made.shape) < [0.1, 0.1, 0.1, 0.1, 0.0])


def _score(frame: pd.DataFrame) -> Any:
    filled = frame.fillna(0.0)
    return filled["a"] + filled["b"] / 10 * filled["e"]


def _labels(frame: pd.DataFrame, count: int = 2) -> Any:
    return pd.qcut(_score(frame), count, labels=False)


def _same(model: Any, frame: pd.DataFrame, *, exact: bool = True) -> Any:
    """Assert that the scorer answers bit for bit as the flavor does; return the scorer.

    Args:
        model: fitted.
        frame: (n_rows, n_features) that it is tried on, beside rows at its thresholds.
        exact: or else but for the last digit.
    """
    flavor = LightGBM()
    scorer = compile_model(model, inputs_of(frame), classes=flavor.classes(model))
    assert scorer.fallbacks == ()
    rows = pd.concat([frame, edges(scorer, frame)])
    for part in (rows, rows.iloc[:3], rows.iloc[5:6]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted: Any = flavor.score(model, part)
        found: Any = scorer.score(columns_of(part))
        if exact:
            np.testing.assert_array_equal(found.predictions, wanted.predictions)
        else:
            np.testing.assert_allclose(found.predictions, wanted.predictions, rtol=1e-14)
        if wanted.probabilities is None:
            assert found.probabilities is None
        else:
            np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    return scorer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"boosting_type": "dart", "drop_rate": 0.5},
        {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1},
        {"use_missing": False},
        {"zero_as_missing": True},
        {"sigmoid": 0.7},
        {"objective": "multiclassova"},
        {"objective": "cross_entropy"},
        {"learning_rate": 50.0},
        {"extra_trees": True, "max_depth": 3},
        {"min_child_samples": _N},
    ],
    ids=stable,
)
@pytest.mark.parametrize("n_classes", [2, 3, 12])
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, settings: dict[str, Any], n_classes: int
) -> None:
    """Each objective has its own link between sums and probabilities."""
    objective = settings.get("objective", "")
    if (objective == "multiclassova") != (n_classes > 2) and objective:
        pytest.skip("another objective")
    model = lightgbm.LGBMClassifier(**{**_FEW, **settings}).fit(frame, _labels(frame, n_classes))
    _same(model, frame)


@pytest.mark.parametrize("settings", [{}, {"boosting_type": "rf", "subsample_freq": 1}], ids=stable)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_decides_as_the_library(
    frame: pd.DataFrame, settings: dict[str, Any], n_classes: int
) -> None:
    """By its sums, where its version tells them, so that what asks for them need not decline."""
    settings = {**_FEW, **settings, "subsample": 0.5}
    model = lightgbm.LGBMClassifier(**settings).fit(frame, _labels(frame, n_classes))
    if not hasattr(model, "decision_function"):
        pytest.skip("another version")
    scorer = compile_model(model, inputs_of(frame))
    found = scorer.plan.model.decision(scorer.read(columns_of(frame)))
    np.testing.assert_allclose(found, model.decision_function(frame), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "settings",
    [
        *(
            {"objective": objective}
            for objective in ("l2", "l1", "huber", "fair", "quantile", "mape", "poisson", "gamma")
        ),
        {"objective": "tweedie"},
        {"objective": "cross_entropy_lambda"},
        {"objective": "cross_entropy"},
        {"reg_sqrt": True},
        {"objective": "l1", "reg_sqrt": True},
        {"objective": "poisson", "boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1},
        {"objective": lambda true, found: (found - true, np.ones_like(found))},
    ],
    ids=stable,
)
def test_a_regressor_answers_as_the_library(frame: pd.DataFrame, settings: dict[str, Any]) -> None:
    """Each objective has its own link between sums and values."""
    score = _score(frame)
    target = (score - score.min() + 1) / (score.max() - score.min() + 2)
    if settings.get("reg_sqrt"):
        target = target - 0.5
    model = lightgbm.LGBMRegressor(**{**_FEW, **settings}).fit(frame, target)
    # Of this one numpy's logarithm may end in another bit.
    _same(model, frame, exact=settings.get("objective") != "cross_entropy_lambda")


def test_a_ranker_answers_as_the_library(frame: pd.DataFrame) -> None:
    """Its values are scores."""
    model = lightgbm.LGBMRanker(**_FEW).fit(frame, _labels(frame), group=[_N // 4] * 4)
    _same(model, frame)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_only_the_rounds_until_the_best_are_asked(frame: pd.DataFrame, n_classes: int) -> None:
    """Those that early stopping kept."""
    labels = _labels(frame, n_classes)
    model = lightgbm.LGBMClassifier(**{**_FEW, "n_estimators": 60, "learning_rate": 1.0})
    stop = lightgbm.early_stopping(3, verbose=False)
    rest: dict[str, Any] = {"eval_X": (frame[200:],), "eval_y": (labels[200:],)}
    model.fit(frame[:200], labels[:200], callbacks=[stop], **rest)
    scorer = _same(model, frame)
    outputs = 1 if n_classes == 2 else n_classes
    assert len(scorer.plan.model.trees.roots) == model.best_iteration_ * outputs
    booster = model.booster_
    booster.best_iteration = 1
    assert len(_same(booster, frame).plan.model.trees.roots) == outputs


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "binary"},
        {"objective": "multiclass", "num_class": 3},
        {"objective": "multiclassova", "num_class": 3, "sigmoid": 2.0},
        {"objective": "regression"},
        {"objective": "cross_entropy"},
        {"objective": "poisson"},
    ],
    ids=stable,
)
def test_a_booster_answers_as_its_flavor(frame: pd.DataFrame, settings: dict[str, Any]) -> None:
    """Its classes are numbers."""
    labels = _labels(frame, settings.get("num_class", 2))
    data = lightgbm.Dataset(frame, labels)
    model = lightgbm.train({"verbose": -1, "num_leaves": 7, **settings}, data, 12)
    _same(model, frame)
    _same(lightgbm.Booster(model_str=model.model_to_string()), frame)


@pytest.mark.parametrize("n_categories", [3, 70])
@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}, {"max_cat_to_onehot": 100}])
def test_categories_are_numbered_as_the_booster_kept_them(
    n_categories: int, settings: dict[str, Any]
) -> None:
    """Those of text go left where the set has them; a missing one goes right."""
    rng = np.random.default_rng(2)
    names = [f"name {place}" for place in range(n_categories)]
    text = rng.choice(names, size=900)
    frame = pd.DataFrame({"x": rng.normal(size=900), "c": pd.Categorical(text, categories=names)})
    frame.loc[::9, "c"] = None
    labels = (frame["c"].cat.codes % 3 + frame["x"] > 1).astype(int)
    model = lightgbm.LGBMClassifier(**_FEW, min_data_per_group=5, **settings).fit(frame, labels)
    given = frame.astype({"c": object})
    scorer = compile_model(model, inputs_of(given), classes=(0, 1))
    found, wanted = scorer.score(columns_of(given)), LightGBM().score(model, given)
    np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    assert (scorer.splits()[0].trees.sets > 0).any()
    with pytest.raises(Declined, match="category"):
        scorer.score({"x": [0.0], "c": ["another"]})


def test_categories_that_are_numbers_lose_their_fraction(frame: pd.DataFrame) -> None:
    """A value between -1 and 0 is the category 0, and any that is not there goes right."""
    rng = np.random.default_rng(4)
    given = frame.assign(e=rng.integers(0, 40, size=_N).astype(float))
    labels = (given["e"] % 3 == 0).astype(int)
    model = lightgbm.LGBMClassifier(**_FEW, min_data_per_group=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(given, labels, categorical_feature=["e"])
    assert (_same(model, given).splits()[0].trees.sets > 0).any()
    odd = [-0.5, -1.0, -1.5, 0.5, 2.9, 3.0, 31.0, 32.0, 33.9, 1e5, 3e9, -3e9, 1e300, np.nan]
    _same(model, given.iloc[: len(odd)].assign(e=odd))


@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_what_a_sparse_table_does_not_hold_is_zero(kind: str) -> None:
    """A table of either kind is answered alike."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"c": rng.choice(list("uvwxyz"), size=300), "n": rng.integers(-2, 3, 300)})
    labels = frame["c"].isin(["u", "x"]) ^ (frame["n"] > 0)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=kind == "sparse", handle_unknown="ignore"), ["c"]),
        remainder="passthrough",
        sparse_threshold=1.0 if kind == "sparse" else 0.0,
    )
    model = make_pipeline(encoder, lightgbm.LGBMClassifier(**_FEW))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, labels.astype(int))
    agrees(model, frame)


def test_a_pipeline_before_it_is_followed(frame: pd.DataFrame) -> None:
    """Values that lie next to each other after a scaler, too."""
    model = make_pipeline(StandardScaler(), lightgbm.LGBMClassifier(**_FEW))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, _labels(frame))
    agrees(model, frame)


def test_classes_keep_their_names(frame: pd.DataFrame) -> None:
    """Labels are those of the estimator."""
    names = np.array(["low", "middle", "high"])[_labels(frame, 3)]
    agrees(lightgbm.LGBMClassifier(**_FEW).fit(frame, names), frame)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (lightgbm.LGBMRegressor, {"linear_tree": True}),
        (lightgbm.LGBMClassifier, {"objective": lambda true, found: (found - true, found * 0 + 1)}),
        (lightgbm.LGBMClassifier, {"pred_early_stop": True}),
        (lightgbm.LGBMClassifier, {"objective": "regression"}),
    ],
)
def test_what_no_node_stands_for_is_unsupported(
    frame: pd.DataFrame, kind: Any, settings: dict[str, Any]
) -> None:
    """Linear leaves, predictions that stop early, and classes that are none."""
    model = kind(**_FEW, **settings).fit(frame, _labels(frame))
    with pytest.raises(Unsupported):
        compile_model(model, inputs_of(frame))


def test_a_forged_booster_is_refused(frame: pd.DataFrame) -> None:
    """Columns that are not there would be read outside of the table."""
    model = lightgbm.LGBMClassifier(**_FEW).fit(frame, _labels(frame))
    node = compiled(model, frame).plan.model
    assert isinstance(node, LeafwiseTrees)
    for change in (
        {"zeros": np.array([5])},
        {"categorical": np.array([-1])},
        {"zeros": np.array([0.0])},
        {"sums": replace(node.sums, link=Link.SOFTMAX)},
        {"sums": replace(node.sums, rounds=0)},
    ):
        with pytest.raises(ValueError, match=r"booster|class"):
            replace(node, **change)
    with pytest.raises(ValueError, match="columns"):
        node.answer(np.zeros((1, 9)))
