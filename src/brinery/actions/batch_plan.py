"""What scoring files would do, known before a row is scored and before anything is written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd
import pyarrow as pa

from brinery.actions.rooms import Folder
from brinery.errors import (
    BrineryError,
    ColumnMismatch,
    ColumnMissing,
    DataUnreadable,
    OutputUnwritable,
    PredictionRefused,
    SettingsError,
)
from brinery.flavors import answer_columns, arrow_types, signature
from brinery.records.batch import DataFile
from brinery.records.signature import ColumnType, Signature
from brinery.records.version import Candidate
from brinery.specs.names import nearest
from brinery.store import datasets, parts, tables
from brinery.store.datasets import Fragment, Wanted
from brinery.store.tables import TableFormat

_CELLS = 1 << 21
_MOST_ROWS, _LEAST_ROWS = 1 << 15, 1 << 8
# The types that kept columns of a csv file have where the model reads them; all others are text.
_KEPT = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
}


class BatchOptions(TypedDict, total=False):
    """What may be asked for beside the version, the data and the output.

    Attributes:
        keep: columns of the data to put before the answers.
        sep: of csv files; found when None.
        output_format: `parquet`, `csv`, `arrow` or `jsonl`; that of the output's ending when None,
            Parquet for a folder.
        batch_rows: rows that are read and scored at a time; by the number of columns when None.
        part_rows: most rows of a part; 262,144 when None.
        workers: threads of the scorer, or processes of the library; the processors when None.
        overwrite: whether the scores of another run in the folder are replaced.
    """

    keep: Sequence[str]
    sep: str | None
    output_format: TableFormat | str | None
    batch_rows: int | None
    part_rows: int | None
    workers: int | None
    overwrite: bool


@dataclass(frozen=True, kw_only=True)
class BatchAsked:
    """What is asked for: the attributes are those of `BatchOptions`, and these.

    Attributes:
        reference: of the version.
        data: a file, a folder or a pattern.
        output: a file; a folder, which exists or ends in `/`; None for standard output.

    Raises:
        SettingsError: fewer than one row or worker, or a format that there is not.
    """

    reference: str
    data: Folder
    output: Folder | None = None
    keep: Sequence[str] = ()
    sep: str | None = None
    output_format: TableFormat | None = None
    batch_rows: int | None = None
    part_rows: int | None = None
    workers: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check that the counts are counts."""
        for name in ("batch_rows", "part_rows", "workers"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise SettingsError(f"{name} is {count}", hint=f"give {name} as 1 or more")

    @classmethod
    def of(
        cls, reference: str, *, data: Folder, output: Folder | None, options: BatchOptions
    ) -> BatchAsked:
        """Return what the arguments of `score_files` or of the command ask for."""
        form = options.get("output_format")
        if form is not None and form not in set(TableFormat):
            known = ", ".join(TableFormat)
            raise SettingsError(f"there is no output format '{form}'", hint=f"give one of {known}")
        return cls(
            reference=reference,
            data=data,
            output=output,
            keep=tuple(options.get("keep", ())),
            sep=options.get("sep"),
            output_format=None if form is None else TableFormat(form),
            batch_rows=options.get("batch_rows"),
            part_rows=options.get("part_rows"),
            workers=options.get("workers"),
            overwrite=options.get("overwrite", False),
        )


@dataclass(frozen=True)
class Target:
    """Where the scores go.

    Attributes:
        path: of the file or folder; None for standard output.
        folder: whether it is a folder of parts.
        form: of the file or the parts.
    """

    path: Path | None
    folder: bool
    form: TableFormat


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """What is read, as what, and where the answers go.

    Attributes:
        files: of the data.
        wanted: the columns that are read of them.
        keep: the columns that go before the answers, with the type that they have there.
        batch_rows: rows of a block.
        target: where the answers go.
    """

    files: tuple[Fragment, ...]
    wanted: Wanted
    keep: Mapping[str, pa.DataType] = field(default_factory=dict)
    batch_rows: int
    target: Target

    @property
    def data(self) -> tuple[DataFile, ...]:
        """Return the files as they are now."""
        return tuple(
            DataFile(
                path=str(file.path.resolve()),
                size_bytes=file.size_bytes,
                modified_ns=file.modified_ns,
            )
            for file in self.files
        )


def plan(asked: BatchAsked, candidate: Candidate) -> BatchPlan:
    """Return the plan for what is asked; nothing is scored or written.

    Raises:
        DataError: the subclass says what is wrong with a file, its columns, or the output.
    """
    target = _target(asked)
    paths = datasets.find(os.fspath(asked.data))
    _check_apart(target, paths, data=Path(asked.data))
    files = tuple(datasets.fragment(path, separator=asked.sep) for path in paths)
    keep = tuple(dict.fromkeys(asked.keep))
    _check_names(keep, candidate)
    wanted = _wanted(candidate.signature, keep)
    checks = [_checked(file, candidate.signature, wanted=wanted, keep=keep) for file in files]
    rows = sum(found for _, found in checks)
    kept = _kept(keep, files, checks=[types for types, _ in checks])
    if not rows:
        raise DataUnreadable(f"{asked.data} has no rows", hint="give a file with at least one row")
    narrow = max(_LEAST_ROWS, min(_MOST_ROWS, _CELLS // max(1, len(wanted.columns))))
    return BatchPlan(
        files=files,
        wanted=wanted,
        keep=kept,
        # A power of two, of which a part is made whole.
        batch_rows=asked.batch_rows or 1 << narrow.bit_length() - 1,
        target=target,
    )


def _kept(
    keep: Sequence[str], files: Sequence[Fragment], *, checks: Sequence[Mapping[str, pa.DataType]]
) -> dict[str, pa.DataType]:
    """Return the types of the kept columns: those that files state, else those of the first rows.

    Raises:
        ColumnMismatch: two files state different ones.
    """
    order = sorted(range(len(files)), key=lambda place: files[place].types is None)
    kept: dict[str, pa.DataType] = {}
    for name in keep:
        first = kept[name] = checks[order[0]][name]
        for place in order:
            if files[place].types is not None and checks[place][name] != first:
                raise ColumnMismatch(
                    f"--keep {name}: it is {first} in {files[order[0]].path} and "
                    f"{checks[place][name]} in {files[place].path}",
                    hint="cast it to one type where the files are written",
                )
    return kept


def _target(asked: BatchAsked) -> Target:
    if asked.output is None:
        return Target(None, folder=False, form=asked.output_format or TableFormat.CSV)
    said = os.fspath(asked.output)
    path = Path(said)
    folder = said.endswith(("/", os.sep)) or path.is_dir()
    if folder:
        form = asked.output_format or TableFormat.PARQUET
    else:
        form = tables.output_format(path)
        if asked.output_format not in (None, form):
            raise OutputUnwritable(
                f"{path}: its ending says {form}, and {asked.output_format} is asked for",
                hint=f"name it {path.stem}.{asked.output_format}, or a folder: {path.stem}/",
            )
    parts.check_writable(path, folder=folder)
    return Target(path, folder=folder, form=form)


def _check_apart(target: Target, paths: Sequence[Path], *, data: Path) -> None:
    """Raise where the output would be read as data by the next run, or written over the data.

    Raises:
        OutputUnwritable: it would.
    """
    if target.path is None:
        return
    output = target.path.resolve()
    among = data.is_dir() and output.is_relative_to(data.resolve())
    for path in paths:
        file = path.resolve()
        if among or file == output or (target.folder and file.is_relative_to(output)):
            raise OutputUnwritable(
                f"the output {target.path} lies among the data", hint="name one that lies elsewhere"
            )


def _check_names(keep: Sequence[str], candidate: Candidate) -> None:
    several = tuple(output.name for output in candidate.signature.outputs)
    own = answer_columns.names(candidate.description.classes, several)
    for name in keep:
        if name in own:
            raise ColumnMismatch(
                f"--keep {name}: the answers have a column of that name",
                hint=f"rename '{name}' in the data",
            )


def _wanted(takes: Signature, keep: tuple[str, ...]) -> Wanted:
    """Return the columns that are read: those that the model reads, and those that are kept."""
    read = {column.name: column.type for column in takes.columns if column.required}
    text = (ColumnType.STRING, ColumnType.DATETIME)
    return Wanted(
        columns=tuple(dict.fromkeys((*read, *keep))),
        text=frozenset(name for name, kind in read.items() if kind in text),
        verbatim=frozenset(keep) - read.keys(),
    )


def _checked(
    file: Fragment, takes: Signature, *, wanted: Wanted, keep: Sequence[str]
) -> tuple[dict[str, Any], int]:
    """Return the types of the kept columns of a file, and whether it has rows: 0 if it has none.

    Raises:
        DataError: a column is missing or of another type.
    """
    columns = file.columns_with(wanted.columns)
    for name in keep:
        if name not in columns:
            near = nearest(name, columns)
            raise ColumnMissing(
                f"--keep {name}: the data {file.path} has no column '{name}'",
                hint=f"did you mean --keep {near}?"
                if near
                else f"its columns are {', '.join(columns[:20])}",
            )
    try:
        for name in wanted.columns:
            if name not in columns:
                raise signature.missing_column(name, columns)
        if file.types is not None:
            arrow_types.check(takes, file.types)
            kinds = {name: arrow_types.plain(file.types[name]) for name in keep}
            return kinds, 1 if file.rows is None else file.rows
        sample = file.sample(wanted)
        tables.to_arrow(signature.conform(takes, sample))
    except BrineryError as error:
        raise located(error, file.path) from None
    return {name: _kept_type(name, takes, sample=sample, wanted=wanted) for name in keep}, len(
        sample
    )


def _kept_type(name: str, takes: Signature, *, sample: pd.DataFrame, wanted: Wanted) -> pa.DataType:
    """Return the type that a kept column of a file without types is given."""
    column = takes.column(name)
    if name not in wanted.verbatim and column is not None:
        return _KEPT.get(column.type, pa.string())
    kind = tables.to_arrow(sample[[name]]).schema.field(0).type
    text = pa.types.is_null(kind) or arrow_types.stated(kind) is ColumnType.STRING
    return pa.string() if text else kind


def located(error: BrineryError, path: Path, *, first_row: int = 0) -> BrineryError:
    """Return an error that says in which file it is, and in which row of it where it knows."""
    if isinstance(error, PredictionRefused):
        row = "" if error.row is None else f"row {first_row + error.row + 1}: "
        return PredictionRefused(f"{path}: {row}{error.reason}", hint=error.hint)
    if str(path) in error.message:
        return error
    return type(error)(f"{path}: {error.message}", hint=error.hint)
