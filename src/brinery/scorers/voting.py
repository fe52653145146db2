"""Models that are asked side by side: scikit-learn's `VotingClassifier` and `VotingRegressor`."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.across import likeliest
from brinery.scorers.additive import Additive, mixture, shares
from brinery.scorers.data import Array, Data, rows_of
from brinery.scorers.interface import (
    MOST_CLASSES,
    Answer,
    Model,
    Reader,
    Splits,
    Unsupported,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.responses import (
    chances,
    first_of,
    is_numbered,
    labels,
    shared,
    single,
    splits_of,
)


class SoftVote(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Classifiers whose probabilities are averaged.

    Attributes:
        members: the classifiers.
        weights: (n_members,) float64; None where all count the same.
    """

    members: tuple[Model, ...]
    weights: Optional[np.ndarray]

    def __post_init__(self) -> None:
        """Check that every member has its weight."""
        _check(self.members, self.weights)

    def answer(self, data: Data) -> Answer:
        """Return the average; the class is the first of the likeliest."""
        data = shared(data, self.members)
        told = np.asarray([chances(model.answer(data)) for model in self.members])
        if self.weights is None:
            mean = told.mean(axis=0)
        else:
            weighted = told * self.weights[:, np.newaxis, np.newaxis]
            mean = weighted.sum(axis=0) / self.weights.sum()
        return Answer(labels=first_of(mean, self.members), probabilities=mean)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)

    def additive(self, origins: Origins) -> Additive:
        """Return the average of the members' sums."""
        members = [one.additive(origins) for one in self.members]
        return mixture(members, _parts_of(self.weights, len(members)), answers=self._explained)

    def _explained(self, data: Data) -> Array:
        return shares(chances(self.answer(data)))


class HardVote(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Classifiers of which each has a vote.

    Attributes:
        members: the classifiers.
        weights: (n_members,) float64, what each vote counts.
        n_classes: how many classes there are.
    """

    members: tuple[Model, ...]
    weights: np.ndarray
    n_classes: int

    def __post_init__(self) -> None:
        """Check that every member has its weight."""
        _check(self.members, self.weights)
        require(0 < self.n_classes <= MOST_CLASSES, "votes on no class, or on too many")

    def answer(self, data: Data) -> Answer:
        """Return the first of the classes of most votes."""
        data = shared(data, self.members)
        votes = np.zeros((rows_of(data), self.n_classes))
        rows = np.arange(len(votes))
        for model, weight in zip(self.members, self.weights.tolist()):
            votes[rows, labels(model.answer(data))] += weight
        return Answer(labels=likeliest(votes))

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)


class WeightedMean(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Regressors whose values are averaged.

    Attributes:
        members: the regressors.
        weights: (n_members,) float64; None where all count the same.
    """

    members: tuple[Model, ...]
    weights: Optional[np.ndarray]

    def __post_init__(self) -> None:
        """Check that every member has its weight."""
        _check(self.members, self.weights)

    def answer(self, data: Data) -> Answer:
        """Return the average."""
        data = shared(data, self.members)
        told = np.asarray([single(model.answer(data)) for model in self.members]).T
        if self.weights is None:
            return Answer(values=told.mean(axis=1))
        return Answer(values=(told * self.weights).sum(axis=1) / self.weights.sum())

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)

    def additive(self, origins: Origins) -> Additive:
        """Return the average of the members' sums."""
        members = [one.additive(origins) for one in self.members]
        return mixture(members, _parts_of(self.weights, len(members)), answers=self._explained)

    def _explained(self, data: Data) -> Array:
        return single(self.answer(data)).reshape(-1, 1)


def _check(members: tuple[Model, ...], weights: Optional[Array]) -> None:
    require(len(members) > 0, "a vote of nobody")
    require(weights is None or weights.shape == (len(members),), "a vote without weights")


def _parts_of(weights: Optional[Array], count: int) -> list[float]:
    """Return the part that each member has in the average."""
    shared = np.ones(count) if weights is None else weights
    parts: list[float] = (shared / shared.sum()).tolist()
    return parts


def read_voting_classifier(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `VotingClassifier`."""
    count = len(model.classes_)
    if not all(is_numbered(one, count) for one in model.estimators_):
        raise Unsupported("VotingClassifier of members with different classes")
    members = tuple(reader.model(one) for one in model.estimators_)
    weights = _weights(model)
    if model.voting == "soft":
        return SoftVote(members=members, weights=weights)
    weights = np.ones(len(members)) if weights is None else weights
    if (weights < 0).any():
        raise Unsupported("VotingClassifier with negative votes")
    return HardVote(members=members, weights=weights, n_classes=count)


def read_voting_regressor(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `VotingRegressor`."""
    members = tuple(reader.model(one) for one in model.estimators_)
    return WeightedMean(members=members, weights=_weights(model))


def _weights(model: Any) -> Optional[Array]:
    """Return the weights of the estimators that were not dropped: (n_members,) float64."""
    if model.weights is None:
        return None
    given = np.asarray(
        [
            weight
            for (_, one), weight in zip(model.estimators, model.weights)
            if not isinstance(one, str)
        ]
    )
    if given.dtype not in (np.int64, np.float64) or not given.sum():
        raise Unsupported(f"{type(model).__name__} with weights of another kind")
    return floats(given)


NODES = (SoftVote, HardVote, WeightedMean)
READERS = {
    "sklearn.VotingClassifier": read_voting_classifier,
    "sklearn.VotingRegressor": read_voting_regressor,
}
