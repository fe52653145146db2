"""How much each row moves a figure: its derivative by the row's weight, beside its value.

A figure is a function of weighted rows that does not change when every weight is doubled. Its
variance over samples is then the sum of the squared moves (the infinitesimal jackknife), and that
of the difference of two figures on the same rows is the same sum of the moves' differences: paired,
in closed form, right for weights and without a draw. The module must not know models or metrics'
names. Every function takes weights above 0; a row that counts nothing is left out before.

Source: Jaeckel 1972; Efron & Tibshirani 1993, chapter 21; Davison & Hinkley 1997, section 2.7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]


class Moved(NamedTuple):
    """A figure and how each row moves it.

    Attributes:
        value: of the figure; NaN where it is undefined.
        slope: (n_rows,) its derivative by the row's weight; their weighted sum is 0.
    """

    value: float
    slope: Floats


class Order(NamedTuple):
    """The order of rows by a score, and which of them are tied.

    Attributes:
        group: (n_rows,) of each row, the number of its score among the distinct ones, from 0.
    """

    group: Codes

    @classmethod
    def of(cls, score: Floats) -> Order:
        """Return the order of rows.

        Args:
            score: (n_rows,) finite.
        """
        rows = np.argsort(score)
        ranked = score[rows]
        group = np.zeros(score.size, np.intp)
        group[rows[1:]] = np.cumsum(ranked[1:] != ranked[:-1])
        return cls(group)

    def _sums(self, amounts: Floats) -> Floats:
        return np.bincount(self.group, weights=amounts).astype(np.float64, copy=False)

    def below(self, amounts: Floats) -> Floats:
        """Return for each row the sum of the amounts below it, and half of those tied with it."""
        sums = self._sums(amounts)
        return (np.cumsum(sums) - sums / 2)[self.group]

    def above(self, amounts: Floats) -> Floats:
        """Return for each row the sum of the amounts above it, and half of those tied with it."""
        sums = self._sums(amounts)
        return (np.cumsum(sums[::-1])[::-1] - sums / 2)[self.group]

    def at_or_below(self, amounts: Floats) -> Floats:
        """Return for each row the sum of the amounts of the rows with no higher score."""
        return np.asarray(np.cumsum(self._sums(amounts))[self.group])

    def at_or_above(self, amounts: Floats) -> Floats:
        """Return for each row the sum of the amounts of the rows with no lower score."""
        return np.asarray(np.cumsum(self._sums(amounts)[::-1])[::-1][self.group])


def mean(loss: Floats, weights: Floats) -> Moved:
    """Return the weighted mean of a quantity of each row.

    Args:
        loss: (n_rows,) finite.
        weights: (n_rows,) above 0.
    """
    total = weights.sum()
    value = float(weights @ loss / total)
    return Moved(value, (loss - value) / total)


def root_mean(loss: Floats, weights: Floats) -> Moved:
    """Return the root of the weighted mean of a quantity that is 0 or above.

    Args:
        loss: (n_rows,) finite, 0 and up.
        weights: (n_rows,) above 0.
    """
    square = mean(loss, weights)
    root = float(np.sqrt(square.value))
    return Moved(root, square.slope / (2 * root) if root else np.zeros_like(square.slope))


def weighted_mean_of(parts: tuple[Moved, ...], shares: tuple[Moved, ...]) -> Moved:
    """Return the mean of figures, each weighted by a figure that moves too.

    Args:
        parts: the figures.
        shares: one for each, not all 0; they need not sum to 1.
    """
    total = sum(share.value for share in shares)
    value = sum(part.value * share.value for part, share in zip(parts, shares, strict=True)) / total
    moves = [
        share.value * part.slope + (part.value - value) * share.slope
        for part, share in zip(parts, shares, strict=True)
    ]
    return Moved(float(value), np.sum(moves, axis=0) / total)


def roc_auc(positive: Bools, order: Order, *, weights: Floats) -> Moved:
    """Return how often a positive row outranks a negative one; a tie counts half.

    The slopes are the placements of DeLong: without weights the variance is his, but for a factor
    of n / (n - 1) in each class.

    Args:
        positive: (n_rows,) both kinds are there.
        order: of the rows by their score.
        weights: (n_rows,) above 0.

    Source: DeLong et al. 1988.
    """
    won = np.where(positive, weights, 0.0)
    lost = weights - won
    below, above = order.below(lost), order.above(won)
    positives, negatives = won.sum(), lost.sum()
    place = np.where(positive, below / negatives, above / positives)
    value = float(won @ place / positives)
    slope = (place - value) / np.where(positive, positives, negatives)
    return Moved(value, slope)


def average_precision(positive: Bools, order: Order, *, weights: Floats) -> Moved:
    """Return the precision at each cut, weighted by the recall gained there.

    Args:
        positive: (n_rows,) at least one is.
        order: of the rows by their score.
        weights: (n_rows,) above 0.
    """
    won = np.where(positive, weights, 0.0)
    positives = won.sum()
    caught, taken = order.at_or_above(won), order.at_or_above(weights)
    precision = caught / taken
    value = float(won @ precision / positives)
    # A row lowers or raises the precision at every cut at or below its own score.
    gained = order.at_or_below(won / taken)
    diluted = order.at_or_below(won * caught / taken**2)
    slope = (np.where(positive, precision - value + gained, 0.0) - diluted) / positives
    return Moved(value, slope)


def ks(positive: Bools, order: Order, *, weights: Floats) -> Moved:
    """Return the largest gap between the shares of positives and of negatives above a cut.

    The cut is held where it is: that it would move changes the gap by less than the rows do.

    Args:
        positive: (n_rows,) both kinds are there.
        order: of the rows by their score.
        weights: (n_rows,) above 0.

    Source: Kolmogorov 1933; Smirnov 1948; the move by the envelope theorem.
    """
    won = np.where(positive, weights, 0.0)
    lost = weights - won
    found = order.at_or_above(won) / won.sum()
    alarms = order.at_or_above(lost) / lost.sum()
    best = int(np.argmax(found - alarms))
    caught = (order.group >= order.group[best]).astype(np.float64)
    moved = np.where(
        positive,
        (caught - found[best]) / won.sum(),
        (alarms[best] - caught) / lost.sum(),
    )
    return Moved(float(found[best] - alarms[best]), moved)


def lift(positive: Bools, order: Order, *, weights: Floats, share: float) -> Moved:
    """Return how many times more often a row of the highest scores is positive than any row.

    The rows at the cut move with it: the rate of positives there is taken from the rows around it.

    Args:
        positive: (n_rows,) at least one is.
        order: of the rows by their score.
        weights: (n_rows,) above 0.
        share: of the rows that the highest scores are, above 0 and below 1.

    Source: Hampel 1974, of a share above a quantile.
    """
    won = np.where(positive, weights, 0.0)
    rows = np.bincount(order.group, weights)[::-1]
    caught = np.append(0.0, np.cumsum(np.bincount(order.group, won)[::-1]))
    reached = np.append(0.0, np.cumsum(rows))
    total, positives = reached[-1], caught[-1]
    # Of the rows that are tied at the cut, a part is taken.
    taken = ((share * total - reached[:-1]) / rows).clip(0, 1)[::-1][order.group]
    near = _near(weights)
    low, high = max(share - near, 0.0), min(share + near, 1.0)
    before, at, after = np.interp(np.array([low, share, high]) * total, reached, caught)
    local = (after - before) / ((high - low) * total)
    value = float(at / positives)
    slope = taken * (positive - local) + local * share - value * positive
    return Moved(value / share, slope / (positives * share))


def quantile(values: Floats, weights: Floats, *, share: float, at: float) -> Moved:
    """Return a quantile, which moves the less, the denser the values are around it.

    Args:
        values: (n_rows,) finite.
        weights: (n_rows,) above 0.
        share: which quantile, above 0 and below 1.
        at: its value.

    Returns:
        Slopes that are not finite where all values around it are the same.

    Source: Bahadur 1966; Koenker 2005, section 3.4, for the density.
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    total = reached[-1]
    near = min(_near(weights), 0.9 * share, 0.9 * (1 - share))
    low, high = np.interp(np.array([share - near, share + near]) * total, reached, values[order])
    with np.errstate(divide="ignore", invalid="ignore"):
        density = 2 * near / (high - low)
        slope = (share - (values <= at)) / density / total
    return Moved(at, slope - weights @ slope / total)


def explained(actual: Floats, error: Floats, *, weights: Floats, centred: bool) -> Moved:
    """Return the share of the target's variance that is explained.

    Args:
        actual: (n_rows,) finite, not constant.
        error: (n_rows,) finite.
        weights: (n_rows,) above 0.
        centred: whether the mean error is forgiven: explained variance, rather than R2.
    """
    total = weights.sum()
    off = error - (weights @ error / total if centred else 0.0)
    spread = np.square(actual - weights @ actual / total)
    whole = weights @ spread
    left = float(weights @ np.square(off) / whole)
    return Moved(1 - left, (left * spread - np.square(off)) / whole)


def pearson(actual: Floats, predicted: Floats, *, weights: Floats) -> Moved:
    """Return the linear correlation, -1 to 1.

    Args:
        actual: (n_rows,) finite, not constant.
        predicted: (n_rows,) finite, not constant.
        weights: (n_rows,) above 0.
    """
    one, other = _standard(actual, weights), _standard(predicted, weights)
    total = weights.sum()
    value = float(weights @ (one * other) / total)
    return Moved(value, (one * other - value * (one**2 + other**2) / 2) / total)


def spearman(actual: Floats, predicted: Floats, *, weights: Floats) -> Moved:
    """Return the correlation of the ranks, -1 to 1; tied rows share their middle rank.

    Args:
        actual: (n_rows,) finite, not constant.
        predicted: (n_rows,) finite, not constant.
        weights: (n_rows,) above 0.

    Source: Spearman 1904; Croux & Dehon 2010 for the move of a row, here with ties.
    """
    orders = Order.of(actual), Order.of(predicted)
    ranks = [order.below(weights) for order in orders]
    found = pearson(*ranks, weights=weights)
    one, other = (_standard(rank, weights) for rank in ranks)
    total = weights.sum()
    slope = found.slope.copy()
    # A row also moves the ranks of those above it.
    for order, rank, own, their in zip(orders, ranks, (one, other), (other, one), strict=True):
        pull = weights * (their - found.value * own) / (total * _spread(rank, weights))
        slope += order.above(pull)
    return Moved(found.value, slope - weights @ slope / total)


def _near(weights: Floats) -> float:
    """Return the share of the rows on each side of a cut that are near to it."""
    return float(0.5 * (weights.sum() ** 2 / (weights @ weights)) ** -0.2)


def _standard(values: Floats, weights: Floats) -> Floats:
    """Return values with a mean of 0 and a spread of 1."""
    centred: Floats = values - weights @ values / weights.sum()
    return centred / _spread(values, weights)


def _spread(values: Floats, weights: Floats) -> float:
    total = weights.sum()
    return float(np.sqrt(weights @ np.square(values - weights @ values / total) / total))
