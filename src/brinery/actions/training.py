"""Train: run what a loop says, and take the model that it leaves."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import shutil
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from brinery.actions import training_job
from brinery.actions.rooms import Rooms
from brinery.errors import TrainingFailed
from brinery.pickles import digest
from brinery.records.job import Status
from brinery.records.turn import Lineage, NewFile, Turn
from brinery.runners import command
from brinery.runners.interface import Ended
from brinery.specs.loop import LoopFile, Task
from brinery.store import code, inputs

OUTPUT: Final = "output"
MODEL: Final = "model"
LOG: Final = "train.log"

Mark = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Trained:
    """What a training left.

    Attributes:
        model: a file or folder of the turn's own, or the URI of a model in MLflow.
        sha256: of it; empty of a URI.
        run_id: of the run; None where it left a file.
        seconds: that it took.
    """

    model: str
    sha256: str
    run_id: str | None
    seconds: float


class Stopped(Exception):
    """The turn was told to stop while it trained."""


def turn_folder(rooms: Rooms, turn: Turn) -> Path:
    """Return the folder of a turn's log and of what it leaves, made where it is missing."""
    folder = rooms.workspace.state / "loops" / turn.loop / f"{turn.number:06}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def unmet(file: LoopFile, turns: Iterable[Turn]) -> tuple[NewFile, ...]:
    """Return the files that the trigger watches and that none of these turns had, as they are.

    Raises:
        DataFileMissing: one cannot be read.
    """
    known = {new for turn in turns for new in turn.lineage.new_files}
    return tuple(found for path in file.watched() if (found := inputs.met(path)) not in known)


def lineage(
    rooms: Rooms, file: LoopFile, *, new_files: tuple[NewFile, ...], output: Path
) -> Lineage:
    """Return where the model that will be trained comes from.

    Raises:
        DataFileMissing: an input cannot be read.
        InvalidJob: the job that trains is wrong: every fault at once.
    """
    task = file.task
    words = task.filled(output)
    data, named = dict(task.inputs), [task.folder / word for word in words]
    if task.job is not None:
        plan = training_job.plan_of(rooms.workspace.root, task)
        data.update(training_job.read_by(plan))
        named = [task.job, *training_job.code_of(plan)]
    return Lineage(
        command=shlex.join(words),
        spec_sha256=inputs.digest(file.file),
        data=tuple(inputs.measured(name, path) for name, path in sorted(data.items())),
        new_files=new_files,
        code=code.code_version(file.file),
        code_sha256=code.code_digest(task.folder, named),
        environment_sha256=_environment(),
        python=platform.python_version(),
    )


def train(
    rooms: Rooms, file: LoopFile, *, turn: Turn, stop: threading.Event | None = None
) -> Trained:
    """Return what the command of a loop left, kept for the turn alone.

    Args:
        rooms: of the workspace.
        file: the loop.
        turn: which turn of it; its log and its model are kept in its folder.
        stop: ends the training when set.

    Raises:
        TrainingFailed: the command or the job failed, took too long, or left no model.
        InvalidJob: the job is wrong: every fault at once.
        Stopped: it was told to stop.
    """
    folder, task, name = turn_folder(rooms, turn), file.task, file.loop.registers
    output, log = folder / OUTPUT, folder / LOG
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    before = {path: _mark(path) for path in task.left(output)}
    rooms.workspace.prepare()
    if not task.model:
        rooms.registry.open(welcome=name)
    runs = set() if task.model else {run.id for run in rooms.registry.runs(name)}
    if task.job is not None:
        return _by_job(rooms, task, runs, name=name, folder=folder, stop=stop)
    ended = command.run(
        task.filled(output),
        folder=task.folder,
        variables=_variables(rooms, file, turn),
        log=log,
        timeout_s=task.timeout_s,
        stop=stop,
    )
    if ended.stopped:
        raise Stopped
    if ended.late or ended.exit_status:
        raise _failed(task, ended, log)
    if not task.model:
        return _of_run(rooms, name, runs, seconds=ended.usage.wall_s)
    left = [path for path in task.left(output) if _mark(path) != before.get(path)]
    if not left:
        raise TrainingFailed(
            f"the training ended well and left no new model at {task.model}",
            hint=f"train.model says where it is left, from {task.folder}; its log is {log}",
        )
    return _of_file(max(left, key=_written), folder / MODEL, seconds=ended.usage.wall_s)


def _by_job(
    rooms: Rooms,
    task: Task,
    runs: set[str],
    *,
    name: str,
    folder: Path,
    stop: threading.Event | None,
) -> Trained:
    """Return what a job left: the model among its outputs, or that of a run in MLflow."""
    log = folder / LOG
    ran = training_job.run(rooms.workspace.root, task, experiment=name, log=log, stop=stop)
    if ran.stopped:
        raise Stopped
    if ran.late or ran.job.status is not Status.COMPLETED:
        took = f"took longer than {task.timeout_s:g} seconds and was ended"
        said = took if ran.late else f"{ran.job.status}: {ran.job.error}"
        raise TrainingFailed(
            f"the job {ran.job.name} {said}", hint=f"brinery job show {ran.job.name}"
        )
    model = training_job.model_of(ran.job, task, name=name)
    if model is None:
        return _of_run(rooms, name, runs, seconds=ran.seconds)
    return _of_file(model, folder / MODEL, seconds=ran.seconds)


def discard(rooms: Rooms, turn: Turn) -> None:
    """Remove what a turn that ended keeps beside its log."""
    for name in (OUTPUT, MODEL):
        shutil.rmtree(turn_folder(rooms, turn) / name, ignore_errors=True)


def _variables(rooms: Rooms, file: LoopFile, turn: Turn) -> Mapping[str, str]:
    """Return what the training finds in its environment beside what is there."""
    return {
        "MLFLOW_TRACKING_URI": rooms.places.tracking_uri,
        "MLFLOW_REGISTRY_URI": rooms.places.tracking_uri,
        "MLFLOW_EXPERIMENT_NAME": file.loop.registers,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BRINERY_LOOP": turn.loop,
        "BRINERY_TURN": str(turn.number),
    }


def _failed(task: Task, ended: Ended, log: Path) -> TrainingFailed:
    if ended.late:
        said = f"the training took longer than {task.timeout_s:g} seconds and was ended"
    else:
        last = command.tail(log)
        told = f": {last[:300]}" if last else ""
        said = f"the training ended with status {ended.exit_status}{told}"
    return TrainingFailed(said, hint=f"its log is {log}")


def _of_file(path: Path, into: Path, *, seconds: float) -> Trained:
    """Return the model at a path, copied: the next training may write another in its place."""
    sha = digest.digest(path)
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    digest.copy(path, into / path.name, sha256=sha)
    return Trained(str(into / path.name), sha, None, seconds)


def _of_run(rooms: Rooms, name: str, before: set[str], *, seconds: float) -> Trained:
    """Return the model of the newest run that was not there before."""
    new = [run for run in rooms.registry.runs(name) if run.id not in before]
    for run in new:
        if run.model:
            return Trained(run.model, "", run.id, seconds)
    told = f"{len(new)} new runs logged none" if new else "there is no new run"
    raise TrainingFailed(
        f"the training ended well and left no model in MLflow: in the experiment {name} {told}",
        hint="train.model names a file that it leaves; without it, MLFLOW_TRACKING_URI and "
        "MLFLOW_EXPERIMENT_NAME say where a run is expected",
    )


def _mark(path: Path) -> Mark:
    """Return what changes when a file, or a file of a folder, is written anew."""
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    stats = [(str(each), each.stat()) for each in files]
    return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _written(path: Path) -> int:
    return max((written for *_, written in _mark(path)), default=0)


def _environment() -> str:
    """Return the digest of the packages of this Python."""
    # Each look at a distribution's metadata parses all of it.
    told = (found.metadata for found in importlib.metadata.distributions())
    packages = sorted(f"{one['Name']}=={one['Version']}" for one in told)
    return sha256("\n".join([sys.version, *packages]).encode()).hexdigest()
