"""What is drawn of an evaluation, thinned to what a page shows, from the same ranking.

Curves are thinned along their own length, so that no step of them is longer than one part of the
points asked for; the points that remain are exact. The module must not know how they are drawn.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final, assert_never

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from brinery.evaluate import binary, calibration
from brinery.evaluate.binary import Binary
from brinery.evaluate.continuous import TOO_LARGE, Rows
from brinery.evaluate.intervals import mean
from brinery.evaluate.options import Options
from brinery.evaluate.prepared import Prepared
from brinery.evaluate.ranking import Floats, Indices, Ranking, rank
from brinery.evaluate.sample import Labelled
from brinery.evaluate.thresholds import figure
from brinery.records.curves import (
    ClassCurves,
    Curve,
    Curves,
    Cuts,
    Deciles,
    Density,
    RegressionCurves,
    Scatter,
)
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Scalar
from brinery.records.threshold import Aim, Threshold

_BINS: Final = 50
_SHOWN: Final = 2000
_QUANTILES: Final = 100
_GROUPS: Final = 20
_CLASSES: Final = 20
_REST: Final = "rest"
_LARGE: Final = 1e150
_SMALL: Final = 1e-280


def every(options: Options) -> tuple[Aim, ...]:
    """Return each figure that a threshold can be chosen for; the gain where gains are given."""
    return tuple(aim for aim in Aim if aim is not Aim.GAIN or options.gains is not None)


def cuts(
    given: Prepared, aims: tuple[Aim, ...], *, options: Options
) -> tuple[Threshold, ...] | str:
    """Return the best thresholds of a binary model, or why there are none.

    Args:
        given: the rows.
        aims: the figures.
        options: how the optimism is found.
    """
    rows = given.rows
    if isinstance(rows, str):
        return rows
    if not isinstance(rows, Binary):
        return "only a model of two classes has a threshold"
    return binary.cuts(rows, aims, options=options)


def curves_of(
    given: Prepared, *, thresholds: tuple[Threshold, ...] | str, options: Options
) -> Curves:
    """Return what is drawn of rows that are prepared.

    Args:
        given: the rows.
        thresholds: of a binary model, or why there are none.
        options: how many points, bins and cuts, and the seed.
    """
    rows = given.rows
    count = len(given.sample.actual)
    match rows:
        case str():
            return Curves(type=given.type, rows=count, not_computed={"curves": rows})
        case Binary():
            if isinstance(rows.ranking, str):
                why = {"curves": rows.ranking}
                return Curves(type=given.type, rows=count, not_computed=why)
            label = rows.rows.classes[1]
            chosen = () if isinstance(thresholds, str) else thresholds
            drawn = _class(
                label, rows.positive, ranking=rows.ranking, chosen=chosen, options=options
            )
            return Curves(type=given.type, rows=count, classes=(drawn,))
        case Labelled():
            return _per_class(rows, options=options)
        case Rows():
            if not _drawable(rows):
                return Curves(type=given.type, rows=count, not_computed={"curves": TOO_LARGE})
            return Curves(type=given.type, rows=count, regression=_regression(given, rows, options))
        case _:
            assert_never(rows)


def _per_class(rows: Labelled, *, options: Options) -> Curves:
    count = rows.codes.size
    chances = rows.probabilities
    if isinstance(chances, str):
        return Curves(type=PredictionType.MULTICLASS, rows=count, not_computed={"curves": chances})
    support = np.bincount(rows.codes, minlength=len(rows.classes))
    drawn = np.sort(np.argsort(-support, kind="stable")[:_CLASSES])
    found = []
    for code in drawn.tolist():
        positive = rows.codes == code
        ranking = rank(positive, chances[:, code], weights=rows.weights)
        label = rows.classes[code]
        found.append(_class(label, positive, ranking=ranking, chosen=(), options=options))
    return Curves(
        type=PredictionType.MULTICLASS,
        rows=count,
        classes=tuple(found),
        classes_left_out=len(rows.classes) - len(found),
    )


def _class(
    label: Scalar,
    positive: npt.NDArray[np.bool_],
    *,
    ranking: Ranking,
    chosen: tuple[Threshold, ...],
    options: Options,
) -> ClassCurves:
    """Return what is drawn of one class against the rest, as far as there are rows of both."""
    count = int(np.count_nonzero(positive))
    reliability = calibration.curve(
        calibration.bins(ranking, n_bins=options.bins), level=options.level
    )
    plain = ClassCurves(
        label=label,
        rows=positive.size,
        positives=count,
        calibration=reliability,
        density=_density(ranking, label),
    )
    if count in (0, positive.size):
        which = "no row" if not count else "every row"
        names = ("roc", "precision_recall", "lift", "gain", "cuts", "deciles", "thresholds")
        why = dict.fromkeys(names, f"{which} of the data is of class {label!r}")
        return replace(plain, not_computed=why)
    caught, alarms = np.cumsum(ranking.positives), np.cumsum(ranking.negatives)
    points = options.cuts
    by_share = _thinned(caught + alarms, points)
    by_recall = _thinned(caught, points)
    precision = caught[by_recall] / (caught[by_recall] + alarms[by_recall])
    score = ranking.score
    taken = (caught[by_share] + alarms[by_share]) / (caught[-1] + alarms[-1])
    gained = caught[by_share] / caught[-1]
    return replace(
        plain,
        roc=_roc(score, caught, alarms, points=points),
        precision_recall=_curve(caught[by_recall] / caught[-1], precision, score[by_recall]),
        lift=_curve(taken, gained / taken, score[by_share]),
        gain=_curve(
            np.append(0.0, taken), np.append(0.0, gained), np.append(score[0] + 1, score[by_share])
        ),
        cuts=_cuts(ranking, (caught, alarms), chosen=chosen, options=options),
        deciles=_deciles(ranking, options=options),
        thresholds=chosen,
    )


def _roc(score: Floats, caught: Floats, alarms: Floats, *, points: int) -> Curve:
    length = alarms * (caught[-1] / alarms[-1])
    length += caught
    kept = _thinned(length, points)
    return _curve(
        np.append(0.0, alarms[kept] / alarms[-1]),
        np.append(0.0, caught[kept] / caught[-1]),
        np.append(score[0] + 1, score[kept]),
    )


def _thinned(length: Floats, points: int) -> Indices:
    """Return which points of a curve to keep: evenly along it, the first and the last among them.

    Args:
        length: (n_points,) of the curve up to each point, rising.
        points: about how many to keep.
    """
    if length.size <= points:
        return np.arange(length.size)
    wanted = np.linspace(length[0], length[-1], points)
    kept = np.searchsorted(length, wanted).clip(0, length.size - 1)
    return np.unique(np.append(kept, [0, length.size - 1]))


def _curve(x: Floats, y: Floats, threshold: Floats | None = None) -> Curve:
    return Curve(
        x=tuple(x.tolist()),
        y=tuple(y.tolist()),
        threshold=() if threshold is None else tuple(threshold.tolist()),
    )


def _density(ranking: Ranking, label: Scalar) -> Density:
    edges = np.linspace(0, 1, _BINS + 1)
    places = np.searchsorted(-ranking.score, -edges[::-1], side="left")[::-1]
    places[0], places[-1] = ranking.score.size, 0
    series = []
    for weight in (ranking.positives, ranking.negatives):
        reached = np.append(0.0, np.cumsum(weight))
        inside = reached[places[:-1]] - reached[places[1:]]
        series.append(tuple((inside * _BINS / max(reached[-1], np.finfo(float).tiny)).tolist()))
    return Density(edges=tuple(edges.tolist()), names=(label, _REST), density=tuple(series))


def _cuts(
    ranking: Ranking,
    reached: tuple[Floats, Floats],
    *,
    chosen: tuple[Threshold, ...],
    options: Options,
) -> Cuts:
    caught, alarms = reached
    score = ranking.score
    half = max(options.cuts // 2 - len(chosen), 2)
    even = np.linspace(score[-1], score[0], half)
    by_score = np.searchsorted(-score, -even, side="left").clip(0, score.size - 1)
    bests = np.searchsorted(-score, [-each.threshold for each in chosen], side="left")
    kept = np.unique(np.concatenate([_thinned(caught + alarms, half), by_score, bests]))[::-1]
    kept = kept.astype(np.intp)
    rows = (caught[-1:], alarms[-1:])
    cut, hits, misfires = score[kept], caught[kept], alarms[kept]
    found = {
        aim.value: figure(aim, hits, alarms=misfires, rows=rows, options=options)
        for aim in every(options)
    }
    total = rows[0] + rows[1]
    found["precision"] = hits / (hits + misfires)
    found["recall"] = hits / rows[0]
    found["specificity"] = 1 - misfires / rows[1]
    found["predicted_positive"] = (hits + misfires) / total
    found["lift"] = found["precision"] * total / rows[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found["net_benefit"] = (hits - misfires * cut / (1 - cut)) / total
    return Cuts(
        threshold=tuple(cut.tolist()),
        true_positives=tuple(hits.tolist()),
        false_positives=tuple(misfires.tolist()),
        false_negatives=tuple((rows[0] - hits).tolist()),
        true_negatives=tuple((rows[1] - misfires).tolist()),
        metrics={
            name: tuple(each if np.isfinite(each) else None for each in values.tolist())
            for name, values in found.items()
        },
        total=score.size,
    )


def _deciles(ranking: Ranking, *, options: Options) -> Deciles:
    shares = [place / 10 for place in range(1, 11)]
    gains = binary.gained(ranking, shares, level=options.level)
    lifts = [binary.lift(gain, share) for gain, share in zip(gains, shares, strict=True)]
    return Deciles(share=tuple(shares), lift=tuple(lifts), gain=gains)


def _drawable(rows: Rows) -> bool:
    """Return whether the errors and their squares are floating-point numbers."""
    largest = max(np.abs(rows.actual).max(), np.abs(rows.predicted).max())
    return bool(largest < _LARGE)


def _regression(given: Prepared, rows: Rows, options: Options) -> RegressionCurves:
    error = rows.predicted - rows.actual
    groups = np.array_split(
        np.argsort(rows.predicted, kind="stable"), min(_GROUPS, rows.actual.size)
    )
    weights = rows.weights
    means = [
        (
            np.average(rows.predicted[group], weights=None if weights is None else weights[group]),
            mean(
                error[group],
                weights=None if weights is None else weights[group],
                level=options.level,
            ),
        )
        for group in groups
    ]
    bounds = [
        (m.interval.low, m.interval.high) if m.interval else (m.value, m.value) for _, m in means
    ]
    return RegressionCurves(
        scatter=_scatter(given, rows, options=options),
        errors=_spread(error, weights),
        quantiles=_quantiles(error),
        by_prediction=Curve(
            x=tuple(float(x) for x, _ in means), y=tuple(each.value for _, each in means)
        ),
        by_prediction_low=tuple(low for low, _ in bounds),
        by_prediction_high=tuple(high for _, high in bounds),
    )


def _scatter(given: Prepared, rows: Rows, *, options: Options) -> Scatter:
    count = rows.actual.size
    shown = np.arange(count)
    if count > _SHOWN:
        source = np.random.default_rng(options.seed)
        shown = np.sort(source.choice(count, _SHOWN, replace=False, shuffle=False))
    places = shown if given.sample.places is None else given.sample.places[shown]
    return Scatter(
        row=tuple(places.tolist()),
        actual=tuple(rows.actual[shown].tolist()),
        predicted=tuple(rows.predicted[shown].tolist()),
        of=count,
        seed=options.seed,
    )


def _spread(error: Floats, weights: Floats | None) -> Density:
    low, high = np.quantile(error, [0.01, 0.99])
    if high - low <= max(abs(low), abs(high), _SMALL) * 1e-12:
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    counts, edges = np.histogram(error.clip(low, high), _BINS, (low, high), weights=weights)
    density = counts / counts.sum() / np.diff(edges)
    return Density(
        edges=tuple(edges.tolist()), names=("error",), density=(tuple(density.tolist()),)
    )


def _quantiles(error: Floats) -> Curve:
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    normal = NormalDist()
    expected = np.array([normal.inv_cdf(share) for share in shares.tolist()])
    return _curve(error.mean() + error.std() * expected, np.quantile(error, shares))
