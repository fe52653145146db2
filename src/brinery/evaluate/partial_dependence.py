"""What a model would answer on average, were one column to have the same value in every row.

The values of a grid are put into the same rows, one after the other, and the model is asked: the
mean is the partial dependence, the answers for a single row its ICE line. Values far from a row's
own may be such as never occur together with the rest of it; the distribution says where data is.

Source: Friedman 2001; Goldstein et al. 2015 for the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from brinery.errors import UserError
from brinery.evaluate import change
from brinery.evaluate.bins import MOST_BINS, Bins, identities, lay_out
from brinery.evaluate.observed import (
    UNREAD,
    Floats,
    Observed,
    Places,
    drawable,
    drawn,
    replaced,
    tiled,
)
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import Response, response
from brinery.records.contributions import Unit
from brinery.records.effects import Kind, PartialDependence

MAX_ROWS: Final = 1_000
LINES: Final = 40
BLOCK_ROWS: Final = 65_536

_TEXT: Final = "the column is free text, which has no grid of values"
_FEWEST_ROWS: Final = 2


def cost(observed: Observed, *, max_rows: int = MAX_ROWS, most: int = MOST_BINS) -> int:
    """Return how many rows `run` will at most have scored."""
    return min(len(observed), max_rows) * (most + 1) * len(observed.read)


def run(
    observed: Observed,
    predictor: Predictor,
    *,
    max_rows: int = MAX_ROWS,
    most: int = MOST_BINS,
    lines: int = LINES,
    seed: int = 0,
    columns: Sequence[str] | None = None,
) -> Iterator[PartialDependence]:
    """Yield the partial dependence on each column.

    Args:
        observed: the rows, with labels or without. The grid is laid over all of them.
        predictor: answers for the same rows with another value in one column.
        max_rows: over how many rows the mean is at most, drawn where there are more.
        most: how many values are put in at most; where some rows have none, none is one more.
        lines: how many rows have a line of their own, spread over the answers they have now.
            Several classes share them.
        seed: of the draw.
        columns: which, in this order; all where None.
    """
    names = observed.table.column_names if columns is None else columns
    counted, answers = observed.counted(), response(observed)
    if not counted.size:
        answers = "no row of the data counts"
    if isinstance(answers, str):
        for column in names:
            yield PartialDependence(column=column, kind=Kind.OTHER, unit=Unit.VALUE, reason=answers)
        return
    rows = drawn(counted, max_rows, seed=seed)
    used = observed.take(rows)
    line_rows = _spread(answers.of(used.scores)[:, 0], max(1, lines // max(1, len(answers.places))))
    asked = _Asked(used, predictor, answers, line_rows, rows, seed)
    for column in names:
        bins = lay_out(observed.table.column(column), most=most)
        yield asked.dependence(column, observed.table.column(column), bins=bins)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked about each column.

    Attributes:
        observed: (n_rows,) the rows that values are put into.
        predictor: answers for them.
        answers: what of its answers is explained.
        line_rows: (n_lines,) places among the rows of those that have a line.
        rows: (n_rows,) places of the rows in the data.
        seed: they were drawn with.
    """

    observed: Observed
    predictor: Predictor
    answers: Response
    line_rows: Places
    rows: Places
    seed: int

    def dependence(self, column: str, values: pa.ChunkedArray, *, bins: Bins) -> PartialDependence:
        """Return the partial dependence on a column, of which all values are given."""
        reason = bins.reason or ("" if bins.places.size else _TEXT)
        reason = UNREAD if column in self.observed.unread else reason
        if reason:
            return self._absent(column, bins, reason)
        places = bins.places.tolist()
        shown = list(bins.bins[: len(places)])
        if bins.bins[-1].missing:
            places.append(int(np.flatnonzero(bins.codes == len(bins.bins) - 1)[0]))
            shown.append(bins.bins[-1])
        try:
            found = self._found(column, values.take(pa.array(places)).combine_chunks())
        except UserError as refused:
            return self._absent(column, bins, refused.message)
        mean = np.average(found, axis=1, weights=self.observed.weights)
        odds: tuple[tuple[float | None, ...], ...] = ()
        if self.answers.unit is Unit.PROBABILITY:
            odds = tuple(tuple(map(_log_odds, line)) for line in mean.T.tolist())
        return PartialDependence(
            column=column,
            kind=bins.kind,
            unit=self.answers.unit,
            classes=self.answers.classes,
            bins=tuple(shown),
            mean=tuple(map(tuple, mean.T.tolist())),
            errors=tuple(map(tuple, self._errors(found, mean).T.tolist())),
            log_odds=odds,
            lines=tuple(
                tuple(map(tuple, drawable(found[:, self.line_rows, output]).T.tolist()))
                for output in range(found.shape[2])
            ),
            line_rows=tuple(self.rows[self.line_rows].tolist()),
            rows=len(self.observed),
            seed=self.seed,
        )

    def _found(self, column: str, grid: pa.Array) -> Floats:
        """Return the answers with each value of a grid in each row: (n_values, n_rows, n_outputs).

        Raises:
            UserError: the model refuses them.
        """
        rows = len(self.observed)
        now = self.observed.table.column(column)
        both = identities(pa.chunked_array([grid, *now.chunks], now.type))
        put, own = both[: len(grid)], both[len(grid) :]
        at_once = max(1, BLOCK_ROWS // rows)
        parts: list[Floats] = []
        for start in range(0, len(grid), at_once):
            block = grid[start : start + at_once]
            places = np.repeat(np.arange(len(block)), rows)
            receivers = np.tile(np.arange(rows), len(block))
            values = block.take(pa.array(places))
            scores = change.answers(
                self.predictor,
                replaced(tiled(self.observed.table, len(block)), column, values=values),
                changed=put[start + places] != own[receivers],
                before=self.observed.scores.take(receivers),
            )
            answers = self.answers.of(scores)
            parts.append(answers.reshape(len(block), rows, -1))
        return np.concatenate(parts)

    def _errors(self, found: Floats, mean: Floats) -> Floats:
        """Return the standard errors of the means: (n_values, n_outputs); 0 of a single row."""
        rows = len(self.observed)
        given = self.observed.weights
        weights = np.ones(rows) if given is None else given
        if rows < _FEWEST_ROWS:
            return np.zeros_like(mean)
        off = weights[:, np.newaxis] * (found - mean[:, np.newaxis, :])
        spread: Floats = np.sqrt(np.square(off).sum(axis=1) * rows / (rows - 1)) / weights.sum()
        return spread

    def _absent(self, column: str, bins: Bins, reason: str) -> PartialDependence:
        return PartialDependence(
            column=column,
            kind=bins.kind,
            unit=self.answers.unit,
            classes=self.answers.classes,
            rows=len(self.observed),
            seed=self.seed,
            reason=reason,
        )


def _spread(answers: Floats, count: int) -> Places:
    """Return the places of some rows whose answers are spread evenly over those of all."""
    order = np.argsort(answers, kind="stable")
    steps = np.linspace(0, order.size - 1, min(count, order.size)).round().astype(np.int64)
    return np.sort(order[np.unique(steps)]).astype(np.int64)


def _log_odds(chance: float) -> float | None:
    return float(np.log(chance / (1 - chance))) if 0 < chance < 1 else None
