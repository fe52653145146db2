"""CatBoost's models of numbers: symmetric trees, in which all nodes of a level ask the same.

A tree asks whether a float32 is greater than a border. What a missing value is, each column says.
"""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel
from brinery.scorers.across import likeliest
from brinery.scorers.additive import Additive, Leaves
from brinery.scorers.data import Array, Data, dense, single
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Splits,
    Unsupported,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.trees import COLUMN, Grown, Trees, in_parts, planted

# A level doubles the nodes of a tree: more than these would be large, and slower than the library.
_MOST_NODES = 1 << 22
_MOST_LEVELS = 20
# Of a node's feature, as the kernel has it.
_MISSING_LEFT = 0x40000000
# From so many rows on, they go level by level.
_MANY = 16
_HALF = 0.5


class Meaning(TextEnum):
    """What the sums are."""

    VALUE = "value"
    LOGARITHM = "logarithm"
    LOGIT = "logit"
    # Of each class by itself.
    LOGITS = "logits"
    SOFTMAX = "softmax"


_UNITS = {
    Meaning.VALUE: Unit.VALUE,
    Meaning.LOGARITHM: Unit.LOGARITHM,
    Meaning.LOGIT: Unit.LOG_ODDS,
}
_CLASSIFICATIONS = {
    "Logloss": Meaning.LOGIT,
    "CrossEntropy": Meaning.LOGIT,
    "Focal": Meaning.LOGIT,
    "MultiClass": Meaning.SOFTMAX,
    "MultiClassOneVsAll": Meaning.LOGITS,
}
_REGRESSIONS = (
    "RMSE",
    "MAE",
    "MAPE",
    "Quantile",
    "Expectile",
    "LogLinQuantile",
    "Lq",
    "Huber",
    "LogCosh",
    "Poisson",
    "Tweedie",
    "YetiRank",
    "YetiRankPairwise",
    "PairLogit",
    "PairLogitPairwise",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
)
_EXPONENT = ("Poisson", "Tweedie")


class SymmetricTrees(Struct, Model, frozen=True, kw_only=True, tag=True, dict=True):
    """Trees whose leaves are added up, scaled and shifted.

    Attributes:
        trees: in the order of the rounds, each level by level; each leaf adds to all sums.
        depths: (n_trees,) int64, how many levels of questions each has.
        scale: of the sums.
        bias: (n_outputs,) float64, what is added to them.
        meaning: of the sums.
    """

    trees: Trees
    depths: np.ndarray
    scale: float
    bias: np.ndarray
    meaning: Meaning

    def __post_init__(self) -> None:
        """Check the number of sums."""
        count = self.trees.n_outputs
        require(self.bias.shape == (count,), "symmetric trees of another bias")
        require(self.bias.dtype == self.trees.leaves.dtype == np.float64, "sums of float32")
        many = self.meaning in (Meaning.SOFTMAX, Meaning.LOGITS)
        require(count > 1 if many else count == 1, "symmetric trees of other sums")
        require(self.trees.features == "f4", "symmetric trees of float64")
        require(self.trees.leaves.shape[1] == count, "symmetric trees of other sums")
        require(self.depths.shape == self.trees.roots.shape, "symmetric trees without levels")
        require(self.depths.dtype == np.int64, "symmetric trees of strange levels")
        within = (self.depths >= 0) & (self.depths <= _MOST_LEVELS)
        require(within.all(), "symmetric trees of too many levels")
        _check_levels(self.trees, self.depths)

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean; of equally likely classes the first."""
        sums = in_parts(self._sums, data)
        sums *= self.scale
        sums += self.bias
        if self.meaning is Meaning.VALUE:
            return Answer(values=sums[:, 0])
        with np.errstate(over="ignore", under="ignore"):
            if self.meaning is Meaning.LOGARITHM:
                return Answer(values=kernel.exponents(sums[:, 0]))
            chances = _chances(sums, self.meaning)
        several = sums.shape[1] > 1
        labels = likeliest(sums) if several else (sums[:, 0] > 0.0).astype(np.int64)
        return Answer(labels=labels, probabilities=chances)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, _singles),)

    def additive(self, origins: Origins) -> Additive:
        """Return the scaled sum of the leaves."""
        return Additive(
            (Leaves(self.trees, origins, _singles, self.scale),),
            lambda data: in_parts(self._sums, data) * self.scale + self.bias,
            _UNITS.get(self.meaning, Unit.MARGIN),
        )

    @cached_property
    def _levels(self) -> kernel.Levels:
        return _levels(self.trees, self.depths)

    def _sums(self, data: Data) -> Array:
        table = _singles(data)
        if len(table) < _MANY:
            return self.trees.sums(table, 0.0)
        require(table.shape[1] == self.trees.n_features, "symmetric trees of other columns")
        sums = np.zeros((len(table), self.trees.n_outputs))
        self._levels.add(np.ascontiguousarray(table.T), sums)
        return sums


def _check_levels(trees: Trees, depths: Array) -> None:
    """Raise where the levels of a tree lie, or their answers lead, outside of the table."""
    table = trees.table
    last = trees.roots + (2 << depths) - 1
    require((last <= len(table)).all(), "symmetric trees that are cut")
    leaf = table[trees.roots + (1 << depths) - 1]
    require((leaf["feature"] < 0).all(), "symmetric trees without leaves")
    require(
        (leaf["next"] + (1 << depths) <= len(trees.leaves)).all(), "symmetric trees that are cut"
    )
    require((table["feature"][_firsts(trees, depths)] >= 0).all(), "symmetric trees without levels")


def _firsts(trees: Trees, depths: Array) -> Array:
    """Return the first node of each level of each tree: (n_levels,)."""
    starts = np.cumsum(depths) - depths
    levels = np.arange(int(depths.sum())) - np.repeat(starts, depths)
    found: Array = np.repeat(trees.roots, depths) + (1 << levels) - 1
    return found


def _levels(trees: Trees, depths: Array) -> kernel.Levels:
    """Return the trees, a row for each level."""
    nodes = trees.table[_firsts(trees, depths)]
    leaf = trees.table[trees.roots + (1 << depths) - 1]
    return kernel.Levels(
        columns=np.ascontiguousarray(nodes["feature"] & COLUMN),
        borders=np.ascontiguousarray(nodes["threshold"]),
        right=nodes["feature"] & _MISSING_LEFT == 0,
        starts=np.concatenate([[0], np.cumsum(depths)]),
        firsts=leaf["next"].astype(np.int64),
        leaves=np.ascontiguousarray(trees.leaves),
    )


def _singles(data: Data) -> Array:
    """Return the table that is compared: (n_rows, n_features) float32."""
    return single(dense(data))


def _chances(sums: Array, meaning: Meaning) -> Array:
    """Return the probabilities of the classes: (n_rows, n_classes)."""
    if meaning is Meaning.SOFTMAX:
        powers = kernel.exponents(sums - sums.max(axis=1, keepdims=True))
        powers /= np.add.accumulate(powers, axis=1)[:, -1:]
        return powers
    chances = 1.0 / (1.0 + kernel.exponents(-sums))
    return chances if meaning is Meaning.LOGITS else np.hstack([1.0 - chances, chances])


def read_model(model: Any, _: Reader) -> Model:
    """Return the node of a fitted model of any class.

    Raises:
        Unsupported: it takes other columns than numbers, has other trees, or another loss.
    """
    stored = _stored(model)
    told = stored["features_info"]
    if any(told.get(f"{kind}_features") for kind in ("categorical", "text", "embedding")):
        raise Unsupported("CatBoost with columns that are not numbers")
    if not stored.get("oblivious_trees"):
        raise Unsupported("CatBoost without symmetric trees")
    columns = {one["feature_index"]: one for one in told["float_features"]}
    if any(place != one["flat_feature_index"] for place, one in columns.items()):
        raise Unsupported("CatBoost with columns that are not numbers")
    right = {place for place, one in columns.items() if one["nan_value_treatment"] == "AsTrue"}
    trees, n_outputs = stored["oblivious_trees"], _n_outputs(stored["oblivious_trees"][0])
    if sum(2 << len(tree["splits"] or ()) for tree in trees) > _MOST_NODES:
        raise Unsupported("CatBoost with trees that are too deep")
    scale, bias = stored["scale_and_bias"]
    return SymmetricTrees(
        trees=planted(
            [_grown(tree, n_outputs, right) for tree in trees],
            n_features=len(model.feature_names_),
            n_outputs=n_outputs,
        ),
        depths=np.array([len(tree["splits"] or ()) for tree in trees], dtype=np.int64),
        scale=float(scale),
        bias=floats(np.broadcast_to(np.ravel(bias), (n_outputs,))),
        meaning=_meaning(model, n_outputs),
    )


def _stored(model: Any) -> Any:
    """Return what a model writes of itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return msgspec.json.decode(path.read_bytes())


def _meaning(model: Any, n_outputs: int) -> Meaning:
    """Return what the sums of a model are.

    Raises:
        Unsupported: it answers each row with several values, or nobody knows.
    """
    loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0]
    if len(model.classes_):
        meaning = _CLASSIFICATIONS.get(loss)
        count = 1 if meaning is Meaning.LOGIT else len(model.classes_)
        if meaning is None or n_outputs != count:
            raise Unsupported(f"CatBoost with the loss {loss} and {n_outputs} outputs")
        threshold = getattr(model, "get_probability_threshold", lambda: _HALF)
        if meaning is Meaning.LOGIT and (len(model.classes_) != 1 + count or threshold() != _HALF):
            raise Unsupported("CatBoost with a threshold of its own")
        return meaning
    if loss not in _REGRESSIONS or n_outputs != 1:
        raise Unsupported(f"CatBoost with the loss {loss} and {n_outputs} outputs")
    if type(model).__name__ == "CatBoost":
        return Meaning.LOGARITHM if loss in _EXPONENT else Meaning.VALUE
    # Its estimators go by the settings that they were made with.
    asked = getattr(model, "_get_default_prediction_type", lambda: "RawFormulaVal")()
    if asked not in ("Exponent", "RawFormulaVal"):
        raise Unsupported(f"CatBoost that answers {asked}")
    return Meaning.LOGARITHM if asked == "Exponent" else Meaning.VALUE


def _n_outputs(tree: Any) -> int:
    return len(tree["leaf_values"]) >> len(tree["splits"] or ())


def _grown(tree: Any, n_outputs: int, right: set[int]) -> Grown:
    """Return a tree as it is planted: level by level, each node with a copy of its question.

    Args:
        tree: as it is stored.
        n_outputs: how many values a leaf has.
        right: the columns in which a missing value is greater than any border.

    Raises:
        Unsupported: it asks for something else than a border of a number.
    """
    splits = tree["splits"] or ()
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise Unsupported("CatBoost with splits that are not of numbers")
    depth = len(splits)
    inner = (1 << depth) - 1
    nodes = 2 * inner + 1
    places = np.arange(inner)
    left, after, feature = np.full(nodes, -1), np.full(nodes, -1), np.full(nodes, -1)
    left[:inner], after[:inner] = 2 * places + 1, 2 * places + 2
    threshold, missing_left = np.zeros(nodes), np.zeros(nodes, dtype=bool)
    # The place of a leaf has a bit for each answer, that of the first question the lowest.
    order = np.zeros(1, dtype=np.int64)
    for level, split in enumerate(splits):
        column = int(split["float_feature_index"])
        held = slice((1 << level) - 1, (2 << level) - 1)
        feature[held] = column
        threshold[held] = split["border"]
        missing_left[held] = column not in right
        order = np.column_stack([order, order | 1 << level]).ravel()
    values = np.zeros((nodes, n_outputs))
    values[inner:] = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, n_outputs)[order]
    return Grown(
        left=left,
        right=after,
        feature=feature,
        threshold=threshold,
        values=values,
        missing_left=missing_left,
    )


NODES = (SymmetricTrees,)
READERS = {
    "catboost.CatBoost": read_model,
    "catboost.CatBoostClassifier": read_model,
    "catboost.CatBoostRegressor": read_model,
    "catboost.CatBoostRanker": read_model,
}
