"""A scorer: columns in, answers out, as the library would give them, many times sooner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np

from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar
from brinery.scorers.data import Array, Columns, Declined, is_nan
from brinery.scorers.interface import Answer, Splits
from brinery.scorers.origin import Origin
from brinery.scorers.plan import Plan

# From this on, neighbouring whole numbers are one float64.
_EXACT = 2.0**53
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN)
_PLAIN_NUMBERS = frozenset({int, float, bool, type(None)})
_PLAIN_TEXTS = frozenset({str, type(None)})

Values = Union[Sequence[Any], Array]


class Scorer:
    """Answers rows as the model that its plan was read from.

    It holds no state beside the plan, and may be used by several threads.

    Args:
        plan: what to do.
        fallbacks: of the steps that the library itself is asked for, which and why.
    """

    def __init__(self, plan: Plan, *, fallbacks: tuple[str, ...] = ()) -> None:
        self.plan = plan
        self.fallbacks = fallbacks
        self._names = tuple(column.name for column in plan.inputs)
        self._columns = tuple((column.name, column.given) for column in plan.inputs)
        self._first = next((column.name for column in plan.inputs if column.given), "")
        kinds = [column.type for column in plan.inputs]
        self._numbers = tuple(place for place, kind in enumerate(kinds) if kind in _NUMBERS)
        self._texts = tuple(place for place, kind in enumerate(kinds) if kind not in _NUMBERS)
        self._whole = np.array([kinds[place] is ColumnType.INTEGER for place in self._numbers])
        self._classes = _labels(plan.classes)

    def score(self, columns: Mapping[str, Values]) -> Scores:
        """Return the answers for some rows.

        Args:
            columns: name to (n_rows,) values, of every column the model takes; None or NaN for a
                missing value.

        Raises:
            Declined: the library must be asked, which might answer otherwise, or refuse.
        """
        return self._scores(self.plan.model.answer(self.read(columns)))

    def read(self, columns: Mapping[str, Values]) -> Columns:
        """Return rows as the nodes take them.

        Args:
            columns: as for `score`.

        Raises:
            Declined: as for `score`.
        """
        n_rows = len(columns[self._first])
        arrays: list[Any] = [
            columns[name] if given else [None] * n_rows for name, given in self._columns
        ]
        if self._numbers:
            table = _numbers([arrays[place] for place in self._numbers])
            largest = np.fmax.reduce(np.abs(table), axis=None, initial=0.0)
            if largest >= _EXACT:
                self._check_large(table)
            for place, numbers in zip(self._numbers, table):
                arrays[place] = numbers
        for place in self._texts:
            arrays[place] = _text(arrays[place])
        if any(len(array) != n_rows for array in arrays):
            raise Declined("columns of different lengths")
        return Columns(self._names, tuple(arrays), n_rows)

    def _check_large(self, table: Array) -> None:
        """Raise where a number is infinite, or a whole one that float64 cannot tell from others."""
        largest = np.fmax.reduce(np.abs(table), axis=1, initial=0.0)
        if np.isinf(largest).any() or (largest[self._whole] >= _EXACT).any():
            raise Declined("a number that is infinite, or whole and too large")

    def splits(self) -> tuple[Splits, ...]:
        """Return the trees within, with what leads to them."""
        origins: list[Optional[Origin]] = [
            Origin(place) if column.type in _NUMBERS else None
            for place, column in enumerate(self.plan.inputs)
        ]
        return self.plan.model.splits(origins)

    def _scores(self, answer: Answer) -> Scores:
        if answer.labels is None:
            if answer.values is None:
                raise Declined("the model has no answer")
            return Scores(predictions=answer.values)
        chances = answer.probabilities
        return Scores(
            predictions=self._classes[answer.labels],
            probabilities=None if chances is None else chances.astype(np.float64, copy=False),
            classes=self.plan.classes,
        )


def _labels(classes: tuple[Scalar, ...]) -> Array:
    """Return the classes as an array that labels are taken from."""
    if any(isinstance(label, str) for label in classes):
        return np.array([*classes, None], dtype=object)[:-1]
    return np.array(classes)


def _numbers(columns: list[Values]) -> Array:
    """Return columns of numbers as float64, NaN where one is missing: (n_columns, n_rows).

    Raises:
        Declined: a value is no number, or float64 cannot hold it.
    """
    for values in columns:
        if isinstance(values, np.ndarray):
            plain = values.dtype.kind in "biuf"
        else:
            plain = _PLAIN_NUMBERS.issuperset(map(type, values))
        if not plain:
            raise Declined("a value that is no number")
    try:
        return np.array(columns, dtype=np.float64)
    except (OverflowError, ValueError):
        raise Declined("a number that float64 cannot hold") from None


def _text(values: Values) -> Array:
    """Return text as an array of objects, NaN where one is missing.

    Raises:
        Declined: one is no text.
    """
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    if not _PLAIN_TEXTS.issuperset(map(type, listed)):
        if not all(isinstance(one, str) or one is None or is_nan(one) for one in listed):
            raise Declined("a value that is no text")
        listed = [one if isinstance(one, str) else math.nan for one in listed]
    elif None in listed:
        listed = [math.nan if one is None else one for one in listed]
    made = np.empty(len(listed), dtype=object)
    made[:] = listed
    return made
