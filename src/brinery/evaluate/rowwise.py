"""Each row's part in a figure, so that the figure of any group of rows is a sum away.

Most figures are a ratio of two sums over rows: an accuracy is hits by rows, a precision is hits by
alarms, a mean error is errors by rows. The ROC AUC is none; it is kept as what it is made of. What
a model's answers do not allow is the reason, in words. The module must not know groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate.intervals import Scale
from brinery.evaluate.labels import NO_CLASS, codes
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

# The first of a type is taken where none is asked for.
METRICS: Final[Mapping[PredictionType, tuple[str, ...]]] = {
    PredictionType.BINARY: (
        "roc_auc",
        "accuracy",
        "precision",
        "recall",
        "specificity",
        "f1",
        "log_loss",
        "brier",
    ),
    PredictionType.MULTICLASS: ("accuracy", "log_loss", "brier"),
    PredictionType.REGRESSION: ("mae", "rmse", "mse", "mape", "mean_error"),
    PredictionType.OTHER: (),
}

_LOSSES: Final = ("log_loss", "brier", "mae", "rmse", "mse", "mape")
_ALARMS: Final = ("precision", "recall", "specificity", "f1")
_HALF: Final = 0.5
_TWO: Final = 2
_ROUNDING: Final = 1e-6
_SUM_ROUNDING: Final = 1e-3


class Ratio(NamedTuple):
    """A figure that is a sum over rows by another.

    Attributes:
        top: (n_rows,) finite.
        bottom: (n_rows,) 0 and up.
        share: whether it is a share of rows: both are 0 or 1, and `top` is 0 where `bottom` is.
        root: whether the figure is the square root of the ratio.
        scale: on which the ratio is most nearly normal: plain where it may be below 0.
    """

    top: Floats
    bottom: Floats
    share: bool = False
    root: bool = False
    scale: Scale = Scale.LOG


class Ranked(NamedTuple):
    """What a ROC AUC is made of.

    Attributes:
        positive: (n_rows,) whether a row is of the positive class.
        score: (n_rows,) its probability of being so.
    """

    positive: Bools
    score: Floats


Rowwise = Ratio | Ranked


@dataclass(frozen=True, eq=False, kw_only=True)
class Answered:
    """Rows whose label is known, and what a model answers for them.

    Attributes:
        type: of the model.
        actual: (n_rows,) labels or values; none is missing.
        scores: (n_rows,) the answers.
        classes: in the order of the probabilities; two where binary, the second is positive.
    """

    type: PredictionType
    actual: npt.NDArray[np.generic]
    scores: Scores
    classes: tuple[Scalar, ...] = ()


def higher_is_better(metric: str) -> bool | None:
    """Return whether a higher figure is a better one; None where 0 is best."""
    return None if metric == "mean_error" else metric not in _LOSSES


def rowwise(metric: str, answered: Answered) -> Rowwise | str:
    """Return each row's part in a metric, or why there is none.

    Args:
        metric: one of `METRICS` of the type.
        answered: at least one row.
    """
    known = METRICS[answered.type]
    if metric not in known:
        told = f"it has {', '.join(known)}" if known else "it has none"
        return f"a model of type {answered.type} has no metric '{metric}' of groups: {told}"
    if answered.type is PredictionType.REGRESSION:
        return _of_values(metric, answered)
    return _of_classes(metric, answered)


def _of_classes(metric: str, answered: Answered) -> Rowwise | str:
    actual = codes(answered.actual, answered.classes)
    predicted = codes(answered.scores.predictions, answered.classes)
    if (actual == NO_CLASS).any():
        return "some labels are not among the model's classes"
    if metric == "accuracy":
        return _of_rows((predicted == actual).astype(np.float64), share=True)
    chances = _chances(answered.scores, len(answered.classes))
    if metric in _ALARMS:
        # As elsewhere: at a half, and by the model's own labels where it gives no probabilities.
        caught = predicted == 1 if isinstance(chances, str) else chances[:, 1] >= _HALF
        return _of_alarms(metric, positive=actual == 1, caught=caught)
    return chances if isinstance(chances, str) else _of_chances(metric, actual, chances)


def _of_chances(metric: str, actual: Codes, chances: Floats) -> Rowwise | str:
    if metric == "roc_auc":
        return Ranked(actual == 1, chances[:, 1])
    if metric == "brier":
        squares = np.square(chances - (actual[:, np.newaxis] == np.arange(chances.shape[1])))
        return _of_rows(squares[:, 1] if chances.shape[1] == _TWO else squares.sum(axis=1))
    off = int(np.count_nonzero(abs(chances.sum(axis=1) - 1) > _SUM_ROUNDING))
    if off:
        return f"the probabilities of {off:,} of {len(chances):,} rows do not sum to 1"
    eps = np.finfo(np.float64).eps
    own = np.take_along_axis(chances, actual[:, np.newaxis], axis=1)[:, 0]
    return _of_rows(-np.log(own.clip(eps, 1 - eps)))


def _of_alarms(metric: str, *, positive: Bools, caught: Bools) -> Ratio:
    """Return the parts in a figure of the positive class.

    Args:
        metric: of the four that a confusion matrix of two classes has.
        positive: (n_rows,) whether a row is of the positive class.
        caught: (n_rows,) whether it is said to be.
    """
    hits = (positive & caught).astype(np.float64)
    match metric:
        case "precision":
            return Ratio(hits, caught.astype(np.float64), share=True)
        case "recall":
            return Ratio(hits, positive.astype(np.float64), share=True)
        case "specificity":
            rejected = (~positive & ~caught).astype(np.float64)
            return Ratio(rejected, (~positive).astype(np.float64), share=True)
        case _:
            return Ratio(2 * hits, (positive * 1 + caught).astype(np.float64), scale=Scale.LOGIT)


def _of_values(metric: str, answered: Answered) -> Ratio | str:
    target = _finite(answered.actual, "target")
    predicted = _finite(answered.scores.flat().predictions, "model's predictions")
    if isinstance(target, str) or isinstance(predicted, str):
        return target if isinstance(target, str) else str(predicted)
    with np.errstate(over="ignore"):
        error = predicted - target
        squares = np.square(error)
    if not np.isfinite(squares.sum()):
        return "the errors are too large for a floating-point number"
    if metric == "mape" and not target.all():
        return "the target is 0 in some rows, and no error is a share of 0"
    return _of_errors(metric, error, target)


def _of_errors(metric: str, error: Floats, target: Floats) -> Ratio:
    match metric:
        case "mean_error":
            return _of_rows(error, scale=Scale.PLAIN)
        case "mae":
            return _of_rows(np.abs(error))
        case "mape":
            return _of_rows(np.abs(error / target))
        case _:
            return _of_rows(np.square(error), root=metric == "rmse")


def _of_rows(
    values: Floats, *, share: bool = False, root: bool = False, scale: Scale = Scale.LOG
) -> Ratio:
    return Ratio(values, np.ones(values.size), share=share, root=root, scale=scale)


def _chances(scores: Scores, n_classes: int) -> Floats | str:
    given = scores.probabilities
    if given is None:
        return "the model gives no probabilities"
    if given.shape[1] != n_classes:
        return f"the model gives {given.shape[1]} probabilities for {n_classes} classes"
    if not ((given >= -_ROUNDING) & (given <= 1 + _ROUNDING)).all():
        return "some of the model's probabilities are not between 0 and 1"
    return given.clip(0, 1)


def _finite(values: npt.NDArray[np.generic], what: str) -> Floats | str:
    if values.ndim > 1:
        return f"the {what} have several values in a row"
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        return f"not every value of the {what} is a number"
    off = int(np.count_nonzero(~np.isfinite(numbers)))
    if off:
        return f"{off:,} of the {numbers.size:,} values of the {what} are not finite"
    return numbers
