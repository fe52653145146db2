"""What shuffled answers are measured by: a figure of many rows, and each row's part in it.

The part of a row (its influence) is what makes an interval cheap: the variance of a figure is the
variance of the influences divided by the number of rows. A metric of which no influence is known
is computed again without each of twenty groups of rows.

Source: Hampel 1974 for the influence function; DeLong et al. 1988 for that of the ROC AUC.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from brinery.evaluate.labels import codes
from brinery.evaluate.observed import Floats, Observed, Places
from brinery.evaluate.response import Response
from brinery.records.contributions import Unit
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

Function = Callable[[Scores, npt.NDArray[np.generic], Floats | None], float]


class Measured(NamedTuple):
    """A figure.

    Attributes:
        value: of all rows.
        influence: (n_rows,) each row's part, of mean 0; None where it is not known.
    """

    value: float
    influence: Floats | None


class Measure(Protocol):
    """A metric of some rows, of which the truth is known."""

    @property
    def name(self) -> str:
        """Return what it is called."""
        ...

    @property
    def greater_is_better(self) -> bool:
        """Return whether a greater figure is a better one."""
        ...

    def __call__(self, scores: Scores, /) -> Measured:
        """Return the figure of answers for all the rows: (n_rows,)."""
        ...

    def without(self, scores: Scores, kept: Places) -> float:
        """Return the figure of answers for some of the rows.

        Args:
            scores: (n_rows,) answers for all.
            kept: (n_kept,) places of those to count.
        """
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Metric:
    """Any metric.

    Attributes:
        name: what it is called.
        function: of answers, what is true, and weights or None.
        greater_is_better: whether a greater figure is a better one.
    """

    name: str
    function: Function
    greater_is_better: bool = True

    def bound(self, observed: Observed) -> Measure:
        """Return it for some rows, each of which has a label."""
        return _Function(self, observed)


@dataclass(frozen=True, eq=False)
class _Function:
    metric: Metric
    observed: Observed

    @property
    def name(self) -> str:
        return self.metric.name

    @property
    def greater_is_better(self) -> bool:
        return self.metric.greater_is_better

    def __call__(self, scores: Scores, /) -> Measured:
        return Measured(self.without(scores, np.arange(len(self.observed))), None)

    def without(self, scores: Scores, kept: Places) -> float:
        actual, weights = self.observed.actual, self.observed.weights
        if actual is None:
            raise ValueError("nothing is known to be true")
        kept_weights = None if weights is None else weights[kept]
        return float(self.metric.function(scores.take(kept), actual[kept], kept_weights))


@dataclass(frozen=True, eq=False)
class _Mean:
    """A mean of one loss for each row, or its square root."""

    name: str
    losses: Callable[[Scores], Floats]
    weights: Floats | None
    root: bool = False
    greater_is_better: bool = False

    def __call__(self, scores: Scores, /) -> Measured:
        # A loss too large for a number makes the figure infinite, which its reader takes for none.
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.losses(scores)
            weights = np.ones(losses.size) if self.weights is None else self.weights
            mean = float(np.average(losses, weights=weights))
            influence = weights / weights.mean() * (losses - mean)
            if not self.root:
                return Measured(mean, influence)
            value = math.sqrt(mean)
            return Measured(value, influence / (2 * value) if value > 0 else influence * 0.0)

    def without(self, scores: Scores, kept: Places) -> float:
        weights = None if self.weights is None else self.weights[kept]
        mean = float(np.average(self.losses(scores)[kept], weights=weights))
        return float(np.sqrt(mean)) if self.root else mean


@dataclass(frozen=True, eq=False)
class _Auc:
    positive: npt.NDArray[np.bool_]
    response: Response
    weights: Floats | None
    name: str = "roc_auc"
    greater_is_better: bool = True

    def __call__(self, scores: Scores, /) -> Measured:
        return auc(self.positive, self.response.of(scores)[:, 0], weights=self.weights)

    def without(self, scores: Scores, kept: Places) -> float:
        weights = None if self.weights is None else self.weights[kept]
        return auc(self.positive[kept], self.response.of(scores)[kept, 0], weights=weights).value


def default_measure(observed: Observed, response: Response) -> Measure:
    """Return the measure that suits a model.

    ROC AUC for a binary model with probabilities and rows of both classes, log loss for another
    classifier with probabilities, the share of errors for one without, RMSE for a regression.

    Args:
        observed: rows, each with a label.
        response: what of their answers is explained.
    """
    actual, weights = observed.actual, observed.weights
    if actual is None:
        raise ValueError("nothing is known to be true")
    if response.unit is Unit.VALUE:
        truth = response.truth(actual)[:, 0]
        return _Mean("rmse", lambda made: _squares(made, truth), weights, root=True)
    places = codes(actual, response.model_classes)
    if response.unit is Unit.LABEL:
        classes = response.model_classes
        return _Mean(
            "error_rate",
            lambda made: (codes(made.predictions, classes) != places).astype(np.float64),
            weights,
        )
    if observed.type is PredictionType.BINARY and np.unique(places).size > 1:
        return _Auc(places == 1, response, weights)
    return _Mean("log_loss", lambda made: _surprise(made, places), weights)


def auc(positive: npt.NDArray[np.bool_], score: Floats, *, weights: Floats | None) -> Measured:
    """Return how often a positive row outranks a negative one, 0 to 1; a tie counts half.

    Args:
        positive: (n_rows,) whether a row is of the positive class; both occur.
        score: (n_rows,) finite; only its order matters.
        weights: (n_rows,) above 0, or None.

    Source: DeLong et al. 1988: the influence of a row is how much of the other class it outranks.
    """
    counted = np.ones(score.size) if weights is None else weights
    _, level = np.unique(score, return_inverse=True)
    ours = np.bincount(level, weights=counted * positive)
    theirs = np.bincount(level, weights=counted * ~positive)
    beaten = (np.cumsum(theirs) - theirs / 2) / theirs.sum()
    lost = 1 - (np.cumsum(ours) - ours / 2) / ours.sum()
    placed = np.where(positive, beaten[level], lost[level])
    value = float(ours @ beaten / ours.sum())
    share = np.where(positive, ours.sum(), theirs.sum()) / score.size
    return Measured(value, counted / share * (placed - value))


def _squares(scores: Scores, truth: Floats) -> Floats:
    return np.square(scores.flat().predictions.astype(np.float64) - truth)


def _surprise(scores: Scores, places: npt.NDArray[np.intp]) -> Floats:
    chances = scores.probabilities
    if chances is None:
        raise ValueError("the answers have no probabilities")
    eps = np.finfo(np.float64).eps
    given = np.take_along_axis(chances, places[:, np.newaxis], axis=1)[:, 0]
    return np.asarray(-np.log(np.clip(given, eps, 1 - eps)))
