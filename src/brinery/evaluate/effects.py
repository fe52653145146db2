"""What is true and what the model answers on average, along the values of each column.

No model is asked: the answers for the rows are there. Where the two lines part, the model is
wrong for those values; how far the lines move is what the column tells of the target, alone or
through others that go with it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from brinery.evaluate.bins import MOST_BINS, Bins, lay_out
from brinery.evaluate.observed import Floats, Observed
from brinery.evaluate.response import Response, response
from brinery.records.contributions import Unit
from brinery.records.effects import Effect, Kind

_FEWEST_ROWS = 2


def run(observed: Observed, *, most: int = MOST_BINS) -> Iterator[Effect]:
    """Yield the effect of each column, in the order of the data.

    Args:
        observed: the rows. Those without a label count for the answers only, those of weight 0
            not at all.
        most: how many bins a column has at most, besides those of the missing and of the other
            categories.
    """
    answers = response(observed)
    if isinstance(answers, str):
        for column in observed.table.column_names:
            yield Effect(column=column, kind=Kind.OTHER, unit=Unit.VALUE, reason=answers)
        return
    predicted = answers.of(observed.scores)
    truth = np.full(predicted.shape, np.nan)
    if observed.actual is not None:
        truth = answers.truth(observed.actual)
    weights = np.ones(len(observed)) if observed.weights is None else observed.weights
    means = _Means(predicted, truth, weights)
    for column in observed.table.column_names:
        bins = lay_out(observed.table.column(column), most=most)
        yield _effect(column, bins, answers=answers, means=means)


class _Means:
    """Means of bins.

    Args:
        predicted: (n_rows, n_outputs) answers.
        truth: (n_rows, n_outputs) what is true, NaN where unknown.
        weights: (n_rows,) of the rows.
    """

    def __init__(self, predicted: Floats, truth: Floats, weights: Floats) -> None:
        self._predicted = predicted
        self._weights = weights
        self._known = weights * np.isfinite(truth[:, 0])
        self._truth = np.where(np.isfinite(truth), truth, 0.0)

    def predicted(self, codes: npt.NDArray[np.intp], count: int) -> list[Floats]:
        """Return the mean answers of each bin: (n_outputs, n_bins), NaN where nothing counts."""
        return [_mean(codes, one, self._weights, count=count) for one in self._predicted.T]

    def truth(self, codes: npt.NDArray[np.intp], count: int) -> list[Floats]:
        """Return the mean of what is true: (n_outputs, n_bins), NaN where nothing is known."""
        return [_mean(codes, one, self._known, count=count) for one in self._truth.T]

    def errors(self, codes: npt.NDArray[np.intp], means: list[Floats]) -> list[Floats]:
        """Return the standard errors of the same means: (n_outputs, n_bins).

        NaN where fewer than two rows are known. Source: Cochran 1977, of a weighted mean.
        """
        count = means[0].size
        rows = np.bincount(codes, weights=self._known > 0, minlength=count)
        total = np.bincount(codes, weights=self._known, minlength=count)
        found = []
        for one, mean in zip(self._truth.T, means, strict=True):
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                off = np.where(self._known > 0, self._known * (one - mean[codes]), 0.0)
                squares = np.bincount(codes, weights=np.square(off), minlength=count)
                error = np.sqrt(squares * rows / (rows - 1)) / total
            found.append(np.where(rows >= _FEWEST_ROWS, error, np.nan))
        return found


def _effect(column: str, bins: Bins, *, answers: Response, means: _Means) -> Effect:
    if bins.reason:
        return Effect(
            column=column,
            kind=bins.kind,
            unit=answers.unit,
            classes=answers.classes,
            rows=bins.codes.size,
            reason=bins.reason,
        )
    count = len(bins.bins)
    truth = means.truth(bins.codes, count)
    return Effect(
        column=column,
        kind=bins.kind,
        unit=answers.unit,
        classes=answers.classes,
        bins=bins.bins,
        predicted=_rows(means.predicted(bins.codes, count)),
        actual=_rows(truth),
        actual_errors=_rows(means.errors(bins.codes, truth)),
        rows=bins.codes.size,
    )


def _mean(
    codes: npt.NDArray[np.intp],
    values: Floats,
    weights: Floats,
    *,
    count: int,
) -> Floats:
    total = np.bincount(codes, weights=weights, minlength=count)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.bincount(codes, weights=weights * values, minlength=count) / total


def _rows(lines: list[Floats]) -> tuple[tuple[float | None, ...], ...]:
    """Return them as JSON has them, None where there is no figure."""
    return tuple(
        tuple(value if np.isfinite(value) else None for value in line.tolist()) for line in lines
    )
