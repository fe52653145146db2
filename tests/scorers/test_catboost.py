"""CatBoost: its models of numbers answer as the library, whatever their loss."""

from __future__ import annotations

from typing import Any

import catboost
import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import columns_of, compiled, inputs_of
from tests.scorers.edges import edges

from brinery.flavors.catboost import CatBoost
from brinery.scorers.catboost import Meaning, SymmetricTrees
from brinery.scorers.compiler import compile_model
from brinery.scorers.interface import Unsupported

_N = 300
_FEW: dict[str, Any] = {
    "iterations": 15,
    "depth": 4,
    "verbose": 0,
    "thread_count": 1,
    "allow_writing_files": False,
    "random_seed": 0,
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(size=(_N, 5)) * [1, 10, 1e-3, 1e6, 1], columns=list("abcde"))
    made["e"] = made["e"].round() + 0.0
    return made.mask(rng.random(made.shape) < [0.1, 0.1, 0.0, 0.1, 0.0])


def _score(frame: pd.DataFrame) -> Any:
    filled = frame.fillna(0.0)
    return filled["a"] + filled["b"] / 10 * filled["e"]


def _labels(frame: pd.DataFrame, count: int = 2) -> Any:
    return pd.qcut(_score(frame), count, labels=False)


def _same(model: Any, frame: pd.DataFrame, *, exact: bool = True) -> Any:
    """Assert that the scorer answers as the flavor does; return the scorer.

    Args:
        model: fitted.
        frame: (n_rows, n_features) that it is tried on, beside rows at its thresholds.
        exact: whether values agree in every bit.
    """
    flavor = CatBoost()
    scorer = compile_model(model, inputs_of(frame), classes=flavor.classes(model))
    assert scorer.fallbacks == ()
    rows = pd.concat([frame, edges(scorer, frame)])
    for part in (rows, rows.iloc[:3], rows.iloc[5:6]):
        found: Any = scorer.score(columns_of(part))
        wanted: Any = flavor.score(model, part)
        if exact:
            np.testing.assert_array_equal(found.predictions, wanted.predictions)
        else:
            np.testing.assert_allclose(found.predictions, wanted.predictions, rtol=1e-14)
        if wanted.probabilities is None:
            assert found.probabilities is None
        else:
            np.testing.assert_allclose(found.probabilities, wanted.probabilities, 1e-13, 1e-300)
    return scorer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"depth": 1},
        {"depth": 9},
        {"nan_mode": "Max"},
        {"border_count": 3},
        {"learning_rate": 1.0, "l2_leaf_reg": 1e-6},
        {"loss_function": "MultiClassOneVsAll"},
        {"loss_function": "MultiClass"},
        {"loss_function": "CrossEntropy"},
        {"boosting_type": "Ordered"},
        {"class_names": [1, 0]},
    ],
    ids=stable,
)
@pytest.mark.parametrize("n_classes", [2, 3, 11])
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, settings: dict[str, Any], n_classes: int
) -> None:
    """A missing value is less or greater than any border, as its column has it."""
    several = n_classes > 2
    if several and ("class_names" in settings or settings.get("loss_function") == "CrossEntropy"):
        pytest.skip("of two classes only")
    model = catboost.CatBoostClassifier(**{**_FEW, **settings})
    _same(model.fit(frame, _labels(frame, n_classes)), frame)


@pytest.mark.parametrize(
    "loss",
    [
        "RMSE",
        "MAE",
        "MAPE",
        "Quantile:alpha=0.3",
        "Expectile:alpha=0.3",
        "LogLinQuantile",
        "Lq:q=2",
        "Huber:delta=1",
        "LogCosh",
        "Poisson",
        "Tweedie:variance_power=1.5",
    ],
)
@pytest.mark.parametrize("kind", [catboost.CatBoostRegressor, catboost.CatBoost])
def test_a_regressor_answers_as_the_library(frame: pd.DataFrame, loss: str, kind: Any) -> None:
    """Each loss has its link and its bias."""
    score = _score(frame)
    target = (score - score.min() + 1) / (score.max() - score.min() + 2)
    model = kind({**_FEW, "loss_function": loss}) if kind is catboost.CatBoost else None
    model = model or kind(**_FEW, loss_function=loss)
    _same(model.fit(frame, target), frame, exact=not loss.startswith(("Poisson", "Tweedie")))


def test_a_model_without_a_class_of_its_own_answers_as_its_flavor(frame: pd.DataFrame) -> None:
    """A classification keeps its classes; what was loaded from a file does, too."""
    model = catboost.CatBoost({**_FEW, "loss_function": "Logloss"})
    model.fit(frame, np.array(["no", "yes"])[_labels(frame)])
    _same(model, frame)
    model.set_scale_and_bias(0.3, 0.2)
    _same(model, frame)


def test_only_the_rounds_until_the_best_are_kept(frame: pd.DataFrame) -> None:
    """Those behind them are cut off."""
    labels = _labels(frame)
    model = catboost.CatBoostClassifier(**{**_FEW, "iterations": 90, "learning_rate": 0.9})
    model.fit(frame[:150], labels[:150], eval_set=(frame[150:], labels[150:]))
    assert len(_same(model, frame).plan.model.trees.roots) == model.best_iteration_ + 1 < 90


def test_a_value_that_float32_cannot_hold_is_infinite(frame: pd.DataFrame) -> None:
    """The library takes such a value."""
    model = catboost.CatBoostClassifier(**_FEW).fit(frame, _labels(frame))
    _same(model, frame.iloc[:5].assign(a=[1e300, -1e300, 1e39, -1e39, 0.0]))


@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_a_pipeline_before_it_is_followed(kind: str) -> None:
    """What a sparse table does not hold is zero."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"c": rng.choice(list("uvwxyz"), size=300), "n": rng.integers(-2, 3, 300)})
    labels = frame["c"].isin(["u", "x"]) ^ (frame["n"] > 0)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=kind == "sparse", handle_unknown="ignore"), ["c"]),
        (StandardScaler(), ["n"]),
        sparse_threshold=1.0 if kind == "sparse" else 0.0,
    )
    model = make_pipeline(encoder, catboost.CatBoostClassifier(**_FEW))
    model.fit(frame, labels.astype(int))
    for part in (frame, frame[:1]):
        found: Any = compiled(model, frame).score(columns_of(part))
        np.testing.assert_array_equal(found.predictions, model.predict(part))
        np.testing.assert_allclose(found.probabilities, model.predict_proba(part), rtol=1e-13)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"grow_policy": "Depthwise"}, "symmetric"),
        ({"grow_policy": "Lossguide"}, "symmetric"),
        ({"loss_function": "RMSEWithUncertainty"}, "outputs"),
        ({"cat_features": ["e"]}, "numbers"),
    ],
)
def test_what_no_node_stands_for_is_unsupported(
    frame: pd.DataFrame, settings: dict[str, Any], reason: str
) -> None:
    """Trees of other shapes, several values per row, and columns that are not numbers."""
    model = catboost.CatBoostRegressor(**{**_FEW, **settings})
    model.fit(frame.astype({"e": int}), _score(frame))
    with pytest.raises(Unsupported, match=reason):
        compile_model(model, inputs_of(frame))


def test_a_threshold_of_its_own_is_unsupported(frame: pd.DataFrame) -> None:
    """Its class is another than the likelier one."""
    model = catboost.CatBoostClassifier(**_FEW).fit(frame, _labels(frame))
    model.set_probability_threshold(0.3)
    with pytest.raises(Unsupported, match="threshold"):
        compile_model(model, inputs_of(frame))


def test_a_forged_model_is_refused(frame: pd.DataFrame) -> None:
    """Sums of another number would be read outside of."""
    node = compiled(catboost.CatBoostClassifier(**_FEW).fit(frame, _labels(frame)), frame)
    trees = node.plan.model
    assert isinstance(trees, SymmetricTrees)
    for change in (
        {"bias": np.zeros(2)},
        {"bias": np.zeros(1, dtype=np.float32)},
        {"meaning": Meaning.SOFTMAX},
    ):
        with pytest.raises(ValueError, match=r"sums|bias"):
            replace(trees, **change)
    for depths in (trees.depths + 1, trees.depths - 1, trees.depths - 9, trees.depths[1:]):
        with pytest.raises(ValueError, match="symmetric"):
            replace(trees, depths=depths)
    with pytest.raises(ValueError, match="symmetric"):
        replace(trees, depths=trees.depths.astype(np.float64))
    for count in (1, 100):
        with pytest.raises(ValueError, match="columns"):
            trees.answer(np.zeros((count, 9)))
