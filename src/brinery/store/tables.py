"""Data files become data frames: csv, Parquet, Arrow and JSON lines, told by their content."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from brinery.errors import DataFileMissing, DataUnreadable, OutputUnwritable, SeparatorUnclear
from brinery.store.documents import unwritable

_SEPARATORS = ",;\t|"
_SAMPLE_BYTES = 1 << 18
_ONE_VALUE = re.compile(r'[\w.+-]*|"[^"]*"')


class TableFormat(StrEnum):
    """A file format that tables are read from and written to."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    ARROW = "arrow"


_SUFFIXES = {
    ".csv": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET,
    ".pq": TableFormat.PARQUET,
    ".jsonl": TableFormat.JSONL,
    ".ndjson": TableFormat.JSONL,
    ".arrow": TableFormat.ARROW,
    ".feather": TableFormat.ARROW,
}
GZIP = b"\x1f\x8b"
_READ = "csv, Parquet, Arrow or JSON lines"


def sniff(head: bytes) -> TableFormat:
    """Return the format that the first bytes of a file state."""
    if head.startswith(b"PAR1"):
        return TableFormat.PARQUET
    if head.startswith(b"ARROW1"):
        return TableFormat.ARROW
    return TableFormat.JSONL if head.lstrip().startswith(b"{") else TableFormat.CSV


def has_known_ending(path: Path) -> bool:
    """Return whether a file's name ends as that of a table does, compressed or not."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix in _SUFFIXES


def opened(path: Path) -> IO[bytes]:
    """Return a file opened to be read, unpacked where it is compressed with gzip."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def unpacked(stream: IO[bytes]) -> IO[bytes]:
    """Return what a stream compressed with gzip holds."""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))


def read_table(path: Path, *, separator: str | None = None) -> pd.DataFrame:
    """Return the table of a file.

    Args:
        path: a csv, Parquet, Arrow or JSON lines file; the text of one may be compressed by gzip.
        separator: of a csv file; found in its first lines when None.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is a folder, empty, damaged, not UTF-8, or of another format.
        SeparatorUnclear: it is csv and its separator cannot be told.
    """
    head = _head_of_one(path)
    with readable(path):
        match sniff(head):
            case TableFormat.PARQUET:
                frame = pd.read_parquet(path)
            case TableFormat.ARROW:
                frame = pa.ipc.open_file(path.read_bytes()).read_pandas()
            case TableFormat.JSONL:
                frame = _read_jsonl(path)
            case TableFormat.CSV:
                frame = _read_csv(path, head, separator)
    return _checked(path, frame)


def _head_of_one(path: Path) -> bytes:
    """Return the first bytes of one file.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is a folder.
    """
    if path.is_dir():
        raise DataUnreadable(
            f"the data {path} is a folder, and one file is read", hint=_in_folder(path)
        )
    return head_of(path)


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a table's file, without reading its rows.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is a folder, empty, damaged, not UTF-8, or of another format.
        SeparatorUnclear: it is csv and its separator cannot be told.
    """
    head = _head_of_one(path)
    with readable(path):
        match sniff(head):
            case TableFormat.PARQUET:
                return [str(name) for name in pq.read_schema(path).names]
            case TableFormat.ARROW:
                with pa.memory_map(str(path)) as source:
                    return [str(name) for name in pa.ipc.open_file(source).schema.names]
            case TableFormat.JSONL:
                with opened(path) as stream:
                    return [str(name) for name in msgspec.json.decode(stream.readline(), type=dict)]
            case TableFormat.CSV:
                separator = separator_of(path, head, asked=None)
                with opened(path) as stream:
                    found = pd.read_csv(stream, sep=separator, nrows=0)
                return [str(name) for name in found.columns]


def head_of(path: Path) -> bytes:
    """Return the first bytes of a table's file, unpacked.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is empty, or of no format that is read.
    """
    if not path.is_file():
        raise DataFileMissing(
            f"the data file {path} does not exist", hint=f"ls {path.parent} shows what is there"
        )
    with readable(path), opened(path) as stream:
        head = stream.read(_SAMPLE_BYTES)
    if not head.strip():
        raise DataUnreadable(f"{path} is empty", hint=f"give a {_READ} file")
    if sniff(head) is TableFormat.CSV and b"\0" in head:
        raise DataUnreadable(
            f"{path} is no text: it holds null bytes",
            hint=f"--data takes a {_READ} file; a model is named first",
        )
    return head


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Tell, of whatever is raised while a file is read, that it cannot be read.

    Raises:
        DataUnreadable: it is damaged, or not UTF-8.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataUnreadable(
            f"{path} is not UTF-8 text: byte {error.start} cannot be read",
            hint=f"iconv -f latin1 -t utf-8 {path} > utf8.csv, and give that file",
        ) from None
    except (
        ValueError,
        OSError,
        EOFError,
        zlib.error,
        pa.ArrowException,
        msgspec.MsgspecError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataUnreadable(
            f"{path} cannot be read: {reason}",
            hint="open it at that line; give --sep if the separator is unusual",
        ) from None


def _in_folder(path: Path) -> str:
    """Return a hint that names the first table in a folder."""
    with suppress(OSError):
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in _SUFFIXES:
                return f"did you mean --data {file}?"
    return f"ls {path} shows what is there; name a csv, Parquet or JSON lines file"


def _read_jsonl(path: Path) -> pd.DataFrame:
    """Return the table of a JSON lines file; its numbers are exact, its texts stay text."""
    with opened(path) as stream:
        rows = msgspec.json.Decoder(dict[str, Any]).decode_lines(stream.read())
    return pd.DataFrame.from_records(rows)


def _read_csv(path: Path, head: bytes, separator: str | None) -> pd.DataFrame:
    separator = separator_of(path, head, asked=separator)
    with opened(path) as stream:
        return pd.read_csv(stream, sep=separator, low_memory=False, encoding="utf-8-sig")


def separator_of(path: Path, head: bytes, *, asked: str | None) -> str:
    """Return the separator of a csv file: the one that was asked for, or the one that is found.

    Raises:
        SeparatorUnclear: none is found, or the one asked for is not one character.
    """
    if asked is None:
        return sniff_separator(path, head)
    if len(asked) != 1:
        raise SeparatorUnclear(
            f"the separator {asked!r} is not one character", hint="for a tab give --sep $'\\t'"
        )
    return asked


def sniff_separator(path: Path, head: bytes) -> str:
    """Return the separator of a csv file.

    It is the one of `, ; tab |` that cuts every line of the sample into the same number of
    fields, at least two; a file of one column, which has none of them, is read with a comma.

    Raises:
        SeparatorUnclear: none does, or two do.
    """
    text = head.decode("utf-8-sig", "replace")
    lines = text.splitlines()
    if len(head) == _SAMPLE_BYTES:
        lines.pop()
    widths = {}
    for candidate in _SEPARATORS:
        counts = {len(row) for row in csv.reader(lines, delimiter=candidate) if row}
        if len(counts) == 1:
            widths[candidate] = counts.pop()
    best = max(widths.values(), default=0)
    winners = [candidate for candidate, width in widths.items() if width == best]
    if best > 1 and len(winners) == 1:
        return winners[0]
    if best == 1 and len(widths) == len(_SEPARATORS) and _one_column(lines):
        return ","
    raise SeparatorUnclear(
        f"the separator of {path} cannot be told from its first lines",
        hint="say it: --sep ';'",
    )


def _one_column(lines: list[str]) -> bool:
    """Return whether every line is one plain or quoted value, so that no separator is missed."""
    return all(_ONE_VALUE.fullmatch(line) for line in lines)


def _checked(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its column names as text.

    Raises:
        DataUnreadable: it has no rows, or two columns of one name.
    """
    frame.columns = pd.Index([str(name) for name in frame.columns])
    if frame.empty:
        raise DataUnreadable(f"{path} has no rows", hint="give a file with at least one row")
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataUnreadable(
            f"{path} has two columns named '{repeated[0]}'", hint="rename one of them"
        )
    return frame


def fingerprint(frame: pd.DataFrame) -> str:
    """Return the sha256 of a table's names, types and values, whatever file it came from."""
    content = hashlib.sha256()
    for name in frame.columns:
        series = frame[name]
        kind = "str" if series.dtype == object else str(series.dtype)
        content.update(f"{name}\0{kind}\0".encode())
        hashable = series.astype(str) if series.dtype == object else series
        content.update(np.asarray(pd.util.hash_pandas_object(hashable, index=False)).tobytes())
    return content.hexdigest()


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Return a data frame as an Arrow table.

    Raises:
        DataUnreadable: a column mixes types.
    """
    columns: dict[str, Any] = {}
    for name in frame.columns:
        try:
            columns[str(name)] = pa.array(frame[name], from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError):
            raise DataUnreadable(
                f"column '{name}' mixes types",
                hint=f"make it one type: df['{name}'] = df['{name}'].astype(str)",
            ) from None
    return pa.table(columns)


def output_format(path: Path) -> TableFormat:
    """Return the format that a file's name asks for.

    Raises:
        OutputUnwritable: the ending is not one of a known format.
    """
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise OutputUnwritable(
            f"{path}: the ending does not say which format to write",
            hint="end the name in .csv, .parquet or .jsonl; a folder of parts, in /",
        ) from None


def write_table(table: pa.Table, path: Path, *, separator: str = ",") -> None:
    """Write a table in the format that the file's name asks for; whole, or not at all.

    Args:
        table: of any number of rows.
        path: of the file.
        separator: of csv.

    Raises:
        OutputUnwritable: the ending is unknown, or the folder cannot be written.
    """
    form = output_format(path)
    part = path.with_name(f".{path.name}.part")
    try:
        match form:
            case TableFormat.PARQUET:
                pq.write_table(table, part)
            case TableFormat.CSV:
                options = pa.csv.WriteOptions(delimiter=separator)
                pa.csv.write_csv(table, part, write_options=options)
            case TableFormat.ARROW:
                with pa.ipc.new_file(part, table.schema) as writer:
                    writer.write_table(table)
            case TableFormat.JSONL:
                with part.open("wb") as stream:
                    stream.writelines(msgspec.json.encode(row) + b"\n" for row in table.to_pylist())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(path, error) from None
