"""The figures of a classifier, in numpy: each is one small function of arrays.

Classes are codes, 0 to n_classes - 1. What predicted labels are worth is read from their confusion
matrix; what probabilities are worth, from the cuts between their distinct values. Values agree
with scikit-learn's functions of the same names, `zero_division=0` included. The module must not
know labels, nor which figures a model is given: where one is undefined it raises or says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Measure = Callable[[Counts], Floats]


class BestF1(NamedTuple):
    """The cut with the highest F1.

    Attributes:
        f1: 0 to 1.
        threshold: the score at and above which a row counts as positive.
        counts: (2, 2) confusion matrix at that threshold.
    """

    f1: float
    threshold: float
    counts: Counts


class _Cuts(NamedTuple):
    """What each distinct score, highest first, catches as a threshold; all (n_cuts,)."""

    threshold: Floats
    true_positives: Floats
    false_positives: Floats


def confusion_matrix(actual: Codes, predicted: Codes, *, n_classes: int) -> Counts:
    """Return how often each class was predicted as each.

    Args:
        actual: (n_rows,) codes.
        predicted: (n_rows,) codes.
        n_classes: how many there are, present or not.

    Returns:
        (n_classes, n_classes) rows by actual class, columns by predicted class.
    """
    pairs = np.bincount(actual * n_classes + predicted, minlength=n_classes**2)
    return pairs.reshape(n_classes, n_classes)


def confusion_at(positive: Bools, score: Floats, *, threshold: float) -> Counts:
    """Return the (2, 2) confusion matrix where a score at or above the threshold is positive.

    Args:
        positive: (n_rows,) whether a row is of the positive class.
        score: (n_rows,) its probability of being so.
        threshold: in the unit of the score.
    """
    caught = (score >= threshold).astype(np.intp)
    return confusion_matrix(positive.astype(np.intp), caught, n_classes=2)


def accuracy(counts: Counts) -> float:
    """Return the share of rows predicted right, 0 to 1.

    Args:
        counts: (k, k) confusion matrix of at least one row.
    """
    return float(np.trace(counts) / counts.sum())


def balanced_accuracy(counts: Counts) -> float:
    """Return the mean recall of the classes that have rows, 0 to 1.

    Args:
        counts: (k, k) confusion matrix of at least one row.

    Source: Brodersen et al. 2010.
    """
    return float(recall(counts)[counts.sum(axis=1) > 0].mean())


def precision(counts: Counts) -> Floats:
    """Return, per class, the share of its predictions that are right: (k,), 0 to 1.

    Args:
        counts: (k, k) confusion matrix; a class that is never predicted has 0.
    """
    return _ratio(np.diag(counts), counts.sum(axis=0))


def recall(counts: Counts) -> Floats:
    """Return, per class, the share of its rows that are found: (k,), 0 to 1.

    Args:
        counts: (k, k) confusion matrix; a class that has no row has 0.
    """
    return _ratio(np.diag(counts), counts.sum(axis=1))


def f1(counts: Counts) -> Floats:
    """Return, per class, the harmonic mean of precision and recall: (k,), 0 to 1.

    Args:
        counts: (k, k) confusion matrix; a class that neither is nor is predicted has 0.

    Source: van Rijsbergen 1979.
    """
    return _ratio(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def binary(measure: Measure, counts: Counts) -> float:
    """Return a measure of the positive class, which is the second of two.

    Args:
        measure: `precision`, `recall` or `f1`.
        counts: (2, 2) confusion matrix.
    """
    return float(measure(counts)[1])


def macro(measure: Measure, counts: Counts) -> float:
    """Return the plain mean of a measure over the classes that are present or predicted.

    Args:
        measure: `precision`, `recall` or `f1`.
        counts: (k, k) confusion matrix of at least one row.
    """
    met = counts.sum(axis=0) + counts.sum(axis=1) > 0
    return float(measure(counts)[met].mean())


def weighted(measure: Measure, counts: Counts) -> float:
    """Return the mean of a measure over the classes, each weighted by its rows.

    Args:
        measure: `precision`, `recall` or `f1`.
        counts: (k, k) confusion matrix of at least one row.
    """
    return float(np.average(measure(counts), weights=counts.sum(axis=1)))


def roc_auc(positive: Bools, score: Floats) -> float:
    """Return how often a positive row outranks a negative one, 0 to 1; a tie counts half.

    Args:
        positive: (n_rows,) whether a row is of the positive class.
        score: (n_rows,) finite; only its order matters.

    Raises:
        ValueError: only one class is present.

    Source: Mann & Whitney 1947; Hanley & McNeil 1982.
    """
    if positive.all() or not positive.any():
        raise ValueError("undefined where only one class is present")
    cuts = _cuts(positive, score)
    tied_positives = np.diff(cuts.true_positives, prepend=0.0)
    tied_negatives = np.diff(cuts.false_positives, prepend=0.0)
    positives, negatives = cuts.true_positives[-1], cuts.false_positives[-1]
    outranked = negatives - cuts.false_positives + tied_negatives / 2
    return float(tied_positives @ outranked / (positives * negatives))


def roc_auc_per_class(actual: Codes, probabilities: Floats) -> Floats:
    """Return the ROC AUC of each class against the rest: (k,), 0 to 1.

    Args:
        actual: (n_rows,) codes.
        probabilities: (n_rows, k) finite.

    Returns:
        NaN for a class that has no row, or all of them.

    Source: Provost & Domingos 2000.
    """
    n_classes = probabilities.shape[1]
    support = np.bincount(actual, minlength=n_classes)
    areas = np.full(n_classes, np.nan)
    for code in np.flatnonzero((support > 0) & (support < actual.size)):
        areas[code] = roc_auc(actual == code, probabilities[:, code])
    return areas


def roc_auc_weighted(areas: Floats, actual: Codes) -> float:
    """Return the mean ROC AUC of the classes that have one, weighted by their rows, 0 to 1.

    Args:
        areas: (k,) from `roc_auc_per_class`.
        actual: (n_rows,) codes.

    Raises:
        ValueError: only one class is present.
    """
    defined = np.isfinite(areas)
    if not defined.any():
        raise ValueError("undefined where only one class is present")
    support = np.bincount(actual, minlength=areas.size)
    return float(np.average(areas[defined], weights=support[defined]))


def average_precision(positive: Bools, score: Floats) -> float:
    """Return the precision at each cut, weighted by the recall gained there, above 0 to 1.

    Args:
        positive: (n_rows,) whether a row is of the positive class.
        score: (n_rows,) finite; only its order matters.

    Raises:
        ValueError: no row is positive.

    Source: Manning et al. 2008, without interpolation.
    """
    if not positive.any():
        raise ValueError("undefined where no row is positive")
    _, caught, false_alarms = _cuts(positive, score)
    gained = np.diff(caught, prepend=0.0) / caught[-1]
    return float(gained @ (caught / (caught + false_alarms)))


def log_loss(actual: Codes, probabilities: Floats) -> float:
    """Return the mean of -ln(probability of the actual class), 0 to about 36.

    Args:
        actual: (n_rows,) codes, at least one.
        probabilities: (n_rows, k), 0 to 1; those within one float64 epsilon of 0 or 1 are clipped.

    Source: Good 1952; the clipping is scikit-learn's.
    """
    eps = np.finfo(np.float64).eps
    given = np.take_along_axis(probabilities, actual[:, np.newaxis], axis=1)
    return float(-np.log(np.clip(given, eps, 1 - eps)).mean())


def brier(positive: Bools, score: Floats) -> float:
    """Return the mean squared error of the positive class's probability, 0 to 1.

    Args:
        positive: (n_rows,) whether a row is of the positive class, at least one row.
        score: (n_rows,) its probability of being so.

    Source: Brier 1950, halved as is the custom for two classes.
    """
    return float(np.square(score - positive).mean())


def brier_multiclass(actual: Codes, probabilities: Floats) -> float:
    """Return the squared error summed over the classes, a mean over rows, 0 to 2.

    Args:
        actual: (n_rows,) codes, at least one.
        probabilities: (n_rows, k).

    Source: Brier 1950, in his own scale: twice `brier` where there are two classes.
    """
    hit = actual[:, np.newaxis] == np.arange(probabilities.shape[1])
    return float(np.square(probabilities - hit).sum(axis=1).mean())


def best_f1(positive: Bools, score: Floats) -> BestF1:
    """Return the threshold with the highest F1, of all the distinct scores.

    Of equal ones it is the threshold nearest to 0.5, and of two as near, the higher.

    Args:
        positive: (n_rows,) whether a row is of the positive class.
        score: (n_rows,) its probability of being so, finite.

    Raises:
        ValueError: no row is positive.
    """
    if not positive.any():
        raise ValueError("undefined where no row is positive")
    cuts = _cuts(positive, score)
    positives, negatives = int(cuts.true_positives[-1]), int(cuts.false_positives[-1])
    values = 2 * cuts.true_positives / (cuts.true_positives + cuts.false_positives + positives)
    # Equal F1s are equal to the last bit: each is one division of two whole numbers.
    tied = np.flatnonzero(values == values.max())
    best = tied[np.abs(cuts.threshold[tied] - 0.5).argmin()]
    caught, false_alarms = int(cuts.true_positives[best]), int(cuts.false_positives[best])
    counts = [[negatives - false_alarms, false_alarms], [positives - caught, caught]]
    return BestF1(float(values[best]), float(cuts.threshold[best]), np.array(counts, np.intp))


def _cuts(positive: Bools, score: Floats) -> _Cuts:
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last_of_ties = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    caught = np.cumsum(positive[order], dtype=np.float64)[last_of_ties]
    return _Cuts(ranked[last_of_ties], caught, last_of_ties + 1 - caught)


def _ratio(part: Counts, whole: Counts) -> Floats:
    """Return part / whole, and 0 where there is no whole."""
    return part / np.maximum(whole, 1)
