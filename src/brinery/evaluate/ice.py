"""What each column made of an answer when it alone is changed (ICE), of any model.

Of a row one column takes the values that rows of a background have there, one after the other; what
the answer is more than the mean of those answers is what the column made of it. Columns that only
count together are told apart by Shapley values, and not here: these figures do not add up to the
answer.

Source: Goldstein et al. 2015 for the curves of which this is the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import Response
from brinery.records.contributions import Contributions

METHOD = "ICE"


def cost(rows: int, *, columns: int, background_rows: int) -> int:
    """Return how many rows are scored to explain so many.

    Args:
        rows: to be explained.
        columns: of the table that the model reads.
        background_rows: with how many each is compared.
    """
    return rows * (1 + columns * background_rows) + background_rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Ice:
    """Explains the answers of a model by changing one column at a time.

    Attributes:
        predictor: the model.
        background: (n_background,) rows that a row is compared with, at least one.
        response: what of the answers is explained.
        unread: names of columns that the model is known not to read, which add nothing.
    """

    predictor: Predictor
    background: pa.Table
    response: Response
    unread: frozenset[str] = frozenset()

    def __call__(self, table: pa.Table, /) -> Contributions:
        """Return what each column alone made of the answer of each row of a table: (n_rows,).

        Raises:
            UserError: the model refuses rows that are made of two others.
        """
        names = self.background.column_names
        table = table.select(names)
        others = self.background.cast(table.schema)
        rows, count = table.num_rows, others.num_rows
        after = self.response.of(self.predictor(table))
        repeated = table.take(pa.array(np.repeat(np.arange(rows), count)))
        values = np.zeros((rows, len(names), after.shape[1]))
        for place, name in enumerate(names):
            if name in self.unread:
                continue
            taken = others.column(name).take(pa.array(np.tile(np.arange(count), rows)))
            changed = repeated.set_column(place, table.schema.field(name), taken)
            found = self.response.of(self.predictor(changed))
            values[:, place] = after - found.reshape(rows, count, -1).mean(axis=1)
        return Contributions(
            columns=tuple(names),
            values=values,
            base=self.response.of(self.predictor(others)).mean(axis=0),
            answers=after,
            unit=self.response.unit,
            method=METHOD,
            exact=False,
            classes=self.response.classes,
            background_rows=count,
        )
