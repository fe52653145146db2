"""How a model is explained within a budget: by its scorer's own trees, or by asking it.

Budgets are counts of rows, not seconds: the same evaluation gives the same figures anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from brinery.actions.answering import Answering
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.observed import Observed, Places, drawn
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import response
from brinery.evaluate.sampling import BACKGROUND_ROWS, Sampler
from brinery.records.contributions import Contributions
from brinery.records.signature import Scalar
from brinery.scorers import arrow, shapley
from brinery.scorers.stored import StoredScorer

REPEATS = 3
GRID = 21
# A model without a scorer answers so many times more slowly.
_SLOWER = 10
_MOST_ROWS = 10_000
_EXACT_ROWS = 500
_EXACT_BACKGROUND = 100
_FEWEST_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What explains a model, and which rows it is to explain for the means of columns."""

    explain: Explainer
    rows: Places


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """Chooses how many rows an explanation sees.

    Attributes:
        answering: answers for the version.
        budget: rows that each kind of explanation may have scored, by a scorer.
        n_columns: how many columns the model reads.
        seed: of what is drawn.
    """

    answering: Answering
    budget: int
    n_columns: int
    seed: int
    repeats: int = REPEATS
    grid: int = GRID

    def rows_of(self, times: int) -> int:
        """Return how many rows may be used where each column is asked about so many times."""
        may = self._budget // max(1, times * self.n_columns)
        return max(_FEWEST_ROWS, min(may, _MOST_ROWS))

    def explainer(self, observed: Observed, predict: Predictor) -> Explained | str:
        """Return what explains the model, exactly where that can be; or why nothing does."""
        answers = response(observed)
        if isinstance(answers, str):
            return answers
        everything = np.arange(len(observed))
        scorer = self.answering.scorer
        if scorer is not None:
            background = observed.table.take(
                pa.array(drawn(everything, _EXACT_BACKGROUND, seed=self.seed))
            )
            exact = _Exact(self.answering, scorer, background, classes=answers.classes)
            if exact.possible(observed.table.slice(0, 1)):
                rows = drawn(everything, _EXACT_ROWS, seed=self.seed + 1)
                return Explained(explain=exact, rows=rows)
        background = observed.table.take(
            pa.array(drawn(everything, BACKGROUND_ROWS, seed=self.seed))
        )
        sampler = Sampler(
            predictor=predict, background=background, response=answers, seed=self.seed
        )
        may = max(1, sampler.within(self._budget))
        return Explained(explain=sampler, rows=drawn(everything, may, seed=self.seed + 1))

    @property
    def _budget(self) -> int:
        return self.budget if self.answering.fast else max(1, self.budget // _SLOWER)


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

    def possible(self, table: pa.Table) -> bool:
        """Return whether rows like these can be explained."""
        return isinstance(self._asked(table), Contributions)

    def __call__(self, table: pa.Table, /) -> Contributions:
        """Return what each column added to the answer of each row of a table: (n_rows,)."""
        found = self._asked(table)
        if not isinstance(found, Contributions):
            raise TypeError(found.reason)
        return found

    def _asked(self, table: pa.Table) -> Contributions | shapley.Inexact:
        inputs = self._scorer.scorer.plan.inputs
        found = shapley.explain(
            self._scorer.scorer,
            arrow.columns(self._fit(table), inputs),
            background=arrow.columns(self._fit(self._background), inputs),
        )
        if isinstance(found, shapley.Inexact):
            return found
        outputs = found.values.shape[2]
        if outputs != max(1, len(self._classes)):
            return shapley.Inexact("of so many classes only some are explained")
        read = [found.columns.index(name) for name in self._background.column_names]
        return replace(
            found,
            columns=tuple(self._background.column_names),
            values=found.values[:, read],
            classes=self._classes,
        )
