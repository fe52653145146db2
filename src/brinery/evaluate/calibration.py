"""Whether what was predicted with a probability comes true as often: bins, and their mean error.

The module knows one class against the rest; it must not know how bins are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from brinery.evaluate.intervals import FEW, estimate, normal, wilson
from brinery.evaluate.ranking import Floats, Indices, Ranking
from brinery.records.curves import Calibration
from brinery.records.estimate import Estimate, Interval

_FAR: Final = 1e6
_STEPS: Final = 40


class Bins(NamedTuple):
    """Rows by their probability, in bins of equal width; all but `edges` (n_bins,).

    Attributes:
        edges: (n_bins + 1,) from 0 to 1; a bin holds its upper edge, the first also its lower.
        weight: of the bin's rows; their number without weights.
        squares: sum of the squares of the weights.
        positives: weight of its positive rows.
        predicted: weighted sum of the probabilities.
        spread: sum of the squares of weight times (truth - probability).
    """

    edges: Floats
    weight: Floats
    squares: Floats
    positives: Floats
    predicted: Floats
    spread: Floats


def bins(ranking: Ranking, *, n_bins: int) -> Bins:
    """Return the rows of a ranking by probability.

    Args:
        ranking: of scores from 0 to 1.
        n_bins: how many, of equal width.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    places = np.searchsorted(-ranking.score, -edges[::-1], side="left")[::-1]
    places[0], places[-1] = ranking.score.size, 0
    found = [_bin(ranking, places[i + 1], places[i]) for i in range(n_bins)]
    return Bins(edges, *np.array(found).T)


def error(given: Bins, *, level: float) -> Estimate:
    """Return the expected calibration error, 0 to 1: the mean distance of truth from probability.

    It is too large where bins are small, for chance alone puts them off. The interval holds every
    error from which chance makes one like this: the bins' own distances, all of them a number of
    times as large, are what is tried, and each tried bin's distance is folded normal. It always
    holds the figure itself; where the probabilities may well be right it begins at 0.

    Args:
        given: of at least one row.
        level: of the interval, 0 to 1.

    Source: Naeini et al. 2015; mean and variance of a folded normal: Leone et al. 1961.
    """
    there = given.weight > 0
    weight = given.weight[there]
    share = weight / weight.sum()
    apart = np.abs(given.positives - given.predicted)[there] / weight
    value = float(share @ apart)
    rows = weight**2 / given.squares[there]
    spread = given.spread[there] / weight**2 - apart**2 / rows
    # A bin of a few rows that agree has its variance from the probabilities themselves.
    mean = given.predicted[there] / weight
    spread = np.sqrt(np.maximum(spread, mean * (1 - mean) / rows))
    if not spread.any():
        return estimate(value, FEW)
    wide = normal(level)

    def excess(times: float, side: int) -> float:
        """Return how far the end on a side lies above the figure, were errors so much larger."""
        middle, deviation = _folded(apart * times, spread, share=share)
        return middle + side * wide * deviation - value

    low, high = _root(partial(excess, side=1)), _root(partial(excess, side=-1))
    found = Interval(
        low=min(low, 1.0) * value,
        high=min(max(high, 1.0) * value, 1.0),
        level=level,
        method="folded normal",
    )
    return estimate(value, found)


def curve(given: Bins, *, level: float) -> Calibration:
    """Return the bins that have rows as they are drawn.

    Source of the intervals: Wilson 1927.
    """
    there: Indices = np.flatnonzero(given.weight > 0)
    weight, squares = given.weight[there], given.squares[there]
    observed = given.positives[there] / weight
    rows = weight**2 / squares
    ends = [
        wilson(float(share), float(total), level=level)
        for share, total in zip(observed, rows, strict=True)
    ]
    return Calibration(
        edges=tuple(given.edges.tolist()),
        rows=tuple(weight.tolist()),
        predicted=tuple((given.predicted[there] / weight).tolist()),
        observed=tuple(observed.tolist()),
        low=tuple(end.low for end in ends),
        high=tuple(end.high for end in ends),
        bin=tuple(there.tolist()),
        error=error(given, level=level),
    )


def _bin(ranking: Ranking, start: int, stop: int) -> tuple[float, ...]:
    score = ranking.score[start:stop]
    positives, negatives = ranking.positives[start:stop], ranking.negatives[start:stop]
    square = np.square(score)
    missed = ranking.positive_squares[start:stop] @ np.square(1 - score)
    alarmed = ranking.negative_squares[start:stop] @ square
    squares = ranking.positive_squares[start:stop].sum()
    squares += ranking.negative_squares[start:stop].sum()
    caught = positives.sum()
    weight = caught + negatives.sum()
    predicted = positives @ score + negatives @ score
    return float(weight), float(squares), float(caught), float(predicted), float(missed + alarmed)


def _root(function: Callable[[float], float]) -> float:
    """Return where a function that rises crosses 0, from 0 up; 0 where it starts above."""
    low, high = 0.0, 1.0
    if function(low) >= 0:
        return 0.0
    while function(high) < 0 and high < _FAR:
        low, high = high, high * 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return high


def _folded(middle: Floats, deviation: Floats, *, share: Floats) -> tuple[float, float]:
    """Return mean and deviation of a mean of distances from 0 of normal variables.

    Args:
        middle: (n_bins,) of the variables, 0 and up.
        deviation: (n_bins,) of the variables.
        share: (n_bins,) of each in the mean.
    """
    # Beyond 40 deviations a variable is its own distance; the square of more may overflow.
    away = np.minimum(middle, deviation * 40)
    away = np.divide(away, deviation, out=np.zeros(away.size), where=deviation > 0)
    inside = np.array([math.erf(each / math.sqrt(2)) for each in away.tolist()])
    mean = deviation * math.sqrt(2 / math.pi) * np.exp(-(away**2) / 2) + middle * inside
    mean = np.where(deviation > 0, mean, middle)
    variance = np.maximum(middle**2 + deviation**2 - mean**2, 0.0)
    return float(share @ mean), math.sqrt(float(share**2 @ variance))
