"""Export: a registered version is written in another format, and compared with itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from brinery.actions.admit import admit
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.seat import process_of, seat_of
from brinery.errors import (
    DataError,
    LibraryMissing,
    NotExportable,
    ParityFailed,
    PredictionRefused,
)
from brinery.evaluate import difference
from brinery.evaluate.parity import TOLERANCE
from brinery.flavors import samples, signature
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import copy
from brinery.pickles.scanner import scan
from brinery.records.artifact import Artifact
from brinery.records.description import Unscored
from brinery.records.export import Export, ExportFormat
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType
from brinery.records.version import Candidate, Version
from brinery.registry.interface import imported, resolve
from brinery.specs.reference import Reference
from brinery.store import tables
from brinery.store.frames import Data, given

# What ONNX computes in float32 may differ by.
ONNX_TOLERANCE = 1e-5

_REQUIREMENTS = "requirements.txt"
_CODE = "code"
_FILES = {
    ExportFormat.SKOPS: "model.skops",
    ExportFormat.JOBLIB: "model.joblib",
    ExportFormat.ONNX: "model.onnx",
}
_NATIVE = {
    "xgboost": "model.ubj",
    "lightgbm": "model.txt",
    "catboost": "model.cbm",
    "onnx": "model.onnx",
}
_WRITTEN = {
    *_FILES.values(),
    *_NATIVE.values(),
    *(_REQUIREMENTS, _CODE, "MLmodel", "brinery.json", "conda.yaml", "python_env.yaml", "loader"),
    *("model.pkl", "model.safetensors", "model.pt", "model", "registered_model_meta"),
}
# What writes a format, and is not needed to load a model.
_WRITERS = {ExportFormat.ONNX: "onnxmltools and onnxruntime", ExportFormat.SKOPS: "skops"}
_OBJECTS = {"scikit-learn", "xgboost", "lightgbm", "catboost", "statsmodels", "python"}
_HOLDS = {
    ExportFormat.SKOPS: _OBJECTS - {"statsmodels", "python"},
    ExportFormat.JOBLIB: _OBJECTS,
    ExportFormat.ONNX: {"scikit-learn", "xgboost", "lightgbm", "catboost", "onnx"},
    ExportFormat.NATIVE: set(_NATIVE),
}
# What a model that cannot be asked for predictions is written in: nothing is made anew.
_AS_THEY_ARE = (ExportFormat.NATIVE, ExportFormat.MLFLOW)


@dataclass(frozen=True)
class _Sample:
    """Rows to ask two models, and what they are in words."""

    table: pa.Table
    words: str
    scores: Scores


def export_model(
    reference: str,
    *,
    to: ExportFormat | str,
    folder: Folder,
    data: Data | None = None,
    sep: str | None = None,
    allow_difference: bool = False,
    force: bool = False,
    workspace: Folder | None = None,
) -> Export:
    """Return what was written, and how near its answers are to the registered model's.

    Args:
        reference: which version.
        to: `skops`, `joblib`, `mlflow`, `onnx`, or `native` for the framework's own format, which
            is the file itself of a version that cannot be asked for predictions.
        folder: to write to; it is made, and must be empty.
        data: rows to compare on; without, rows made from the version's signature are used.
        sep: of a csv file; found in its first lines when None.
        allow_difference: keep what answers otherwise than the model.
        force: replace the files of an export that lies in the folder.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such version.
        NotExportable: the format cannot hold the model, or the folder is not free.
        ParityFailed: what was written answers otherwise, and that was not allowed.
    """
    rooms = open_rooms(workspace)
    version = resolve(rooms.registry, Reference.parse(reference))
    found = None if data is None else given(data)
    frame = tables.read_table(found, separator=sep) if isinstance(found, Path) else found
    asked = Order(
        version=version,
        to=ExportFormat(to),
        folder=Path(folder),
        frame=frame,
        words="" if found is None else _words(found),
        force=force,
    )
    return export_in(rooms, asked, allow_difference=allow_difference)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asked to export; see `export_model`."""

    version: Version
    to: ExportFormat
    folder: Path
    frame: pd.DataFrame | None
    words: str
    force: bool = False

    @property
    def candidate(self) -> Candidate:
        """Return what was recorded of the version at import."""
        return imported(self.version)

    @property
    def unscored(self) -> Unscored | None:
        """Return why the version cannot be asked for predictions; None where it can."""
        return self.candidate.description.unscored

    @property
    def file(self) -> str:
        """Return the name of what is written; of MLflow's folder, that of the model within."""
        if self.to is ExportFormat.MLFLOW or self.unscored is not None:
            return self.candidate.artifact.file
        flavor = self.candidate.artifact.flavor
        return _NATIVE[flavor] if self.to is ExportFormat.NATIVE else _FILES[self.to]


def export_in(rooms: Rooms, asked: Order, *, allow_difference: bool) -> Export:
    """Return what was written to a folder from a version in these rooms."""
    _check(asked)
    code = rooms.registry.code_folder(asked.version)
    if asked.unscored is not None:
        return _as_it_is(rooms, asked, code=code)
    seat = seat_of(rooms, asked.version)
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "made"
        with process_of(rooms, asked.version) as process:
            sample = _sample(asked, process)
            if asked.to is not ExportFormat.MLFLOW:
                made.mkdir()
                model = rooms.registry.model_file(asked.version)
                _write(asked, process, model=model, path=made / asked.file)
        if asked.to is ExportFormat.MLFLOW:
            _fetch(rooms, asked.version, into=made)
        path, written = made / asked.file, _written(asked, made / asked.file)
        with seat.process(path, artifact=written, code=code) as process:
            found = difference.measure(sample.scores, _again(asked, process, sample=sample))
        if asked.to is not ExportFormat.MLFLOW:
            _accompany(made, asked.candidate, code=code)
        done = _report(asked, made, sample=sample, found=found)
        if not done.equal and not allow_difference:
            raise _differs(done)
        _place(made, asked)
    return done


def _as_it_is(rooms: Rooms, asked: Order, *, code: Path | None) -> Export:
    """Return what was written of a version that cannot be asked: its own file, byte for byte."""
    sha256 = asked.candidate.artifact.sha256
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "made"
        if asked.to is ExportFormat.MLFLOW:
            _fetch(rooms, asked.version, into=made)
            copy(
                made / asked.file, Path(temporary) / asked.file, sha256=sha256
            )  # or it has changed
        else:
            made.mkdir()
            copy(rooms.registry.model_file(asked.version), made / asked.file, sha256=sha256)
            _accompany(made, asked.candidate, code=code)
        none = _Sample(pa.table({}), f"its bytes: sha256 {sha256}", Scores(np.empty(0)))
        done = _report(asked, made, sample=none, found=difference.Difference(0, 0, 0.0))
        _place(made, asked)
    return done


def _check(asked: Order) -> None:
    """Raise where the format cannot hold the model, or the folder is not free."""
    if asked.unscored is not None and asked.to not in _AS_THEY_ARE:
        raise NotExportable(
            f"{asked.version.reference} cannot be written as {asked.to}: no answer would show that "
            f"it is the same, because {asked.unscored.reason}",
            hint="--to native or --to mlflow writes its file as it is",
        )
    flavor = asked.candidate.artifact.flavor
    holds = _HOLDS.get(asked.to) if asked.unscored is None else None
    if holds is not None and flavor not in holds:
        fits = [str(form) for form in ExportFormat if flavor in _HOLDS.get(form, {flavor})]
        raise NotExportable(
            f"{asked.version.reference} is a model of {flavor}, and {asked.to} does not hold one",
            hint=f"--to {' or --to '.join(fits)}",
        )
    try:
        there = sorted(each.name for each in asked.folder.iterdir())
    except FileNotFoundError:
        there = []
    except OSError as error:
        raise NotExportable(
            f"{asked.folder} cannot be written to: {error.strerror}", hint="name another folder"
        ) from None
    if asked.folder.is_symlink():
        raise NotExportable(f"{asked.folder} is a link", hint="name the folder it leads to")
    if there and not asked.force:
        raise NotExportable(
            f"{asked.folder} is not empty: it holds {', '.join(there[:5])}",
            hint="name a folder that is new, or --force to replace what an export wrote there",
        )


def _sample(asked: Order, process: ModelProcess) -> _Sample:
    """Return the rows that both models are asked, with the model's own answers."""
    candidate = asked.candidate
    if asked.frame is not None:
        fitting = signature.conform(candidate.signature, asked.frame)
        table = tables.to_arrow(signature.complete(candidate.description, fitting))
        return _Sample(table, asked.words, process.score(table))
    made = samples.rows(candidate.signature)
    table = tables.to_arrow(signature.complete(candidate.description, made))
    try:
        return _Sample(table, f"{len(made)} rows made from the signature", process.score(table))
    except PredictionRefused:
        first = table.slice(0, 1)
        return _Sample(first, "the signature's one example row", process.score(first))


def _write(asked: Order, process: ModelProcess, *, model: Path, path: Path) -> None:
    """Write the model's file: by its own process, or as it is where it has the format already."""
    artifact = asked.candidate.artifact
    if artifact.flavor == "onnx":
        copy(model, path, sha256=artifact.sha256)
        return
    description = asked.candidate.description
    names = description.feature_names or tuple(
        column.name for column in asked.candidate.signature.columns
    )
    kinds = {column.name: column.type for column in asked.candidate.signature.columns}
    columns = tuple((name, str(kinds.get(name, ColumnType.NUMBER))) for name in names)
    numbers = {ColumnType.NUMBER.value, ColumnType.INTEGER.value}
    named = "ColumnTransformer" in description.outline or any(
        kind not in numbers for _, kind in columns
    )
    try:
        process.export(path, to=asked.to.value, columns=columns, named=named)
    except LibraryMissing as error:
        if not asked.candidate.environment.built:
            raise
        raise _missing_there(error, asked) from None


def _missing_there(error: LibraryMissing, asked: Order) -> LibraryMissing:
    """Return the error for what is missing in the environment that was built for a version."""
    packages, reference = asked.candidate.environment.packages, asked.version.reference
    wrote = [name for name in packages if name in asked.candidate.origin.written_with]
    pins = ", ".join(f"{name}=={packages[name]}" for name in wrote or packages)
    keep = [str(form) for form in (ExportFormat.JOBLIB, ExportFormat.MLFLOW) if form != asked.to]
    return LibraryMissing(
        f"{error.message} in the environment that was built for {reference}",
        hint="import the file again with --new-version and --environment FILE, where FILE lists "
        f"{_WRITERS.get(asked.to, 'it')} beside {pins}; or --to {' or --to '.join(keep)}",
    )


def _fetch(rooms: Rooms, version: Version, *, into: Path) -> None:
    """Copy the version's MLflow folder."""
    with tempfile.TemporaryDirectory(dir=into.parent) as folder:
        fetched = rooms.registry.fetch(f"models:/{version.name}/{version.number}", Path(folder))
        shutil.move(fetched, into)


def _written(asked: Order, path: Path) -> Artifact:
    """Return how the written model is loaded, with no name that the version's was not granted."""
    artifact = asked.candidate.artifact
    if asked.to is ExportFormat.MLFLOW:
        return artifact
    report = scan(path)
    trust = asked.candidate.trust
    given = [*artifact.globals, *(trust.granted if trust else ())]
    admit(report, [name for name in given if "." in name], file=path.name)
    return msgspec.structs.replace(
        artifact,
        flavor="",
        format=report.format,
        file=path.name,
        sha256=report.sha256,
        globals=tuple(map(str, report.globals)),
    )


def _again(asked: Order, process: ModelProcess, *, sample: _Sample) -> Scores:
    """Return the written model's answers to the same rows.

    Raises:
        ParityFailed: it refuses them.
    """
    # One that takes a bare table is given the model's own columns, in the model's order.
    names = process.description.feature_names or asked.candidate.description.feature_names
    table = sample.table.select(list(names)) if names else sample.table
    try:
        return process.score(table)
    except (PredictionRefused, DataError) as error:
        raise ParityFailed(
            f"the written model does not answer what the registered one does: {error.message}",
            hint="--to mlflow and --to joblib keep a model as it is",
        ) from None


def _report(asked: Order, made: Path, *, sample: _Sample, found: difference.Difference) -> Export:
    files = (f"{each.name}/" if each.is_dir() else each.name for each in made.iterdir())
    return Export(
        version=asked.version.reference,
        format=asked.to,
        folder=str(asked.folder),
        files=tuple(sorted(files)),
        checked=sample.words,
        rows=found.rows,
        labels_differ=found.labels_differ,
        max_difference=found.largest,
        tolerance=_tolerance(asked),
        classes=found.classes,
    )


def _accompany(made: Path, candidate: Candidate, *, code: Path | None) -> None:
    """Put beside the model what it needs: its requirements, and the user's own modules."""
    lines = [f"{name}=={version}\n" for name, version in candidate.environment.packages.items()]
    (made / _REQUIREMENTS).write_text("".join(lines), encoding="utf-8")
    if code is not None:
        copy(code, made / _CODE, sha256=candidate.artifact.code_sha256)


def _place(made: Path, asked: Order) -> None:
    """Move what was made to the folder: whole, or not at all."""
    folder = asked.folder.absolute()
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, part)
        if folder.exists():
            _check_replaceable(folder, {each.name for each in made.iterdir()})
            folder.rename(old)
        part.rename(folder)
    except OSError as error:
        raise NotExportable(
            f"{asked.folder} cannot be written to: {error.strerror}", hint="name another folder"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(folder: Path, names: set[str]) -> None:
    """Raise where a folder holds what no export writes.

    Raises:
        NotExportable: it does.
    """
    known = names | _WRITTEN
    strange = sorted(each.name for each in folder.iterdir() if each.name not in known)
    if strange:
        raise NotExportable(
            f"{folder} holds {strange[0]}, which no export wrote", hint="name another folder"
        )


def _tolerance(asked: Order) -> float:
    converted = asked.to is ExportFormat.ONNX and asked.candidate.artifact.flavor != "onnx"
    return ONNX_TOLERANCE if converted else TOLERANCE


def _differs(done: Export) -> ParityFailed:
    said = f"{done.labels_differ} of {done.rows} labels differ, " if done.labels_differ else ""
    return ParityFailed(
        f"{done.version} as {done.format} answers otherwise on {done.checked}: {said}"
        f"the largest difference is {done.max_difference:.3g}, and {done.tolerance:g} is allowed",
        hint="--allow-difference writes it all the same",
    )


def _words(data: Path | pd.DataFrame) -> str:
    return "a data frame" if isinstance(data, pd.DataFrame) else data.name
