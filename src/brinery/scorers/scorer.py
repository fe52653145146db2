"""A scorer: columns in, answers out, as the library would give them, many times sooner."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Optional, Union

import numpy as np

from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar
from brinery.scorers import narrow
from brinery.scorers import rows as single_rows
from brinery.scorers.additive import Additive
from brinery.scorers.data import Array, Columns, Declined, Held, is_nan, picker
from brinery.scorers.interface import Answer, Splits
from brinery.scorers.origin import Origin
from brinery.scorers.plan import Plan
from brinery.scorers.rows import EXACT

_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN)
_PLAIN_NUMBERS = frozenset({int, float, bool, type(None)})
_ONLY_TEXTS = frozenset({str})
_LISTS = frozenset({list})

# So many rows are scored at once: what is made of them on the way stays in the fast memory. Columns
# of a power of two would lie so that they push each other out of it.
_BLOCK = 4000
# Up to so many rows a table is made row by row; more stay column by column.
_FEW = 1024

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
        self._first = next((column.name for column in plan.inputs if column.given), "")
        self._absent = tuple(column.name for column in plan.inputs if not column.given)
        numbers = [place for place, one in enumerate(plan.inputs) if one.type in _NUMBERS]
        texts = [place for place, one in enumerate(plan.inputs) if one.type not in _NUMBERS]
        self._numbers = picker([self._names[place] for place in numbers])
        self._texts = picker([self._names[place] for place in texts])
        self._all = picker([column.name for column in plan.inputs if column.given])
        self._order = picker(np.argsort([*numbers, *texts]).tolist())
        self._whole = np.array(
            [plan.inputs[place].type is ColumnType.INTEGER for place in numbers], dtype=bool
        )
        self._by_rows = not texts and not self._absent
        model = plan.model.row() if self._by_rows else None
        self._narrow = None if model is None else narrow.compiled(model)
        self._classes = _labels(plan.classes)

    def score(self, columns: Mapping[str, Values]) -> Scores:
        """Return the answers for some rows.

        Args:
            columns: name to (n_rows,) values, of every column the model takes; None or NaN for a
                missing value.

        Raises:
            Declined: the library must be asked, which might answer otherwise, or refuse.
        """
        n_rows = len(columns[self._first])
        # What the library itself is asked for may look at all rows at once.
        if n_rows <= _BLOCK or self.fallbacks:
            data = self.read(columns)
            # A table goes through the library's own product of tables, to the last bit.
            found = self._few(data.table) if n_rows == 1 else None
            return self._scores(self.plan.model.answer(data)) if found is None else found
        self._check_lengths(columns, n_rows)
        starts = range(0, n_rows, _BLOCK)
        return _joined([self.score(_part(columns, start)) for start in starts])

    def score_rows(
        self, rows: Sequence[tuple[Any, ...]], *, singly: bool = False
    ) -> Optional[Scores]:
        """Return the answers for some rows of numbers; None where they are to be given by columns.

        Args:
            rows: (n_rows,) each the values of every column the model takes, in its order, as for
                `score`.
            singly: whether each of them is to have the answer that it has by itself, which may end
                in another bit than that of a table.

        Raises:
            Declined: as for `score`.
        """
        if not self._by_rows or len(rows) > _BLOCK:
            return None
        table = _table(rows, len(self._names))
        found = self._few(table) if singly or len(rows) == 1 else None
        if found is not None:
            return found
        bounded = _are_small(table)
        if not bounded:
            self._check_large(table.T)
        held = Columns(self._names, table.T, len(table), table, bounded)
        return self._scores(self.plan.model.answer(held))

    def score_each(self, columns: Mapping[str, Values]) -> Optional[Scores]:
        """Return the answers for rows that are given one by one, where they come another way.

        Args:
            columns: as for `score`, of rows that are answered together.
        """
        if self._narrow is None:
            return None
        values = [_listed(columns[name]) for name in self._names]
        parts = [self.score_rows([row]) for row in zip(*values)]
        return _joined([part for part in parts if part is not None])

    def _few(self, table: Optional[Array]) -> Optional[Scores]:
        """Return the answers for a few rows of numbers; None where the arrays are to give them."""
        few = self._narrow
        if few is None or table is None or len(table) > few.most_rows:
            return None
        answer = few.answer(table)
        return None if answer is None else self._scores(answer)

    def rows(self) -> Optional[single_rows.Rows]:
        """Return what answers single rows without an array; None where nothing does."""
        model = self.plan.model.row() if self._by_rows else None
        if model is None:
            return None
        return single_rows.Rows(
            names=self._names,
            model=model,
            predictions=tuple(self._classes.tolist()),
            labels=tuple(map(str, self.plan.classes)),
        )

    def read(self, columns: Mapping[str, Values]) -> Columns:
        """Return rows as the nodes take them.

        Args:
            columns: as for `score`.

        Raises:
            Declined: as for `score`.
        """
        n_rows = len(columns[self._first])
        if self._absent:
            columns = {**columns, **dict.fromkeys(self._absent, [None] * n_rows)}
        self._check_lengths(columns, n_rows)
        numbers = _numbers(self._numbers(columns), n_rows=n_rows)
        # Where a value is missing the second look tells; all are below for most rows.
        bounded = _are_small(numbers)
        if not bounded:
            self._check_large(numbers)
        if len(numbers) == len(self._names):
            # Many rows stay column by column: most steps are as soon done so, and some sooner.
            table = numbers.T if n_rows > _FEW else np.ascontiguousarray(numbers.T)
            return Columns(self._names, numbers, n_rows, table, bounded)
        held = self._order([*numbers, *_texts(self._texts(columns))])
        return Columns(self._names, held, n_rows)

    def _check_lengths(self, columns: Mapping[str, Values], n_rows: int) -> None:
        """Raise where a column has not a value for each row.

        Raises:
            Declined: it has more, or fewer.
        """
        if set(map(len, self._all(columns))) != {n_rows}:
            raise Declined("columns of different lengths")

    def _check_large(self, table: Array) -> None:
        """Raise where a number is infinite, or a whole one that float64 cannot tell from others."""
        largest = np.fmax.reduce(np.abs(table), axis=1, initial=0.0)
        if np.isinf(largest).any() or (largest[self._whole] >= EXACT).any():
            raise Declined("a number that is infinite, or whole and too large")

    def splits(self) -> tuple[Splits, ...]:
        """Return the trees within, with what leads to them."""
        return self.plan.model.splits(self._origins())

    def additive(self) -> Additive:
        """Return the raw answer as a sum, of rows as `read` returns them.

        Raises:
            Declined: it is no sum of trees' leaves, or of weighted columns.
        """
        return self.plan.model.additive(self._origins())

    def _origins(self) -> list[Optional[Origin]]:
        """Return each input column as its own origin; there is no way back to a text."""
        inputs = [Origin(place) for place in range(len(self.plan.inputs))]
        numbers = [column.type in _NUMBERS for column in self.plan.inputs]
        return [one if number else one.lost() for one, number in zip(inputs, numbers)]

    def _scores(self, answer: Answer) -> Scores:
        if answer.labels is None:
            if answer.values is None:
                raise Declined("the model has no answer")
            return Scores(predictions=answer.values)
        chances = answer.probabilities
        if chances is not None and chances.dtype != np.float64:
            chances = chances.astype(np.float64)
        return Scores(
            predictions=self._classes[answer.labels],
            probabilities=chances,
            classes=self.plan.classes,
        )


def _table(rows: Sequence[tuple[Any, ...]], width: int) -> Array:
    """Return rows of numbers as a table, NaN where one is missing: (n_rows, width) float64.

    Args:
        rows: (n_rows,) each of `width` values.
        width: how many columns there are.

    Raises:
        Declined: a value is none that float64 holds.
    """
    try:
        try:
            return np.frombuffer(array("d", chain.from_iterable(rows))).reshape(len(rows), width)
        except TypeError:  # one is missing, or is no number
            if not _PLAIN_NUMBERS.issuperset(map(type, chain.from_iterable(rows))):
                raise Declined("a value that is no number") from None
            return np.array(rows, dtype=np.float64)
    except (OverflowError, ValueError):
        raise Declined("a number that float64 cannot hold") from None


def _are_small(numbers: Array) -> bool:
    """Return whether every number is there, and so small that whole ones are told apart."""
    if numbers.size > _FEW:
        # A missing one is the least as well as the most, and is neither above nor below.
        least, most = np.minimum.reduce(numbers, axis=None), np.maximum.reduce(numbers, axis=None)
        return bool(least > -EXACT and most < EXACT)
    return np.count_nonzero(np.abs(numbers) < EXACT) == numbers.size


def _part(columns: Mapping[str, Values], start: int) -> dict[str, Values]:
    """Return a block of rows."""
    return {name: values[start : start + _BLOCK] for name, values in columns.items()}


def _joined(parts: Sequence[Scores]) -> Scores:
    """Return the answers of blocks as those of all rows."""
    chances = [one.probabilities for one in parts if one.probabilities is not None]
    return Scores(
        predictions=np.concatenate([one.predictions for one in parts]),
        probabilities=np.concatenate(chances) if chances else None,
        classes=parts[0].classes,
    )


def _listed(values: Values) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _labels(classes: tuple[Scalar, ...]) -> Array:
    """Return the classes as an array that labels are taken from."""
    if any(isinstance(label, str) for label in classes):
        return np.array([*classes, None], dtype=object)[:-1]
    return np.array(classes)


def _numbers(columns: tuple[Values, ...], *, n_rows: int) -> Array:
    """Return columns of numbers as float64, NaN where one is missing: (n_columns, n_rows).

    Raises:
        Declined: a value is no number, or float64 cannot hold it.
    """
    if not columns:
        return np.empty((0, n_rows))
    if _LISTS.issuperset(map(type, columns)):
        plain = _PLAIN_NUMBERS.issuperset(map(type, chain.from_iterable(columns)))
    else:
        plain = all(map(_holds_numbers, columns))
    if not plain:
        raise Declined("a value that is no number")
    try:
        return np.array(columns, dtype=np.float64)
    except (OverflowError, ValueError):
        raise Declined("a number that float64 cannot hold") from None


def _holds_numbers(values: Values) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "biuf"
    return _PLAIN_NUMBERS.issuperset(map(type, values))


def _texts(columns: tuple[Any, ...]) -> Sequence[Held]:
    """Return columns of text as lists, or as arrays of objects, NaN where one is missing.

    Raises:
        Declined: a value is no text.
    """
    if _LISTS.issuperset(map(type, columns)) and _ONLY_TEXTS.issuperset(
        map(type, chain.from_iterable(columns))
    ):
        return columns
    return [_text(values) for values in columns]


def _text(values: Values) -> Held:
    """Return text as a list, or as an array of objects, NaN where one is missing.

    Raises:
        Declined: one is no text.
    """
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if _ONLY_TEXTS.issuperset(map(type, listed)):
        return listed
    if not all(isinstance(one, str) or one is None or is_nan(one) for one in listed):
        raise Declined("a value that is no text")
    made: Array = np.empty(len(listed), dtype=object)
    made[:] = [one if isinstance(one, str) else math.nan for one in listed]
    return made
