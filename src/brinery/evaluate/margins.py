"""What predicted labels are worth, from three counts of each class: right, actual and predicted.

Every function takes the counts of one sample or of many draws at once, so that a paired bootstrap
is a few operations on arrays. Rows are compressed to the distinct triples of the actual class and
two models' answers before they are drawn. The module must not know labels or probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

# Most totals that are held at a time; of more, fewer draws are made.
_MOST_TOTALS: Final = 20_000_000
_LEAST_DRAWS: Final = 200

# The figures of two classes that say nothing where all rows are of one.
OF_BOTH: Final = frozenset({"balanced_accuracy", "mcc", "kappa"})


class Margins(NamedTuple):
    """The counts of each class, or their sums of weights; all (..., n_classes).

    Attributes:
        right: rows of the class that were predicted as it.
        actual: rows of the class.
        predicted: rows that were predicted as it.
    """

    right: Floats
    actual: Floats
    predicted: Floats


Figure = Callable[[Margins], Floats]


def tally(actual: Codes, predicted: Codes, *, weights: Floats, n_classes: int) -> Margins:
    """Return the counts of one model's answers: (n_classes,) each.

    Args:
        actual: (n_rows,) codes.
        predicted: (n_rows,) codes.
        weights: (n_rows,) above 0.
        n_classes: how many there are, present or not.
    """
    parts = ((actual, weights * (actual == predicted)), (actual, weights), (predicted, weights))
    sums = (np.bincount(codes, each, minlength=n_classes) for codes, each in parts)
    return Margins(*(each.astype(np.float64, copy=False) for each in sums))


def draw(
    actual: Codes,
    *,
    base: Codes,
    other: Codes,
    weights: Floats,
    n_classes: int,
    draws: int,
    random: np.random.Generator,
) -> tuple[Margins, Margins]:
    """Return the counts of two models' answers over draws of the same rows: (n_draws, n_classes).

    Without weights it is the bootstrap of rows itself: a multinomial over the distinct triples.
    With weights, the sum of the weights of a triple's drawn rows is a gamma of the same mean and
    variance.

    Args:
        actual: (n_rows,) codes.
        base: (n_rows,) codes that one model predicted.
        other: (n_rows,) codes that the other predicted.
        weights: (n_rows,) above 0.
        n_classes: how many there are, present or not.
        draws: how many; fewer are made of very many classes.
        random: where they come from.

    Source: Efron 1979; Efron & Tibshirani 1993, chapter 13.
    """
    keys = (actual * n_classes + base) * n_classes + other
    if n_classes**3 <= max(1_000, keys.size):
        counts = np.bincount(keys, minlength=n_classes**3)
        triples = np.flatnonzero(counts)
        place = np.cumsum(counts > 0)[keys] - 1
        counts = counts[triples]
    else:
        triples, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    draws = max(_LEAST_DRAWS, min(draws, _MOST_TOTALS // triples.size))
    totals = random.multinomial(keys.size, counts / keys.size, size=draws).astype(np.float64)
    mean = np.bincount(place, weights) / counts
    if np.ptp(weights):
        excess = np.bincount(place, np.square(weights - mean[place])) / counts
        varied = excess > 0
        shape = totals[:, varied] * mean[varied] ** 2 / excess[varied]
        totals *= mean
        totals[:, varied] = random.gamma(shape) * (excess / mean)[varied]
    else:
        totals *= mean
    told = triples // n_classes**2
    by_class = partial(_by_class, totals, n_classes=n_classes)
    whole = by_class(told)
    found = []
    for said in (triples // n_classes % n_classes, triples % n_classes):
        right = said == told
        found.append(
            Margins(
                _by_class(totals[:, right], told[right], n_classes=n_classes),
                whole,
                by_class(said),
            )
        )
    return found[0], found[1]


def accuracy(counts: Margins) -> Floats:
    """Return the share of rows that are right, 0 to 1."""
    return np.asarray(counts.right.sum(-1) / counts.actual.sum(-1))


def balanced_accuracy(counts: Margins) -> Floats:
    """Return the mean recall of the classes that have a row, 0 to 1.

    Source: Brodersen et al. 2010.
    """
    there = counts.actual > 0
    return np.asarray(recall(counts).sum(-1) / there.sum(-1))


def precision(counts: Margins) -> Floats:
    """Return for each class the share of its predictions that are right; 0 where there is none."""
    return _ratio(counts.right, counts.predicted)


def recall(counts: Margins) -> Floats:
    """Return for each class the share of its rows that are found; 0 where there is none."""
    return _ratio(counts.right, counts.actual)


def f_beta(counts: Margins, *, beta: float = 1.0) -> Floats:
    """Return for each class the mean of precision and recall, of which recall counts beta times.

    Args:
        counts: of the classes.
        beta: above 0; 1 is the harmonic mean.

    Source: van Rijsbergen 1979.
    """
    square = beta**2
    return _ratio((1 + square) * counts.right, square * counts.actual + counts.predicted)


def mcc(counts: Margins) -> Floats:
    """Return the correlation of actual and predicted classes, -1 to 1; 0 where one is constant.

    Source: Matthews 1975; Gorodkin 2004 for more than two classes.
    """
    rows = counts.actual.sum(-1)
    both = counts.right.sum(-1) * rows - (counts.actual * counts.predicted).sum(-1)
    spreads = (rows**2 - np.square(counts.actual).sum(-1)) * (
        rows**2 - np.square(counts.predicted).sum(-1)
    )
    return _ratio(both, np.sqrt(np.maximum(spreads, 0.0)))


def kappa(counts: Margins) -> Floats:
    """Return how far right answers go beyond chance, 1 and down; 0 where there is nothing beyond.

    Source: Cohen 1960.
    """
    rows = counts.actual.sum(-1)
    chance = (counts.actual * counts.predicted).sum(-1) / rows
    return _ratio(counts.right.sum(-1) - chance, rows - chance)


def specificity(counts: Margins) -> Floats:
    """Return, of two classes, the share of the first one's rows that are found, 0 to 1."""
    found: Floats = recall(counts)[..., 0]
    return found


def positive(counts: Margins, measure: Figure) -> Floats:
    """Return a measure of the second of two classes."""
    found: Floats = measure(counts)[..., 1]
    return found


def macro(counts: Margins, measure: Figure) -> Floats:
    """Return the plain mean of a measure over the classes that are present or predicted."""
    met = counts.actual + counts.predicted > 0
    return np.asarray((measure(counts) * met).sum(-1) / met.sum(-1))


def weighted(counts: Margins, measure: Figure) -> Floats:
    """Return the mean of a measure over the classes, each weighted by its rows."""
    return np.asarray((measure(counts) * counts.actual).sum(-1) / counts.actual.sum(-1))


def binary_figures(*, beta: float) -> Mapping[str, Figure]:
    """Return the figures of two classes by name, of which the second is positive."""
    return {
        "balanced_accuracy": balanced_accuracy,
        "precision": partial(positive, measure=precision),
        "recall": partial(positive, measure=recall),
        "specificity": specificity,
        "f1": partial(positive, measure=f_beta),
        f"f{beta:g}": partial(positive, measure=partial(f_beta, beta=beta)),
        "mcc": mcc,
        "kappa": kappa,
    }


def multiclass_figures() -> Mapping[str, Figure]:
    """Return the figures of several classes by name."""
    measures: dict[str, Figure] = {"precision": precision, "recall": recall, "f1": f_beta}
    return {
        "balanced_accuracy": balanced_accuracy,
        **{f"{name}_macro": partial(macro, measure=one) for name, one in measures.items()},
        **{f"{name}_weighted": partial(weighted, measure=one) for name, one in measures.items()},
        "mcc": mcc,
        "kappa": kappa,
    }


def _by_class(totals: Floats, classes: Codes, *, n_classes: int) -> Floats:
    """Return the totals (n_draws, n_triples) of each class: (n_draws, n_classes)."""
    places = np.arange(classes.size)
    kind = csr_array((np.ones(classes.size), (places, classes)), shape=(classes.size, n_classes))
    return np.asarray(totals @ kind)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, and 0 where there is no whole."""
    given = whole > 0
    ratio: Floats = np.where(given, part / np.where(given, whole, 1.0), 0.0)
    return ratio
