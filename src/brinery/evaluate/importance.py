"""How much worse a model becomes where a column is shuffled: its permutation importance.

Each column is shuffled among the rows a few times, and the model is asked again. The interval
covers both chances: which rows are in the data and how they were shuffled. A row counts twice in
it, where its own column is shuffled and where another row is given its value.

Source: Breiman 2001; Fisher, Rudin & Dominici 2019. The interval is that of an incomplete
U-statistic by its influences (Hoeffding 1948); of one shuffle it is wider than needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace
from scipy.special import stdtrit

from brinery.errors import UserError
from brinery.evaluate import change
from brinery.evaluate.bins import identities
from brinery.evaluate.intervals import normal
from brinery.evaluate.measures import Measure, Metric, default_measure
from brinery.evaluate.observed import UNREAD, Floats, Observed, Places, drawn, replaced, tiled
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.response import response
from brinery.records.estimate import Estimate, Interval
from brinery.records.importance import Importance, Importances
from brinery.records.scores import Scores

LEVEL: Final = 0.95
MAX_ROWS: Final = 10_000
REPEATS: Final = 5
BLOCK_ROWS: Final = 65_536

_CONSTANT: Final = "the column has the same value in every row"
_GROUPS: Final = 20
# What a metric raises where it is not defined.
_UNDEFINED: Final = (ArithmeticError, TypeError, ValueError)
_FEWEST_ROWS: Final = 2


def cost(observed: Observed, *, repeats: int = REPEATS, max_rows: int = MAX_ROWS) -> int:
    """Return how many rows `run` will at most have scored."""
    return min(observed.labelled().size, max_rows) * repeats * len(observed.read)


def run(
    observed: Observed,
    predictor: Predictor,
    *,
    metric: Metric | None = None,
    repeats: int = REPEATS,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
    columns: Sequence[str] | None = None,
) -> Iterator[Importances]:
    """Yield what is known of the importance of the columns, each time of one column more.

    Args:
        observed: the rows; those without a label are left out.
        predictor: answers for the same rows with one column shuffled.
        metric: what becomes worse; by default what `default_measure` says.
        repeats: how often each column is shuffled, 1 and up.
        max_rows: how many rows are used at most, drawn where there are more.
        seed: of the draw and the shuffles. A column's shuffles depend on its place alone.
        columns: which, in this order; all where None.
    """
    rows = drawn(observed.labelled(), max_rows, seed=seed)
    answers = response(observed)
    reason = "no row of the data has a label" if not rows.size else ""
    if isinstance(answers, str):
        reason = reason or answers
    empty = Importances(
        metric="" if metric is None else metric.name,
        greater_is_better=metric is None or metric.greater_is_better,
        baseline=None,
        rows=int(rows.size),
        seed=seed,
        reason=reason,
    )
    if isinstance(answers, str) or reason:
        yield empty
        return
    used = observed.take(rows)
    measure = default_measure(used, answers) if metric is None else metric.bound(used)
    try:
        shuffled = _Shuffled(used, predictor, measure=measure, repeats=repeats, seed=seed)
    except _UNDEFINED as undefined:
        yield replace(empty, reason=f"{measure.name} cannot be computed: {undefined}")
        return
    found: tuple[Importance, ...] = ()
    for column in used.table.column_names if columns is None else columns:
        found = (*found, shuffled.importance(column))
        yield Importances(
            metric=measure.name,
            greater_is_better=measure.greater_is_better,
            baseline=shuffled.baseline,
            rows=len(used),
            seed=seed,
            columns=found,
        )


@dataclass(frozen=True)
class _Deal:
    """One shuffle: whose value each row is given.

    Attributes:
        donor: (n_rows,) place of the row whose value a row has.
        receiver: (n_rows,) place of the row that has a row's value.
    """

    donor: Places
    receiver: Places


class _Shuffled:
    """Shuffles columns of the same rows.

    Args:
        observed: the rows, each with a label.
        predictor: answers for them.
        measure: of the same rows.
        repeats: how often each column is shuffled.
        seed: of the shuffles.
    """

    def __init__(
        self,
        observed: Observed,
        predictor: Predictor,
        *,
        measure: Measure,
        repeats: int,
        seed: int,
    ) -> None:
        self._observed = observed
        self._predictor = predictor
        self._measure = measure
        self._repeats = repeats
        self._seed = seed
        self._before = measure(observed.scores)
        self._sign = 1.0 if measure.greater_is_better else -1.0
        self.baseline = self._before.value if math.isfinite(self._before.value) else None

    def importance(self, column: str) -> Importance:
        """Return how much worse the measure is where a column is shuffled."""
        if self.baseline is None:
            return Importance(column=column, reason="the metric of the rows is no finite number")
        values = self._observed.table.column(column).combine_chunks()
        why = _CONSTANT if _has_one_value(values) else ""
        why = UNREAD if column in self._observed.unread else why
        if why:
            nothing = Estimate(value=0.0, reason=why)
            return Importance(column=column, estimate=nothing, reason=why)
        deals = self._deals(column)
        try:
            answers = list(self._answers(column, values, deals))
            after = [self._measure(scores) for scores in answers]
        except UserError as refused:
            return Importance(column=column, reason=refused.message)
        except _UNDEFINED as undefined:
            return Importance(column=column, reason=f"the metric cannot be computed: {undefined}")
        worse = [self._sign * (self.baseline - one.value) for one in after]
        if not all(map(math.isfinite, worse)):
            return Importance(column=column, reason="the metric of the shuffled rows is not finite")
        influences = [one.influence for one in after if one.influence is not None]
        value = float(np.mean(worse))
        if len(self._observed) < _FEWEST_ROWS:
            estimate = Estimate(value=value, reason="one row has no interval")
        elif self._before.influence is None or len(influences) < len(after):
            estimate = self._left_out(value, answers, deals)
        else:
            estimate = _estimated(worse, self._before.influence, influences, deals=deals)
        return Importance(column=column, estimate=estimate, repeats=tuple(worse))

    def _deals(self, column: str) -> list[_Deal]:
        place = self._observed.table.column_names.index(column)
        random = np.random.default_rng([self._seed, place])
        donors = [random.permutation(len(self._observed)) for _ in range(self._repeats)]
        return [_Deal(donor, np.argsort(donor)) for donor in donors]

    def _answers(self, column: str, values: pa.Array, deals: list[_Deal]) -> Iterator[Scores]:
        """Yield the answers of each shuffle; several are asked for at once."""
        rows = len(self._observed)
        own = identities(pa.chunked_array([values]))
        at_once = max(1, BLOCK_ROWS // rows)
        for start in range(0, len(deals), at_once):
            block = deals[start : start + at_once]
            donors = np.concatenate([deal.donor for deal in block])
            receivers = np.tile(np.arange(rows), len(block))
            table = tiled(self._observed.table, len(block))
            scores = change.answers(
                self._predictor,
                replaced(table, column, values=values.take(pa.array(donors))),
                changed=own[donors] != own[receivers],
                before=self._observed.scores.take(receivers),
            )
            for place in range(len(block)):
                yield scores.part(place * rows, (place + 1) * rows)

    def _left_out(self, value: float, answers: list[Scores], deals: list[_Deal]) -> Estimate:
        try:
            return self._jackknifed(value, answers, deals)
        except _UNDEFINED as undefined:
            reason = f"the metric of fewer rows cannot be computed: {undefined}"
            return Estimate(value=value, reason=reason)

    def _jackknifed(self, value: float, answers: list[Scores], deals: list[_Deal]) -> Estimate:
        """Return it with an interval by leaving out a group of rows at a time.

        A pair of a row and the row whose value it has is left out where either is of the group.
        Source: Arvesen 1969, the jackknife of U-statistics.
        """
        rows = len(self._observed)
        groups = min(_GROUPS, rows)
        group = np.random.default_rng(self._seed).permutation(rows) % groups
        left: list[float] = []
        for one in range(groups):
            outside = group != one
            before = self._measure.without(self._observed.scores, np.flatnonzero(outside))
            after = [
                self._measure.without(scores, np.flatnonzero(outside & outside[deal.donor]))
                for scores, deal in zip(answers, deals, strict=True)
            ]
            left.append(self._sign * (before - float(np.mean(after))))
        spread = math.sqrt((groups - 1) * float(np.var(left)))
        if not math.isfinite(spread):
            return Estimate(value=value, reason="the metric of fewer rows is not finite")
        half = float(stdtrit(groups - 1, (1 + LEVEL) / 2)) * spread
        return _ranged(value, half, "jackknife")


def _estimated(
    repeats: list[float],
    before: Floats,
    after: list[Floats],
    *,
    deals: list[_Deal],
) -> Estimate:
    """Return it with an interval by what each row contributes, as its own and as a donor.

    What the parts of the rows vary by from shuffle to shuffle is no difference between the rows; it
    is taken out, and what the figures of whole shuffles vary by is put in its place.
    """
    changes = [one - before for one in after]
    given = [one + one[deal.receiver] for one, deal in zip(changes, deals, strict=True)]
    rows, shuffles = before.size, len(after)
    variance = float(np.var(np.mean(given, axis=0), ddof=1)) / rows
    if shuffles > 1:
        within = float(np.var(given, axis=0, ddof=1).mean()) / shuffles / rows
        between = float(np.var(repeats, ddof=1)) / shuffles
        variance = max(0.0, variance - within) + between
    half = normal(LEVEL) * math.sqrt(variance)
    return _ranged(float(np.mean(repeats)), half, "influences of rows")


def _ranged(value: float, half: float, method: str) -> Estimate:
    interval = Interval(low=value - half, high=value + half, level=LEVEL, method=method)
    return Estimate(value=value, interval=interval)


def _has_one_value(values: pa.Array) -> bool:
    try:
        return bool(pc.count_distinct(values, mode="all").as_py() <= 1)
    except pa.ArrowNotImplementedError:
        return False
