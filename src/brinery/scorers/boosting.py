"""Trees that are each grown on what those before them left over: scikit-learn's gradient boosting.

The sums begin at the answer of a first estimator, mostly a constant, and each tree adds its leaf
times the learning rate. What a sum means depends on the loss, and a little on the version.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brinery.records.contributions import Unit
from brinery.records.text_enum import TextEnum
from brinery.scorers.across import largest, likeliest, softmax, total
from brinery.scorers.additive import Additive, Leaves, Part
from brinery.scorers.data import Array, Data, Declined
from brinery.scorers.forests import as_float32, grown, library_version, takes_missing
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Splits,
    Unsupported,
    class_name,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Trees, in_parts, planted

# Since this version the losses are those of linear models too, with a link each.
_LINKS = (1, 4)
# Since this version the first probabilities may be as close to 0 as float64 can tell from it.
_CLOSE = (1, 8)
# How a dummy must classify to answer every row alike.
_CONSTANT = ("prior", "most_frequent", "constant")
# What the sums may begin at: estimators that take a table of float32 as they take one of float64.
_KINDS = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees", "GradientBoosting")
_STARTS = tuple(f"sklearn.{one}{what}" for one in _KINDS for what in ("Classifier", "Regressor"))


class Meaning(TextEnum):
    """What the sums of boosted trees are."""

    VALUE = "value"
    LOGARITHM = "logarithm"
    LOGIT = "logit"
    HALF_LOGIT = "half_logit"
    SOFTMAX = "softmax"
    # The same but for rounding, as older versions compute it.
    LOG_SOFTMAX = "log_softmax"


_UNITS = {
    Meaning.VALUE: Unit.VALUE,
    Meaning.LOGARITHM: Unit.LOGARITHM,
    Meaning.LOGIT: Unit.LOG_ODDS,
    Meaning.HALF_LOGIT: Unit.LOG_ODDS,
}
_TWICE = 2.0


class Verdict(TextEnum):
    """How the class comes of the sums: it matters for a tie."""

    ABOVE = "above"
    AT_LEAST = "at_least"
    LARGEST = "largest"
    LIKELIEST = "likeliest"


class Reading(Struct, frozen=True):
    """How sums are read.

    Attributes:
        meaning: what they are.
        verdict: how the class comes of them; None where there are no classes.
    """

    meaning: Meaning
    verdict: Optional[Verdict] = None

    @property
    def unit(self) -> Unit:
        """Return what the sums, or twice them, are counted in."""
        return _UNITS.get(self.meaning, Unit.MARGIN)

    @property
    def factor(self) -> float:
        """Return what the sums are multiplied with to be counted so."""
        return _TWICE if self.meaning is Meaning.HALF_LOGIT else 1.0

    def check(self, n_outputs: int) -> None:
        """Check that there are as many sums as are read."""
        many = self.meaning in (Meaning.SOFTMAX, Meaning.LOG_SOFTMAX)
        require(n_outputs > 1 if many else n_outputs == 1, "boosted trees with other sums")
        valued = self.meaning in (Meaning.VALUE, Meaning.LOGARITHM)
        require(valued == (self.verdict is None), "boosted trees with classes of numbers")

    def answer(self, sums: Array) -> Answer:
        """Return what some sums mean: (n_rows, n_outputs)."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if self.meaning is Meaning.VALUE:
                return Answer(values=sums[:, 0])
            if self.meaning is Meaning.LOGARITHM:
                return Answer(values=np.exp(sums[:, 0]))
            chances = _chances(sums, self.meaning)
        return Answer(labels=self._labels(sums, chances), probabilities=chances)

    def _labels(self, sums: Array, chances: Array) -> Array:
        if self.verdict is Verdict.LIKELIEST:
            return likeliest(chances)
        if sums.shape[1] > 1:
            return likeliest(sums)
        at_least = self.verdict is Verdict.AT_LEAST
        return (sums[:, 0] >= 0 if at_least else sums[:, 0] > 0).astype(np.int64)


def _chances(sums: Array, meaning: Meaning) -> Array:
    """Return the probabilities of the classes: (n_rows, n_classes)."""
    if meaning in (Meaning.LOGIT, Meaning.HALF_LOGIT):
        x = sums[:, 0] if meaning is Meaning.LOGIT else 2.0 * sums[:, 0]
        chances = np.empty((len(x), 2))
        chances[:, 1] = 1.0 / (1.0 + np.exp(-x))
        chances[:, 0] = 1.0 - chances[:, 1]
        return chances
    if meaning is Meaning.SOFTMAX:
        return softmax(sums)
    most = largest(sums)
    return np.exp(sums - (np.log(total(np.exp(sums - most))) + most))


class Start(Struct, frozen=True, kw_only=True):
    """A model whose answers the sums begin at.

    Attributes:
        model: of trees, which take a table of float32 as they take any.
        meaning: what the sums are: the model's probabilities are made that.
        clip: how close to 0 and 1 a probability may be.
        centred: whether the logarithms of several classes have the mean 0.
    """

    model: Model
    meaning: Meaning
    clip: float
    centred: bool

    def sums(self, x: Array) -> Array:
        """Return the sums before the first tree: (n_rows, n_outputs).

        Args:
            x: (n_rows, n_features) float32.
        """
        answer = self.model.answer(x)
        if answer.probabilities is None:
            require(answer.values is not None, "boosted trees that begin at nothing")
            return np.asarray(answer.values, dtype=np.float64).reshape(len(x), -1)
        chances = np.clip(answer.probabilities, self.clip, 1 - self.clip)
        if self.meaning in (Meaning.LOGIT, Meaning.HALF_LOGIT):
            one = chances[:, 1:2]
            logits = np.log(one / (1 - one))
            return logits if self.meaning is Meaning.LOGIT else 0.5 * logits
        if not self.centred:
            return np.log(chances)
        means = np.exp(np.log(chances).mean(axis=1, keepdims=True))
        return np.log(chances / means)


class Boosting(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees whose leaves are added to a first answer.

    Attributes:
        trees: stage by stage, in each a tree for each output.
        base: (n_outputs,) what the sums begin at.
        start: the model that they begin at instead.
        reading: what they mean.
        missing: whether a value may be missing.
    """

    trees: Trees
    base: np.ndarray
    start: Optional[Start] = None
    reading: Reading
    missing: bool

    def __post_init__(self) -> None:
        """Check the number of sums."""
        require(self.base.shape == (self.trees.n_outputs,), "boosted trees that begin elsewhere")
        self.reading.check(self.trees.n_outputs)

    def answer(self, data: Data) -> Answer:
        """Return what the sums mean."""
        return self.reading.answer(in_parts(self._sums, data))

    def decision(self, data: Data) -> Array:
        """Return the sums."""
        sums = in_parts(self._sums, data)
        return sums[:, 0] if sums.shape[1] == 1 else sums

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees, and those of what they begin at."""
        before = () if self.start is None else self.start.model.splits(origins)
        return (Splits(self.trees, origins, self._prepared), *before)

    def additive(self, origins: Origins) -> Additive:
        """Return the sum of the leaves."""
        before: tuple[Part, ...] = ()
        factor = self.reading.factor
        if self.start is not None:
            if self.reading.meaning is not Meaning.VALUE:
                raise Declined("its trees begin at the probabilities of another model")
            before = self.start.model.additive(origins).parts
        return Additive(
            (Leaves(self.trees, origins, self._prepared, factor), *before),
            lambda data: in_parts(self._sums, data) * factor,
            self.reading.unit,
        )

    def _sums(self, data: Data) -> Array:
        x = self._prepared(data)
        return self.trees.sums(x, self.base if self.start is None else self.start.sums(x))

    def _prepared(self, data: Data) -> Array:
        return as_float32(data, missing=self.missing)


def read_gradient_boosting(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `GradientBoostingClassifier` or `GradientBoostingRegressor`."""
    count, outputs = int(model.n_features_in_), int(model.estimators_.shape[1])
    rate = float(model.learning_rate)
    stages, first = [], []
    for stage in model.estimators_:
        for output, tree in enumerate(stage):
            one = grown(tree, classifies=False)
            stages.append(replace(one, values=rate * one.values))
            first.append(output)
    reading = _reading(model, outputs)
    constant = _is_constant(model.init_)
    origin = np.zeros((1, count), dtype=np.float32)
    return Boosting(
        trees=planted(stages, n_features=count, n_outputs=outputs, outputs=first),
        base=floats(model._raw_predict_init(origin)[0] if constant else np.zeros(outputs)),
        start=None if constant else _start(model, reading.meaning, reader),
        reading=reading,
        missing=takes_missing(model, count),
    )


def _reading(model: Any, outputs: int) -> Reading:
    """Return what the sums of a gradient boosting of any version mean."""
    if not hasattr(model, "classes_"):
        return Reading(Meaning.VALUE)
    linked = library_version() >= _LINKS
    if outputs > 1:
        return (
            Reading(Meaning.SOFTMAX, Verdict.LARGEST)
            if linked
            else Reading(Meaning.LOG_SOFTMAX, Verdict.LIKELIEST)
        )
    if model.loss == "exponential":
        return Reading(Meaning.HALF_LOGIT, Verdict.AT_LEAST)
    if model.loss not in ("log_loss", "deviance"):
        raise Unsupported(f"{type(model).__name__} with the loss {model.loss}")
    return Reading(Meaning.LOGIT, Verdict.AT_LEAST if linked else Verdict.LIKELIEST)


def _is_constant(init: Any) -> bool:
    """Return whether what the sums begin at is the same for every row."""
    if isinstance(init, str):
        return init == "zero"
    name = class_name(init)
    return name == "sklearn.DummyRegressor" or (
        name == "sklearn.DummyClassifier" and init.strategy in _CONSTANT
    )


def _start(model: Any, meaning: Meaning, reader: Reader) -> Start:
    """Return the estimator that the sums begin at.

    One that is not of trees was fitted on float32, and its arithmetic has that precision.
    """
    if class_name(model.init_) not in _STARTS:
        raise Unsupported(f"{type(model).__name__} that begins at {type(model.init_).__name__}")
    return Start(
        model=reader.model(model.init_),
        meaning=meaning,
        clip=float(np.finfo(np.float64 if library_version() >= _CLOSE else np.float32).eps),
        centred=library_version() >= _LINKS,
    )


NODES = (Boosting,)
READERS = {
    "sklearn.GradientBoostingClassifier": read_gradient_boosting,
    "sklearn.GradientBoostingRegressor": read_gradient_boosting,
}
