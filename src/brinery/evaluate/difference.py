"""How far the answers of a model that was written in another format are from the model's own.

Other than `parity`, which two copies of one model must hold, it measures and refuses nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from brinery.flavors import outputs
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_NUMBERS = "iuf"


class Difference(NamedTuple):
    """How far two sets of answers are apart.

    Attributes:
        rows: how many were compared.
        labels_differ: how many got another label.
        largest: difference of a probability, or of a value by its size where that is above 1;
            infinite where one of the two gives no probabilities, or answers no number.
        classes: the labels behind the other's numbers; none where it names its classes.
    """

    rows: int
    labels_differ: int
    largest: float
    classes: tuple[Scalar, ...] = ()


def measure(one: Scores, other: Scores) -> Difference:
    """Return how far the answers of a written model are from the model's own.

    A format that keeps no names of classes answers with their positions; these are taken for the
    names.

    Args:
        one: (n_rows,) the model's answers.
        other: (n_rows,) the written model's answers to the same rows.
    """
    rows = len(one.predictions)
    if other.predictions.shape != one.predictions.shape:
        return Difference(rows, rows, np.inf)
    if one.predictions.ndim > 1:
        return _of_outputs(one.predictions, other.predictions)
    labels, classes = _named(one, other)
    if one.classes or one.predictions.dtype.kind != "f":
        differ = int(sum(a != b for a, b in zip(one.predictions.tolist(), labels, strict=True)))
        return Difference(rows, differ, _of_probabilities(one, other), classes)
    try:
        values = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError):
        return Difference(rows, rows, np.inf)
    return Difference(rows, 0, _of_values(one.predictions.astype(np.float64), values))


def _of_outputs(one: np.ndarray, other: np.ndarray) -> Difference:
    """Return how far several values for each row are apart: text and truth values as labels."""
    differ = np.zeros(len(one), dtype=np.bool_)
    largest = 0.0
    for a, b in zip(outputs.unstacked(one), outputs.unstacked(other), strict=True):
        if a.dtype.kind in _NUMBERS and b.dtype.kind in _NUMBERS:
            largest = max(largest, _of_values(a.astype(np.float64), b.astype(np.float64)))
        else:
            differ |= np.array(
                [left != right for left, right in zip(a.tolist(), b.tolist(), strict=True)],
                dtype=np.bool_,
            )
    return Difference(len(one), int(np.count_nonzero(differ)), largest)


def _named(one: Scores, other: Scores) -> tuple[list[Scalar], tuple[Scalar, ...]]:
    """Return the other's labels, and the classes that its numbers were taken for."""
    labels: list[Scalar] = other.predictions.tolist()
    count = len(one.classes)
    if not count or other.classes not in ((), tuple(range(count))) or other.classes == one.classes:
        return labels, ()
    known = set(one.predictions.tolist())
    positions = all(isinstance(each, int | float) and each in range(count) for each in labels)
    if not positions or (known <= set(range(count)) and tuple(one.classes) == tuple(range(count))):
        return labels, ()
    return [one.classes[int(each)] for each in labels], one.classes


def _of_probabilities(one: Scores, other: Scores) -> float:
    if one.probabilities is None:
        return 0.0
    if other.probabilities is None or other.probabilities.shape != one.probabilities.shape:
        return float(np.inf)
    return float(np.abs(one.probabilities - other.probabilities).max(initial=0.0))


def _of_values(one: np.ndarray, other: np.ndarray) -> float:
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        gap = np.abs(one - other) / np.maximum(1.0, np.abs(one))
    gap = np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))
    return float(gap.max(initial=0.0))
