"""Files of any format that tables are read from become Parquet files of a dataset, and back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from brinery.errors import ColumnMissing, DataFileMissing, DataUnreadable
from brinery.records.dataset import Column, DatasetFormat, DatasetLocation
from brinery.specs.names import nearest
from brinery.store import tables
from brinery.store.column_types import arrow_type, cast
from brinery.store.datasets import find
from brinery.store.tables import TableFormat

# What every reader of the last ten years knows, and what is read fastest of these.
COMPRESSION: Final = "snappy"


def stage_files(
    source: Path, staged: Path, *, separator: str | None, columns: Sequence[Column] = ()
) -> None:
    """Write the rows of a file, a folder or a pattern as Parquet files into a folder.

    Args:
        source: csv, Parquet, Arrow or JSON lines, told by their content.
        staged: the folder.
        separator: of csv; found in the first lines when None.
        columns: the schema that is wanted; what is found when empty.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: one is damaged.
        SeparatorUnclear: the separator cannot be told.
        InvalidSchema: a value is none of its column's type.
    """
    for number, path in enumerate(find(str(source))):
        target = staged / f"{number:05}.parquet"
        if tables.sniff(tables.head_of(path)) is TableFormat.PARQUET and not columns:
            shutil.copyfile(path, target)
            continue
        write_rows(rows_of(path, separator=separator), target, columns=columns)


def rows_of(path: Path, *, separator: str | None = None) -> pa.Table:
    """Return the rows of one file.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is damaged, or a column mixes types.
        SeparatorUnclear: the separator cannot be told.
    """
    if tables.sniff(tables.head_of(path)) is TableFormat.PARQUET:
        with tables.readable(path):
            return pq.read_table(path)
    return tables.to_arrow(tables.read_table(path, separator=separator))


def read_rows(
    found: DatasetLocation, *, columns: Sequence[str] | None = None, limit: int | None = None
) -> pa.Table:
    """Return the rows of a dataset.

    Args:
        found: where they are; a dataset that was never written has none, of the types it declares.
        columns: that are read, in this order; all when None.
        limit: of the rows; the first ones are read, and no file is read without need.

    Raises:
        ColumnMissing: there is no such column.
        DataFileMissing: a file is gone.
        DataUnreadable: a file is damaged.
    """
    wanted = None if columns is None else list(columns)
    _check_columns(found, wanted)
    pieces: list[pa.Table] = []
    left = limit
    for path in map(Path, found.paths):
        if left is not None and left <= 0:
            break
        piece = _piece(path, found, wanted=wanted, limit=left)
        left = None if left is None else left - piece.num_rows
        pieces.append(piece)
    if not pieces:
        fields = [(one.name, arrow_type(one)) for one in found.columns]
        empty = pa.schema(fields).empty_table()
        return empty if wanted is None else empty.select(wanted)
    return pieces[0] if len(pieces) == 1 else joined(*pieces)


def joined(*tables_of: pa.Table) -> pa.Table:
    """Return tables one after the other, whose columns have the same names.

    Raises:
        DataUnreadable: their columns differ, or no type holds the values of both.
    """
    first = tables_of[0].column_names
    if any(sorted(one.column_names) != sorted(first) for one in tables_of):
        raise DataUnreadable(
            "the rows that are appended have other columns than those that are there",
            hint="give them the same names",
        )
    try:
        return pa.concat_tables(
            [one.select(first) for one in tables_of], promote_options="permissive"
        )
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())[:200]
        raise DataUnreadable(f"the rows that are appended are of other types: {reason}") from None


def _piece(
    path: Path, found: DatasetLocation, *, wanted: list[str] | None, limit: int | None
) -> pa.Table:
    if not path.is_file():
        raise DataFileMissing(
            f"a file of the dataset {found.full_name} is gone: {path}",
            hint=f"brinery dataset show {found.full_name} has the versions that can be restored",
        )
    if found.format is not DatasetFormat.PARQUET:
        rows = rows_of(path, separator=found.separator or None)
        rows = rows if wanted is None else rows.select(wanted)
        return rows if limit is None else rows.slice(0, limit)
    with tables.readable(path):
        if limit is None:
            return pq.ParquetFile(path).read(columns=wanted)
        read, batches = 0, []
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=min(max(limit, 1), 65_536), columns=wanted):
            batches.append(batch)
            read += batch.num_rows
            if read >= limit:
                break
        schema = file.schema_arrow if wanted is None else None
        if not batches and schema is None:
            return file.read(columns=wanted)
        return pa.Table.from_batches(batches, schema=schema).slice(0, limit)


def _check_columns(found: DatasetLocation, wanted: list[str] | None) -> None:
    known = [one.name for one in found.columns]
    for name in wanted or ():
        if known and name not in known:
            near = nearest(name, known)
            raise ColumnMissing(
                f"the dataset {found.full_name} has no column '{name}'"
                + (f": did you mean '{near}'?" if near else ""),
                hint=f"it has {', '.join(known[:20])}",
            )


def write_rows(table: pa.Table, target: Path, *, columns: Sequence[Column] = ()) -> None:
    """Write rows as one Parquet file, with the types of a schema where one is given.

    Raises:
        InvalidSchema: a value is none of its column's type.
    """
    pq.write_table(cast(table, columns) if columns else table, target, compression=COMPRESSION)


def convert_others(staged: Path, *, separator: str | None, columns: Sequence[Column]) -> None:
    """Make Parquet of what is not, among the files that a writer staged.

    Args:
        staged: the folder.
        separator: of csv.
        columns: the schema that texts are read as; what is found when empty.

    Raises:
        DataUnreadable: a file is damaged.
        InvalidSchema: a value is none of its column's type.
    """
    for path in sorted(staged.iterdir()):
        if path.suffix == ".parquet":
            continue
        write_rows(
            rows_of(path, separator=separator), path.with_suffix(".parquet"), columns=columns
        )
        path.unlink()
