"""A sweep: trials of one step, several at once, the bad ones ended early, the best one told.

Knows which values a trial is told and when it is ended; how a trial is run, and where its metrics
come from, is its caller's, who gives two callables. `trials.json` is written whenever a trial is
begun or has ended, so that a sweep that is begun again goes on with what is not done.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from brinery.records.job import Made, Status
from brinery.records.plan import Sweep
from brinery.records.trials import Trials


class Asked(NamedTuple):
    """One trial that is to be run, once.

    Attributes:
        number: from 0; a trial that is begun again has the same.
        values: name of a hyperparameter to the text for `${{search_space.NAME}}`, or for the input
            of that name where the trial is a component.
        timeout_s: seconds until it is cancelled; None without end.
        stop: is set when it is to be cancelled.
    """

    number: int
    values: Mapping[str, str]
    timeout_s: float | None
    stop: threading.Event


class Left(NamedTuple):
    """How a trial ended.

    Attributes:
        status: `Completed`, `Failed` or `Canceled`.
        run_id: MLflow's; empty where it has none.
        outputs: what it left, by name.
        why: one line: why it failed; empty where it did not.
    """

    status: Status
    run_id: str = ""
    outputs: Mapping[str, Made] = {}
    why: str = ""


class Runs(Protocol):
    """What runs trials."""

    def run(self, asked: Asked, /) -> Left:
        """Run one trial to its end, in the calling thread; its failure is a result, no error."""

    def metrics(self, number: int, /) -> Mapping[str, Sequence[float]]:
        """Return all that a trial's MLflow run has logged yet: each metric's values, in order."""


def run(
    sweep: Sweep, runs: Runs, *, file: Path, stop: threading.Event, poll_s: float = 1.0
) -> Trials:
    """Return what the trials came to; the step's outputs are those of the best.

    Args:
        sweep: what is declared.
        runs: what runs a trial, and reads its metrics.
        file: `trials.json` of the step; trials that it says are over are not repeated.
        stop: cancels every trial when set; the result's error then says so.
        poll_s: seconds between two looks at the metrics of trials that may be ended early.
    """
