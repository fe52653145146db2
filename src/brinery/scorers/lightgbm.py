"""LightGBM's models, read from the text that it writes of them.

A tree compares float64. What stands for a missing value is said by each node: NaN, any value next
to zero, or nothing, so that NaN is a zero. Values that close to zero are zeros to begin with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel
from brinery.scorers.across import likeliest
from brinery.scorers.additive import Additive, Leaves
from brinery.scorers.codes import behind_codes
from brinery.scorers.data import Array, Data, dense
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Grown, Trees, in_parts, planted

# What is no further from zero than this is zero: a float32 of LightGBM's.
_ZERO = float(np.float32(1e-35))
# Of a node's `decision_type`.
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NONE, _ZEROS = 0, 1
_TWO = 2


class Link(TextEnum):
    """What a sum becomes."""

    NONE = "none"
    SQUARE = "square"
    EXPONENT = "exponent"
    SIGMOID = "sigmoid"
    LOGARITHM = "logarithm"
    SOFTMAX = "softmax"


_LINKS = {
    **dict.fromkeys(
        (
            "regression",
            "regression_l1",
            "huber",
            "fair",
            "quantile",
            "mape",
            "lambdarank",
            "rank_xendcg",
            "custom",
            "",
        ),
        Link.NONE,
    ),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), Link.EXPONENT),
    **dict.fromkeys(("binary", "multiclassova", "cross_entropy", "xentropy"), Link.SIGMOID),
    **dict.fromkeys(("cross_entropy_lambda", "xentlambda"), Link.LOGARITHM),
    "multiclass": Link.SOFTMAX,
}
_CLASSIFICATIONS = ("binary", "multiclass", "multiclassova")


class Sums(Struct, frozen=True):
    """What sums of leaves mean.

    Attributes:
        link: what each becomes.
        steepness: of a sigmoid.
        rounds: by how many rounds they are divided; 1 where they are not.
        classifies: whether they become probabilities of classes.
    """

    link: Link
    steepness: float
    rounds: int
    classifies: bool

    @property
    def unit(self) -> Unit:
        """Return what the sums are counted in, once they have their factor."""
        if self.link is Link.SIGMOID:
            return Unit.LOG_ODDS
        if self.link is Link.EXPONENT:
            return Unit.LOGARITHM
        return Unit.VALUE if self.link is Link.NONE and not self.classifies else Unit.MARGIN

    @property
    def factor(self) -> float:
        """Return what the sums are multiplied with to be counted so."""
        return (self.steepness if self.link is Link.SIGMOID else 1.0) / self.rounds

    def check(self, n_outputs: int) -> None:
        """Check that there are as many sums as are read."""
        require(self.rounds > 0, "a booster without rounds")
        require((self.link is Link.SOFTMAX) <= (self.classifies and n_outputs > 1), "a lone class")
        require(self.classifies or n_outputs == 1, "a booster of other sums")

    def answer(self, sums: Array) -> Answer:
        """Return what some sums mean: (n_rows, n_outputs), which are changed."""
        if self.rounds > 1:
            sums /= self.rounds
        found = self._linked(sums)
        if not self.classifies:
            return Answer(values=found[:, 0])
        if found.shape[1] == 1:
            chances = np.empty((len(found), 2))
            chances[:, 1] = found[:, 0]
            np.subtract(1.0, chances[:, 1], out=chances[:, 0])
            found = chances
        return Answer(labels=likeliest(found), probabilities=found)

    def _linked(self, sums: Array) -> Array:
        """Return what the sums become."""
        if self.link is Link.SIGMOID:
            powers = kernel.exponents(-self.steepness * sums)
            powers += 1.0
            return np.divide(1.0, powers, out=powers)
        if self.link is Link.SOFTMAX:
            powers = kernel.exponents(sums - sums.max(axis=1, keepdims=True))
            powers /= np.add.accumulate(powers, axis=1)[:, -1:]
            return powers
        if self.link is Link.EXPONENT:
            return kernel.exponents(sums)
        if self.link is Link.LOGARITHM:
            return np.log1p(kernel.exponents(sums))
        return np.sign(sums) * sums * sums if self.link is Link.SQUARE else sums


class LeafwiseTrees(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees over float64 columns whose leaves are added up.

    Attributes:
        trees: round by round, in each a tree for each output.
        zeros: (n,) int64, the columns in which a zero is a missing value.
        categorical: (n,) int64, the columns of categories.
        sums: what the sums mean.
    """

    trees: Trees
    zeros: np.ndarray
    categorical: np.ndarray
    sums: Sums

    def __post_init__(self) -> None:
        """Check the columns and the sums."""
        require(self.trees.leaves.dtype == np.float64, "a booster of float32")
        for places in (self.zeros, self.categorical):
            require(places.ndim == 1 and places.dtype == np.int64, "a booster of strange columns")
            within = (places >= 0) & (places < self.trees.n_features)
            require(within.all(), "a booster of columns that are not there")
        self.sums.check(self.trees.n_outputs)

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return self.sums.answer(in_parts(self._summed, data))

    def decision(self, data: Data) -> Array:
        """Return the sums, as newer versions give them for those of a classifier."""
        if not self.sums.classifies:
            return super().decision(data)
        sums = in_parts(self._summed, data)
        return sums[:, 0] if sums.shape[1] == 1 else sums

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self._prepared),)

    def additive(self, origins: Origins) -> Additive:
        """Return the sum of the leaves."""
        factor = self.sums.factor
        return Additive(
            (Leaves(self.trees, origins, self._prepared, factor),),
            lambda data: in_parts(self._summed, data) * factor,
            self.sums.unit,
        )

    def _summed(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), 0.0)

    def _prepared(self, data: Data) -> Array:
        """Return the table that is compared: (n_rows, n_features) float64."""
        table = dense(data)
        require(table.shape[1] == self.trees.n_features, "a booster of other columns")
        if not len(self.zeros) and not len(self.categorical):
            return table
        table = table.astype(np.float64)
        if len(self.zeros):
            part = table[:, self.zeros]
            part[np.abs(part) <= _ZERO] = np.nan
            table[:, self.zeros] = part
        if len(self.categorical):
            table[:, self.categorical] = np.trunc(table[:, self.categorical])
        return table


def read_booster(booster: Any, _: Reader) -> Model:
    """Return the node of a bare `Booster`."""
    head, trees = _blocks(booster.model_to_string())
    return _read(booster, head, blocks=trees, classifies=_objective(head)[0] in _CLASSIFICATIONS)


def read_estimator(estimator: Any, _: Reader) -> Model:
    """Return the node of a fitted classifier, regressor or ranker.

    Raises:
        Unsupported: it stops adding trees early, or its classes are not those of its objective.
    """
    name = type(estimator).__name__
    settings = estimator.get_params()
    if any(settings.get(one) for one in ("pred_early_stop", "num_iteration_predict")):
        raise Unsupported(f"{name} that stops its predictions early")
    booster = estimator.booster_
    head, trees = _blocks(booster.model_to_string())
    classifies = hasattr(estimator, "classes_")
    if classifies:
        if callable(estimator.objective_) or _links(head) not in (Link.SIGMOID, Link.SOFTMAX):
            raise Unsupported(f"{name} with the objective {_objective(head)[0] or 'of its own'}")
        count = int(head["num_class"])
        if estimator.n_classes_ != max(count, _TWO) or count == _TWO:
            raise Unsupported(f"{name} of {estimator.n_classes_} classes and {count} outputs")
    return _read(booster, head, blocks=trees, classifies=classifies)


def _read(
    booster: Any, head: dict[str, str], *, blocks: list[dict[str, str]], classifies: bool
) -> Model:
    """Return the node of a booster."""
    count, outputs = int(head["max_feature_idx"]) + 1, int(head["num_tree_per_iteration"])
    if not classifies and outputs > 1:
        raise Unsupported("LightGBM with several values for each row")
    if not blocks or len(blocks) % outputs:
        raise Unsupported(f"LightGBM with {len(blocks)} trees")
    sets = [np.zeros(1, dtype=np.uint32)]
    kinds = np.zeros((count, 5), dtype=bool)
    grown = [_grown(tree, sets, kinds) for tree in blocks]
    if (kinds[:, _ZEROS] & (kinds.sum(axis=1) > 1)).any():
        raise Unsupported("LightGBM with columns whose zeros are missing in some trees only")
    words = _objective(head)[1:]
    told = dict(word.split(":", 1) for word in words if ":" in word)
    node = LeafwiseTrees(
        trees=planted(
            grown,
            n_features=count,
            n_outputs=outputs,
            outputs=[place % outputs for place in range(len(grown))],
            features="f8",
            sets=np.concatenate(sets),
        ),
        zeros=np.flatnonzero(kinds[:, _ZEROS]).astype(np.int64),
        categorical=np.flatnonzero(kinds[:, -1]).astype(np.int64),
        sums=Sums(
            link=_links(head),
            steepness=float(told.get("sigmoid", 1.0)),
            rounds=len(grown) // outputs if "average_output" in head else 1,
            classifies=classifies,
        ),
    )
    return behind_codes(node, _categories(booster, head))


def _blocks(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the head of a model's text, and its trees: keys and what stands behind them."""
    head, *trees = _each(text)
    return head, trees


def _each(text: str) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith(("end of trees", "feature importances:", "feature_importances:")):
            break
        key, _, value = line.partition("=")
        if key == "Tree":
            yield block
            block = {}
        block[key] = value
    yield block


def _objective(head: dict[str, str]) -> list[str]:
    """Return the objective and the words behind it."""
    return head.get("objective", "").split() or [""]


def _links(head: dict[str, str]) -> Link:
    """Return what the sums of a model become.

    Raises:
        Unsupported: nobody knows.
    """
    objective, *words = _objective(head)
    link = _LINKS.get(objective)
    if link is None:
        raise Unsupported(f"LightGBM with the objective {objective}")
    return Link.SQUARE if link is Link.NONE and "sqrt" in words else link


def _grown(tree: dict[str, str], sets: list[Array], kinds: Array) -> Grown:
    """Return a tree as it is planted; its sets of categories are added to those before.

    Args:
        tree: its lines.
        sets: of the trees before it.
        kinds: (n_features, 5) whether a column has nodes of each kind of missing value, and, last,
            of categories; those of this tree are added.

    Raises:
        Unsupported: its leaves are linear models.
    """
    if tree.get("is_linear", "0").strip() == "1":
        raise Unsupported("LightGBM with linear trees")
    leaves = _numbers(tree, "leaf_value", float)
    inner = int(tree["num_leaves"]) - 1
    nodes = inner + len(leaves)
    values = np.zeros((nodes, 1))
    values[inner:, 0] = leaves
    left, right, feature = (np.full(nodes, -1) for _ in range(3))
    threshold, missing_left = np.zeros(nodes), np.zeros(nodes, dtype=bool)
    categories = np.full(nodes, -1)
    if inner:
        for places, key in ((left, "left_child"), (right, "right_child")):
            children = _numbers(tree, key, int)
            places[:inner] = np.where(children < 0, inner - 1 - children, children)
        feature[:inner] = columns = _numbers(tree, "split_feature", int)
        decisions = _numbers(tree, "decision_type", int)
        steps = _numbers(tree, "threshold", float)
        asks = decisions & _CATEGORICAL != 0
        kind = decisions >> 2 & 3
        kinds[columns[~asks], kind[~asks]] = True
        kinds[columns[asks], -1] = True
        starts = _sets(tree, sets)
        categories[:inner][asks] = starts[steps[asks].astype(np.int64)]
        default = np.where(kind == _NONE, steps >= 0.0, decisions & _DEFAULT_LEFT != 0)
        missing_left[:inner] = default & ~asks
        threshold[:inner] = np.where(asks, 0.0, _stepped(steps))
    return Grown(
        left=left,
        right=right,
        feature=feature,
        threshold=threshold,
        values=values,
        missing_left=missing_left,
        categories=categories,
    )


def _stepped(thresholds: Array) -> Array:
    """Return thresholds that say of what is as good as zero what they say of zero."""
    found = np.where(np.abs(thresholds) <= _ZERO, _ZERO, thresholds)
    below = (thresholds < 0.0) & (thresholds >= -_ZERO)
    return np.where(below, np.nextafter(-_ZERO, -np.inf), found)


def _sets(tree: dict[str, str], sets: list[Array]) -> Array:
    """Add a tree's sets of categories to those before; return where each begins."""
    bounds, words = _numbers(tree, "cat_boundaries", int), _numbers(tree, "cat_threshold", int)
    starts = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist()):
        starts.append(sum(map(len, sets)))
        sets.append(np.array([stop - start, *words[start:stop].tolist()], dtype=np.uint32))
    return np.array(starts, dtype=np.int64)


def _numbers(tree: dict[str, str], key: str, kind: type) -> Array:
    """Return the numbers of one line."""
    return np.array(tree.get(key, "").split(), dtype=np.float64 if kind is float else np.int64)


def _categories(booster: Any, head: dict[str, str]) -> dict[int, tuple[Any, ...]]:
    """Return the categories of the columns that were categories of a frame, by their places."""
    kept = booster.pandas_categorical or []
    infos = head.get("feature_infos", "").split()
    places = [
        place for place, info in enumerate(infos) if info != "none" and not info.startswith("[")
    ]
    if len(places) != len(kept):
        return {}
    return {place: tuple(values) for place, values in zip(places, kept)}


NODES = (LeafwiseTrees,)
READERS = {
    "lightgbm.Booster": read_booster,
    "lightgbm.LGBMClassifier": read_estimator,
    "lightgbm.LGBMRegressor": read_estimator,
    "lightgbm.LGBMRanker": read_estimator,
}
