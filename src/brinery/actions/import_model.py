"""Import: a model file becomes an evaluated, registered version, or nothing at all."""

from __future__ import annotations

import platform
import sysconfig
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa

from brinery.actions import history
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import TargetMissing, TypeMismatch
from brinery.evaluate import parity, run
from brinery.flavors import compatibility, signature
from brinery.flavors.model_process import ModelProcess, start_process
from brinery.pickles.child import ChildProcess
from brinery.pickles.scan import digest, scan
from brinery.records.audit import Change
from brinery.records.description import Description
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.event import Event, Step
from brinery.records.scan import ScanReport
from brinery.records.scores import Scores
from brinery.records.signature import Signature
from brinery.records.version import Candidate, DataFingerprint, Environment, Origin, Parity, Version
from brinery.registry.interface import Staged
from brinery.specs.names import check_name, nearest
from brinery.store import code, tables

Steps = Generator[Event, None, Version]


def import_model(
    model: Folder,
    *,
    name: str,
    data: Folder | pd.DataFrame,
    target: str | None = None,
    sep: str | None = None,
    type: PredictionType | str | None = None,  # noqa: A002 - the field's own word, keyword-only
    new_version: bool = False,
    workspace: Folder | None = None,
) -> Version:
    """Return the version that a model file has become, evaluated on data and registered.

    The same file is registered once: a second import returns the version that is there, unless
    `new_version` is true.

    Args:
        model: a pickle or joblib file of a fitted scikit-learn estimator or pipeline.
        name: of the registered model.
        data: (n_rows, n_features [+ 1]) a csv, Parquet or JSON lines file, or a data frame.
        target: the column with the truth; without it nothing is evaluated.
        sep: of a csv file; found in its first lines when None.
        type: what the model predicts; found in the model when None.
        new_version: register again what is already there.
        workspace: its folder; the nearest upwards when None.

    Raises:
        UserError: the subclass says what is wrong with the name, the file or the data.
        Fault: the model's process or the registry failed.
    """
    steps = import_steps(
        open_rooms(workspace),
        Submission(
            model=Path(model),
            name=name,
            data=data if isinstance(data, pd.DataFrame) else Path(data),
            target=target,
            separator=sep,
            type=PredictionType(type) if type is not None else None,
            new_version=new_version,
        ),
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            version: Version = end.value
            return version


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What the user asked to import; see `import_model`."""

    model: Path
    name: str
    data: Path | pd.DataFrame
    target: str | None = None
    separator: str | None = None
    type: PredictionType | None = None
    new_version: bool = False


@dataclass(frozen=True)
class _Clock:
    """Makes the events, with the time since the work began."""

    began: float = field(default_factory=time.monotonic)

    def event(self, step: Step, message: str, *, warning: bool = False) -> Event:
        elapsed_s = time.monotonic() - self.began
        return Event(step=step, message=message, warning=warning, elapsed_s=elapsed_s)


@dataclass(frozen=True)
class _Data:
    """The data, and the same without its target as the model's process takes it."""

    frame: pd.DataFrame
    inputs: pd.DataFrame
    fingerprint: DataFingerprint


@dataclass(frozen=True)
class _Answers:
    """What the file's own model answered for the data, and a process to ask the stored one in."""

    table: pa.Table
    scores: Scores
    spare: ChildProcess


def import_steps(rooms: Rooms, asked: Submission) -> Steps:
    """Yield an event as each step is done; return the version at the end."""
    clock = _Clock()
    check_name(asked.name)
    report = scan(asked.model)
    notes = compatibility.check(report, asked.model.name)
    yield clock.event(Step.SCAN, _scan_line(asked.model, report))
    for note in notes:
        yield clock.event(Step.SCAN, note, warning=True)
    data = _read_data(asked)
    yield clock.event(Step.DATA, _data_line(data))
    rooms.workspace.prepare()
    with ThreadPoolExecutor(1) as background, ExitStack() as processes:
        # Importing MLflow takes longer than all the rest: it goes on beside it.
        opened = background.submit(rooms.registry.open)
        timeout_s = rooms.settings.model.timeout_s
        process = processes.enter_context(ModelProcess(asked.model, timeout_s=timeout_s))
        spare = processes.enter_context(
            start_process(timeout_s=timeout_s, modules=compatibility.top_modules(report))
        )
        description = _described(process.description, asked)
        yield clock.event(Step.LOAD, f"{description.outline}, {description.type}")
        for warning in process.warnings:
            yield clock.event(Step.LOAD, warning, warning=True)
        signature.check_columns(description, list(data.inputs.columns))
        table = tables.to_arrow(signature.complete(description, data.inputs))
        scores = process.score(table)
        takes = signature.infer(
            description, data.inputs, may_be_missing=process.may_be_missing(table.slice(0, 1))
        )
        yield clock.event(Step.CHECK, _check_line(takes))
        evaluation = _evaluated(description, data, scores=scores)
        yield clock.event(Step.EVALUATE, _evaluation_line(evaluation))
        with tempfile.TemporaryDirectory() as folder:
            model_file = _plain_pickle(asked.model, report, process=process, folder=Path(folder))
            candidate = Candidate(
                name=asked.name,
                origin=_origin(asked.model, report),
                description=description,
                signature=takes,
                evaluation=evaluation,
                environment=_environment(description, report, process),
                data=data.fingerprint,
                code=code.code_version(asked.model),
                model_sha256=digest(model_file),
            )
            opened.result()
            with rooms.workspace.lock():
                rooms.registry.sweep(asked.name)
                history.catch_up(rooms, asked.name)
                known = (
                    None if asked.new_version else rooms.registry.find(asked.name, report.sha256)
                )
                if known is None:
                    staged = rooms.registry.stage(candidate, model_file)
                    answers = _Answers(table, scores, spare)
                    return (yield from _register(rooms, staged, answers=answers, clock=clock))
    yield clock.event(Step.REGISTER, f"this file is {known.reference} already")
    if differs := _differences(known, candidate):
        yield clock.event(
            Step.REGISTER,
            f"{known.reference} was imported with another {differs}, and stays as it is: "
            "--new-version registers what was asked now",
            warning=True,
        )
    return known


def _differences(known: Version, candidate: Candidate) -> str:
    """Return in what a second import of a file differs from the first; empty if in nothing."""
    before = known.candidate
    if before is None:
        return ""
    pairs = {
        "data": (before.data.sha256, candidate.data.sha256),
        "target": (before.data.target, candidate.data.target),
        "type": (before.description.type, candidate.description.type),
    }
    return " and ".join(name for name, (one, other) in pairs.items() if one != other)


def _register(rooms: Rooms, staged: Staged, *, answers: _Answers, clock: _Clock) -> Steps:
    """Compare the stored model's answers with the file's, and only then make it a version."""
    try:
        yield clock.event(Step.STORE, f"{staged.model_file.stat().st_size / 1e6:.1f} MB stored")
        same = _parity(staged, answers)
        yield clock.event(
            Step.PARITY,
            f"the registered model answers as the file on {same.rows:,} of {same.rows:,} rows",
        )
        version = rooms.registry.commit(staged, same)
    except BaseException:
        rooms.registry.discard(staged)
        raise
    rooms.audit.add(rooms.entry(Change.IMPORT, version.name, after=version.reference))
    yield clock.event(Step.REGISTER, version.reference)
    return version


def _parity(staged: Staged, answers: _Answers) -> Parity:
    with ModelProcess(staged.model_file, started=answers.spare) as registered:
        again = registered.score(answers.table)
    return parity.compare(answers.scores, again, names=("the file", "the registered model"))


def _read_data(asked: Submission) -> _Data:
    """Return the data, with and without the target.

    Raises:
        DataError: it cannot be read, or the target is not one of its columns.
    """
    if isinstance(asked.data, pd.DataFrame):
        name = "dataframe"
        frame = asked.data.rename(columns=str).reset_index(drop=True)
    else:
        name = asked.data.name
        frame = tables.read_table(asked.data, separator=asked.separator)
    if asked.target is not None and asked.target not in frame.columns:
        near = nearest(asked.target, frame.columns)
        raise TargetMissing(
            f"the target '{asked.target}' is not a column of {name}",
            hint=f"did you mean --target {near}?"
            if near
            else f"its columns are {', '.join(frame.columns[:20])}; if there is one, say --sep",
        )
    return _Data(
        frame=frame,
        inputs=frame if asked.target is None else frame.drop(columns=asked.target),
        fingerprint=DataFingerprint(
            name=name,
            rows=len(frame),
            columns=tuple(frame.columns),
            sha256=tables.fingerprint(frame),
            target=asked.target,
        ),
    )


def _described(description: Description, asked: Submission) -> Description:
    """Return the description with the type that the user stated.

    Raises:
        TypeMismatch: the model cannot predict that.
    """
    stated, classes = asked.type, len(description.classes)
    if stated in (None, description.type):
        return description
    fits = {
        PredictionType.BINARY: classes == 2,  # noqa: PLR2004 - binary is two classes
        PredictionType.MULTICLASS: classes >= 2,  # noqa: PLR2004 - two or more
        PredictionType.REGRESSION: classes == 0,
        PredictionType.OTHER: True,
    }
    if stated is not None and not fits[stated]:
        has = f"{classes} classes" if classes else "no classes"
        raise TypeMismatch(
            f"{asked.model.name} is no {stated} model: it has {has}",
            hint=f"leave out --type: it was found to be {description.type}",
        )
    return msgspec.structs.replace(description, type=stated)


def _evaluated(description: Description, data: _Data, *, scores: Scores) -> Evaluation | None:
    """Return the figures; None where there is no target to compare with."""
    target = data.fingerprint.target
    if target is None:
        return None
    actual = data.frame[target].to_numpy()
    return run.run(description.type, actual, scores=scores, classes=description.classes)


def _plain_pickle(model: Path, report: ScanReport, *, process: ModelProcess, folder: Path) -> Path:
    """Return the model as a plain pickle: the file itself where it is one, byte for byte."""
    if report.format == "pickle" and report.compression is None:
        return model
    plain = folder / "model.pkl"
    process.rewrite(plain)
    return plain


def _origin(model: Path, report: ScanReport) -> Origin:
    return Origin(
        file=model.name,
        sha256=report.sha256,
        size_bytes=report.size_bytes,
        written_with=report.versions,
    )


def _environment(
    description: Description, report: ScanReport, process: ModelProcess
) -> Environment:
    frames = ("pandas",) if description.feature_names is not None else ()
    return Environment(
        python=platform.python_version(),
        platform=sysconfig.get_platform(),
        packages=process.packages((*compatibility.top_modules(report), *frames)),
    )


def _scan_line(model: Path, report: ScanReport) -> str:
    packed = f", {report.compression}" if report.compression else ""
    wrote = ", ".join(f"{name} {'/'.join(found)}" for name, found in report.versions.items())
    return (
        f"{model.name}: {report.format} protocol {report.protocol}{packed}, "
        f"{report.size_bytes / 1e6:.1f} MB" + (f", written by {wrote}" if wrote else "")
    )


def _data_line(data: _Data) -> str:
    return f"{data.fingerprint.name}: {len(data.frame):,} rows, {data.frame.shape[1]} columns"


def _check_line(takes: Signature) -> str:
    read = sum(column.required for column in takes.columns)
    return f"the model reads {read} of the {len(takes.columns)} columns of the data"


def _evaluation_line(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "not evaluated: no --target was given"
    figures = list(evaluation.metrics.items())[:4]
    if not figures:
        return f"no figure for {evaluation.type}"
    return ", ".join(f"{name} {value:.4g}" for name, value in figures)
