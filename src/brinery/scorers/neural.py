"""scikit-learn's multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers.across import likeliest, softmax
from brinery.scorers.data import Array, Data, Sparse, complete, finite
from brinery.scorers.interface import Answer, Model, Reader, Unsupported, floats, require
from brinery.scorers.linear import double, logistic

_HALF = 0.5


class Activation(TextEnum):
    """What is done with the sums of a layer."""

    IDENTITY = "identity"
    LOGISTIC = "logistic"
    TANH = "tanh"
    RELU = "relu"
    SOFTMAX = "softmax"
    EXP = "exp"


class Layer(Struct, frozen=True, kw_only=True):
    """Sums of all that comes from the layer before.

    Attributes:
        weights: (n_inputs, n_outputs) float64.
        intercepts: (n_outputs,) float64.
    """

    weights: np.ndarray
    intercepts: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.weights.ndim == 2 and self.weights.size, "a layer without weights")  # noqa: PLR2004
        require(self.intercepts.shape == self.weights.shape[1:], "a layer without intercepts")


class Network(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Layers of sums.

    Attributes:
        layers: in order.
        hidden: the activation of each but the last.
        last: that of the last.
        classifies: whether the last tells probabilities: of the second of two classes, or of each.
    """

    layers: tuple[Layer, ...]
    hidden: Activation
    last: Activation
    classifies: bool

    def __post_init__(self) -> None:
        """Check that the layers follow each other."""
        require(self.layers, "a network without layers")
        for one, following in zip(self.layers, self.layers[1:]):
            require(one.weights.shape[1] == len(following.weights), "layers that do not fit")

    def answer(self, data: Data) -> Answer:
        """Return what the last layer tells."""
        with np.errstate(all="ignore"):
            found = self._forward(data)
            if not self.classifies:
                return Answer(values=found[:, 0] if found.shape[1] == 1 else found)
            if found.shape[1] > 1:
                return Answer(labels=likeliest(found), probabilities=found)
            labels = (found[:, 0] > _HALF).astype(np.int64)
            return Answer(labels=labels, probabilities=np.hstack([1 - found, found]))

    def _forward(self, data: Data) -> Array:
        first, *others = self.layers
        if isinstance(data, Sparse):
            require(data.width == len(first.weights), "weights of other columns")
            double(finite(data.values))
            table = data.dot(first.weights)
        else:
            table = double(complete(data))
            require(table.shape[1] == len(first.weights), "weights of other columns")
            table = table @ first.weights
        table += first.intercepts
        for layer in others:
            table = _activated(table, self.hidden) @ layer.weights
            table += layer.intercepts
        return _activated(table, self.last)


def _activated(table: Array, activation: Activation) -> Array:
    """Return the sums of a layer as the next one gets them: (n_rows, n_outputs)."""
    if activation is Activation.RELU:
        return np.maximum(table, 0, out=table)
    if activation is Activation.TANH:
        return np.tanh(table, out=table)
    if activation is Activation.LOGISTIC:
        return logistic(table)
    if activation is Activation.SOFTMAX:
        return softmax(table)
    return np.exp(table) if activation is Activation.EXP else table


def read_classifier(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `MLPClassifier`."""
    binarizer = model._label_binarizer
    if str(getattr(binarizer, "y_type_", "")).startswith("multilabel") or len(model.classes_) == 1:
        raise Unsupported("MLPClassifier of several labels, or of one class")
    return _network(model, classifies=True)


def read_regressor(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `MLPRegressor`."""
    return _network(model, classifies=False)


def _network(model: Any, *, classifies: bool) -> Network:
    layers = zip(model.coefs_, model.intercepts_)
    return Network(
        layers=tuple(Layer(weights=floats(one), intercepts=floats(two)) for one, two in layers),
        hidden=_activation(model, model.activation),
        last=_activation(model, model.out_activation_),
        classifies=classifies,
    )


def _activation(model: Any, name: str) -> Activation:
    if name not in {one.value for one in Activation}:
        raise Unsupported(f"{type(model).__name__} with {name}")
    return Activation(name)


NODES = (Network,)
READERS = {
    "sklearn.MLPClassifier": read_classifier,
    "sklearn.MLPRegressor": read_regressor,
}
