"""What a sweep tried and a parallel step worked on, as plain values for whoever shows a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from brinery.records.mini_batch import Batches
from brinery.records.plan import Step, StepKind
from brinery.records.ready import decoded
from brinery.records.trials import Trial, Trials

_Record = TypeVar("_Record", Trials, Batches)


def parts_of(folder: Path, step: Step) -> dict[str, Any]:
    """Return a step's trials or mini-batches under the keys of an answer; none of a command.

    Args:
        folder: of the step, in the job that ran it.
        step: as it was planned.
    """
    if step.kind is StepKind.SWEEP:
        return _sweep(trials_in(folder))
    if step.kind is StepKind.PARALLEL:
        found = _read(folder / "mini-batches.json", Batches)
        return {} if found is None else {"mini_batches": msgspec.to_builtins(found)}
    return {}


def trials_in(folder: Path) -> Trials | None:
    """Return what a sweep tried, as it lies in its step's folder; None where nothing does."""
    return _read(folder / "trials.json", Trials)


def _sweep(found: Trials | None) -> dict[str, Any]:
    if found is None:
        return {}
    best = None if found.best is None else found.trials[found.best]
    return {
        "objective": {"goal": found.sweep.goal, "primary_metric": found.sweep.metric},
        "seed": found.seed,
        "trials": [_trial(each) for each in found.trials],
        "best_trial": None if best is None else best.label,
        "properties": {} if best is None else {"best_child_run_id": best.run_id},
        "notes": list(found.notes),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.label,
        "status": str(trial.status),
        "values": trial.values,
        "metric": trial.metric,
        "run_id": trial.run_id,
        "outputs": trial.outputs,
        "why": trial.why,
    }


def _read(file: Path, kind: type[_Record]) -> _Record | None:
    try:
        return decoded(file.read_bytes(), kind)
    except (OSError, msgspec.DecodeError):
        return None
