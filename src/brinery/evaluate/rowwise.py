"""Each row's part in a figure, so that the figure of any group of rows is a sum away.

Most figures are a ratio of two sums over rows: an accuracy is hits by rows, a precision is hits by
alarms, a mean error is errors by rows. The ROC AUC is none; it is kept as what it is made of. What
a model's answers do not allow is the reason, in words. The module must not know groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate.continuous import Rows
from brinery.evaluate.intervals import Scale
from brinery.evaluate.sample import Labelled, sums_to_one
from brinery.records.evaluation import PredictionType

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.integer]

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
_TWO: Final = 2


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


def higher_is_better(metric: str) -> bool | None:
    """Return whether a higher figure is a better one; None where 0 is best."""
    return None if metric == "mean_error" else metric not in _LOSSES


def rowwise(metric: str, rows: Labelled | Rows, *, type: PredictionType) -> Rowwise | str:  # noqa: A002 - the record's own word for it
    """Return each row's part in a metric, or why there is none.

    Args:
        metric: one of `METRICS` of the type.
        rows: at least one, of a classifier or of a regression.
        type: of the model.
    """
    known = METRICS[type]
    if metric not in known:
        told = f"it has {', '.join(known)}" if known else "it has none"
        return f"a model of type {type} has no metric '{metric}' of groups: {told}"
    return _of_classes(metric, rows) if isinstance(rows, Labelled) else _of_values(metric, rows)


def _of_classes(metric: str, rows: Labelled) -> Rowwise | str:
    actual, predicted, chances = rows.codes, rows.predicted, rows.probabilities
    if metric not in {"accuracy", *_ALARMS}:
        return chances if isinstance(chances, str) else _of_chances(metric, actual, chances)
    if isinstance(predicted, str):
        return predicted
    if metric == "accuracy":
        return _of_rows((predicted == actual).astype(np.float64), share=True)
    return _of_alarms(metric, actual == 1, predicted == 1)


def _of_chances(metric: str, actual: Codes, chances: Floats) -> Rowwise | str:
    if metric == "roc_auc":
        return Ranked(actual == 1, chances[:, 1])
    if metric == "brier":
        squares = np.square(chances - (actual[:, np.newaxis] == np.arange(chances.shape[1])))
        return _of_rows(squares[:, 1] if chances.shape[1] == _TWO else squares.sum(axis=1))
    why = sums_to_one(chances)
    if why:
        return why
    eps = np.finfo(np.float64).eps
    own = np.take_along_axis(chances, actual[:, np.newaxis], axis=1)[:, 0]
    return _of_rows(-np.log(own.clip(eps, 1 - eps)))


def _of_alarms(metric: str, positive: Bools, caught: Bools) -> Ratio:
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


def _of_values(metric: str, rows: Rows) -> Ratio | str:
    if rows.predicted.ndim > 1:
        return f"the model answers each row with {rows.predicted.shape[1]:,} values"
    with np.errstate(over="ignore"):
        error = rows.predicted - rows.actual
        squares = np.square(error)
    if not np.isfinite(squares.sum()):
        return "the errors are too large for a floating-point number"
    if metric == "mape" and not rows.actual.all():
        return "the target is 0 in some rows, and no error is a share of 0"
    return _of_errors(metric, error, rows.actual)


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
