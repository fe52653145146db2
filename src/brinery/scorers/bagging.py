"""Models grown apart, of which each is given some columns, and whose answers are averaged.

Where every one of them is a decision tree, they are a forest, and walked as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brinery.scorers.across import likeliest
from brinery.scorers.additive import Additive, mixture, shares
from brinery.scorers.data import Array, Data, Declined, rows_of, select, width_of
from brinery.scorers.forests import TREES, Forest, grown, takes_missing
from brinery.scorers.interface import (
    MOST_CLASSES,
    Answer,
    Model,
    Reader,
    Splits,
    class_name,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Grown, moved, planted


class Member(Struct, frozen=True, kw_only=True):
    """One of the models.

    Attributes:
        model: what answers.
        features: (n_columns,) int64, the columns that it is given.
        classes: (n_own_classes,) int64, the places of its classes among those of all; empty where
            it has none.
    """

    model: Model
    features: np.ndarray
    classes: np.ndarray

    def __post_init__(self) -> None:
        """Check the places, but for how many there are."""
        for places in (self.features, self.classes):
            require(places.ndim == 1 and places.dtype == np.int64, "a member of strange places")
            require((places >= 0).all(), "a member of strange places")


class Bagging(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Models whose answers are averaged.

    Attributes:
        members: the models.
        n_features: how many columns there are.
        n_classes: how many classes there are; 0 where the answers are numbers.
    """

    members: tuple[Member, ...]
    n_features: int
    n_classes: int

    def __post_init__(self) -> None:
        """Check that every column and every class is there."""
        require(len(self.members) > 0, "an average of nothing")
        require(0 <= self.n_classes <= MOST_CLASSES, "an average over too many classes")
        for one in self.members:
            require((one.features < self.n_features).all(), "a member of other columns")
            require((one.classes < self.n_classes).all(), "a member of other classes")

    def answer(self, data: Data) -> Answer:
        """Return the average; the class is the first of the likeliest."""
        answers = [one.model.answer(part) for one, part in zip(self.members, self._parts(data))]
        if not self.n_classes:
            values = [one.values for one in answers if one.values is not None]
            require(len(values) == len(answers), "a member that gives no numbers")
            return Answer(values=_total(values) / len(values))
        sums = np.zeros((rows_of(data), self.n_classes))
        for one, answer in zip(self.members, answers):
            if answer.probabilities is not None:
                sums[:, one.classes] += answer.probabilities
            else:
                sums[np.arange(len(sums)), one.classes[answer.labels]] += 1
        sums /= len(answers)
        return Answer(labels=likeliest(sums), probabilities=sums)

    def decision(self, data: Data) -> Array:
        """Return the average of the decision functions."""
        if any(len(one.classes) != self.n_classes for one in self.members):
            raise Declined("a member that knows some of the classes only")
        parts = zip(self.members, self._parts(data))
        return _total([one.model.decision(part) for one, part in parts]) / len(self.members)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        found: list[Splits] = []
        for one in self.members:
            places = one.features.tolist()
            chosen = None if origins is None else [origins[place] for place in places]
            found.extend(
                Splits(part.trees, part.origins, partial(_chosen, one.features, part.prepare))
                for part in one.model.splits(chosen)
            )
        return tuple(found)

    def additive(self, origins: Origins) -> Additive:
        """Return the average of the members' sums.

        Raises:
            Declined: one of them is none, or does not know all classes.
        """
        every = list(range(self.n_classes))
        if any(one.classes.tolist() != every for one in self.members):
            raise Declined("it mixes models that do not know all classes")
        members = []
        for one in self.members:
            places = one.features.tolist()
            chosen = None if origins is None else [origins[place] for place in places]
            part = one.model.additive(chosen)
            members.append(part.behind(partial(_selected, one.features)))
        return mixture(members, [1 / len(members)] * len(members), answers=self._explained)

    def _explained(self, data: Data) -> Array:
        answer = self.answer(data)
        if answer.probabilities is not None:
            return shares(answer.probabilities)
        return np.asarray(answer.values).reshape(rows_of(data), -1)

    def _parts(self, data: Data) -> list[Data]:
        require(width_of(data) == self.n_features, "an average over other columns")
        return [select(data, one.features) for one in self.members]


def _total(arrays: Sequence[Array]) -> Array:
    """Return the sum of some arrays, added in their order."""
    return reduce(np.add, arrays)


def _selected(places: Array, data: Data) -> Data:
    return select(data, places)


def _chosen(places: Array, prepare: Callable[[Data], Array], data: Data) -> Array:
    return prepare(select(data, places))


def read_bagging(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `BaggingClassifier` or `BaggingRegressor`."""
    classes = len(model.classes_) if hasattr(model, "classes_") else 0
    count = int(model.n_features_in_)
    members = list(zip(model.estimators_, model.estimators_features_))
    if all(class_name(member) in TREES for member, _ in members):
        trees = [_tree(member, features, classes) for member, features in members]
        outputs = int(trees[0].values.shape[1])
        return Forest(
            trees=planted(trees, n_features=count, n_outputs=outputs),
            classifies=classes > 0,
            missing=takes_missing(model, count),
        )
    nodes = tuple(
        Member(
            model=reader.model(member),
            features=np.asarray(features, dtype=np.int64),
            classes=_places(member, classes),
        )
        for member, features in members
    )
    return Bagging(members=nodes, n_features=count, n_classes=classes)


def _places(member: Any, n_classes: int) -> Array:
    """Return the places of a member's classes, which are its labels: bagging numbers them."""
    return np.asarray(member.classes_ if n_classes else [], dtype=np.int64)


def _tree(member: Any, features: Array, n_classes: int) -> Grown:
    """Return a tree as one of all columns and all classes."""
    tree = moved(grown(member, classifies=n_classes > 0), features)
    if not n_classes:
        return tree
    values = np.zeros((len(tree.values), n_classes))
    values[:, _places(member, n_classes)] = tree.values
    return replace(tree, values=values)


NODES = (Bagging,)
READERS = {
    "sklearn.BaggingClassifier": read_bagging,
    "sklearn.BaggingRegressor": read_bagging,
}
