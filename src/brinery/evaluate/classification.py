"""The figures of a classifier, in numpy: each is one small function of arrays.

Classes are codes, 0 to n_classes - 1. What predicted labels are worth is read from their confusion
matrix; what probabilities are worth, from the cuts between their distinct values. Values agree
with scikit-learn's functions of the same names, `zero_division=0` included. The module must not
know labels, nor which figures a model is given: where one is undefined it raises or says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate import delong, ranking
from brinery.evaluate.ranking import rank

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.integer[Any]]
Counts = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Measure = Callable[[Counts], Floats]

TWO: Final = 2


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


def confusion_matrix(
    actual: Codes, predicted: Codes, *, n_classes: int, weights: Floats | None = None
) -> Counts:
    """Return how often each class was predicted as each.

    Args:
        actual: (n_rows,) codes.
        predicted: (n_rows,) codes.
        n_classes: how many there are, present or not.
        weights: (n_rows,) what each row counts; None where each counts once.

    Returns:
        (n_classes, n_classes) rows by actual class, columns by predicted class.
    """
    pairs = np.multiply(actual, n_classes, dtype=np.intp)
    pairs += predicted
    counts = np.bincount(pairs, weights, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


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


def f_beta(counts: Counts, beta: float) -> Floats:
    """Return, per class, precision and recall in one, recall counting beta times as much: (k,).

    Args:
        counts: (k, k) confusion matrix; a class that neither is nor is predicted has 0.
        beta: above 0; 1 is F1.

    Source: van Rijsbergen 1979.
    """
    square = beta**2
    whole = square * counts.sum(axis=1) + counts.sum(axis=0)
    return _ratio((1 + square) * np.diag(counts), whole)


def matthews(counts: Counts) -> float:
    """Return the correlation of actual and predicted classes, -1 to 1.

    It is 0 where every row is of one class, or is predicted to be, as scikit-learn has it.

    Args:
        counts: (k, k) confusion matrix of at least one row.

    Source: Matthews 1975; for several classes Gorodkin 2004.
    """
    shares = counts / counts.sum()
    predicted, actual = shares.sum(axis=0), shares.sum(axis=1)
    spread = (1 - predicted @ predicted) * (1 - actual @ actual)
    if np.count_nonzero(predicted) < TWO or np.count_nonzero(actual) < TWO:
        return 0.0
    return float((np.trace(shares) - predicted @ actual) / np.sqrt(spread))


def kappa(counts: Counts) -> float:
    """Return how far accuracy is from chance's towards 1: 1 and down to -1.

    Args:
        counts: (k, k) confusion matrix of at least one row, not all in one cell of its diagonal.

    Raises:
        ValueError: chance alone would be right in every row.

    Source: Cohen 1960.
    """
    shares = counts / counts.sum()
    chance = float(shares.sum(axis=0) @ shares.sum(axis=1))
    if np.count_nonzero(met(counts)) < TWO:
        raise ValueError("undefined where every row is of one class, and is predicted to be")
    return (float(np.trace(shares)) - chance) / (1 - chance)


def binary(measure: Measure, counts: Counts) -> float:
    """Return a measure of the positive class, which is the second of two.

    Args:
        measure: `precision`, `recall` or `f1`.
        counts: (2, 2) confusion matrix.
    """
    return float(measure(counts)[1])


def met(counts: Counts) -> Bools:
    """Return which classes are present or predicted: (k,).

    Args:
        counts: (k, k) confusion matrix.
    """
    return np.asarray(counts.sum(axis=0) + counts.sum(axis=1) > 0)


def macro(measure: Measure, counts: Counts) -> float:
    """Return the plain mean of a measure over the classes that are present or predicted.

    Args:
        measure: `precision`, `recall` or `f1`.
        counts: (k, k) confusion matrix of at least one row.
    """
    return float(measure(counts)[met(counts)].mean())


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
    return delong.area(rank(positive, score)).value


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
    return ranking.average_precision(rank(positive, score))


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
    best = ranking.best_f1(rank(positive, score))
    counts = confusion_at(positive, score, threshold=best.threshold)
    return BestF1(best.value, best.threshold, counts)


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Return part / whole, and 0 where there is no whole."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0))
