"""Previews of files that others made: told by their first bytes, never run and never unpickled."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from brinery.errors import DataFileMissing, InvalidReference
from brinery.records.preview import Listed, Preview, PreviewKind
from brinery.store.folder_files import inner

_HEAD_BYTES: Final = 65_536
_ROWS: Final = 50
_COLUMNS: Final = 60
_CELL: Final = 200
_ENTRIES: Final = 1_000
_PICKLE: Final = "it is a pickle, which is a program: brinery scan FILE says what it asks for"
_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_PICKLES: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_SEPARATORS: Final = ",;\t|"
_TABLES: Final = (".csv", ".tsv")


def within(root: Path, path: str) -> Path:
    """Return a file or folder below a folder, wherever links lead: never out of it.

    Args:
        root: the folder, or the one file that may be named, by the empty path.
        path: from there, with or without a slash before it.

    Raises:
        InvalidReference: it leads out of the folder.
        DataFileMissing: there is nothing.
    """
    whole = root.resolve()
    name = inner(path)
    place = (whole / name).resolve()
    if not place.is_relative_to(whole):
        raise InvalidReference(
            f"the path {path!r} leads out of the folder", hint="a path is models/pipeline.pkl"
        )
    if not place.exists():
        raise DataFileMissing(f"there is no file {name or root.name!r}", hint="reload the page")
    return place


def preview_of(path: Path, *, inside: str = "") -> Preview:
    """Return what is shown of a file or a folder of this machine.

    Args:
        path: of it, as `within` gives it.
        inside: path of a folder from the one that was named, before its files' names.
    """
    if path.is_dir():
        return _folder(path, inside)
    with path.open("rb") as stream:
        return preview(stream, name=path.name, size_bytes=path.stat().st_size)


def preview(stream: IO[bytes], *, name: str, size_bytes: int) -> Preview:
    """Return what is shown of a file.

    Args:
        stream: opened to be read, at its beginning.
        name: of the file: a text that ends in `.csv` is shown as a table.
        size_bytes: of the file.
    """
    head = stream.read(_HEAD_BYTES)
    if image := image_type(head):
        return Preview(kind=PreviewKind.IMAGE, size_bytes=size_bytes, media_type=image)
    if head.startswith(b"PAR1"):
        return _parquet(stream, size_bytes)
    if head.startswith(_PICKLES):
        return _nothing(
            size_bytes, "it is a pickle, which is a program: brinery scan FILE reads it"
        )
    if b"\0" in head:
        return _nothing(size_bytes, "it is no text, no table and no image")
    cut = size_bytes > len(head)
    text = head.decode("utf-8", "replace")
    if name.lower().endswith(_TABLES):
        return _csv(text, size_bytes, cut=cut)
    return Preview(kind=PreviewKind.TEXT, size_bytes=size_bytes, text=text, cut=cut)


def image_type(head: bytes) -> str:
    """Return what browsers are told of an image, by its first bytes; empty for what is none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begins, kind in _IMAGES if head.startswith(begins)), "")


def _folder(path: Path, inside: str) -> Preview:
    entries = []
    with os.scandir(path) as found:
        for one in sorted(found, key=lambda each: each.name)[: _ENTRIES + 1]:
            folder = one.is_dir()
            size = 0 if folder or not one.is_file() else one.stat().st_size
            at = f"{inside.strip('/')}/{one.name}".lstrip("/")
            entries.append(Listed(name=one.name, path=at, folder=folder, size_bytes=size))
    return Preview(
        kind=PreviewKind.FOLDER,
        entries=tuple(entries[:_ENTRIES]),
        cut=len(entries) > _ENTRIES,
    )


def _parquet(stream: IO[bytes], size_bytes: int) -> Preview:
    try:
        file = pq.ParquetFile(stream)
        names = file.schema_arrow.names[:_COLUMNS]
        batch: Any = next(file.iter_batches(batch_size=_ROWS, columns=names), None)
        rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        return _nothing(size_bytes, f"it cannot be read: {' '.join(str(error).split())[:200]}")
    return Preview(
        kind=PreviewKind.TABLE,
        size_bytes=size_bytes,
        columns=tuple(names),
        rows=texts(pa.Table.from_batches([batch])) if batch is not None else (),
        cut=rows > _ROWS,
    )


def texts(table: pa.Table) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a table as people read them, each cut where it is long."""
    return tuple(
        tuple("" if value is None else _cell(value) for value in row.values())
        for row in table.to_pylist()
    )


def _cell(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _csv(text: str, size_bytes: int, *, cut: bool) -> Preview:
    if cut:
        text = text[: text.rfind("\n") + 1]
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        found = [line for line, _ in zip(lines, range(_ROWS + 2), strict=False)]
    except csv.Error:
        return Preview(kind=PreviewKind.TEXT, size_bytes=size_bytes, text=text, cut=cut)
    if not found:
        return _nothing(size_bytes, "it is empty")
    head, *rows = found
    columns = head[:_COLUMNS]
    width = len(columns)
    return Preview(
        kind=PreviewKind.TABLE,
        size_bytes=size_bytes,
        columns=tuple(columns),
        rows=tuple(
            tuple(_cell(value) for value in (row + [""] * width)[:width]) for row in rows[:_ROWS]
        ),
        cut=cut or len(rows) > _ROWS,
    )


def _nothing(size_bytes: int, why: str) -> Preview:
    return Preview(kind=PreviewKind.NOTHING, size_bytes=size_bytes, why=why)
