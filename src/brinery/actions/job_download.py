"""What a job left, copied to a folder: its artifacts, and its outputs by name.

Of a sweep they are those of its best trial; what is the sweep's own is in `hd-artifacts/`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import msgspec

from brinery.actions.asset_rooms import AssetRooms, Folder, open_asset_rooms
from brinery.actions.jobs import parted, step_of
from brinery.errors import NotFound
from brinery.records.job import JobRun, StepRun
from brinery.records.ready import decoded
from brinery.records.trials import Trials
from brinery.specs.names import nearest
from brinery.store.jobs import log_lines, log_of

_ARTIFACTS: Final = "artifacts"
_TRIALS: Final = "trials.json"


def download_job(
    name: str,
    *,
    into: Path,
    output: str | None = None,
    everything: bool = False,
    workspace: Folder | None = None,
) -> list[Path]:
    """Return the folders that what a job left was copied to.

    Artifacts go to `artifacts/`, outputs to `named-outputs/OUTPUT/`. What the job's MLflow runs
    have is among the artifacts.

    Args:
        name: of the job, or `JOB/STEP`.
        into: the folder that these are made in.
        output: the one that is wanted, in place of the artifacts.
        everything: whether artifacts and all outputs are wanted.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such job or output; the message has the nearest.
    """
    rooms = open_asset_rooms(workspace)
    outer, step = parted(name)
    found = rooms.jobs.read(outer)
    runs = [step_of(rooms, name)[1]] if step else list(found.steps)
    outputs = _outputs(rooms, found, runs if step else None)
    written: list[Path] = []
    wanted = list(outputs) if everything else [output] if output and output != "default" else []
    for one in wanted:
        if one not in outputs:
            near = nearest(one, outputs)
            there = ", ".join(outputs) or "none"
            meant = f": did you mean {near}?" if near else f": its outputs are {there}"
            raise NotFound(f"{name} has no output {one}{meant}", hint=f"brinery job show {outer}")
        source, target = outputs[one], into / "named-outputs" / one
        _copy(source, target if source.is_dir() else target / source.resolve().name)
        written.append(target)
    if everything or not wanted:
        target = into / _ARTIFACTS
        target.mkdir(parents=True, exist_ok=True)
        for run in runs:
            _artifacts(
                rooms, found, run=run, target=target if len(runs) == 1 else target / run.name
            )
        written.append(target)
    return written


def _outputs(rooms: AssetRooms, found: JobRun, runs: list[StepRun] | None) -> dict[str, Path]:
    """Return the outputs of a job, or of a step, that are there."""
    if runs is not None:
        made = runs[0].outputs
        return {name: Path(made[name].path) for name in sorted(made) if name != _ARTIFACTS}
    folder = rooms.jobs.path(found.name) / "named-outputs"
    kept = {name: folder / name for name in sorted(found.plan.outputs)}
    return {name: path for name, path in kept.items() if path.exists()}


def _artifacts(rooms: AssetRooms, found: JobRun, *, run: StepRun, target: Path) -> None:
    """Copy what a step left beside its outputs, its log, and what its MLflow run has."""
    job = run.reused or found.name
    log = log_of(rooms.jobs.path(job), run.name)
    run_id = run.run_id
    trials = _trials(log.parents[1] / _TRIALS)
    best = (
        next((one for one in trials.trials if one.number == trials.best), None) if trials else None
    )
    if best is not None:
        _log(log, target.parent / "hd-artifacts")
        _copy(log.parents[1] / _TRIALS, target.parent / "hd-artifacts" / _TRIALS)
        log, run_id = log.parents[1] / best.label / "logs" / log.name, best.run_id
    if (made := run.outputs.get(_ARTIFACTS)) is not None:
        _copy(Path(made.path), target)
    _log(log, target)
    # Of a job that never asked MLflow for anything nothing is there, and MLflow is not imported.
    untold = rooms.workspace.untold_runs / f"{job}.jsonl"
    if run_id and not untold.exists() and rooms.workspace.exists:
        rooms.data.models.fetch(run_id, target)


def _trials(file: Path) -> Trials | None:
    try:
        return decoded(file.read_bytes(), Trials)
    except (OSError, msgspec.DecodeError):
        return None


def _log(log: Path, target: Path) -> None:
    """Copy a log, without the times of its lines."""
    if log.is_file():
        copy = target / "user_logs" / "std_log.txt"
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{one}\n" for _, one in log_lines(log))
        copy.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder; what is copied may be written to, and what was there stays."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_copy_file, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(str(source), str(target))


def _copy_file(source: str, target: str) -> str:
    Path(target).unlink(missing_ok=True)
    return str(shutil.copyfile(source, target))
