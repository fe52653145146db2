"""Data files read in blocks: one file, a folder of them, or those that a pattern names.

No file is held whole. A block is an Arrow table where the file states the types of its columns
(Parquet, Arrow), and a data frame where its values tell them (csv, JSON lines), read as
`tables.read_table` reads the whole file. Nothing here knows what a model takes.
"""

from __future__ import annotations

import glob
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Self, TypeAlias

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from brinery.errors import DataFileMissing, DataUnreadable
from brinery.store import tables
from brinery.store.tables import TableFormat

Block: TypeAlias = pa.Table | pd.DataFrame

_SAMPLE_ROWS = 1000
_PAGE_BYTES = 1 << 20
# What pandas takes for a missing value, as its documentation lists it.
MISSING_WORDS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)


@dataclass(frozen=True)
class Wanted:
    """The columns that are read, and how those of a csv file are.

    Attributes:
        columns: their names.
        text: those of them that stay text, whatever their values look like.
        verbatim: those of them that are kept as the file has them: only nothing is missing there.
    """

    columns: tuple[str, ...]
    text: frozenset[str] = frozenset()
    verbatim: frozenset[str] = frozenset()


class Fragment(ABC):
    """A file of rows.

    Attributes:
        path: of the file.
        columns: their names, in order.
        types: of each column, where the file states them; None where its values tell them.
        rows: count; None where the file does not state it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[str, ...] = ()
        self.types: Mapping[str, pa.DataType] | None = None
        self.rows: int | None = None
        self.size_bytes = max(1, path.stat().st_size)
        self.modified_ns = path.stat().st_mtime_ns

    @abstractmethod
    def blocks(self, wanted: Wanted, size: int, *, start: int = 0) -> Iterator[tuple[Block, float]]:
        """Yield blocks of rows, each with how much of the file is read then, from 0 to 1.

        Args:
            wanted: the columns, all of which the file has.
            size: most rows of a block.
            start: the first row, from 0.

        Raises:
            DataUnreadable: the file is damaged.
        """

    def columns_with(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the columns, all of those that are named among them where the file has them.

        The rows of some files name their columns, and its first rows may not name all.
        """
        del names
        return self.columns

    def sample(self, wanted: Wanted) -> pd.DataFrame:
        """Return the first rows of a file that does not state its types."""
        for block, _ in self.blocks(wanted, _SAMPLE_ROWS):
            return block
        return pd.DataFrame(columns=list(wanted.columns))

    def _check_columns(self) -> None:
        """Raise where two columns have one name.

        Raises:
            DataUnreadable: they do.
        """
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise DataUnreadable(
                f"{self.path} has two columns named '{twice}'", hint="rename one of them"
            )


class ParquetFragment(Fragment):
    """A Parquet file; only the columns that are wanted are read, a page at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with tables.readable(path), self._open() as file:
            schema = file.schema_arrow
            self.rows = file.metadata.num_rows
            groups = file.metadata.num_row_groups
            self._groups = [file.metadata.row_group(place).num_rows for place in range(groups)]
        self.columns = tuple(schema.names)
        self._check_columns()
        self.types = dict(zip(schema.names, schema.types, strict=True))

    def _open(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, buffer_size=_PAGE_BYTES, pre_buffer=False)

    def blocks(self, wanted: Wanted, size: int, *, start: int = 0) -> Iterator[tuple[Block, float]]:
        """Yield blocks, from the row group that the first row lies in."""
        ends = list(itertools.accumulate(self._groups))
        first = next((place for place, end in enumerate(ends) if end > start), len(ends))
        done = ends[first - 1] if first else 0
        with tables.readable(self.path), self._open() as file:
            batches = file.iter_batches(
                size, columns=list(wanted.columns), row_groups=range(first, len(ends))
            )
            for batch in batches:
                table, done = _from(batch, start - done), done + batch.num_rows
                if table.num_rows:
                    yield table, done / ends[-1]


class ArrowFragment(Fragment):
    """An Arrow file, which Feather is, read from where it is mapped."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with tables.readable(path), pa.memory_map(str(path)) as mapped:
            schema = pa.ipc.open_file(mapped).schema
        self.columns = tuple(schema.names)
        self._check_columns()
        self.types = dict(zip(schema.names, schema.types, strict=True))

    def blocks(self, wanted: Wanted, size: int, *, start: int = 0) -> Iterator[tuple[Block, float]]:
        """Yield blocks, each within one of the file's own."""
        places = sorted(self.columns.index(name) for name in wanted.columns)
        options = pa.ipc.IpcReadOptions(included_fields=places)
        done = 0
        with tables.readable(self.path), pa.memory_map(str(self.path)) as mapped:
            reader = pa.ipc.open_file(mapped, options=options)
            count = reader.num_record_batches
            for place in range(count):
                batch = reader.get_batch(place)
                table, done = _from(batch, start - done), done + batch.num_rows
                for first in range(0, table.num_rows, size):
                    read = min(1.0, (first + size) / table.num_rows)
                    yield table.slice(first, size), (place + read) / count


class CsvFragment(Fragment):
    """A csv file. All its columns are parsed, so that a row too long is found; few are kept.

    Args:
        path: of the file.
        separator: found in its first lines when None.
    """

    def __init__(self, path: Path, separator: str | None) -> None:
        super().__init__(path)
        self._separator = tables.separator_of(path, tables.head_of(path), asked=separator)
        with tables.readable(path), tables.opened(path) as stream:
            named = pd.read_csv(stream, sep=self._separator, nrows=0, encoding="utf-8-sig")
        self.columns = tuple(map(str, named.columns))

    def blocks(self, wanted: Wanted, size: int, *, start: int = 0) -> Iterator[tuple[Block, float]]:
        """Yield blocks. A number is read as pandas reads it, for so it was at the import."""
        rest = MISSING_WORDS
        missing = {name: [""] if name in wanted.verbatim else rest for name in self.columns}
        done = 0
        with tables.readable(self.path), _Text(self.path) as text:
            parsed = pd.read_csv(
                text.stream,
                sep=self._separator,
                chunksize=size,
                low_memory=False,
                encoding="utf-8-sig",
                dtype=dict.fromkeys(wanted.text | wanted.verbatim, str),
                na_values=missing,
                keep_default_na=False,
            )
            with parsed as reader:
                for frame in reader:
                    skipped, done = max(0, start - done), done + len(frame)
                    if skipped < len(frame):
                        rows = frame[list(wanted.columns)].iloc[skipped:]
                        yield rows.reset_index(drop=True), text.read


class JsonLinesFragment(Fragment):
    """A JSON lines file: an object a row."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.columns_with(())

    def columns_with(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the columns, read on until every name was met, or the file ends."""
        met: dict[str, None] = {}
        for rows, _ in self._listed(_SAMPLE_ROWS):
            for row in rows:
                met.update(dict.fromkeys(row))
            if met.keys() >= set(names):
                break
        self.columns = tuple(met)
        return self.columns

    def _listed(self, size: int, *, start: int = 0) -> Iterator[tuple[list[dict[str, Any]], float]]:
        decoder = msgspec.json.Decoder(dict[str, Any])
        with tables.readable(self.path), _Text(self.path) as text:
            filled = (line for line in text.stream if line.strip())
            lines = itertools.islice(filled, start, None)
            while rows := [decoder.decode(line) for line in itertools.islice(lines, size)]:
                yield rows, text.read

    def blocks(self, wanted: Wanted, size: int, *, start: int = 0) -> Iterator[tuple[Block, float]]:
        """Yield blocks; what a row does not name is missing in it."""
        for rows, read in self._listed(size, start=start):
            frame = pd.DataFrame.from_records(rows)
            yield frame.reindex(columns=list(wanted.columns)), read


class _Text:
    """A file of text, unpacked as it is read.

    Attributes:
        stream: its bytes.
    """

    def __init__(self, path: Path) -> None:
        self._size = max(1, path.stat().st_size)
        self._file = path.open("rb", buffering=0)
        packed = self._file.read(len(tables.GZIP)) == tables.GZIP
        self._file.seek(0)
        self.stream: Any = tables.unpacked(self._file) if packed else BufferedReader(self._file)

    @property
    def read(self) -> float:
        """Return how much of the file is read, from 0 to 1."""
        return min(1.0, self._file.tell() / self._size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self._file.close()


def _from(batch: pa.RecordBatch, start: int) -> pa.Table:
    """Return the rows of a batch from a place in it on, which may lie before it or behind."""
    return pa.Table.from_batches([batch.slice(min(max(0, start), batch.num_rows))])


def fragment(path: Path, *, separator: str | None = None) -> Fragment:
    """Return a file, its columns known.

    Raises:
        DataFileMissing: there is no such file.
        DataUnreadable: it is empty, damaged, or of no format that is read.
        SeparatorUnclear: it is csv and its separator cannot be told.
    """
    match tables.sniff(tables.head_of(path)):
        case TableFormat.PARQUET:
            return ParquetFragment(path)
        case TableFormat.ARROW:
            return ArrowFragment(path)
        case TableFormat.JSONL:
            return JsonLinesFragment(path)
        case TableFormat.CSV:
            return CsvFragment(path, separator)


def find(data: str) -> tuple[Path, ...]:
    """Return the files that a word for data means, sorted.

    Args:
        data: a file; a folder, of which all tables are meant, in the folders within too; or a
            pattern such as `in/*.parquet` or `in/**/*.csv`. A name that begins with `.` or `_` is
            no data.

    Raises:
        DataFileMissing: there is none.
    """
    path = Path(data)
    if path.is_dir():
        listed = sorted(each for each in path.rglob("*") if _is_table(each, path))
        if not listed:
            raise DataFileMissing(
                f"the folder {data} holds no table", hint=f"ls {data} shows what is there"
            )
        return tuple(listed)
    if path.exists() or not glob.has_magic(data):
        return (path,)
    found = sorted(Path(each) for each in glob.glob(data, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    files = tuple(each for each in found if each.is_file() and each.name[0] not in "._")
    if not files:
        folder = Path(data.partition("*")[0] + "_").parent
        raise DataFileMissing(
            f"no file is named like {data}",
            hint=f"ls {folder} shows what is there; quote the pattern for it to come here whole",
        )
    return files


def _is_table(path: Path, folder: Path) -> bool:
    parts: Sequence[str] = path.relative_to(folder).parts
    hidden = any(part[0] in "._" for part in parts)
    return not hidden and tables.has_known_ending(path) and path.is_file()
