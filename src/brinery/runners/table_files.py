"""The files of a parallel step's data: of a folder, or of what its `MLTable` names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from brinery.errors import InvalidTable
from brinery.pipeline.mini_batches import File
from brinery.pipeline.partition_format import Format
from brinery.specs import mltable


class Found(NamedTuple):
    """The data of a step.

    Attributes:
        files: in the order in which they are worked on.
        table: how a worker reads them, as plain values; None where it is given their paths.
        columns: that stand in their paths.
    """

    files: tuple[File, ...]
    table: dict[str, Any] | None = None
    columns: tuple[str, ...] = ()


def plain(path: Path) -> Found:
    """Return the files of a folder and of those within it, or the one file at a path.

    Raises:
        InvalidTable: there is nothing.
    """
    if path.is_file():
        return Found((_file(path),))
    if not path.is_dir():
        raise InvalidTable(f"{path} is not there")
    return Found(tuple(map(_file, _within(path))))


def is_table(path: Path) -> bool:
    """Return whether a folder says itself what table it holds."""
    return (path / mltable.NAME).is_file()


def table(folder: Path) -> Found:
    """Return the files of a table, in the order in which its `MLTable` names them.

    Raises:
        InvalidTable: the `MLTable` is wrong, or names what is not there.
    """
    declared = mltable.read(folder)
    paths: dict[Path, None] = {}
    for kind, place in declared.paths:
        paths.update(dict.fromkeys(_named(folder, kind, place)))
    form = _format(declared.partition_format, folder)
    files = tuple(_file(path, form=form) for path in paths)
    columns = () if form is None else tuple(column.name for column in form.columns)
    if declared.reader is None:
        return Found(files, None, columns)
    times = [] if form is None else [column.name for column in form.columns if column.time]
    reading = {
        "reader": _READERS[type(declared.reader)],
        "settings": declared.reader.model_dump(),
        "columns": [list(map(_plain, each)) for each in declared.columns],
        "times": times,
        "first": files[0].path if files else "",
    }
    return Found(files, reading, columns)


_READERS = {
    mltable.Delimited: "delimited",
    mltable.JsonLines: "json_lines",
    mltable.Parquet: "parquet",
}


def _plain(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _named(folder: Path, kind: str, place: str) -> Iterator[Path]:
    """Yield the files that one entry of `paths` names."""
    if "://" in place:
        raise InvalidTable(
            f"{folder / mltable.NAME}: {place} is not on this machine",
            hint="name files by paths relative to the MLTable's folder",
        )
    if kind == "pattern":
        # A pattern may be absolute, which pathlib refuses.
        names = sorted(glob.glob(place, root_dir=folder, recursive=True))  # noqa: PTH207
        found = [path for name in names if (path := _absolute(folder, name)).is_file()]
    elif kind == "folder":
        found = list(_within(_absolute(folder, place)))
    else:
        path = _absolute(folder, place)
        found = [path] if path.is_file() else []
    if not found:
        raise InvalidTable(f"{folder / mltable.NAME}: {kind} {place} names no file")
    yield from found


def _absolute(folder: Path, place: str) -> Path:
    return Path(os.path.normpath(folder / place))


def _within(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder but the hidden ones and `MLTable`, by their names."""
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != mltable.NAME:
                yield Path(parent, name)


def _format(text: str, folder: Path) -> Format | None:
    if not text:
        return None
    try:
        return Format(text)
    except ValueError as error:
        raise InvalidTable(f"{folder / mltable.NAME}: {error}") from None


def _file(path: Path, *, form: Format | None = None) -> File:
    columns = {} if form is None else form.values(path.as_posix())
    if form is not None and columns is None:
        raise InvalidTable(f"{path} does not match the partition_format {form.text}")
    return File(str(path), path.stat().st_size, columns or {})
