"""The rows that count, made ready once: labels as codes, probabilities checked, weights.

What a model's answers do not give is the reason in words, which is carried to every figure that
would have needed it. The module must not do the figures' arithmetic.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate.classification import Codes
from brinery.evaluate.labels import NO_CLASS, codes, missing, refuse_unseen
from brinery.evaluate.ranking import Floats
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

# A softmax in float32 may come out this far beyond 0 or 1.
_ROUNDING: Final = 1e-6
_SUM_ROUNDING: Final = 1e-3
_LARGE: Final = 1e100


class Sample(NamedTuple):
    """The rows that have a label.

    Attributes:
        actual: (n_rows,) labels or target.
        predictions: (n_rows,) or (n_rows, n_outputs) what the model answered.
        probabilities: (n_rows, n_classes), or None.
        weights: (n_rows,) above 0, or None where each row counts once.
        places: (n_rows,) of the rows in the data, or None where all of them count.
        left_out: how many rows do not count.
        classes: in the model's order.
    """

    actual: npt.NDArray[np.generic]
    predictions: npt.NDArray[np.generic]
    probabilities: Floats | None
    weights: Floats | None
    places: npt.NDArray[np.intp] | None
    left_out: int
    classes: tuple[Scalar, ...]


class Labelled(NamedTuple):
    """The rows of a classifier.

    Attributes:
        codes: (n_rows,) actual classes, 0 to n_classes - 1.
        predicted: (n_rows,) the model's own labels as codes, or why there are none.
        probabilities: (n_rows, n_classes) 0 to 1, or why there are none.
        weights: (n_rows,) above 0, or None.
        classes: in the model's order.
    """

    codes: Codes
    predicted: Codes | str
    probabilities: Floats | str
    weights: Floats | None
    classes: tuple[Scalar, ...]


def sample(
    type: PredictionType,  # noqa: A002 - the record's own word for it
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...],
    weights: npt.NDArray[np.generic] | None,
) -> Sample:
    """Return the rows that have a label, and a weight above 0 where there are weights.

    Args:
        type: which family of figures is to come.
        actual: (n_rows,) of any type; None and NaN are missing.
        scores: the model's answers for the same rows.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) numbers from 0 up.

    Raises:
        ValueError: a binary model without exactly two classes, or weights that are none.
    """
    # The record goes to JSON, which knows no numpy scalars.
    classes = tuple(c.item() if isinstance(c, np.generic) else c for c in classes)
    if type is PredictionType.BINARY:
        _, _ = classes
    kept = ~missing(actual)
    weight = None if weights is None else _checked(weights, actual.size)
    if weight is not None:
        kept &= weight > 0
    if kept.all():
        return Sample(actual, scores.predictions, scores.probabilities, weight, None, 0, classes)
    return Sample(
        actual=actual[kept],
        predictions=scores.predictions[kept],
        probabilities=None if scores.probabilities is None else scores.probabilities[kept],
        weights=None if weight is None else weight[kept],
        places=np.flatnonzero(kept),
        left_out=int(np.count_nonzero(~kept)),
        classes=classes,
    )


def labelled(given: Sample, actual: npt.NDArray[np.generic]) -> Labelled:
    """Return the rows of a classifier as codes.

    Args:
        given: the rows that count.
        actual: the labels of all rows, in whose words an unseen class is reported.

    Raises:
        UnseenClass: a label is none of the classes.
    """
    # Codes take as little memory as they can: there are as many as rows.
    small = np.min_scalar_type(-len(given.classes) - 1)
    own = codes(given.actual, given.classes).astype(small)
    if own.size and own.min() == NO_CLASS:
        refuse_unseen(actual, given.classes)
    predicted: Codes | str = codes(given.predictions, given.classes).astype(small)
    if not isinstance(predicted, str) and predicted.size and predicted.min() == NO_CLASS:
        predicted = "the model predicts labels that are not among its classes"
    chances = _probabilities(given.probabilities, len(given.classes))
    return Labelled(own, predicted, chances, given.weights, given.classes)


def sums_to_one(probabilities: Floats) -> str:
    """Return why rows of probabilities are none, or an empty text where each row's sum to 1."""
    total = probabilities[:, 0].copy()
    for column in range(1, probabilities.shape[1]):
        total += probabilities[:, column]
    total -= 1
    np.abs(total, out=total)
    off = int(np.count_nonzero(total > _SUM_ROUNDING))
    if not off:
        return ""
    return f"the probabilities of {off:,} of {len(probabilities):,} rows do not sum to 1"


def one_class(actual: Codes, classes: tuple[Scalar, ...]) -> str:
    """Return why nothing can be told apart, or an empty text where two classes are present."""
    only = classes[actual[0]]
    return "" if (actual != actual[0]).any() else f"every row of the data is of class {only!r}"


def finite(values: npt.NDArray[np.generic], what: str) -> Floats | str:
    """Return values as finite numbers, or the reason why they are none.

    Args:
        values: (n_rows,) of any type.
        what: what they are, as the reason calls them.
    """
    try:
        numbers = values.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        return f"not every value of the {what} is a number"
    there = np.isfinite(numbers)
    if there.all():
        return numbers
    off = int(np.count_nonzero(~there))
    return f"{off:,} of the {numbers.size:,} values of the {what} are not finite"


def _checked(weights: npt.NDArray[np.generic], n_rows: int) -> Floats:
    numbers = finite(np.asarray(weights), "weights")
    if isinstance(numbers, str):
        raise ValueError(numbers)  # noqa: TRY004 - the value is wrong, not its type
    if numbers.shape != (n_rows,):
        raise ValueError(f"there are {numbers.size:,} weights for {n_rows:,} rows")
    if numbers.size and numbers.min() < 0:
        raise ValueError("some of the weights are below 0")
    largest = numbers.max(initial=0.0)
    if largest and not 1 / _LARGE < largest < _LARGE:
        # Their squares would overflow or vanish; only their proportions count.
        numbers = numbers / largest
    return numbers


def _probabilities(given: Floats | None, n_classes: int) -> Floats | str:
    if given is None:
        return "the model gives no probabilities"
    if given.shape[1] != n_classes:
        return f"the model gives {given.shape[1]} probabilities for {n_classes} classes"
    if not given.size:
        return given
    low, high = given.min(), given.max()
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also where one is NaN
        return "some of the model's probabilities are not between 0 and 1"
    return given if low >= 0 and high <= 1 else given.clip(0, 1)
