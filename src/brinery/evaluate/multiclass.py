"""The figures of a model that tells several classes apart, whole and per class, with intervals.

A mean over classes has the influence of each class's figure on each row added up, for a row that
one class wins another loses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from brinery.evaluate import binary, calibration, influence
from brinery.evaluate import classification as cls
from brinery.evaluate import ranking as rk
from brinery.evaluate import tally as tl
from brinery.evaluate.intervals import Scale, around, estimate, mean
from brinery.evaluate.options import Options
from brinery.evaluate.ranking import Floats, Ranking, rank, rank_rows
from brinery.evaluate.sample import Labelled, one_class, sums_to_one
from brinery.records.estimate import Estimate
from brinery.records.evaluation import ClassFigures, Confusion
from brinery.records.signature import Scalar

Figures = dict[str, Estimate | str]

TOP: Final = (2, 3, 5)

_AVERAGES: Final[dict[str, Callable[[tl.Tally], Estimate]]] = {
    "balanced_accuracy": tl.balanced_accuracy,
    "precision_macro": tl.precision_macro,
    "recall_macro": tl.recall_macro,
    "f1_macro": tl.f1_macro,
    "precision_weighted": tl.precision_weighted,
    "recall_weighted": tl.recall_weighted,
    "f1_weighted": tl.f1_weighted,
}


class _Measure(NamedTuple):
    """A figure of a ranking.

    Attributes:
        name: of it.
        value: the figure.
        moved: its influence.
        single: the figure of one class with its interval.
    """

    name: str
    value: Callable[[Ranking], float]
    moved: Callable[[Ranking], influence.Influence]
    single: Callable[..., Estimate]


_MEASURES: Final = (
    _Measure("roc_auc", rk.area, influence.area, binary.roc_auc),
    _Measure(
        "average_precision",
        rk.average_precision,
        influence.average_precision,
        binary.average_precision,
    ),
)


class _PerClass(NamedTuple):
    """What the ranking of each class gives.

    Attributes:
        single: name of a figure to that of each class, or why it has none: (n_classes,).
        support: (n_classes,) weight of the classes' rows.
        moved: name of a figure and of an average to the average's influence: (n_rows,).
    """

    single: dict[str, list[Estimate | str]]
    support: Floats
    moved: dict[tuple[str, str], Floats]


def figures(
    rows: Labelled, *, options: Options
) -> tuple[Figures, tuple[ClassFigures, ...], tuple[Confusion, ...]]:
    """Return every figure, those of each class, and the confusion matrix.

    Args:
        rows: at least one.
        options: level and bins.
    """
    level = options.level
    n_classes = len(rows.classes)
    own: tl.Tally | str = (
        rows.predicted
        if isinstance(rows.predicted, str)
        else tl.tally(
            rows.codes, rows.predicted, n_classes=n_classes, weights=rows.weights, level=level
        )
    )
    each = _per_class(rows, level=level)
    found: Figures = {"accuracy": own if isinstance(own, str) else tl.accuracy(own)}
    for name, average in _AVERAGES.items():
        found[name] = own if isinstance(own, str) else average(own)
    ranked = one_class(rows.codes, rows.classes) or each
    found |= _averaged(rows, "roc_auc", ranked, level=level)
    found["log_loss"] = _of_chances(rows, partial(_log_loss, rows, level=level))
    found["mcc"] = own if isinstance(own, str) else tl.matthews(own)
    found["kappa"] = own if isinstance(own, str) else tl.kappa(own)
    for name in ("precision", "recall", "f1"):
        # Of one label per row, what one class misses another catches wrongly.
        found[f"{name}_micro"] = found["accuracy"]
    found |= _averaged(rows, "average_precision", ranked, level=level)
    found |= _micro(rows, level=level)
    found["brier"] = _of_chances(rows, partial(_brier, rows, level=level))
    found["ece"] = _of_chances(rows, partial(_ece, rows, options=options))
    for count in TOP:
        if count < n_classes:
            top = partial(_top, rows, count=count, level=level)
            found[f"top_{count}_accuracy"] = _of_chances(rows, top)
    return found, _classes(rows, own, each, level=level), _confusion(rows)


def _per_class(rows: Labelled, *, level: float) -> _PerClass | str:
    chances = rows.probabilities
    if isinstance(chances, str):
        return chances
    support = np.bincount(rows.codes, rows.weights, minlength=len(rows.classes)).astype(np.float64)
    defined = (support > 0) & (support < support.sum())
    single: dict[str, list[Estimate | str]] = {measure.name: [] for measure in _MEASURES}
    moved = {
        (measure.name, average): np.zeros(rows.codes.size)
        for measure in _MEASURES
        for average in ("macro", "weighted")
    }
    for code, label in enumerate(rows.classes):
        if not defined[code]:
            why = "no row" if not support[code] else "every row"
            for values in single.values():
                values.append(f"{why} of the data is of class {label!r}")
            continue
        positive = rows.codes == code
        ranking, places = rank_rows(positive, chances[:, code], weights=rows.weights)
        for measure in _MEASURES:
            single[measure.name].append(measure.single(ranking, level=level))
            by_score = measure.moved(ranking)
            by_row = np.where(positive, by_score.positives[places], by_score.negatives[places])
            moved[measure.name, "macro"] += by_row / defined.sum()
            by_row *= support[code] / support[defined].sum()
            moved[measure.name, "weighted"] += by_row
    return _PerClass(single, support, moved)


def _averaged(rows: Labelled, name: str, each: _PerClass | str, *, level: float) -> Figures:
    """Return the plain mean of a figure of each class, and the one weighted by its rows."""
    names = (f"{name}_macro", f"{name}_weighted")
    if isinstance(each, str):
        return dict.fromkeys(names, each)
    told = [value for value in each.single[name] if not isinstance(value, str)]
    absent = [value for value in each.single[name] if isinstance(value, str)]
    there = np.array([not isinstance(value, str) for value in each.single[name]])
    values = np.array([value.value for value in told])
    found: Figures = {}
    for average, shares in (("macro", np.ones(values.size)), ("weighted", each.support[there])):
        value = float(np.average(values, weights=shares))
        spread = _variance(each.moved[name, average], rows.weights)
        found[f"{name}_{average}"] = estimate(
            value, around(value, spread, scale=Scale.LOGIT, level=level)
        )
    if absent:
        found[f"{name}_macro"] = absent[0]
    return found


def _micro(rows: Labelled, *, level: float) -> Figures:
    """Return the figures of all classes' probabilities in one ranking.

    Source of the intervals: the influence of a row is the sum of that of its probabilities.
    """
    chances = rows.probabilities
    names = [f"{measure.name}_micro" for measure in _MEASURES]
    if isinstance(chances, str):
        return dict.fromkeys(names, chances)
    n_classes = chances.shape[1]
    hit = rows.codes[:, np.newaxis] == np.arange(n_classes)
    weights = None if rows.weights is None else np.repeat(rows.weights, n_classes)
    ranking, places = rank_rows(hit.ravel(), np.ravel(chances), weights=weights)
    found: Figures = {}
    for measure, name in zip(_MEASURES, names, strict=True):
        value = measure.value(ranking)
        by_score = measure.moved(ranking)
        moved = np.where(hit.ravel(), by_score.positives[places], by_score.negatives[places])
        by_row = moved.reshape(hit.shape).mean(axis=1)
        spread = _variance(by_row, rows.weights)
        found[name] = estimate(value, around(value, spread, scale=Scale.LOGIT, level=level))
    return found


def _classes(
    rows: Labelled, own: tl.Tally | str, each: _PerClass | str, *, level: float
) -> tuple[ClassFigures, ...]:
    """Return the figures of each class against the rest."""
    counts = np.bincount(rows.codes, minlength=len(rows.classes))
    found = []
    for code, label in enumerate(rows.classes):
        values: Figures = {}
        for name, figure in (("precision", tl.precision), ("recall", tl.recall), ("f1", tl.f1)):
            values[name] = own if isinstance(own, str) else figure(own, code)
        for measure in _MEASURES:
            values[measure.name] = (
                each if isinstance(each, str) else each.single[measure.name][code]
            )
        values["brier"] = _of_chances(rows, partial(_class_brier, rows, code=code, level=level))
        found.append(_class_figures(label, int(counts[code]), values))
    return tuple(found)


def _class_figures(label: Scalar, rows: int, values: Figures) -> ClassFigures:
    told = {name: value for name, value in values.items() if not isinstance(value, str)}
    return ClassFigures(
        label=label,
        rows=rows,
        metrics={name: value.value for name, value in told.items()},
        intervals={
            name: value.interval for name, value in told.items() if value.interval is not None
        },
        not_computed={name: why for name, why in values.items() if isinstance(why, str)},
    )


def _confusion(rows: Labelled) -> tuple[Confusion, ...]:
    if isinstance(rows.predicted, str):
        return ()
    counts = cls.confusion_matrix(rows.codes, rows.predicted, n_classes=len(rows.classes))
    return (binary.confusion(rows.classes, counts),)


def _of_chances(rows: Labelled, figure: Callable[[Floats], Estimate | str]) -> Estimate | str:
    return rows.probabilities if isinstance(rows.probabilities, str) else figure(rows.probabilities)


def _given(rows: Labelled, chances: Floats) -> Floats:
    """Return the probability of each row's actual class: (n_rows,)."""
    return np.take_along_axis(chances, rows.codes[:, np.newaxis], axis=1)[:, 0]


def _log_loss(rows: Labelled, chances: Floats, *, level: float) -> Estimate | str:
    if why := sums_to_one(chances):
        return why
    eps = np.finfo(np.float64).eps
    lost = -np.log(np.clip(_given(rows, chances), eps, 1 - eps))
    return mean(lost, weights=rows.weights, level=level, scale=Scale.LOG)


def _brier(rows: Labelled, chances: Floats, *, level: float) -> Estimate:
    """Return the squared error summed over the classes, 0 to 2, as Brier 1950 has it."""
    given = _given(rows, chances)
    off = np.einsum("ij,ij->i", chances, chances) + 1 - 2 * given
    np.maximum(off, 0.0, out=off)
    return mean(off, weights=rows.weights, level=level, scale=Scale.LOG)


def _class_brier(rows: Labelled, chances: Floats, *, code: int, level: float) -> Estimate:
    off = np.square(chances[:, code] - (rows.codes == code))
    return mean(off, weights=rows.weights, level=level, scale=Scale.LOG)


def _ece(rows: Labelled, chances: Floats, *, options: Options) -> Estimate:
    """Return the calibration error of the likeliest class's probability (Guo et al. 2017)."""
    likeliest = chances.argmax(axis=1)
    sure = np.take_along_axis(chances, likeliest[:, np.newaxis], axis=1)[:, 0]
    ranking = rank(likeliest == rows.codes, sure, weights=rows.weights)
    return calibration.error(calibration.bins(ranking, n_bins=options.bins), level=options.level)


def _top(rows: Labelled, chances: Floats, *, count: int, level: float) -> Estimate:
    """Return the share of rows whose class is among the likeliest few.

    Of equal probabilities the later class goes first, as scikit-learn's function has it.
    Source of the interval: Wilson 1927.
    """
    given = _given(rows, chances)[:, np.newaxis]
    later = np.arange(chances.shape[1]) > rows.codes[:, np.newaxis]
    ahead = np.count_nonzero((chances > given) | ((chances == given) & later), axis=1)
    hit = (ahead < count).astype(np.intp)
    ones = np.ones(hit.size, np.intp)
    return tl.accuracy(tl.tally(ones, hit, n_classes=2, weights=rows.weights, level=level))


def _variance(moved: Floats, weights: Floats | None) -> float:
    if weights is None:
        return float(moved @ moved / moved.size**2) if moved.size > 1 else math.nan
    pulled = moved * weights
    return float(pulled @ pulled / weights.sum() ** 2)
