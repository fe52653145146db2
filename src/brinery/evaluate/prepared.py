"""The rows that count in the form that their figures and curves are made from, made once."""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

import numpy as np
import numpy.typing as npt

from brinery.evaluate.binary import Binary, ranked
from brinery.evaluate.continuous import Rows
from brinery.evaluate.sample import Labelled, Sample, finite, labelled, sample
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_NO_ROWS: Final = "no row of the data has a label"
_NO_WEIGHT: Final = "no row of the data has a label and a weight above 0"


class Prepared(NamedTuple):
    """The rows that count.

    Attributes:
        type: which family of figures they have.
        sample: as they came.
        rows: ranked, labelled, or as numbers; or why there is no figure.
    """

    type: PredictionType
    sample: Sample
    rows: Binary | Labelled | Rows | str


def prepare(
    type: PredictionType,  # noqa: A002 - the record's own word for it
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...],
    weights: npt.NDArray[np.generic] | None,
) -> Prepared:
    """Return the rows that have a label, ready for their family.

    Args:
        type: which family of figures.
        actual: (n_rows,) of any type; None and NaN are missing.
        scores: the model's answers for the same rows.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) what each row counts, from 0 up; None where each counts once.

    Raises:
        UnseenClass: a label is none of the classes.
        ValueError: a binary model without exactly two classes, or weights that are no numbers
            from 0 up.
    """
    given = sample(type, actual, scores=scores, classes=classes, weights=weights)
    if type is PredictionType.OTHER:
        return Prepared(type, given, _no_family(scores))
    if not given.actual.size:
        return Prepared(type, given, _NO_ROWS if weights is None else _NO_WEIGHT)
    match type:
        case PredictionType.BINARY:
            return Prepared(type, given, ranked(labelled(given, actual)))
        case PredictionType.MULTICLASS:
            return Prepared(type, given, labelled(given, actual))
        case PredictionType.REGRESSION:
            return Prepared(type, given, _numbers(given))
        case _:
            assert_never(type)


def _numbers(given: Sample) -> Rows | str:
    target, predicted = (
        finite(given.actual, "target"),
        finite(given.predictions, "model's predictions"),
    )
    if isinstance(target, str):
        return target
    return predicted if isinstance(predicted, str) else Rows(target, predicted, given.weights)


def _no_family(scores: Scores) -> str:
    """Return why there is no figure for a model that is neither classifier nor regression."""
    if scores.predictions.ndim > 1:
        count = scores.predictions.shape[1]
        return f"the model answers each row with {count:,} values, and a target has one"
    return "the model is neither a classifier nor a regression"
