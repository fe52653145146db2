"""Why single rows are answered so: in the ways, and in the words, of those who ask for it.

Shapley values are exact where a version's scorer has trees or weights, and sampled elsewhere; ICE
changes each column by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from brinery.errors import PredictionRefused
from brinery.evaluate import ice, sampling
from brinery.evaluate.observed import Observed
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import Response, response
from brinery.records.contributions import Contributions
from brinery.records.scores import Scores
from brinery.records.text_enum import TextEnum
from brinery.scorers.data import Declined
from brinery.scorers.stored import StoredScorer


class ExplanationMethod(TextEnum):
    """How rows are explained, in the words of those who ask."""

    SHAPLEY = "SHAPLEY"
    ICE = "ICE"


class Wanted(Struct, frozen=True, kw_only=True):
    """What somebody wants explained.

    Attributes:
        method: how.
        most: how many columns are told, 1 and up.
        steps: how many orders of the columns are drawn where Shapley values are sampled.
    """

    method: ExplanationMethod = ExplanationMethod.SHAPLEY
    most: int = 3
    steps: int = 100


class TooMany(Exception):
    """The model would be asked about more rows than is allowed.

    Args:
        rows: that it would be asked about.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(f"{rows:,} rows")
        self.rows = rows


class RowExplainer:
    """Explains rows beside others.

    Args:
        observed: rows that others are compared with, at least one.
        read: the columns that the model reads.
        scorer: of the version; None where it has none.
        library: answers what the scorer does not.

    Raises:
        PredictionRefused: nothing of such answers can be explained.
    """

    def __init__(
        self,
        observed: Observed,
        *,
        read: Sequence[str],
        scorer: StoredScorer | None,
        library: Predictor,
    ) -> None:
        self._background = observed.table
        self._read = list(read)
        self._scorer = scorer
        self._library = library
        answers = response(observed)
        if isinstance(answers, str):
            raise PredictionRefused(answers)
        classes = answers.model_classes
        if len(answers.places) > 1:  # whichever class a row is answered with
            places = tuple(range(len(classes)))
            answers = Response(unit=answers.unit, model_classes=classes, places=places)
        else:
            answers = answers.in_log_odds()
        self._answers = answers

    def explain(
        self, table: pa.Table, wanted: Wanted, *, at_most: int | None = None
    ) -> Contributions:
        """Return what each column that is read made of the answers of a table: (n_rows,).

        Args:
            table: of the columns of the rows that it is compared with.
            wanted: how.
            at_most: how many rows the model may be asked about; any number when None.

        Raises:
            TooMany: they would be more.
            UserError: the model refuses rows that are made of two others.
        """
        if wanted.method is ExplanationMethod.SHAPLEY:
            exact = self._exact(table)
            if exact is not None:
                return exact
        return self._of_read(self._asked(table, wanted, at_most))

    def _exact(self, table: pa.Table) -> Contributions | None:
        """Return exact Shapley values; None where there are none."""
        if self._scorer is None:
            return None
        found = self._scorer.explain(table, background=self._background)
        outputs = max(1, len(self._answers.classes))
        if not isinstance(found, Contributions) or found.values.shape[2] != outputs:
            return None
        return self._of_read(found)

    def _asked(self, table: pa.Table, wanted: Wanted, at_most: int | None) -> Contributions:
        """Return what is found out by asking the model about rows made of two others."""
        ices = wanted.method is ExplanationMethod.ICE
        most = sampling.BACKGROUND_ROWS
        background = _spread(self._background, most if ices else min(most, wanted.steps))
        walks = max(1, wanted.steps // background.num_rows)
        rows, columns = table.num_rows, len(self._read)
        cost = (
            ice.cost(rows, columns=columns, background_rows=background.num_rows)
            if ices
            else sampling.cost(
                rows, columns=columns, background_rows=background.num_rows, walks=walks
            )
        )
        if at_most is not None and cost > at_most:
            raise TooMany(cost)
        unread = frozenset(set(background.column_names) - set(self._read))
        if ices:
            explain = ice.Ice(
                predictor=self._ask, background=background, response=self._answers, unread=unread
            )
            return explain(table)
        sampler = sampling.Sampler(
            predictor=self._ask,
            background=background,
            response=self._answers,
            walks=walks,
            unread=unread,
        )
        return sampler(table)

    def _ask(self, table: pa.Table, /) -> Scores:
        if self._scorer is not None:
            with suppress(Declined):
                return self._scorer.score(table)
        return self._library(table)

    def _of_read(self, found: Contributions) -> Contributions:
        places = [found.columns.index(name) for name in self._read]
        return replace(
            found,
            columns=tuple(self._read),
            values=found.values[:, places],
            standard_errors=None
            if found.standard_errors is None
            else found.standard_errors[:, places],
        )


def _spread(table: pa.Table, most: int) -> pa.Table:
    """Return some rows of a table, evenly spread over it."""
    places = np.linspace(0, table.num_rows - 1, min(most, table.num_rows)).astype(np.int64)
    return table.take(pa.array(places))
