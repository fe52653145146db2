"""Where to cut a binary model's scores for one figure, and how much of that figure is optimism.

The cut is the best of those that the rows offer, so the figure at it is too good. How much too
good, draws from the rows tell: the cut that is best in a draw does better there than it does on
the rows that were drawn from (Efron & Gong 1983). Draws are of groups of scores, by Poisson counts
(Hanley & MacGibbon 2006), so that a million rows cost no more than five hundred.
"""

from __future__ import annotations

from typing import Final, assert_never

import numpy as np
from msgspec.structs import replace

from brinery.evaluate import classification as cls
from brinery.evaluate import influence
from brinery.evaluate import ranking as rk
from brinery.evaluate import tally as tl
from brinery.evaluate.intervals import Scale, around, estimate
from brinery.evaluate.options import Options
from brinery.evaluate.ranking import Cut, Floats, Indices, Ranking, best
from brinery.records.estimate import Estimate
from brinery.records.threshold import Aim, Gains, Threshold

_GROUPS: Final = 512
_BLOCK: Final = 65_536
_METHOD: Final = "bootstrap optimism"
_SCALES: Final = {Aim.MCC: Scale.FISHER, Aim.KAPPA: Scale.FISHER, Aim.GAIN: Scale.PLAIN}


def figure(
    aim: Aim, caught: Floats, *, alarms: Floats, rows: tuple[Floats, Floats], options: Options
) -> Floats:
    """Return a figure at cuts.

    Args:
        aim: which.
        caught: (..., n_cuts) weight of the positive rows at and above the cut.
        alarms: (..., n_cuts) that of the negative rows.
        rows: weight of all positive and of all negative rows, each to be broadcast with these.
        options: beta, and the gains where the gain is asked for.

    Returns:
        (..., n_cuts); NaN where it is undefined.
    """
    positives, negatives = rows
    missed, spared = positives - caught, negatives - alarms
    total = positives + negatives
    with np.errstate(divide="ignore", invalid="ignore"):
        match aim:
            case Aim.F1 | Aim.F_BETA:
                square = options.beta**2 if aim is Aim.F_BETA else 1.0
                return (1 + square) * caught / (square * positives + caught + alarms)
            case Aim.ACCURACY:
                return (caught + spared) / total
            case Aim.BALANCED_ACCURACY:
                return (caught / positives + spared / negatives) / 2
            case Aim.MCC:
                taken = caught + alarms
                spread = np.sqrt(positives * negatives) * np.sqrt(taken * (total - taken))
                apart = caught * spared - alarms * missed
                return np.where(spread > 0, apart / np.where(spread > 0, spread, 1.0), 0.0)
            case Aim.KAPPA:
                chance = (caught + alarms) * negatives + positives * (missed + spared)
                return 2 * (caught * spared - missed * alarms) / chance
            case Aim.GAIN:
                worth = options.gains or Gains()
                return (
                    worth.true_positive * caught
                    + worth.false_positive * alarms
                    + worth.false_negative * missed
                    + worth.true_negative * spared
                ) / total
            case _:
                assert_never(aim)


def thresholds(
    ranking: Ranking, aims: tuple[Aim, ...], *, rows: int, options: Options
) -> tuple[Threshold, ...]:
    """Return the best cut for each figure, with its optimism.

    Args:
        ranking: of rows of both classes.
        aims: the figures; the gain only where the options have gains.
        rows: how many rows the ranking is of.
        options: beta, gains, level, draws and seed.
    """
    values = _bests(ranking, aims, options=options)
    drawn = _Draws(ranking, options)
    found = []
    for aim, cut in zip(aims, values, strict=True):
        optimism, draws = drawn.optimism(aim)
        found.append(
            Threshold(
                aim=aim,
                threshold=cut.threshold,
                naive=cut.value,
                optimism=optimism,
                corrected=_corrected(
                    aim,
                    tl.tally_at(ranking, cut.threshold, level=options.level),
                    naive=cut.value,
                    optimism=optimism,
                    options=options,
                ),
                method=_METHOD,
                draws=draws,
                seed=options.seed,
                rows=rows,
            )
        )
    return tuple(found)


def separation(ranking: Ranking, *, options: Options) -> Estimate:
    """Return the Kolmogorov-Smirnov distance of the two classes' scores, 0 to 1.

    It is the distance at the widest cut, and so too large by the optimism of that cut, which draws
    tell as they do for a threshold; the interval is around the distance less that optimism, and
    always holds the distance itself.

    Args:
        ranking: of rows of both classes.
        options: level, draws and seed.

    Source: Smirnov 1939; the variance at the widest cut: Raghavachari 1973.
    """
    cut = rk.separation(ranking)
    shares, spread = [], 0.0
    for weight, squares in (
        (ranking.positives, ranking.positive_squares),
        (ranking.negatives, ranking.negative_squares),
    ):
        total = weight.sum()
        shares.append(float(weight[: cut.place + 1].sum() / total))
        spread += shares[-1] * (1 - shares[-1]) * float(squares.sum() / total**2)
    if shares[0] < shares[1]:
        positives, negatives, positive_squares, negative_squares = ranking[1:]
        ranking = Ranking(ranking.score, negatives, positives, negative_squares, positive_squares)
    # The distance is twice the balanced accuracy, less 1.
    optimism, _ = _Draws(ranking, options).optimism(Aim.BALANCED_ACCURACY)
    middle = cut.value - 2 * optimism
    bounds = around(middle, spread, level=options.level, method="bootstrap")
    if isinstance(bounds, str):
        return estimate(cut.value, bounds)
    low, high = min(max(bounds.low, 0.0), cut.value), max(min(bounds.high, 1.0), cut.value)
    return estimate(cut.value, replace(bounds, low=low, high=high))


def _bests(ranking: Ranking, aims: tuple[Aim, ...], *, options: Options) -> list[Cut]:
    """Return the best cut for each figure, block by block so that a million take little memory."""
    caught, alarms = np.cumsum(ranking.positives), np.cumsum(ranking.negatives)
    rows = (caught[-1:], alarms[-1:])
    values = np.empty(caught.size)
    found = []
    for aim in aims:
        for start in range(0, caught.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            values[block] = figure(
                aim, caught[block], alarms=alarms[block], rows=rows, options=options
            )
        found.append(best(values, ranking.score))
    return found


class _Draws:
    """The same draws for every figure."""

    def __init__(self, ranking: Ranking, options: Options) -> None:
        self._options = options
        first = _groups(ranking)
        source = np.random.default_rng(options.seed)
        self._caught, self._alarms = (
            np.cumsum(np.add.reduceat(weight, first))
            for weight in (ranking.positives, ranking.negatives)
        )
        drawn = [
            np.cumsum(
                _drawn(
                    source,
                    np.add.reduceat(weight, first),
                    squares=np.add.reduceat(squares, first),
                    draws=options.draws,
                ),
                axis=1,
            )
            for weight, squares in (
                (ranking.positives, ranking.positive_squares),
                (ranking.negatives, ranking.negative_squares),
            )
        ]
        # A draw without a row of a class has no figure.
        usable = (drawn[0][:, -1] > 0) & (drawn[1][:, -1] > 0)
        self._drawn_caught, self._drawn_alarms = (each[usable] for each in drawn)

    def optimism(self, aim: Aim) -> tuple[float, int]:
        """Return by how much draws' best cuts do better there than on the rows, and how many.

        What a draw changes at the rows' own best cut it changes at all cuts, and is no optimism:
        it is taken off, which leaves the mean as it is and most of the noise out.
        """
        draws = len(self._drawn_caught)
        if not draws:
            return 0.0, 0
        own, there = self._figures(aim)
        fixed = int(own.argmax())
        gained = there.max(axis=1) - there[:, fixed]
        lost = own[fixed] - own[there.argmax(axis=1)]
        return float((gained + lost).mean()), draws

    def _figures(self, aim: Aim) -> tuple[Floats, Floats]:
        """Return a figure at each cut: (n_groups,) on the rows, (draws, n_groups) in draws."""
        caught, alarms = self._drawn_caught, self._drawn_alarms
        rows = (caught[:, -1:], alarms[:, -1:])
        there = figure(aim, caught, alarms=alarms, rows=rows, options=self._options)
        rows = (self._caught[-1:], self._alarms[-1:])
        own = figure(aim, self._caught, alarms=self._alarms, rows=rows, options=self._options)
        own, there = (np.where(np.isnan(each), -np.inf, each) for each in (own, there))
        return own, there


def _groups(ranking: Ranking) -> Indices:
    """Return where each of at most 512 groups of about as much weight begins: (n_groups,)."""
    if ranking.score.size <= _GROUPS:
        return np.arange(ranking.score.size)
    rows = np.cumsum(ranking.positives + ranking.negatives)
    ends = np.searchsorted(rows, np.linspace(0, rows[-1], _GROUPS + 1)[1:-1])
    starts = np.unique(np.append(0, ends + 1))
    return starts[starts < rows.size]


def _drawn(source: np.random.Generator, weight: Floats, *, squares: Floats, draws: int) -> Floats:
    """Return the weight of each group in each draw: (draws, n_groups)."""
    there = weight > 0
    rows = np.divide(weight**2, squares, out=np.zeros(weight.size), where=there)
    each = np.divide(weight, rows, out=np.zeros(weight.size), where=there)
    return np.asarray(source.poisson(rows, size=(draws, weight.size)) * each)


def _corrected(
    aim: Aim, given: tl.Tally, *, naive: float, optimism: float, options: Options
) -> Estimate:
    """Return the figure less its optimism, with the interval of a cut that was not chosen by it.

    Source: Noma et al. 2021, the interval of the naive figure shifted by the optimism.
    """
    value = naive - optimism
    moved = _influence(aim, given.counts, options=options)
    spread = influence.variance(moved, given.counts, squares=given.squares)
    scale = _SCALES.get(aim, Scale.LOGIT)
    return estimate(value, around(value, spread, scale=scale, level=options.level))


def _influence(aim: Aim, counts: cls.Counts, *, options: Options) -> Floats:
    """Return how far a row of each cell moves the figure: (2, 2)."""
    positive = np.array([0.0, 1.0])
    match aim:
        case Aim.F1 | Aim.F_BETA:
            beta = options.beta if aim is Aim.F_BETA else 1.0
            return influence.f_beta(counts, positive, beta=beta)
        case Aim.ACCURACY:
            return np.asarray(np.eye(2) - cls.accuracy(counts), np.float64)
        case Aim.BALANCED_ACCURACY:
            return influence.recall(counts, np.full(2, 0.5))
        case Aim.MCC:
            one = min(np.count_nonzero(counts.sum(axis=axis)) for axis in (0, 1)) < cls.TWO
            return np.zeros((2, 2)) if one else influence.matthews(counts)
        case Aim.KAPPA:
            return influence.kappa(counts)
        case Aim.GAIN:
            worth = table(options.gains or Gains())
            return np.asarray(worth - (counts * worth).sum() / counts.sum())
        case _:
            assert_never(aim)


def table(gains: Gains) -> Floats:
    """Return gains as a matrix: (2, 2) rows by actual class, columns by predicted class."""
    return np.array(
        [
            [gains.true_negative, gains.false_positive],
            [gains.false_negative, gains.true_positive],
        ]
    )
