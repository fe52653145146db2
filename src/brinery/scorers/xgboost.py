"""XGBoost's models: trees that are added up in float32, and linear boosters.

A tree asks whether a float32 is less than a threshold; as that is at most the float32 below it, the
walk is the one of every other tree. The library is asked for one thing: where the sums begin, which
each version derives from `base_score` in its own way.
"""

from __future__ import annotations

import math
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any, Optional

import msgspec
import numpy as np
from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel, xgboost_trees
from brinery.scorers.across import likeliest, softmax
from brinery.scorers.additive import Additive, Leaves, Weights
from brinery.scorers.codes import behind_codes
from brinery.scorers.data import Array, Data, Sparse, dense, single, unbounded
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Trees, in_parts
from brinery.scorers.xgboost_trees import n_outputs

# Before this version the sums are made in another order.
_OLDEST = (1, 4)


class Link(TextEnum):
    """What a sum becomes."""

    NONE = "none"
    EXPONENT = "exponent"
    SIGMOID = "sigmoid"
    STEP = "step"


class Form(TextEnum):
    """How what the sums became is answered."""

    NUMBER = "number"
    # Above a half it is the second class; the probability of the first is rounded to float32.
    CHANCE = "chance"
    # The same, with a probability of the first class in float64.
    WIDE_CHANCE = "wide_chance"
    SIGN = "sign"
    CHANCES = "chances"
    LARGEST = "largest"
    # The largest sum, with the probabilities that scipy makes of them.
    SOFTMAX = "softmax"


_MANY = (Form.CHANCES, Form.LARGEST, Form.SOFTMAX)
_NUMBERS = {
    **dict.fromkeys(
        (
            "reg:squarederror",
            "reg:linear",
            "reg:squaredlogerror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:quantileerror",
            "rank:pairwise",
            "rank:ndcg",
            "rank:map",
        ),
        Link.NONE,
    ),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), Link.EXPONENT),
    "reg:logistic": Link.SIGMOID,
}
_ESTIMATED = {
    "binary:logistic": (Link.SIGMOID, Form.CHANCE),
    "binary:hinge": (Link.STEP, Form.CHANCE),
    "multi:softprob": (Link.NONE, Form.CHANCES),
    "multi:softmax": (Link.NONE, Form.SOFTMAX),
}
_BARE = {
    "binary:logistic": (Link.SIGMOID, Form.WIDE_CHANCE),
    "binary:hinge": (Link.NONE, Form.SIGN),
    "binary:logitraw": (Link.NONE, Form.SIGN),
    "multi:softprob": (Link.NONE, Form.CHANCES),
    "multi:softmax": (Link.NONE, Form.LARGEST),
}


class Outcome(Struct, frozen=True):
    """What sums mean.

    Attributes:
        link: what each becomes.
        form: how that is answered.
    """

    link: Link
    form: Form

    @property
    def unit(self) -> Unit:
        """Return what the sums are counted in."""
        if self.link is Link.EXPONENT:
            return Unit.LOGARITHM
        if self.link is Link.SIGMOID:
            return Unit.LOG_ODDS
        return Unit.VALUE if self.form is Form.NUMBER else Unit.MARGIN

    def check(self, n_outputs: int) -> None:
        """Check that there are as many sums as are read."""
        require(n_outputs > 1 if self.form in _MANY else n_outputs == 1, "a booster of other sums")

    def answer(self, sums: Array) -> Answer:
        """Return what some sums mean: (n_rows, n_outputs) float32, which are changed."""
        if self.form is Form.CHANCES:
            kernel.softmax_float32(sums)
            return Answer(labels=likeliest(sums), probabilities=sums)
        if self.form is Form.LARGEST:
            return Answer(labels=likeliest(sums))
        if self.form is Form.SOFTMAX:
            with np.errstate(all="ignore"):
                chances = softmax(sums)
            return Answer(labels=likeliest(sums), probabilities=chances)
        found = self._linked(sums)[:, 0]
        if self.form is Form.NUMBER:
            return Answer(values=found)
        if self.form is Form.SIGN:
            return Answer(labels=(found > 0).astype(np.int64))
        wide = self.form is Form.WIDE_CHANCE
        chances = np.empty((len(found), 2), dtype=np.float64 if wide else np.float32)
        chances[:, 1] = found
        np.subtract(1.0, chances[:, 1], out=chances[:, 0])
        return Answer(labels=(found > 0.5).astype(np.int64), probabilities=chances)  # noqa: PLR2004

    def _linked(self, sums: Array) -> Array:
        """Return what the sums become."""
        if self.link is Link.SIGMOID:
            kernel.sigmoid_float32(sums)
        elif self.link is Link.EXPONENT:
            kernel.exponents_float32(sums)
        elif self.link is Link.STEP:
            return (sums > 0).astype(np.float32)
        return sums


class Taking(Struct, frozen=True):
    """How rows are taken.

    Attributes:
        width: how many columns there are.
        missing: what stands for a missing value beside NaN.
        infinite: whether a value may be infinite in float32.
    """

    width: int
    missing: Optional[float]
    infinite: bool

    def table(self, data: Data) -> Array:
        """Return rows as they are compared: (n_rows, width) float32, NaN where a value is missing.

        Of a sparse table, what is not there is missing, not zero.

        Raises:
            Declined: a value is infinite.
        """
        is_sparse = isinstance(data, Sparse)
        table = single(data.dense(absent=np.nan) if isinstance(data, Sparse) else dense(data))
        require(table.shape[1] == self.width, "a booster of other columns")
        if self.missing is not None:
            table[table == np.float32(self.missing)] = np.nan
        if self.infinite and not is_sparse:
            return table
        return unbounded(table)


class BoostedTrees(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees whose float32 leaves are added to a constant.

    Attributes:
        trees: in the order of the rounds, with what `dart` multiplies them with.
        base: (n_outputs,) float32, what the sums begin at.
        taking: how rows are taken.
        outcome: what the sums mean.
    """

    trees: Trees
    base: np.ndarray
    taking: Taking
    outcome: Outcome

    def __post_init__(self) -> None:
        """Check the number and the type of the sums."""
        require(self.base.shape == (self.trees.n_outputs,), "a booster that begins elsewhere")
        require(self.base.dtype == self.trees.leaves.dtype == np.float32, "a booster of float64")
        self.outcome.check(self.trees.n_outputs)

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean."""
        return self.outcome.answer(in_parts(self._sums, data))

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self.taking.table),)

    def additive(self, origins: Origins) -> Additive:
        """Return the sum of the leaves, each of which is a float32; they are added as such."""
        return Additive(
            (Leaves(self.trees, origins, self.taking.table),),
            lambda data: in_parts(self._sums, data).astype(np.float64),
            self.outcome.unit,
        )

    def _sums(self, data: Data) -> Array:
        return self.trees.sums(self.taking.table(data), self.base)


class BoostedLinear(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A linear booster, which passes over missing values.

    Attributes:
        weights: (n_features, n_outputs) float32.
        base: (n_outputs,) float32, what the sums begin at.
        taking: how rows are taken.
        outcome: what the sums mean.
    """

    weights: np.ndarray
    base: np.ndarray
    taking: Taking
    outcome: Outcome

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.weights.shape == (self.taking.width, len(self.base)), "weights out of shape")
        require(self.base.dtype == self.weights.dtype == np.float32, "weights of float64")
        self.outcome.check(len(self.base))

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return self.outcome.answer(in_parts(self._sums, data))

    def additive(self, origins: Origins) -> Additive:
        """Return the weighted sum; a missing value adds nothing, like a 0."""
        return Additive(
            (Weights(self.weights.T.astype(np.float64), origins, self._filled),),
            lambda data: in_parts(self._sums, data).astype(np.float64),
            self.outcome.unit,
        )

    def _filled(self, data: Data) -> Array:
        return np.nan_to_num(self.taking.table(data).astype(np.float64), nan=0.0)

    def _sums(self, data: Data) -> Array:
        table = self.taking.table(data)
        terms = np.empty((len(table), self.taking.width + 1, len(self.base)), dtype=np.float32)
        terms[:, 0] = self.base
        np.multiply(table[:, :, np.newaxis], self.weights, out=terms[:, 1:])
        terms[:, 1:][np.isnan(table)] = 0.0
        return np.ascontiguousarray(np.add.accumulate(terms, axis=1)[:, -1])


def read_booster(booster: Any, _: Reader) -> Model:
    """Return the node of a bare `Booster`."""
    stored = _stored(booster)
    return _read(booster, stored, outcome=_outcome(stored, _BARE))


def read_classifier(estimator: Any, _: Reader) -> Model:
    """Return the node of a fitted classifier."""
    booster = estimator.get_booster()
    stored = _stored(booster)
    name = type(estimator).__name__
    if estimator.objective != stored["learner"]["objective"]["name"]:
        raise Unsupported(f"{name} with an objective of its own")
    outcome = _outcome(stored, _ESTIMATED)
    count = n_outputs(stored) if outcome.form in _MANY else 2
    if estimator.n_classes_ != count:
        raise Unsupported(f"{name} of {estimator.n_classes_} classes and {count} outputs")
    return _read(booster, stored, outcome=outcome, estimator=estimator)


def read_regressor(estimator: Any, _: Reader) -> Model:
    """Return the node of a fitted regressor or ranker."""
    if callable(estimator.objective):
        raise Unsupported(f"{type(estimator).__name__} with an objective of its own")
    booster = estimator.get_booster()
    stored = _stored(booster)
    return _read(booster, stored, outcome=_outcome(stored, {}), estimator=estimator)


def _read(booster: Any, stored: Any, *, outcome: Outcome, estimator: Any = None) -> Model:
    """Return the node of a booster, or of the estimator that it is in."""
    xgboost = _library(booster)
    if tuple(int(number) for number in xgboost.__version__.split(".")[:2]) < _OLDEST:
        raise Unsupported(f"XGBoost {xgboost.__version__}")
    inplace = estimator is not None and estimator._can_use_inplace_predict()
    count = int(stored["learner"]["learner_model_param"]["num_feature"])
    missing = math.nan if estimator is None else float(estimator.missing)
    asked = booster if estimator is None else estimator
    base = _base(xgboost, stored, count=count)
    taking = Taking(
        width=count,
        missing=None if math.isnan(missing) else missing,
        infinite=inplace and _takes_infinite(asked, count),
    )
    gbm = stored["learner"]["gradient_booster"]
    if gbm["name"] == "gblinear":
        weights = np.array(gbm["model"]["weights"], dtype=np.float32).reshape(count + 1, -1)
        node: Model = BoostedLinear(
            weights=weights[:-1], base=weights[-1] + base, taking=taking, outcome=outcome
        )
    else:
        rounds = 0 if estimator is None else int(estimator._get_iteration_range(None)[1])
        trees = xgboost_trees.read(stored, count, base=base if inplace else None, rounds=rounds)
        node = BoostedTrees(trees=trees, base=base, taking=taking, outcome=outcome)
    return behind_codes(node, _categories(booster))


def _library(booster: Any) -> Any:
    """Return the module that a booster is of: it is loaded, in the model's process only."""
    return sys.modules[str(type(booster).__module__).partition(".")[0]]


def _stored(booster: Any) -> Any:
    """Return what a booster writes of itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        booster.save_model(str(path))
        return msgspec.json.decode(path.read_bytes())


def _outcome(stored: Any, known: dict[str, tuple[Link, Form]]) -> Outcome:
    """Return what the sums of a booster mean.

    Raises:
        Unsupported: nobody knows.
    """
    objective = str(stored["learner"]["objective"]["name"])
    if objective in known:
        outcome = Outcome(*known[objective])
    elif objective in _NUMBERS:
        outcome = Outcome(_NUMBERS[objective], Form.NUMBER)
    else:
        raise Unsupported(f"XGBoost with the objective {objective}")
    if (outcome.form in _MANY) != (n_outputs(stored) > 1):
        raise Unsupported(f"XGBoost with the objective {objective} and {n_outputs(stored)} outputs")
    return outcome


def _base(xgboost: Any, stored: Any, *, count: int) -> Array:
    """Return where the sums begin: (n_outputs,) float32.

    It is what the library answers once all its leaves, or weights, are zero.

    Args:
        xgboost: the library.
        stored: the booster.
        count: of features.
    """
    hollow = deepcopy(stored)
    gbm = hollow["learner"]["gradient_booster"]
    model = gbm.get("gbtree", gbm)["model"]
    for tree in model.get("trees", ()):
        tree["split_conditions"] = [0.0] * len(tree["split_conditions"])
    if "weights" in model:
        model["weights"] = [0.0] * len(model["weights"])
    booster = xgboost.Booster()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        path.write_bytes(msgspec.json.encode(hollow))
        booster.load_model(str(path))
    row = xgboost.DMatrix(np.zeros((1, count), dtype=np.float32))
    sums = booster.predict(row, output_margin=True, validate_features=False)
    return np.asarray(sums, dtype=np.float32).reshape(n_outputs(stored))


def _takes_infinite(estimator: Any, count: int) -> bool:
    """Return whether an estimator answers a row with an infinite value."""
    row = np.zeros((1, count))
    row[0, 0] = np.inf
    try:
        estimator.get_booster().inplace_predict(row, validate_features=False)
    except ValueError:
        return False
    return True


def _categories(booster: Any) -> dict[int, tuple[Any, ...]]:
    """Return the categories that a booster kept, by the place of their column.

    It keeps them since XGBoost 3.1; before, it refuses text.
    """
    if "c" not in (booster.feature_types or ()) or not hasattr(booster, "get_categories"):
        return {}
    columns = booster.get_categories(export_to_arrow=True).to_arrow() or ()
    places = {name: place for place, name in enumerate(booster.feature_names or ())}
    return {places[name]: tuple(one.to_pylist()) for name, one in columns if one is not None}


NODES = (BoostedTrees, BoostedLinear)
READERS = {
    "xgboost.Booster": read_booster,
    "xgboost.XGBClassifier": read_classifier,
    "xgboost.XGBRFClassifier": read_classifier,
    "xgboost.XGBRegressor": read_regressor,
    "xgboost.XGBRFRegressor": read_regressor,
    "xgboost.XGBRanker": read_regressor,
}
