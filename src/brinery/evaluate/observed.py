"""Rows, what a model answers for them, and what is true of them: what an explanation starts from.

It knows which rows are drawn where not all can be asked about. It must not know what is asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.labels import NO_CLASS, codes, missing
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

UNREAD: Final = "the model does not read the column"

_DIGITS: Final = 7

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Observed:
    """Rows with their answers.

    Attributes:
        table: (n_rows,) the input columns alone, those that are to be explained.
        scores: the model's answers for the rows.
        type: of the model.
        actual: (n_rows,) what is true, of any type, None and NaN where unknown; None where nothing
            is known.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) 0 and up; None where all rows count alike.
        unread: names of columns that the model is known not to read; it is not asked about them.
    """

    table: pa.Table
    scores: Scores
    type: PredictionType
    actual: npt.NDArray[np.generic] | None = None
    classes: tuple[Scalar, ...] = ()
    weights: Floats | None = None
    unread: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def read(self) -> tuple[str, ...]:
        """Return the columns that the model may read, in the order of the data."""
        return tuple(name for name in self.table.column_names if name not in self.unread)

    def take(self, rows: Places) -> Observed:
        """Return some of the rows, by their places: (n_taken,)."""
        return replace(
            self,
            table=self.table.take(pa.array(rows)),
            scores=self.scores.take(rows),
            actual=None if self.actual is None else self.actual[rows],
            weights=None if self.weights is None else self.weights[rows],
        )

    def counted(self) -> Places:
        """Return the places of the rows that weigh something."""
        return np.flatnonzero(np.ones(len(self)) if self.weights is None else self.weights > 0)

    def labelled(self) -> Places:
        """Return the places of the rows that weigh something and of which the truth is known.

        A label that is no class of the model is not known, nor a value that is no finite number.
        """
        if self.actual is None:
            return np.zeros(0, np.int64)
        if self.classes:
            known = codes(self.actual, self.classes) != NO_CLASS
        else:
            known = np.isfinite(finite(self.actual))
        if self.weights is not None:
            known &= self.weights > 0
        return np.flatnonzero(known)


def finite(actual: npt.NDArray[np.generic]) -> Floats:
    """Return values as numbers: (n_rows,), NaN where one is missing, infinite or no number."""
    values = np.full(len(actual), np.nan)
    there = ~missing(actual)
    try:
        values[there] = actual[there].astype(np.float64)
    except (TypeError, ValueError):
        return np.full(len(actual), np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def drawn(rows: Places, at_most: int, *, seed: int) -> Places:
    """Return some of the rows, each as likely as any other, in the order of the data.

    Args:
        rows: (n_rows,) places.
        at_most: how many to draw; all where there are not more.
        seed: the same draws the same.
    """
    if rows.size <= at_most:
        return rows
    chosen = np.random.default_rng(seed).choice(rows.size, at_most, replace=False)
    return rows[np.sort(chosen)]


def drawable(values: Floats) -> Floats:
    """Return values rounded to what a chart can show: seven digits of the largest of them."""
    largest = float(np.abs(values).max(initial=0.0))
    return np.round(values, _DIGITS - math.ceil(math.log10(largest))) if largest > 0 else values


def tiled(table: pa.Table, times: int) -> pa.Table:
    """Return a table below itself so many times; no value is copied."""
    return pa.concat_tables([table] * times)


def replaced(table: pa.Table, name: str, *, values: Any) -> pa.Table:
    """Return a table in which one column has other values: (n_rows,) of the same type."""
    return table.set_column(table.column_names.index(name), name, values)
