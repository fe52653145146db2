"""How much a model needs each input column."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.estimate import Estimate
from brinery.records.signature import Scalar


class Importance(Struct, frozen=True, kw_only=True):
    """How much worse a model becomes where one column tells it nothing.

    Attributes:
        column: its name.
        estimate: by how much the metric becomes worse when the column is shuffled, in the unit of
            the metric; above 0 where the column helps. None where it could not be computed.
        repeats: (n_repeats,) the same of each shuffle.
        reason: why there is no estimate, or why no row was scored for it; else empty.
    """

    column: str
    estimate: Optional[Estimate] = None
    repeats: tuple[float, ...] = ()
    reason: str = ""


class Importances(Struct, frozen=True, kw_only=True):
    """The permutation importance of the columns, by one metric on the same rows.

    Attributes:
        metric: its name, such as `log_loss`.
        greater_is_better: whether a greater metric is a better one.
        baseline: the metric on these rows as they are; None where it could not be computed.
        rows: how many were shuffled and scored.
        seed: of what was drawn.
        columns: in the order of the data.
        reason: why nothing was computed; else empty.
    """

    metric: str
    greater_is_better: bool
    baseline: Optional[float]
    rows: int
    seed: int
    columns: tuple[Importance, ...] = ()
    reason: str = ""

    @property
    def ranked(self) -> tuple[Importance, ...]:
        """Return the columns, the most important first and those without an estimate last."""
        return tuple(sorted(self.columns, key=_least_first, reverse=True))


class MeanContribution(Struct, frozen=True, kw_only=True):
    """How much one column moves the answers of a model.

    Attributes:
        column: its name.
        absolute: the mean size of its contributions, in the unit; of several classes their mean.
        signed: (n_outputs,) the mean of its contributions.
        by_class: (n_outputs,) the mean size of its contributions to each class.
    """

    column: str
    absolute: Estimate
    signed: tuple[float, ...]
    by_class: tuple[Estimate, ...]


class MeanContributions(Struct, frozen=True, kw_only=True):
    """What the columns add to the answers, over many rows.

    Attributes:
        unit: of the figures.
        method: how the contributions were found.
        exact: whether they are the Shapley values themselves. Where they are estimates, their
            noise makes the mean sizes a little too large.
        rows: how many were explained.
        background_rows: with how many each was compared; 0 where with the model's own counts.
        base: (n_outputs,) the answer before anything is known of a row.
        classes: (n_outputs,) those explained; empty for a regression.
        gap: how far base and contributions are at most from an answer.
        columns: in the order of the data.
    """

    unit: Unit
    method: str
    exact: bool
    rows: int
    background_rows: int
    base: tuple[float, ...]
    classes: tuple[Scalar, ...]
    gap: float
    columns: tuple[MeanContribution, ...]

    @property
    def ranked(self) -> tuple[MeanContribution, ...]:
        """Return the columns, the one that moves the answers most first."""
        return tuple(sorted(self.columns, key=lambda one: -one.absolute.value))


def _least_first(one: Importance) -> float:
    return -float("inf") if one.estimate is None else one.estimate.value
