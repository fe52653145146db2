"""How a model around other models asks them: for their decision, probabilities or predictions."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from brinery.records.text_enum import TextEnum
from brinery.scorers import across
from brinery.scorers.data import Array, Columns, Data, Declined, dense
from brinery.scorers.forests import Forest
from brinery.scorers.interface import Answer, Model, Splits
from brinery.scorers.linear import LinearClassifier, LinearRegressor
from brinery.scorers.origin import Origins

# How far apart shares are that rounding cannot have changed the order of.
_TIE = 1e-12
# Models of numbers.
_PLAIN = (Forest, LinearClassifier, LinearRegressor)


class Response(TextEnum):
    """What a model is asked for; the value is the name of the library's method."""

    DECISION = "decision_function"
    PROBABILITIES = "predict_proba"
    PREDICTION = "predict"


def shared(data: Data, models: Iterable[Model]) -> Data:
    """Return data as a table of numbers where all models would make that of it, each for itself.

    Raises:
        Declined: they would, and a column holds text.
    """
    if not isinstance(data, Columns) or data.table is not None:
        return data
    return dense(data) if all(isinstance(one, _PLAIN) for one in models) else data


def scores(model: Model, data: Data, *, response: Response) -> Array:
    """Return how much two classes' second is preferred, or a regressor's value: (n_rows,).

    Raises:
        Declined: the model has no such response.
    """
    if response is Response.DECISION:
        return model.decision(data).ravel()
    answer = model.answer(data)
    return column(answer) if response is Response.PROBABILITIES else single(answer)


def column(answer: Answer) -> Array:
    """Return the probabilities of the second class: (n_rows,).

    Raises:
        Declined: there are none.
    """
    return chances(answer)[:, 1]


def chances(answer: Answer) -> Array:
    """Return the probabilities of an answer: (n_rows, n_classes).

    Raises:
        Declined: there are none.
    """
    if answer.probabilities is None:
        raise Declined("a model within gives no probabilities")
    return answer.probabilities


def labels(answer: Answer) -> Array:
    """Return the places of the predicted classes: (n_rows,).

    Raises:
        Declined: there are none.
    """
    if answer.labels is None:
        raise Declined("a model within has no classes")
    return answer.labels


def single(answer: Answer) -> Array:
    """Return the one value for each row: (n_rows,).

    Raises:
        Declined: there is none, or there are several.
    """
    if answer.values is None or answer.values.ndim != 1:
        raise Declined("a model within has no single value for a row")
    return answer.values


def first_of(shares: Array, models: Iterable[Model]) -> Array:
    """Return the place of the largest share of each row, the first of equal ones: (n_rows,).

    Args:
        shares: (n_rows, n_classes).
        models: those that they are made of.

    Raises:
        Declined: two are so near each other that rounding may have told them apart. What trees
            answer is not rounded.
    """
    if not are_exact(models) and tied(shares).any():
        raise Declined("two classes are as good as tied")
    return across.likeliest(shares)


def are_exact(models: Iterable[Model]) -> bool:
    """Return whether the answers of models are the library's to the last bit: trees only add."""
    return all(isinstance(one, Forest) for one in models)


def tied(shares: Array) -> Array:
    """Return whether the two largest shares of each row are as good as equal: (n_rows,) booleans.

    Args:
        shares: (n_rows, n_classes).
    """
    return across.tied(shares, within=_TIE)


def splits_of(models: Iterable[Model], origins: Origins) -> tuple[Splits, ...]:
    """Return the trees within models that are all given the same data."""
    return tuple(one for model in models for one in model.splits(origins))


def is_numbered(estimator: Any, count: int) -> bool:
    """Return whether the classes of a fitted classifier are the numbers from 0 to below a count."""
    classes = np.asarray(getattr(estimator, "classes_", None))
    return classes.dtype.kind in "iub" and np.array_equal(classes, np.arange(count))


def is_regressor(estimator: Any) -> bool:
    """Return whether the library takes an estimator for a regressor."""
    # It is loaded: the estimator is its own.
    return bool(sys.modules["sklearn.base"].is_regressor(estimator))


def binary_response(estimator: Any) -> Response:
    """Return what the library asks a fitted classifier of two classes, or a regressor, for."""
    if is_regressor(estimator):
        return Response.PREDICTION
    decides = hasattr(estimator, Response.DECISION.value)
    return Response.DECISION if decides else Response.PROBABILITIES
