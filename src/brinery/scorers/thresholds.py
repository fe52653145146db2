"""Two classes told apart at another threshold: scikit-learn's threshold classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.additive import Additive
from brinery.scorers.data import Array, Data, Declined
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.responses import Response, chances

_TWO = 2
_HALF = 0.5


class Thresholded(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A classifier of two classes, and the score from which on a row is of the positive one.

    Attributes:
        model: the classifier.
        response: its decision function or probabilities.
        threshold: the score.
        positive: the place of the positive class.
        likely: whether there are probabilities.
    """

    model: Model
    response: Response
    threshold: float
    positive: int
    likely: bool

    def __post_init__(self) -> None:
        """Check the positive class."""
        require(self.positive in (0, 1), "a positive class that is not there")

    def answer(self, data: Data) -> Answer:
        """Return the class by the score, and the classifier's probabilities."""
        told = None
        if self.likely or self.response is Response.PROBABILITIES:
            told = chances(self.model.answer(data))
        if self.response is Response.DECISION or told is None:
            score = self.model.decision(data)
            score = score if self.positive else -score
        else:
            score = told[:, self.positive]
        if score.dtype != np.float64:
            raise Declined("scores of less precision")
        above = score >= self.threshold
        places = above if self.positive else ~above
        return Answer(labels=places.astype(np.int64), probabilities=told if self.likely else None)

    def decision(self, data: Data) -> Array:
        """Return the classifier's decision function."""
        return self.model.decision(data)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of the classifier."""
        return self.model.splits(origins)

    def additive(self, origins: Origins) -> Additive:
        """Return that of the classifier, whose scores the threshold leaves alone."""
        return self.model.additive(origins)


def read_fixed_threshold(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `FixedThresholdClassifier`."""
    estimator = getattr(model, "estimator_", model.estimator)
    response = _response(model, estimator)
    threshold = model.threshold
    if threshold == "auto":
        threshold = _HALF if response is Response.PROBABILITIES else 0.0
    return _read(estimator, reader, response=response, threshold=threshold, label=model.pos_label)


def read_tuned_threshold(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `TunedThresholdClassifierCV`."""
    return _read(
        model.estimator_,
        reader,
        response=_response(model, model.estimator_),
        threshold=model.best_threshold_,
        label=model._curve_scorer._get_pos_label(),
    )


def _response(model: Any, estimator: Any) -> Response:
    if model.response_method != "auto":
        return Response(model.response_method)
    likely = hasattr(estimator, Response.PROBABILITIES.value)
    return Response.PROBABILITIES if likely else Response.DECISION


def _read(
    estimator: Any, reader: Reader, *, response: Response, threshold: Any, label: Any
) -> Model:
    classes = estimator.classes_.tolist()
    if len(classes) != _TWO:
        raise Unsupported("a threshold between other than two classes")
    return Thresholded(
        model=reader.model(estimator),
        response=response,
        threshold=float(threshold),
        positive=1 if label is None else classes.index(label),
        likely=hasattr(estimator, Response.PROBABILITIES.value),
    )


NODES = (Thresholded,)
READERS = {
    "sklearn.FixedThresholdClassifier": read_fixed_threshold,
    "sklearn.TunedThresholdClassifierCV": read_tuned_threshold,
}
