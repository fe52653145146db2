"""Many classes by models of two: scikit-learn's one-against-rest and one-against-one."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.across import likeliest
from brinery.scorers.data import Array, Data, Declined, Sparse, dense, rows_of, width_of
from brinery.scorers.forests import library_version
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.linear import LinearClassifier
from brinery.scorers.origin import Origins
from brinery.scorers.responses import (
    Response,
    binary_response,
    column,
    first_of,
    is_numbered,
    labels,
    scores,
    shared,
    splits_of,
)

_TWO = 2
# What a score is above where a model of two classes prefers the second.
_HALF = 0.5
# Since these versions: of classes that are as good the first wins; a row for which no class is
# likely has probabilities of 0; of two classes, one-against-one asks for half a probability.
_FIRST_WINS = (1, 8)
_NONE_LIKELY = (1, 7)
_ASKS_FOR_HALF = (1, 1)


class OneAgainstRest(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A model for each class, or of two classes one for the second.

    Attributes:
        members: the models.
        response: what they are asked for.
        threshold: what the score of the second of two classes is above.
        first: whether of classes that are as good the first wins, not the last.
        likely: whether there are probabilities.
        empty: whether those of a row for which no class is likely are 0, not missing.
    """

    members: tuple[Model, ...]
    response: Response
    threshold: float
    first: bool
    likely: bool
    empty: bool

    def __post_init__(self) -> None:
        """Check that there is a class."""
        require(len(self.members) > 0, "a choice of no class")

    def answer(self, data: Data) -> Answer:
        """Return the class of the best score, or of two whether the score is high enough."""
        data = shared(data, self.members)
        found = np.array([scores(model, data, response=self.response) for model in self.members])
        if np.isnan(found).any():
            raise Declined("a score that is no number")
        if len(found) == 1:
            places = (found[0] > self.threshold).astype(np.int64)
        else:
            places = self._best(found)
        return Answer(
            labels=places, probabilities=self._shares(data, found) if self.likely else None
        )

    def _best(self, found: Array) -> Array:
        """Return the class of the best score: (n_rows,)."""
        if self.response is Response.PROBABILITIES:
            first_of(found.T, self.members)
        if self.first:
            return likeliest(found.T)
        return len(found) - 1 - likeliest(found[::-1].T)

    def _shares(self, data: Data, found: Array) -> Array:
        """Return the probabilities: (n_rows, n_classes)."""
        if self.response is not Response.PROBABILITIES:
            found = np.array([column(model.answer(data)) for model in self.members])
        shares = found.T
        if len(found) == 1:
            shares = np.concatenate(((1 - shares), shares), axis=1)
        total = np.sum(shares, axis=1)[:, np.newaxis]
        if total.all():
            shares /= total
            return shares
        if not self.empty:
            raise Declined("no class is likely")
        return np.divide(shares, total, out=shares, where=total != 0)

    def decision(self, data: Data) -> Array:
        """Return the decision function of every model."""
        if len(self.members) == 1:
            return self.members[0].decision(data)
        data = shared(data, self.members)
        return np.array([model.decision(data).ravel() for model in self.members]).T

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)


class OneAgainstOne(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A model for each pair of classes.

    Attributes:
        members: the models, in the order of the pairs.
        response: what they are asked for beside the class.
        threshold: what the score of the second of two classes is above.
        n_classes: how many classes there are.
        n_features: how many columns there are.
    """

    members: tuple[Model, ...]
    response: Response
    threshold: float
    n_classes: int
    n_features: int

    def __post_init__(self) -> None:
        """Check that there is a model for each pair."""
        pairs = self.n_classes * (self.n_classes - 1) // 2
        require(
            self.n_classes > 1 and len(self.members) == pairs, "pairs of classes without models"
        )

    def answer(self, data: Data) -> Answer:
        """Return the class of most votes; of those, that of the best scores."""
        decision = self.decision(data)
        if decision.ndim == 1:
            return Answer(labels=(decision > self.threshold).astype(np.int64))
        return Answer(labels=first_of(decision, self.members))

    def decision(self, data: Data) -> Array:
        """Return the votes, and what the scores add to them: less than would be a vote."""
        require(width_of(data) == self.n_features, "pairs over other columns")
        table = data if isinstance(data, Sparse) else dense(data)
        votes = np.zeros((rows_of(table), self.n_classes))
        sums = np.zeros(votes.shape)
        pairs = combinations(range(self.n_classes), 2)
        with np.errstate(all="ignore"):
            for model, (one, other) in zip(self.members, pairs):
                second, score = self._ask(model, table)
                sums[:, one] -= score
                sums[:, other] += score
                votes[:, one] += 1.0 - second
                votes[:, other] += second
            decision: Array = votes + sums / (3 * (np.abs(sums) + 1))
        if np.isnan(decision).any():
            raise Declined("a score that is no number")
        return decision[:, 1] if self.n_classes == _TWO else decision

    def _ask(self, model: Model, table: Data) -> tuple[Array, Array]:
        """Return whether each row is of the second class, and how surely: (n_rows,) each."""
        if isinstance(model, LinearClassifier) and self.response is Response.DECISION:
            score = model.decision(table).ravel()
            return score > 0, score
        answer = model.answer(table)
        decides = self.response is Response.DECISION
        return labels(answer), model.decision(table).ravel() if decides else column(answer)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)


def read_one_against_rest(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `OneVsRestClassifier`."""
    kind = model.label_binarizer_.y_type_
    if kind not in ("binary", "multiclass") or len(model.classes_) < _TWO:
        raise Unsupported("OneVsRestClassifier of several labels, or of one class")
    count = len(model.estimators_)
    if count != (1 if kind == "binary" else len(model.classes_)):
        raise Unsupported("OneVsRestClassifier without an estimator for each class")
    response = _response(model)
    if response is not Response.PREDICTION and not _are_binary(model):
        raise Unsupported("OneVsRestClassifier with estimators of other classes")
    return OneAgainstRest(
        members=tuple(reader.model(one) for one in model.estimators_),
        response=response,
        threshold=0.0 if response is Response.DECISION else _HALF,
        first=library_version() >= _FIRST_WINS,
        likely=hasattr(model, "predict_proba"),
        empty=library_version() >= _NONE_LIKELY,
    )


def read_one_against_one(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `OneVsOneClassifier`."""
    if getattr(model, "pairwise_indices_", None) is not None:
        raise Unsupported("OneVsOneClassifier of distances")
    response = _response(model)
    if response is Response.PREDICTION or not _are_binary(model):
        raise Unsupported("OneVsOneClassifier with estimators of other classes")
    halves = response is not Response.DECISION and library_version() >= _ASKS_FOR_HALF
    return OneAgainstOne(
        members=tuple(reader.model(one) for one in model.estimators_),
        response=response,
        threshold=_HALF if halves else 0.0,
        n_classes=len(model.classes_),
        n_features=int(model.n_features_in_),
    )


def _response(model: Any) -> Response:
    """Return what all estimators are asked for."""
    responses = {binary_response(one) for one in model.estimators_}
    if len(responses) > 1:
        raise Unsupported(f"{type(model).__name__} with estimators of different kinds")
    return responses.pop()


def _are_binary(model: Any) -> bool:
    return all(is_numbered(one, _TWO) for one in model.estimators_)


NODES = (OneAgainstRest, OneAgainstOne)
READERS = {
    "sklearn.OneVsRestClassifier": read_one_against_rest,
    "sklearn.OneVsOneClassifier": read_one_against_one,
}
