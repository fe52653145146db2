"""A sweep that was run, or is: each trial, what it was told, how its metric went, and the best."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.job import Status
from brinery.records.plan import Sweep


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
        outputs: absolute place of what it left, by name; kept for each trial.
        early: whether it was ended before its time because it did badly or took too long.
        attempts: how often it was begun.
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
    outputs: dict[str, str] = {}
    early: bool = False
    attempts: int = 0
    why: str = ""

    @property
    def label(self) -> str:
        """Return the name of its folder in that of the step."""
        return f"trial_{self.number}"

    @property
    def metric(self) -> Optional[float]:
        """Return the last value that was logged, by which trials are compared; None without any."""
        return self.metrics[-1] if self.metrics else None


class Trials(Struct, frozen=True, kw_only=True):
    """All trials of a sweep.

    Attributes:
        sweep: what was declared.
        seed: that they were drawn with; one was chosen where none was declared.
        trials: in the order of their numbers.
        best: number of the best that completed; None where there is none.
        error: why the sweep failed, one line; empty where it did not, or goes on.
        key: names the code, inputs and environment that they ran with, by content.
        notes: what a reader should know, a line each.
    """

    sweep: Sweep
    seed: int
    trials: tuple[Trial, ...] = ()
    best: Optional[int] = None
    error: str = ""
    key: str = ""
    notes: tuple[str, ...] = ()
