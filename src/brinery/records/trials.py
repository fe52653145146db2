"""A sweep that was run, or is: each trial, what it was told, how its metric went, and the best."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.job import Made, Status


class Trial(Struct, frozen=True, kw_only=True):
    """One trial of a sweep.

    Attributes:
        number: from 0, in the order in which they were drawn.
        values: name of a hyperparameter to the text that the command is told.
        place: where each lies in its range, from 0 to 1; what later trials are chosen by.
        status: how far it is; a trial that did badly and was ended early is `Canceled`.
        metrics: each value that was logged of what is compared, in order.
        started: with time zone; None where it was not begun.
        ended: likewise.
        run_id: MLflow's, of the trial's own run; empty where it has none.
        outputs: what it left, by name; kept for each trial.
        why: one line: why it failed or was ended; empty where it did what it should.
    """

    number: int
    values: dict[str, str]
    place: tuple[float, ...] = ()
    status: Status = Status.NOT_STARTED
    metrics: tuple[float, ...] = ()
    started: Optional[datetime] = None
    ended: Optional[datetime] = None
    run_id: str = ""
    outputs: dict[str, Made] = {}
    why: str = ""

    @property
    def metric(self) -> Optional[float]:
        """Return the last value that was logged, by which trials are compared; None without any."""
        return self.metrics[-1] if self.metrics else None


class Trials(Struct, frozen=True, kw_only=True):
    """All trials of a sweep.

    Attributes:
        goal: `minimize` or `maximize`.
        metric: MLflow's name of what is compared.
        sampling: how they were drawn.
        seed: that they were drawn with; one was chosen where none was declared.
        trials: in the order of their numbers.
        best: number of the best that completed; None where there is none.
        error: why the sweep failed, one line; empty where it did not, or goes on.
        notes: what a reader should know, a line each.
    """

    goal: str
    metric: str
    sampling: str
    seed: int
    trials: tuple[Trial, ...] = ()
    best: Optional[int] = None
    error: str = ""
    notes: tuple[str, ...] = ()
