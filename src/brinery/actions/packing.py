"""What a version brings into a package: who answers, its code, its requirements, rows made up."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa

import brinery
from brinery.errors import NotPackageable
from brinery.flavors import samples, signature
from brinery.package import openapi, sources
from brinery.package.runtime.facts import Facts
from brinery.package.runtime.library_engine import FLAVORS
from brinery.pickles import digest
from brinery.records.evaluation import PredictionType
from brinery.records.package import Engine
from brinery.records.signature import Column, ColumnType, Scalar, Signature
from brinery.records.version import Version
from brinery.registry.interface import SCORER_FILE, Registry, askable
from brinery.scorers import arrow, bundle
from brinery.scorers.data import Declined
from brinery.scorers.rows import Rows
from brinery.scorers.scorer import Scorer
from brinery.specs import packaging
from brinery.specs.packaging import PackageSpec, WhoAnswers
from brinery.store import tables

_SCORER_NEEDS = ("msgspec", "numpy")
_LIBRARY_NEEDS = ("msgspec", "numpy", "pandas")
_CLASSES = (PredictionType.BINARY, PredictionType.MULTICLASS)
_FIGURES = 4
# The folder of the model in the package: its file may have any name.
_MODEL = "model"
_CODE = "code"
# What holds rows: tables by their endings, and the examples in a folder of MLflow's.
_TABLES = frozenset(
    {".csv", ".tsv", ".parquet", ".feather", ".arrow", ".jsonl", ".ndjson", ".xls", ".xlsx"}
    | {".db", ".sqlite", ".ipynb"}
)
_EXAMPLES = frozenset({"input_example.json", "serving_input_example.json"})
# As the pickles of Python 2's protocols name the standard library.
_ANCIENT = frozenset({"__builtin__", "copy_reg"})


@dataclass(frozen=True)
class Packed:
    """Who answers in a package, and what that takes.

    Attributes:
        engine: who.
        reason: why it is not the scorer; empty where it is.
        file: that the engine reads.
        name: of that file in the package.
        sha256: of what the package has of it.
        code: path to bytes.
        needs: requirements.
        compiled: the platform of its compiled part; empty where it has none.
        left: paths of the user's own files that stay behind: data, and what is hidden.
        rows: what answers single rows without numpy; None where nothing does.
    """

    engine: Engine
    reason: str
    file: Path
    name: str
    sha256: str
    code: Mapping[str, bytes]
    needs: tuple[str, ...]
    compiled: str = ""
    left: tuple[str, ...] = ()
    rows: Rows | None = None

    def telling(self, *private: Path) -> list[str]:
        """Return the files that name one of these folders, or what lies in it."""
        named = [f"{folder}{os.sep}".encode() for folder in private if folder.parent != folder]
        return sorted(
            path for path, data in self.code.items() if any(name in data for name in named)
        )


def pack(registry: Registry, version: Version, *, spec: PackageSpec, module: str) -> Packed:
    """Return who answers in a package of a version, and what that takes.

    Args:
        registry: of the version.
        version: which.
        spec: what was declared.
        module: name of the package's Python package.

    Raises:
        NotPackageable: the scorer does not cover it and was asked for, or the model cannot travel.
    """
    askable(version)
    reason = _no_scorer(version) if spec.engine is not WhoAnswers.LIBRARY else "it was asked for"
    file = registry.kept_file(version, SCORER_FILE)
    if not reason and file is not None:
        return _scorer(file, version, module=module)
    if spec.engine is WhoAnswers.SCORER:
        raise NotPackageable(
            f"{version.reference} has no scorer that covers it: {reason}",
            hint="--engine library packages it with its own library",
        )
    return _library(registry, version, module=module, reason=reason or "its scorer's file is gone")


def _no_scorer(version: Version) -> str:
    """Return why a version's scorer does not answer for it; empty where it does."""
    fast = version.fast_path
    if fast is None:
        return "it was imported before there were scorers"
    if fast.partial:
        return f"its scorer asks the library for some steps: {'; '.join(fast.library)}"
    return "" if fast.used else fast.reason


def _scorer(file: Path, version: Version, *, module: str) -> Packed:
    sha256 = version.fast_path.sha256 if version.fast_path else None
    plan = bundle.read(file, sha256=sha256)
    artifact = askable(version).artifact
    travels = sources.scorer_code(plan, artifact, module=module)
    code = {**travels, SCORER_FILE: file.read_bytes()}
    needs = tuple(f"{name}=={metadata.version(name)}" for name in _SCORER_NEEDS)
    return Packed(
        Engine.SCORER,
        "",
        file,
        name=SCORER_FILE,
        sha256=digest.digest(file),
        code=code,
        needs=needs,
        compiled=sources.compiled_platform(),
        rows=sources.single_rows(plan, artifact),
    )


def _library(registry: Registry, version: Version, *, module: str, reason: str) -> Packed:
    candidate = askable(version)
    artifact = candidate.artifact
    if artifact.flavor not in FLAVORS:
        raise NotPackageable(
            f"{version.reference} is a model of {artifact.flavor}, which is not packaged without a "
            f"scorer, and it has none: {reason}",
            hint=f"brinery serve {version.reference}",
        )
    file = registry.model_file(version)
    folder = registry.code_folder(version)
    _check_modules(version, folder)
    _check_code(folder, sha256=artifact.code_sha256)
    own, left = _travelling(folder)
    kept, dropped = _travelling(file)
    parts = {path: hashlib.sha256(data).hexdigest() for path, data in kept.items()}
    name = f"{_MODEL}/{artifact.file}"
    return Packed(
        Engine.LIBRARY,
        reason,
        file,
        name=name,
        sha256=digest.of_parts(parts) if file.is_dir() else parts[""],
        code={
            **sources.library_code(artifact, module=module),
            **{f"{_CODE}/{path}": data for path, data in own.items()},
            **{f"{name}/{path}".rstrip("/"): data for path, data in kept.items()},
        },
        needs=_library_needs(version),
        left=(*left, *dropped),
    )


def _check_code(folder: Path | None, *, sha256: str) -> None:
    """Check that the user's own modules are those that were registered.

    Raises:
        NotPackageable: they are not.
    """
    if folder is not None and digest.digest(folder) != sha256:
        raise NotPackageable(
            "the model's own code is not the one that was registered", hint="import it again"
        )


def _travelling(place: Path | None) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return path to bytes of what travels of a file or folder, and the paths of what does not.

    Of a folder stays behind what holds rows, and what is hidden, such as `.env`: neither predicts,
    and both lie beside code. The path of a file itself is empty.

    Raises:
        ModelFileError: a folder holds what is no file.
    """
    if place is None:
        return {}, ()
    if not place.is_dir():
        return {"": place.read_bytes()}, ()
    kept, left = {}, []
    for path in digest.files(place):
        within = path.relative_to(place)
        if "__pycache__" in within.parts:
            continue
        if _holds_rows(path) or any(part.startswith(".") for part in within.parts):
            left.append(within.as_posix())
        else:
            kept[within.as_posix()] = path.read_bytes()
    return kept, tuple(left)


def _holds_rows(path: Path) -> bool:
    return path.suffix.lower() in _TABLES or path.name in _EXAMPLES


def _library_needs(version: Version) -> tuple[str, ...]:
    """Return what a model was seen to use, and what loading it takes, as it was there."""
    environment = askable(version).environment
    known = dict(environment.packages)
    locked = dict(line.partition("==")[::2] for line in environment.lock)
    for name in _LIBRARY_NEEDS:
        if name not in known:
            known[name] = locked.get(name) or metadata.version(name)
    return tuple(f"{name}=={number}" for name, number in sorted(known.items()))


def _check_modules(version: Version, folder: Path | None) -> None:
    """Check that every module the model's file names comes with the package.

    Raises:
        NotPackageable: one is neither a distribution's nor among its own code.
    """
    candidate = askable(version)
    own = {path.stem for path in folder.iterdir()} if folder is not None else set()
    packages = {_plain(name) for name in candidate.environment.packages}
    packages |= {_plain(line.partition("==")[0]) for line in candidate.environment.lock}
    owners = metadata.packages_distributions()
    for name in sorted({each.partition(".")[0] for each in candidate.artifact.globals}):
        if name in sys.stdlib_module_names or name in own or _plain(name) in packages:
            continue
        if name in _ANCIENT or owners.get(name):
            continue
        raise NotPackageable(
            f"{version.reference} needs the module '{name}', which is no part of a distribution "
            "and did not come with the model",
            hint=f"import it again with --code FOLDER, the folder that '{name}' lies in",
        )


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def facts_of(version: Version, packed: Packed, *, spec: PackageSpec) -> Facts:
    """Return what the package knows of its model; no row of data is in it.

    Args:
        version: which.
        packed: who answers.
        spec: what was declared.

    Raises:
        InvalidPackage: an alias cannot be.
    """
    candidate = askable(version)
    description, takes = candidate.description, candidate.signature
    classifies = description.type in _CLASSES
    columns = [column.name for column in takes.columns]
    evaluation = candidate.evaluation
    return Facts(
        model=version.name,
        version=version.number,
        sha256=candidate.origin.sha256,
        created_by=f"brinery {brinery.__version__}",
        created=version.created.isoformat(timespec="seconds"),
        engine=packed.engine,
        engine_file=packed.name,
        engine_sha256=packed.sha256,
        type=description.type,
        outline=description.outline,
        key=spec.key or ("predicted_class" if classifies else "predicted_value"),
        probabilities=spec.probabilities,
        aliases=packaging.aliases(columns, spec.aliases),
        signature=without_data(takes),
        classes=description.classes,
        metrics=dict(evaluation.metrics) if evaluation else {},
        feature_names=description.feature_names,
        artifact=candidate.artifact,
        rows=packed.rows,
    )


def without_data(takes: Signature) -> Signature:
    """Return a signature whose example is made up: its own is a row of the evaluation data."""
    made = samples.rows(takes).iloc[1]
    example = {column.name: _made_up(column, made[column.name]) for column in takes.columns}
    return Signature(columns=takes.columns, example=example, outputs=takes.outputs)


def _made_up(column: Column, value: Any) -> Scalar | None:
    """Return a value that was made up, as JSON has it; of free text none is left of the data."""
    if value is None or value != value:  # noqa: PLR0124 - NaN, of whatever type
        return None
    if column.type is ColumnType.NUMBER:
        return float(f"{float(value):.{_FIGURES}g}")
    if column.type is ColumnType.INTEGER:
        return int(value)
    if column.type is ColumnType.BOOLEAN:
        return bool(value)
    if column.type is ColumnType.DATETIME:
        return str(value.isoformat())
    return str(value) if column.categories else "example"


def made_rows(version: Version) -> pa.Table:
    """Return rows that were made from a version's signature, of which none is of its data."""
    candidate = askable(version)
    made = samples.rows(without_data(candidate.signature))
    return tables.to_arrow(signature.complete(candidate.description, made))


def spoken_rows(facts: Facts, table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table as clients write them, as JSON has them."""
    names = openapi.spoken(facts)
    columns = [column for column in facts.signature.columns if column.name in table.column_names]
    values = {column.name: table.column(column.name).to_pylist() for column in columns}
    return [
        {
            names[column.name]: _json(column, values[column.name][row])
            for column in columns
            if column.required or values[column.name][row] is not None
        }
        for row in range(table.num_rows)
    ]


def _json(column: Column, value: Any) -> Any:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    if column.type is ColumnType.INTEGER and isinstance(value, float):
        return int(value) if value.is_integer() else value
    if column.type is ColumnType.DATETIME:
        return value.isoformat()
    return value


def declined(packed: Packed, table: pa.Table) -> str:
    """Return why a packed scorer leaves rows to the library; empty where it answers them all."""
    if packed.engine is not Engine.SCORER:
        return ""
    scorer = Scorer(bundle.read(packed.file))
    try:
        scorer.score(arrow.columns(table, scorer.plan.inputs))
    except Declined as reason:
        return str(reason)
    return ""
