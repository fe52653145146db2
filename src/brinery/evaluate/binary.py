"""The figures of a model that tells two classes apart, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar

import numpy as np
from msgspec.structs import replace

from brinery.evaluate import calibration, delong, influence
from brinery.evaluate import ranking as rk
from brinery.evaluate import tally as tl
from brinery.evaluate.classification import Counts, confusion_at, confusion_matrix
from brinery.evaluate.intervals import Scale, around, estimate, mean, wilson
from brinery.evaluate.options import Options
from brinery.evaluate.ranking import Bools, Floats, Ranking, rank
from brinery.evaluate.sample import Labelled, one_class, sums_to_one
from brinery.evaluate.thresholds import separation, table, thresholds
from brinery.records.estimate import Estimate
from brinery.records.evaluation import Confusion
from brinery.records.signature import Scalar
from brinery.records.threshold import Aim, Threshold

HALF: Final = 0.5

Figures = dict[str, Estimate | str]

_TENTH: Final = 0.1
_CHOSEN: Final = "it was chosen on these rows; the threshold's corrected figure has an interval"

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


class Binary(NamedTuple):
    """The rows of a binary model, ranked by the probability of the positive class.

    Attributes:
        rows: as they came.
        positive: (n_rows,) whether a row is of the positive class.
        ranking: of the rows, or why they cannot be ranked.
        single: why nothing can be told apart; empty where both classes are present.
    """

    rows: Labelled
    positive: Bools
    ranking: Ranking | str
    single: str


def ranked(rows: Labelled) -> Binary:
    """Return the rows of a binary model, ranked.

    Args:
        rows: at least one, of two classes, of which the second is positive.
    """
    positive = rows.codes == 1
    chances = rows.probabilities
    ranking = (
        chances if isinstance(chances, str) else rank(positive, chances[:, 1], weights=rows.weights)
    )
    return Binary(rows, positive, ranking, one_class(rows.codes, rows.classes))


def cuts(given: Binary, aims: tuple[Aim, ...], *, options: Options) -> tuple[Threshold, ...] | str:
    """Return the best threshold for each figure, or the reason why nothing can be cut.

    Args:
        given: the rows.
        aims: the figures.
        options: how the optimism is found.
    """
    if given.single or isinstance(given.ranking, str):
        return given.single or str(given.ranking)
    return thresholds(given.ranking, aims, rows=given.positive.size, options=options)


def figures(given: Binary, cut: Threshold | str, *, options: Options) -> Figures:
    """Return every figure of a binary model, or the reason why it is absent.

    What is made of the cells of the confusion matrix is that of the model's own labels, which need
    not be those of the threshold 0.5: a model may have a threshold of its own, or break ties.

    Args:
        given: the rows.
        cut: the threshold that is best for F1, or why there is none.
        options: beta, gains, level and bins.
    """
    level = options.level
    tally = _own(given, level=level)
    caught = tally
    if not given.positive.any():
        caught = f"no row of the data is of the positive class {given.rows.classes[1]!r}"
    beta = f"f{options.beta:g}"
    ordered = given.single or given.ranking
    found: Figures = {
        "accuracy": _of(tally, tl.accuracy),
        "roc_auc": _of(ordered, partial(roc_auc, level=level)),
        "average_precision": _of(ordered, partial(average_precision, level=level)),
        "log_loss": _of(given.rows.probabilities, partial(_log_loss, given, level=level)),
        "brier": _of(given.rows.probabilities, partial(_brier, given, level=level)),
        "precision": _of(caught, lambda it: tl.precision(it, 1)),
        "recall": _of(caught, lambda it: tl.recall(it, 1)),
        "f1": _of(caught, lambda it: tl.f1(it, 1)),
        "f1_best": _of(cut, lambda it: Estimate(value=it.naive, reason=_CHOSEN)),
        "f1_best_threshold": _of(cut, lambda it: Estimate(value=it.threshold, reason=_CHOSEN)),
        "balanced_accuracy": given.single or _of(tally, tl.balanced_accuracy),
        "specificity": _no_negative(given) or _of(tally, lambda it: tl.recall(it, 0)),
        beta: _of(caught, lambda it: tl.f_beta(it, 1, beta=options.beta)),
        "mcc": given.single or _of(tally, tl.matthews),
        "kappa": given.single or _of(tally, tl.kappa),
        "ece": _of(given.ranking, partial(_ece, options=options)),
        "ks": _of(ordered, partial(separation, options=options)),
        "lift_10": _of(ordered, partial(_lift, level=level)),
    }
    if options.gains is not None:
        gains = table(options.gains)
        found["gain"] = _of(tally, lambda it: tl.gain(it, gains))
    return found


def confusions(given: Binary, cut: Threshold | str) -> tuple[Confusion, ...]:
    """Return the confusion matrices at the model's own labels, at 0.5 and at the best threshold."""
    rows = given.rows
    found = []
    if not isinstance(rows.predicted, str):
        counts = confusion_matrix(rows.codes, rows.predicted, n_classes=2)
        found.append(confusion(rows.classes, counts))
    if not isinstance(rows.probabilities, str):
        score = rows.probabilities[:, 1]
        cuts = [HALF] if isinstance(cut, str) else [HALF, cut.threshold]
        for threshold in cuts:
            counts = confusion_at(given.positive, score, threshold=threshold)
            found.append(confusion(rows.classes, counts, threshold=threshold))
    return tuple(found)


def confusion(
    classes: tuple[Scalar, ...], counts: Counts, *, threshold: float | None = None
) -> Confusion:
    """Return a confusion matrix of whole rows as a record: (k, k) counts."""
    return Confusion(labels=classes, counts=tuple(map(tuple, counts.tolist())), threshold=threshold)


def roc_auc(ranking: Ranking, *, level: float) -> Estimate:
    """Return the area under the ROC curve.

    Source of the interval: DeLong et al. 1988, on the logit scale, on which it covers better near 1
    (Qin & Hotilovac 2008). Of classes that are parted without a fault DeLong's variance is 0; the
    true one is at most that of a share of as many rows as the smaller class has (Birnbaum & Klose
    1957), so the interval is Wilson's of that many, which is on the safe side.
    """
    area = delong.area(ranking)
    if area.value in {0.0, 1.0}:
        sizes = (
            float(weights.sum() ** 2 / squares.sum())
            for weights, squares in (
                (ranking.positives, ranking.positive_squares),
                (ranking.negatives, ranking.negative_squares),
            )
        )
        return estimate(area.value, wilson(area.value, min(sizes), level=level))
    bounds = around(
        area.value, area.variance, scale=Scale.LOGIT, level=level, method="DeLong, logit"
    )
    return estimate(area.value, bounds)


def average_precision(ranking: Ranking, *, level: float) -> Estimate:
    """Return the average precision.

    Source of the interval: `influence.average_precision`, on the logit scale as Boyd et al. 2013.
    """
    value = rk.average_precision(ranking)
    spread = influence.average_precision(ranking).variance(ranking)
    return estimate(value, around(value, spread, scale=Scale.LOGIT, level=level))


def gained(ranking: Ranking, shares: Sequence[float], *, level: float) -> tuple[Estimate, ...]:
    """Return the share of the positive rows among the highest scores.

    Args:
        ranking: of rows of both classes.
        shares: (n_shares,) of all rows, above 0 to 1.
        level: of the intervals.

    Returns:
        (n_shares,) 0 to 1.

    Source of the intervals: the influence function of a share above a quantile, in which the rate
    of positives at that quantile is taken from the rows around it (Hampel 1974); Wilson 1927 where
    all of the positive rows are there, or none.
    """
    rows = np.cumsum(ranking.negatives)
    caught = np.cumsum(ranking.positives)
    rows += caught
    total, squares = rows[-1], ranking.positive_squares.sum() + ranking.negative_squares.sum()
    near = 0.5 * (total**2 / squares) ** -0.2
    cut = np.array(shares)
    low, high = np.maximum(cut - near, 0.0), np.minimum(cut + near, 1.0)
    wanted = np.concatenate([low, cut, high])
    before, value, after = rk.taken(caught, rows, share=wanted).reshape(3, -1)
    rate = caught[-1] / total
    local = (after - before) * rate / (high - low)
    places = np.searchsorted(rows, cut * total, side="left") + 1
    found = []
    for each in range(cut.size):
        if cut[each] >= 1:
            found.append(estimate(1.0, "all rows hold all positive rows"))
            continue
        spread = 0.0
        for weights, is_positive in ((ranking.positive_squares, 1), (ranking.negative_squares, 0)):
            for taken, part in ((1, weights[: places[each]]), (0, weights[places[each] :])):
                moved = taken * (is_positive - local[each]) + local[each] * cut[each]
                moved -= value[each] * is_positive
                spread += float(part.sum()) * float(moved / rate) ** 2
        share = float(value[each])
        bounds = around(share, spread / float(total) ** 2, scale=Scale.LOGIT, level=level)
        if isinstance(bounds, str):  # all of the positive rows, or none
            sure = float(caught[-1] ** 2 / ranking.positive_squares.sum())
            bounds = wilson(share, sure, level=level)
        found.append(estimate(share, bounds))
    return tuple(found)


def _of(value: _Given | str, figure: Callable[[_Given], _Result]) -> _Result | str:
    """Return the figure of a value, or the reason why there is no value."""
    return value if isinstance(value, str) else figure(value)


def _own(given: Binary, *, level: float) -> tl.Tally | str:
    rows = given.rows
    if isinstance(rows.predicted, str):
        return rows.predicted
    return tl.tally(rows.codes, rows.predicted, n_classes=2, weights=rows.weights, level=level)


def _no_negative(given: Binary) -> str:
    if not given.positive.all():
        return ""
    return f"no row of the data is of class {given.rows.classes[0]!r}"


def _log_loss(given: Binary, chances: Floats, *, level: float) -> Estimate | str:
    """Return the mean of -ln(probability of the actual class); its source is `log_loss`'s."""
    if why := sums_to_one(chances):
        return why
    eps = np.finfo(np.float64).eps
    right = np.where(given.positive, chances[:, 1], chances[:, 0])
    np.clip(right, eps, 1 - eps, out=right)
    np.log(right, out=right)
    np.negative(right, out=right)
    return mean(right, weights=given.rows.weights, level=level, scale=Scale.LOG)


def _brier(given: Binary, chances: Floats, *, level: float) -> Estimate:
    """Return the mean squared error of the positive class's probability."""
    off = chances[:, 1] - given.positive
    np.square(off, out=off)
    return mean(off, weights=given.rows.weights, level=level, scale=Scale.LOG)


def _ece(ranking: Ranking, *, options: Options) -> Estimate:
    bins = calibration.bins(ranking, n_bins=options.bins)
    return calibration.error(bins, level=options.level)


def _lift(ranking: Ranking, *, level: float) -> Estimate:
    return lift(gained(ranking, [_TENTH], level=level)[0], _TENTH)


def lift(gain: Estimate, share: float) -> Estimate:
    """Return how many times more often a row of a share is positive than any row.

    Args:
        gain: share of the positive rows that are in the share.
        share: of all rows, above 0.
    """
    inner = gain.interval
    if inner is None:
        return estimate(gain.value / share, gain.reason)
    scaled = replace(inner, low=inner.low / share, high=inner.high / share)
    return estimate(gain.value / share, scaled)
