"""What explains a version exactly: the trees and weights of its scorer, where it has them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from brinery.actions.answering import Answering
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.observed import Observed, drawn
from brinery.evaluate.response import response
from brinery.records.contributions import Contributions
from brinery.records.signature import Scalar
from brinery.scorers import shapley
from brinery.scorers.data import Declined
from brinery.scorers.shapley import Against
from brinery.scorers.stored import StoredScorer

# A row is compared with so many others.
_BACKGROUND_ROWS = 100


class NotExact(Exception):
    """Some row of many cannot be explained exactly, such as one of a category never seen."""


def exact(answering: Answering, observed: Observed, *, seed: int) -> Explainer | None:
    """Return what explains a version exactly; None where nothing does.

    Args:
        answering: answers for the version.
        observed: rows like those that are to be explained.
        seed: of the rows that they are compared with.
    """
    answers = response(observed)
    if answering.scorer is None or isinstance(answers, str):
        return None
    places = drawn(np.arange(len(observed)), _BACKGROUND_ROWS, seed=seed)
    background = observed.table.take(pa.array(places))
    found = _Exact(answering, answering.scorer, background, classes=answers.classes)
    return found if found.possible(observed.table.slice(0, 1)) else None


class _Exact:
    """The exact Shapley values of a scorer.

    Args:
        answering: makes of some columns what the scorer takes.
        scorer: of the version.
        background: (n_background, n_columns) rows that each row is compared with.
        classes: that are explained, as the version calls them.
    """

    def __init__(
        self,
        answering: Answering,
        scorer: StoredScorer,
        background: pa.Table,
        *,
        classes: tuple[Scalar, ...],
    ) -> None:
        self._fit = answering.fit
        self._scorer = scorer
        self._background = background
        self._classes = classes

    @cached_property
    def _against(self) -> Against | shapley.Inexact:
        """Return what explains; the background is looked at once for all rows."""
        try:
            return self._scorer.against(self._fit(self._background))
        except Declined as declined:
            return shapley.Inexact(str(declined))

    def possible(self, table: pa.Table) -> bool:
        """Return whether rows like these can be explained."""
        return isinstance(self._asked(table), Contributions)

    def __call__(self, table: pa.Table, /) -> Contributions:
        """Return what each column added to the answer of each row of a table: (n_rows,).

        Raises:
            NotExact: a row of it must be explained by sampling.
        """
        found = self._asked(table)
        if not isinstance(found, Contributions):
            raise NotExact(found.reason)
        return found

    def _asked(self, table: pa.Table) -> Contributions | shapley.Inexact:
        if isinstance(self._against, shapley.Inexact):
            return self._against
        found = self._scorer.explained(self._fit(table), self._against)
        if isinstance(found, shapley.Inexact):
            return found
        if found.values.shape[2] != max(1, len(self._classes)):
            return shapley.Inexact("of so many classes only some are explained")
        read = [found.columns.index(name) for name in self._background.column_names]
        return replace(
            found,
            columns=tuple(self._background.column_names),
            values=found.values[:, read],
            classes=self._classes,
        )
