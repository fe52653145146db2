"""Models whose answers another model is given: scikit-learn's stacking."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.data import Array, Data, Declined, Sparse, dense, sparse_beside
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
from brinery.scorers.responses import Response, chances, is_numbered, splits_of

_TABLE = 2
_TWO = 2


class Stacked(Struct, frozen=True, kw_only=True):
    """A model whose answers are given to another.

    Attributes:
        model: the model.
        response: what it is asked for.
        labels: (n_classes,) float64, what it predicts for each class; empty of a regressor.
        skips: whether the first of its columns is left out.
    """

    model: Model
    response: Response
    labels: np.ndarray
    skips: bool

    def __post_init__(self) -> None:
        """Check the labels."""
        require(self.labels.ndim == 1, "labels that are no row")

    def of(self, data: Data) -> Array:
        """Return what the other model is given: (n_rows, n_columns).

        Raises:
            Declined: the model has no such response.
        """
        found = self._response(data)
        if found.ndim < _TABLE:
            return found.reshape(-1, 1)
        return found[:, 1:] if self.skips else found

    def _response(self, data: Data) -> Array:
        if self.response is Response.DECISION:
            return self.model.decision(data)
        answer = self.model.answer(data)
        if self.response is Response.PROBABILITIES:
            return chances(answer)
        if answer.labels is not None:
            require(len(self.labels) > 0, "predictions without labels")
            predicted: Array = self.labels[answer.labels]
            return predicted
        if answer.values is None:
            raise Declined("a model within has no answer")
        return answer.values


class Stack(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A model that is given the answers of others.

    Attributes:
        layer: the others.
        final: the model.
        passthrough: whether it is given their data, too, behind their answers.
        n_made: how many columns their answers are.
    """

    layer: tuple[Stacked, ...]
    final: Model
    passthrough: bool
    n_made: int

    def __post_init__(self) -> None:
        """Check that there are others."""
        require(len(self.layer) > 0 and self.n_made >= 0, "a stack of nothing")
        require(self.n_made <= len(self.layer) * MOST_CLASSES, "a stack of too many answers")

    def answer(self, data: Data) -> Answer:
        """Return the answer of the final model."""
        return self.final.answer(self._made(data))

    def decision(self, data: Data) -> Array:
        """Return the decision function of the final model."""
        return self.final.decision(self._made(data))

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every model; of the final one, for the columns of the data."""
        found = splits_of((one.model for one in self.layer), origins)
        if not self.passthrough or origins is None:
            return found
        behind = self.final.splits([*[None] * self.n_made, *origins])
        return (
            *found,
            *(
                Splits(one.trees, one.origins, partial(_prepared, self._made, one.prepare))
                for one in behind
            ),
        )

    def _made(self, data: Data) -> Data:
        """Return what the final model is given."""
        parts = [one.of(data) for one in self.layer]
        if self.passthrough and isinstance(data, Sparse):
            return sparse_beside([*parts, data])
        if self.passthrough:
            parts.append(dense(data))
        return np.hstack(parts)


def _prepared(made: Callable[[Data], Data], prepare: Callable[[Data], Array], data: Data) -> Array:
    return prepare(made(data))


def read_stacking_classifier(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `StackingClassifier`."""
    if isinstance(model.classes_, list):
        raise Unsupported("StackingClassifier of several outputs")
    count = len(model.classes_)
    if not is_numbered(model.final_estimator_, count):
        raise Unsupported("StackingClassifier with a final estimator of other classes")
    return _read(model, reader, skips=count == _TWO)


def read_stacking_regressor(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `StackingRegressor`."""
    return _read(model, reader, skips=False)


def _read(model: Any, reader: Reader, *, skips: bool) -> Model:
    layer = []
    for estimator, method in zip(model.estimators_, model.stack_method_):
        response = Response(method)
        layer.append(
            Stacked(
                model=reader.model(estimator),
                response=response,
                labels=_labels(estimator, response),
                skips=skips and response is Response.PROBABILITIES,
            )
        )
    final = model.final_estimator_
    passed = int(model.n_features_in_) if model.passthrough else 0
    return Stack(
        layer=tuple(layer),
        final=reader.model(final),
        passthrough=bool(model.passthrough),
        n_made=int(final.n_features_in_) - passed,
    )


def _labels(estimator: Any, response: Response) -> Array:
    """Return the labels that are columns of numbers to another model: (n_classes,) float64."""
    classes: Optional[Any] = getattr(estimator, "classes_", None)
    if response is not Response.PREDICTION or classes is None:
        return np.zeros(0)
    if isinstance(classes, list) or np.asarray(classes).dtype.kind not in "biuf":
        raise Unsupported("stacking with predictions that are no numbers")
    return floats(classes)


NODES = (Stack,)
READERS = {
    "sklearn.StackingClassifier": read_stacking_classifier,
    "sklearn.StackingRegressor": read_stacking_regressor,
}
