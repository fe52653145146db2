"""What each column made of an answer, of any model: Shapley values by sampling.

A row is compared with rows of a background. On the way from a background row to the row itself the
columns are changed one at a time, in an order that is drawn; what the answer changes by at a
column's turn is what the column added. Each order is also walked backwards, which takes out much of
what depends on chance. Columns in which the two rows agree change nothing and are not asked about.

Whatever the orders, the changes of a walk add up to the difference of the two answers, and each
background row is walked from equally often: so base and contributions add up to the answer.

Source: Strumbelj & Kononenko 2014; Lundberg & Lee 2017 for the background; Mitchell et al. 2022
for walking backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.bins import identities
from brinery.evaluate.observed import Floats, Places
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import Response
from brinery.records.contributions import Contributions

BACKGROUND_ROWS: Final = 50
BLOCK_CELLS: Final = 2_000_000
BLOCK_ROWS: Final = 65_536

_DIRECTIONS: Final = 2

Orders = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def cost(rows: int, *, columns: int, background_rows: int, walks: int = 1) -> int:
    """Return how many rows are at most scored to explain so many.

    Args:
        rows: to be explained.
        columns: of the table that the model may read.
        background_rows: with how many each is compared.
        walks: how many orders are drawn for each of those.
    """
    pairs = background_rows * walks
    return rows * (1 + pairs * _DIRECTIONS * max(0, columns - 1)) + background_rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Sampler:
    """Explains the answers of a model by asking it about rows made of two others.

    Attributes:
        predictor: the model.
        background: (n_background,) rows that a row is compared with, at least one.
        response: what of the answers is explained.
        seed: of the orders; the orders of a row depend on its place in the table alone.
        walks: how many orders are drawn for each row of the background, 1 and up.
        unread: names of columns that the model is known not to read, which add nothing.
    """

    predictor: Predictor
    background: pa.Table
    response: Response
    seed: int = 0
    walks: int = 1
    unread: frozenset[str] = frozenset()

    def __call__(self, table: pa.Table, /) -> Contributions:
        """Return what each column added to the answer of each row of a table: (n_rows,).

        Raises:
            UserError: the model refuses rows that are made of two others.
        """
        table = table.select(self.background.column_names)
        rows, columns = table.num_rows, table.num_columns
        before = self.response.of(self.predictor(self.background))
        after = self.response.of(self.predictor(table)) if rows else before[:0]
        shape = (rows, columns, before.shape[1])
        total, squares = np.zeros(shape), np.zeros(shape)
        mixture = _Mixture.of(table, self.background, unread=self.unread)
        for pairs in self._blocks(rows, columns):
            change = self._changes(pairs, mixture, np.concatenate([after, before]))
            np.add.at(total, pairs.row, change)
            np.add.at(squares, pairs.row, np.square(change))
        count = self.background.num_rows * self.walks
        mean = total / count
        spread = np.maximum(squares / count - np.square(mean), 0.0)
        return Contributions(
            columns=tuple(table.column_names),
            values=mean,
            base=before.mean(axis=0),
            answers=after,
            unit=self.response.unit,
            method="sampling",
            exact=False,
            classes=self.response.classes,
            background_rows=self.background.num_rows,
            standard_errors=np.sqrt(spread / max(1, count - 1)),
        )

    def _blocks(self, rows: int, columns: int) -> Iterator[_Pairs]:
        """Yield what to walk, in blocks of which the model can be asked at once."""
        background = self.background.num_rows
        pairs = background * self.walks
        cells = min(BLOCK_ROWS, BLOCK_CELLS // columns)
        at_once = max(1, cells // (_DIRECTIONS * max(1, columns - 1)))
        per_block = max(1, at_once // pairs)
        for first in range(0, rows, per_block):
            some = range(first, min(rows, first + per_block))
            order = np.concatenate([self._orders(row, pairs, columns) for row in some])
            row = np.repeat(np.array(some, np.int64), pairs)
            other = np.tile(np.arange(pairs) % background, len(some))
            for start in range(0, len(order), at_once):
                part = slice(start, start + at_once)
                yield _Pairs(row[part], rows + other[part], order[part])

    def _orders(self, row: int, pairs: int, columns: int) -> Orders:
        random = np.random.default_rng([self.seed, row])
        return random.permuted(np.tile(np.arange(columns), (pairs, 1)), axis=1)

    def _changes(self, pairs: _Pairs, mixture: _Mixture, known: Floats) -> Floats:
        """Return what each column changes, a mean of both directions: (n_pairs, n_columns, …)."""
        differs = mixture.differ(pairs.row, pairs.other)
        walks = [_Walk.of(order, differs) for order in (pairs.order, pairs.order[:, ::-1])]
        asked = mixture.table(pairs, walks)
        answers = self.response.of(self.predictor(asked)) if asked.num_rows else known[:0]
        change = np.zeros((*pairs.order.shape, known.shape[1]))
        start = 0
        for walk in walks:
            stop = start + int(np.count_nonzero(walk.asked))
            found = answers[start:stop]
            at = walk.answers(found, before=known[pairs.other], after=known[pairs.row])
            steps = np.diff(at, axis=1)
            np.put_along_axis(
                change,
                walk.order[:, :, np.newaxis],
                np.take_along_axis(change, walk.order[:, :, np.newaxis], axis=1) + steps,
                axis=1,
            )
            start = stop
        return change / _DIRECTIONS


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Rows to explain, each with a row of the background and an order.

    Attributes:
        row: (n_pairs,) places of the rows to explain.
        other: (n_pairs,) places of the background's, after all that are to be explained.
        order: (n_pairs, n_columns) the columns in the order in which they are changed.
    """

    row: Places
    other: Places
    order: Orders


@dataclass(frozen=True, eq=False)
class _Walk:
    """The way from a row of the background to the row to explain, for many pairs.

    Attributes:
        order: (n_pairs, n_columns) the columns in the order in which they are changed.
        asked: (n_pairs, n_columns - 1) whether the model is asked after that many changes and one.
        source: (n_pairs, n_columns + 1) after how many changes the answer was the one it is after
            so many: that of the background at 0, of the row itself at n_columns.
    """

    order: Orders
    asked: Flags
    source: Orders

    @classmethod
    def of(cls, order: Orders, differs: Flags) -> _Walk:
        """Return the walk that asks only after changes of a value, and not after the last."""
        columns = order.shape[1]
        changes = np.take_along_axis(differs, order, axis=1)
        done = np.cumsum(changes, axis=1)
        finished = done == done[:, -1:]
        asked = changes & ~finished
        step = np.where(asked, np.arange(1, columns + 1), 0)
        source = np.where(finished, columns, np.maximum.accumulate(step, axis=1))
        start = np.where(done[:, -1:] == 0, columns, 0)
        return cls(order, asked[:, :-1], np.concatenate([start, source], axis=1))

    def answers(self, asked: Floats, *, before: Floats, after: Floats) -> Floats:
        """Return the answer after each number of changes: (n_pairs, n_columns + 1, n_outputs)."""
        pairs, columns = self.order.shape
        found = np.zeros((pairs, columns + 1, before.shape[1]))
        found[:, 0], found[:, -1] = before, after
        found[:, 1:-1][self.asked] = asked
        return np.take_along_axis(found, self.source[:, :, np.newaxis], axis=1)


@dataclass(frozen=True, eq=False)
class _Mixture:
    """The rows to explain and those of the background, one below the other.

    Attributes:
        rows: of both, in one piece each column.
        codes: (n_columns, n_rows) equal where two rows have the same value.
    """

    rows: pa.Table
    codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, background: pa.Table, *, unread: frozenset[str]) -> _Mixture:
        """Return both together.

        Args:
            table: rows to explain.
            background: rows they are compared with, of the same columns.
            unread: names of columns of which all values are as good as equal.
        """
        both = pa.concat_tables([table, background.cast(table.schema)]).combine_chunks()
        codes = np.zeros((both.num_columns, both.num_rows), np.int64)
        for place, name in enumerate(both.column_names):
            if name not in unread:
                codes[place] = identities(both.column(name))
        return cls(both, codes)

    def differ(self, one: Places, other: Places) -> Flags:
        """Return in which columns rows differ: (n_pairs, n_columns)."""
        return np.asarray((self.codes[:, one] != self.codes[:, other]).T)

    def table(self, pairs: _Pairs, walks: list[_Walk]) -> pa.Table:
        """Return the rows to ask about, walk by walk, pair by pair."""
        places = []
        for walk in walks:
            pair, step = np.nonzero(walk.asked)
            turn = np.argsort(walk.order, axis=1)
            changed = turn[pair] <= step[:, np.newaxis]
            row, other = pairs.row[pair, np.newaxis], pairs.other[pair, np.newaxis]
            places.append(np.where(changed, row, other))
        taken = np.ascontiguousarray(np.concatenate(places).T)
        columns = [
            column.take(pa.array(place))
            for column, place in zip(self.rows.columns, taken, strict=True)
        ]
        return pa.table(columns, schema=self.rows.schema)
