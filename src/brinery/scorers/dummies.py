"""The same answer for every row: scikit-learn's `DummyClassifier` and `DummyRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.data import Data, rows_of
from brinery.scorers.interface import Answer, Model, Reader, Unsupported, floats, require


class SameClass(Struct, Model, frozen=True, kw_only=True, tag=True):
    """The same class for every row.

    Attributes:
        place: of the class.
        chances: (n_classes,) float64, the probability of each.
    """

    place: int
    chances: np.ndarray

    def __post_init__(self) -> None:
        """Check that the class is there."""
        require(self.chances.ndim == 1, "probabilities that are no row")
        require(0 <= self.place < len(self.chances), "a class that is not there")

    def answer(self, data: Data) -> Answer:
        """Return the class and the probabilities."""
        count = rows_of(data)
        return Answer(
            labels=np.full(count, self.place), probabilities=np.tile(self.chances, (count, 1))
        )


class SameValues(Struct, Model, frozen=True, kw_only=True, tag=True):
    """The same values for every row.

    Attributes:
        values: (n_outputs,) float64 or int64.
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        """Check the shape."""
        require(self.values.ndim == 1 and len(self.values) > 0, "values that are no row")

    def answer(self, data: Data) -> Answer:
        """Return the values."""
        count = rows_of(data)
        if len(self.values) == 1:
            return Answer(values=np.repeat(self.values, count))
        return Answer(values=np.tile(self.values, (count, 1)))


def read_dummy_classifier(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `DummyClassifier`."""
    if model.n_outputs_ != 1 or model.sparse_output_:
        raise Unsupported("DummyClassifier of several outputs")
    strategy = model._strategy
    prior = floats(model.class_prior_)
    if strategy == "prior":
        return SameClass(place=int(prior.argmax()), chances=prior)
    if strategy == "most_frequent":
        place = int(prior.argmax())
    elif strategy == "constant":
        place = model.classes_.tolist().index(np.ravel(model.constant).tolist()[0])
    else:
        raise Unsupported(f"DummyClassifier with {strategy} answers")
    chances = np.zeros(len(prior))
    chances[place] = 1.0
    return SameClass(place=place, chances=chances)


def read_dummy_regressor(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `DummyRegressor`."""
    values = np.asarray(model.constant_).reshape(-1)
    if values.dtype not in (np.float64, np.int64) or len(values) != model.n_outputs_:
        raise Unsupported("DummyRegressor with a constant of another kind")
    return SameValues(values=values)


NODES = (SameClass, SameValues)
READERS = {
    "sklearn.DummyClassifier": read_dummy_classifier,
    "sklearn.DummyRegressor": read_dummy_regressor,
}
