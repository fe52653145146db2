"""The figures of a regression, each with its interval."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from brinery.evaluate import regression as reg
from brinery.evaluate.intervals import (
    FEW,
    Bounds,
    Scale,
    around,
    estimate,
    mean,
    normal,
    shifted,
)
from brinery.evaluate.ranking import Floats
from brinery.records.estimate import Estimate, Interval

Figures = dict[str, Estimate | str]

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
PINBALL: Final = (0.1, 0.5, 0.9)

_CONSTANT: Final = "the target has the same value in every row"
_ONE_ANSWER: Final = "the model's predictions have the same value in every row"
_ZERO: Final = "the target is 0 in some rows, and no error is a share of 0"
_BELOW: Final = "the target or the predictions go down to -1 or below, which has no logarithm"
TOO_LARGE: Final = "the errors are too large or too small for a floating-point number"


class Rows(NamedTuple):
    """The rows of a regression, all (n_rows,).

    Attributes:
        actual: finite.
        predicted: finite.
        weights: above 0, or None where each row counts once.
    """

    actual: Floats
    predicted: Floats
    weights: Floats | None


def figures(rows: Rows, *, level: float) -> Figures:
    """Return every figure of a regression, or the reason why it is absent.

    Args:
        rows: at least one.
        level: of the intervals, 0 to 1.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        found = _figures(rows, level=level)
    return {name: _finite(value) for name, value in found.items()}


def _figures(rows: Rows, *, level: float) -> Figures:
    actual, predicted, weights = rows
    error = predicted - actual
    size = np.abs(error)
    constant = _CONSTANT if actual.min() == actual.max() else ""
    flat = constant or (_ONE_ANSWER if predicted.min() == predicted.max() else "")
    zero = "" if actual.all() else _ZERO
    below = _BELOW if min(actual.min(), predicted.min()) <= -1 else ""
    mse = _mean(np.square(error), rows, level=level)
    found: Figures = {
        "mae": _mean(size, rows, level=level),
        "rmse": _root(mse),
        "r2": constant or _explained(rows, error, level=level),
        "mape": zero or _mean(np.abs(error / actual), rows, level=level),
        "mse": mse,
        "rmsle": below or _root(_mean(_logs_apart(actual, predicted), rows, level=level)),
        "explained_variance": constant
        or _explained(rows, error - np.average(error, weights=weights), level=level),
        "pearson": flat or _pearson(rows, level=level),
        "spearman": flat or _spearman(rows, level=level),
    }
    for share in PINBALL:
        found[f"pinball_{share * 100:.0f}"] = _mean(
            reg.pinball_parts(actual, predicted, share=share), rows, level=level
        )
    order = reg.ordered(size, weights)
    found["median_ae"] = _quantile(order, 0.5, level=level)
    order = reg.ordered(error, weights)
    for share in QUANTILES:
        found[f"error_p{share * 100:02.0f}"] = _quantile(order, share, level=level)
    return found


def _finite(value: Estimate | str) -> Estimate | str:
    if isinstance(value, str) or math.isfinite(value.value):
        return value
    return TOO_LARGE


def _mean(values: Floats, rows: Rows, *, level: float) -> Estimate:
    """Return a mean of values from 0 up; Student's t on the log scale."""
    return mean(values, weights=rows.weights, level=level, scale=Scale.LOG)


def _root(squared: Estimate) -> Estimate:
    bounds: Bounds = squared.interval or squared.reason
    return estimate(math.sqrt(squared.value), shifted(bounds, "sqrt"))


def _logs_apart(actual: Floats, predicted: Floats) -> Floats:
    apart = np.log1p(predicted)
    apart -= np.log1p(actual)
    return np.square(apart, out=apart)


def _explained(rows: Rows, error: Floats, *, level: float) -> Estimate:
    """Return the share of the target's variance that is explained, 1 and down.

    What is left unexplained, 1 less this share, is above 0 and a ratio of two means.

    Args:
        rows: whose target is not constant.
        error: (n_rows,) of each; less their mean for the explained variance.
        level: of the interval.

    Source of the interval: the delta method for a ratio of means, on the log scale.
    """
    wide = np.square(rows.actual - np.average(rows.actual, weights=rows.weights))
    missed = np.square(error)
    whole = np.average(wide, weights=rows.weights)
    left = float(np.average(missed, weights=rows.weights) / whole)
    moved = (missed - left * wide) / whole
    spread = _variance(moved, rows.weights)
    bounds = around(left, spread, scale=Scale.LOG, level=level)
    return estimate(1 - left, shifted(bounds, "complement"))


def _pearson(rows: Rows, *, level: float) -> Estimate:
    """Return the correlation of target and prediction, -1 to 1.

    Source of the interval: the influence function of a correlation (Devlin et al. 1975), which
    asks for no normal distribution, on the scale of Fisher 1921.
    """
    one = _standard(rows.actual, rows.weights)
    other = _standard(rows.predicted, rows.weights)
    value = float(np.average(one * other, weights=rows.weights))
    moved = one * other - value * (one**2 + other**2) / 2
    spread = _variance(moved, rows.weights)
    # Rounding may take a perfect correlation past 1.
    value = min(max(value, -1.0), 1.0)
    return estimate(value, around(value, spread, scale=Scale.FISHER, level=level))


def _spearman(rows: Rows, *, level: float) -> Estimate:
    """Return the correlation of the ranks of target and prediction, -1 to 1.

    Source of the interval: Borkowf 2002, the influence of a row on both rankings and on their
    correlation, which asks for no normal distribution; on Fisher's scale.
    """
    weights = rows.weights
    share = np.full(rows.actual.size, 1 / rows.actual.size)
    if weights is not None:
        share = weights / weights.sum()
    one, other = reg.ranks(rows.actual, weights), reg.ranks(rows.predicted, weights)
    both = _rank_moved(one, other, share)
    own = _rank_moved(one, one, share), _rank_moved(other, other, share)
    value, moved = _correlated(both, own)
    spread = _variance(moved, weights)
    return estimate(value, around(value, spread, scale=Scale.FISHER, level=level))


def _rank_moved(one: reg.Ranks, other: reg.Ranks, share: Floats) -> tuple[float, Floats]:
    """Return the covariance of two rankings, and how far each row moves it: (n_rows,)."""
    left, right = one.middle - 0.5, other.middle - 0.5
    moved = left * right
    value = float(moved @ share)
    moved += one.at_or_above(right * share)
    moved += other.at_or_above(left * share)
    return value, moved - moved @ share


def _correlated(
    both: tuple[float, Floats], own: tuple[tuple[float, Floats], tuple[float, Floats]]
) -> tuple[float, Floats]:
    """Return a correlation and its influence from those of a covariance and two variances."""
    (one, one_moved), (other, other_moved) = own
    whole = math.sqrt(one * other)
    value = min(max(both[0] / whole, -1.0), 1.0)
    moved = both[1] / whole - value / 2 * (one_moved / one + other_moved / other)
    return value, moved


def _quantile(order: reg.Ordered, share: float, *, level: float) -> Estimate:
    """Return a quantile, between the values at the ranks where it may lie as well.

    Source of the interval: Woodruff 1952; without weights it is the binomial one of order
    statistics, which asks nothing of the distribution.
    """
    value = order.at(share)
    rows = order.rows
    wide = normal(level) * math.sqrt(share * (1 - share) / rows)
    low, high = share - wide, share + wide
    if low * rows < 1 or (1 - high) * rows < 1:
        return estimate(value, FEW)
    found = Interval(
        low=min(order.at(low), value),
        high=max(order.at(high), value),
        level=level,
        method="order statistics",
    )
    return estimate(value, found)


def _standard(values: Floats, weights: Floats | None) -> Floats:
    centred = values - np.average(values, weights=weights)
    # Scaled first, so that squares neither vanish nor overflow.
    centred /= np.abs(centred).max()
    centred /= np.sqrt(np.average(np.square(centred), weights=weights))
    return np.asarray(centred)


def _variance(moved: Floats, weights: Floats | None) -> float:
    """Return the variance of a figure from the influence of each row."""
    if weights is None:
        return float(moved @ moved / moved.size**2) if moved.size > 1 else math.nan
    pulled = moved * weights
    return float(pulled @ pulled / weights.sum() ** 2)
