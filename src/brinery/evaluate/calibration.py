"""Whether what was predicted with a probability comes true as often: bins, and their mean error.

The module knows one class against the rest; it must not know how bins are drawn.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from brinery.evaluate.intervals import FEW, estimate, normal, wilson
from brinery.evaluate.ranking import Floats, Indices, Ranking
from brinery.records.curves import Calibration
from brinery.records.estimate import Estimate, Interval


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

    It is too large where bins are small, for chance alone puts them off. The interval is around
    the error less that bias, as the folded normal distribution of each bin's distance has it, and
    always holds the figure itself.

    Args:
        given: of at least one row.
        level: of the interval, 0 to 1.

    Source: Naeini et al. 2015; the bias and variance of a distance: Leone et al. 1961.
    """
    there = given.weight > 0
    weight = given.weight[there]
    share = weight / weight.sum()
    apart = (given.positives - given.predicted)[there] / weight
    value = float(share @ np.abs(apart))
    rows = weight**2 / given.squares[there]
    spread = given.spread[there] / weight**2 - apart**2 / rows
    # A bin of a few rows that agree has its variance from the probabilities themselves.
    mean = given.predicted[there] / weight
    spread = np.maximum(spread, mean * (1 - mean) / rows)
    true = np.sqrt(np.maximum(apart**2 - spread, 0.0))
    folded = [_folded(each, math.sqrt(v)) for each, v in zip(true, spread, strict=True)]
    bias = float(share @ (np.array([each for each, _ in folded]) - true))
    deviation = math.sqrt(float(share**2 @ np.array([variance for _, variance in folded])))
    if deviation == 0:
        return estimate(value, FEW)
    low = value - bias - normal(level) * deviation
    high = value - bias + normal(level) * deviation
    return estimate(
        value,
        Interval(
            low=max(min(low, value), 0.0),
            high=min(max(high, value), 1.0),
            level=level,
            method="folded normal",
        ),
    )


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


def _folded(middle: float, deviation: float) -> tuple[float, float]:
    """Return mean and variance of the distance from 0 of a normal variable."""
    if deviation == 0:
        return abs(middle), 0.0
    away = middle / deviation
    mean = deviation * math.sqrt(2 / math.pi) * math.exp(-(away**2) / 2)
    mean += middle * math.erf(away / math.sqrt(2))
    return mean, max(middle**2 + deviation**2 - mean**2, 0.0)
