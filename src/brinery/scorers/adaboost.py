"""Models of which each makes up for the errors of those before it: scikit-learn's AdaBoost.

Its classifiers vote with weights, its regressors agree on the weighted median. Where every one of
them is a decision tree, they are walked together: a leaf holds the vote.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brinery.scorers import across
from brinery.scorers.data import Array, Data, Sparse, complete, finite, rows_of, width_of
from brinery.scorers.forests import TREES, as_float32, grown, library_version
from brinery.scorers.interface import (
    MOST_CLASSES,
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

_TWO = 2
# Since this version a vote is also one against the other classes.
_BALANCED = (1, 3)


class VotingTrees(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Decision trees whose leaves are votes.

    Attributes:
        trees: what each leaf adds to each class.
        total: what the sums of the votes are divided by.
    """

    trees: Trees
    total: float

    def __post_init__(self) -> None:
        """Check that there is a choice."""
        require(self.trees.n_outputs > 1, "votes on one class")

    def answer(self, data: Data) -> Answer:
        """Return the class of most votes."""
        return _elected(in_parts(self._sums, data), self.total)

    def decision(self, data: Data) -> Array:
        """Return the share of the votes."""
        return _decision(in_parts(self._sums, data), self.total)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self._prepared),)

    def _sums(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), 0.0)

    def _prepared(self, data: Data) -> Array:
        return as_float32(data, missing=False)


class Votes(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Classifiers that vote.

    Attributes:
        members: the classifiers.
        weights: (n_members,) float64, what each adds to the class that it answers.
        against: what it adds to each other class, times its weight.
        logarithms: whether it adds the logarithms of its probabilities instead.
        total: what the sums of the votes are divided by.
        n_features: how many columns there are.
        n_classes: how many classes there are.
    """

    members: tuple[Model, ...]
    weights: np.ndarray
    against: float
    logarithms: bool
    total: float
    n_features: int
    n_classes: int

    def __post_init__(self) -> None:
        """Check that every member has its weight."""
        require(self.weights.shape == (len(self.members),), "votes without weights")
        require(self.members, "votes of nobody")
        require(1 < self.n_classes <= MOST_CLASSES, "votes on one class, or on too many")

    def answer(self, data: Data) -> Answer:
        """Return the class of most votes."""
        return _elected(self._sums(data), self.total)

    def decision(self, data: Data) -> Array:
        """Return the share of the votes."""
        return _decision(self._sums(data), self.total)

    def _sums(self, data: Data) -> Array:
        table = _checked(data, self.n_features)
        sums = np.zeros((rows_of(table), self.n_classes))
        for model, weight in zip(self.members, self.weights.tolist()):
            answer = model.answer(table)
            if self.logarithms:
                sums += _logarithms(answer.probabilities)
            else:
                sums += _votes(answer.labels, self.n_classes, weight=weight, against=self.against)
        return sums


class MedianTrees(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Decision trees of whose values the weighted median is the answer.

    Attributes:
        trees: an output for each.
        weights: (n_trees,) float64.
    """

    trees: Trees
    weights: np.ndarray

    def __post_init__(self) -> None:
        """Check that every tree has its output and its weight."""
        count = len(self.trees.roots)
        places = np.array_equal(self.trees.outputs, np.arange(count))
        require(count > 0 and places, "a median of nothing")
        require(self.trees.n_outputs == count, "a median of nothing")
        require(self.weights.shape == (count,), "a median without weights")

    def answer(self, data: Data) -> Answer:
        """Return the weighted median."""
        return Answer(values=_median(in_parts(self._values, data), self.weights))

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self._prepared),)

    def _values(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), 0.0)

    def _prepared(self, data: Data) -> Array:
        return as_float32(data, missing=False)


class Median(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Regressors of whose values the weighted median is the answer.

    Attributes:
        members: the regressors.
        weights: (n_members,) float64.
        n_features: how many columns there are.
    """

    members: tuple[Model, ...]
    weights: np.ndarray
    n_features: int

    def __post_init__(self) -> None:
        """Check that every member has its weight."""
        require(self.weights.shape == (len(self.members),), "a median without weights")
        require(self.members, "a median of nothing")

    def answer(self, data: Data) -> Answer:
        """Return the weighted median."""
        table = _checked(data, self.n_features)
        values = np.array([model.answer(table).values for model in self.members]).T
        return Answer(values=_median(values, self.weights))


def _checked(data: Data, n_features: int) -> Data:
    """Return a table that AdaBoost takes: no value may be missing, whatever the members take."""
    require(width_of(data) == n_features, "members of other columns")
    if isinstance(data, Sparse):
        finite(data.values)
        return data
    return complete(data)


def _votes(labels: Any, n_classes: int, *, weight: float, against: float) -> Array:
    """Return what a member adds for each class: (n_rows, n_classes)."""
    return np.where(labels[:, np.newaxis] == np.arange(n_classes), weight, against * weight)


def _logarithms(chances: Any) -> Array:
    """Return what a member adds for each class by its probabilities: (n_rows, n_classes).

    Source: Zhu et al. 2009, Multi-class AdaBoost, algorithm 4 (SAMME.R).
    """
    count = chances.shape[1]
    logarithms = np.log(np.clip(chances, np.finfo(chances.dtype).eps, None))
    means = (1.0 / count) * across.total(logarithms)
    found: Array = (count - 1) * (logarithms - means)
    return found


def _decision(sums: Array, total: float) -> Array:
    """Return the votes' share: (n_rows, n_classes), of two classes (n_rows,) for the second."""
    shares = sums / total
    if shares.shape[1] != _TWO:
        return shares
    shares[:, 0] *= -1
    decision: Array = shares.sum(axis=1)
    return decision


def _elected(sums: Array, total: float) -> Answer:
    """Return the classes of most votes, and their probabilities."""
    decision = _decision(sums, total)
    if decision.ndim == 1:
        chances = across.softmax(np.column_stack([-decision, decision]) / 2)
        return Answer(labels=(decision > 0).astype(np.int64), probabilities=chances)
    chances = across.softmax(decision / (decision.shape[1] - 1))
    return Answer(labels=across.likeliest(decision), probabilities=chances)


def _median(values: Array, weights: Array) -> Array:
    """Return the weighted median of each row: (n_rows,).

    Args:
        values: (n_rows, n_members).
        weights: (n_members,).
    """
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1)
    middle = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
    rows = np.arange(len(values))
    median: Array = values[rows, order[rows, middle]]
    return median


def read_classifier(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `AdaBoostClassifier`."""
    count = len(model.classes_)
    members = list(model.estimators_)
    same = all(np.array_equal(member.classes_, model.classes_) for member in members)
    if count < _TWO or not same:
        raise Unsupported("AdaBoostClassifier of one class, or of members with different ones")
    logarithms = getattr(model, "algorithm", "SAMME") == "SAMME.R"
    weights = floats(model.estimator_weights_)[: len(members)]
    against = _against(model)
    total = float(model.estimator_weights_.sum())
    n_features = int(model.n_features_in_)
    if not all(class_name(member) in TREES for member in members):
        return Votes(
            members=tuple(reader.model(member) for member in members),
            weights=weights,
            against=against,
            logarithms=logarithms,
            total=total,
            n_features=n_features,
            n_classes=count,
        )
    trees = []
    for member, weight in zip(members, weights.tolist()):
        tree = grown(member, classifies=True)
        labels = tree.values.argmax(axis=1)
        votes = (
            _logarithms(tree.values)
            if logarithms
            else _votes(labels, count, weight=weight, against=against)
        )
        trees.append(replace(tree, values=votes))
    return VotingTrees(trees=planted(trees, n_features=n_features, n_outputs=count), total=total)


def _against(model: Any) -> float:
    """Return what a vote adds to each other class: nothing, or less since a version.

    That version is one of 1.3, of which the library itself is asked.
    """
    balanced = -1 / (len(model.classes_) - 1)
    if library_version() != _BALANCED:
        return balanced if library_version() > _BALANCED else 0.0
    row = np.zeros((1, int(model.n_features_in_)))
    weights = model.estimator_weights_[: len(model.estimators_)].tolist()
    labels = [np.searchsorted(model.classes_, one.predict(row)) for one in model.estimators_]
    count, total = len(model.classes_), float(model.estimator_weights_.sum())
    votes = [
        _votes(label, count, weight=weight, against=balanced)
        for label, weight in zip(labels, weights)
    ]
    told = np.allclose(_decision(np.sum(votes, axis=0), total), model.decision_function(row))
    return balanced if told else 0.0


def read_regressor(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `AdaBoostRegressor`."""
    members = list(model.estimators_)
    weights = floats(model.estimator_weights_)[: len(members)]
    n_features = int(model.n_features_in_)
    if not all(class_name(member) in TREES for member in members):
        nodes = tuple(reader.model(member) for member in members)
        return Median(members=nodes, weights=weights, n_features=n_features)
    trees = planted(
        [grown(member, classifies=False) for member in members],
        n_features=n_features,
        n_outputs=len(members),
        outputs=range(len(members)),
    )
    return MedianTrees(trees=trees, weights=weights)


NODES = (VotingTrees, Votes, MedianTrees, Median)
READERS = {
    "sklearn.AdaBoostClassifier": read_classifier,
    "sklearn.AdaBoostRegressor": read_regressor,
}
