"""Datasets: named tables with a stored schema, versioned by content, wherever their rows lie.

A dataset that is made of a file holds a copy of its rows as Parquet; an external one names the rows
where they are: a file, an address, or a table of a database. Each write of a dataset that we keep
is a version; the one before stays until `prune` takes it, and is read again after `restore`.
"""

from __future__ import annotations

import dataclasses
import glob
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from msgspec.structs import replace

from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.projects import project_key as key_of
from brinery.errors import AlreadyThere, DataUnreachable, DataUnreadable, InvalidName, NotFound
from brinery.records.dataset import (
    Dataset,
    DatasetFormat,
    DatasetLocation,
    DatasetVersion,
)
from brinery.records.flow import ItemKind, Use, UseKind
from brinery.specs.addresses import Elsewhere, Local, parse
from brinery.specs.names import nearest
from brinery.specs.user import login_name
from brinery.store import tables
from brinery.store.column_types import columns_of, given_columns
from brinery.store.dataset_rows import convert_others, joined, read_rows, rows_of, stage_files
from brinery.store.dataset_versions import Written

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_DIGITS: Final = 16
_SQLITE: Final = "sqlite:///"
_TRIES: Final = 20


@dataclass(frozen=True, kw_only=True)
class RowSource:
    """Where the rows of a new dataset come from.

    Attributes:
        path: a file, a folder, a pattern, an address, or the SQLAlchemy URI of a database; empty
            for a dataset that is yet to be written.
        external: whether the rows stay where they are, instead of being copied.
        separator: of csv; found in the first lines when empty.
        table: of the database; such a dataset is always external.
        format: of an external file that is not there yet; told by its content, or its name's
            ending, when None.
    """

    path: str = ""
    external: bool = False
    separator: str = ""
    table: str = ""
    format: DatasetFormat | None = None


@dataclass(frozen=True, kw_only=True)
class Write:
    """What is written to a dataset.

    Attributes:
        columns: the schema, as `{"name": …, "type": …}`; what the rows have when empty.
        append: whether the rows come after those that are there.
        separator: of staged csv; found in the first lines when empty.
        run: that writes; empty for a person.
    """

    columns: Sequence[Mapping[str, Any]] = ()
    append: bool = False
    separator: str = ""
    run: str = ""


def create_dataset(
    rooms: ProjectRooms,
    name: str,
    *,
    source: RowSource | None = None,
    columns: Sequence[Mapping[str, Any]] = (),
    project_key: str = "",
    description: str = "",
) -> Dataset:
    """Return a dataset that is new.

    Args:
        rooms: of the workspace.
        name: unique in the project: letters, digits, `_` and `-`.
        source: where its rows come from; it is empty when None.
        columns: the schema, as `{"name": …, "type": …}`; found in the rows when empty.
        project_key: of its project; the default one when empty.
        description: in the user's words.

    Raises:
        AlreadyThere: there is one of that name.
        InvalidName: the name is not allowed.
        InvalidSchema: a type is none, or a value is none of its column's type.
        DataFileMissing: there are no such rows.
        DataUnreadable: they are damaged.
        DataUnreachable: nothing here leads to them.
        SeparatorUnclear: the separator of csv cannot be told.
    """
    owner = key_of(rooms, project_key)
    source = _absolute(source or RowSource())
    _check_name(name)
    _check_free(rooms, owner, name=name)
    made = Dataset(
        project=owner,
        name=name,
        created=datetime.now(UTC),
        who=login_name(),
        columns=given_columns(columns),
        separator=source.separator,
        source=source.path,
        description=description,
    )
    if source.table or source.external:
        made = _external(rooms, made, source)
    elif source.path:
        found = rooms.data.resolve(source.path) if not _pattern(source.path) else Path(source.path)
        staged = rooms.versions.stage(owner, name)
        try:
            stage_files(found, staged, separator=source.separator or None, columns=made.columns)
            written = rooms.versions.settle(staged)
        except BaseException:
            rooms.versions.discard(staged)
            raise
        made = _with_version(replace(made, separator=""), written, Write())
    rooms.records.add(made)
    return made


def datasets(rooms: ProjectRooms, project_key: str = "") -> list[Dataset]:
    """Return the datasets of a project, by their names."""
    return rooms.records.all(Dataset, key_of(rooms, project_key))


def dataset(rooms: ProjectRooms, name: str, *, project_key: str = "") -> Dataset:
    """Return a dataset by its name, or by `PROJECT.name`.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    owner, plain = _full(rooms, name, project_key)
    found = rooms.records.find(Dataset, owner, key=plain)
    if found is not None:
        return found
    near = nearest(plain, [one.name for one in rooms.records.all(Dataset, owner)])
    meant = f": did you mean {near}?" if near else ""
    raise NotFound(
        f"there is no dataset {plain} in {owner}{meant}",
        hint=f"brinery dataset create {plain} --path FILE",
    )


def location(rooms: ProjectRooms, found: Dataset) -> DatasetLocation:
    """Return where a dataset can be read on this machine now, and how.

    What is elsewhere is fetched first; the rows of a database's table are exported.

    Raises:
        DataFileMissing: its rows are gone.
        DataUnreachable: nothing here leads to them.
    """
    if found.format is DatasetFormat.SQL:
        target = rooms.workspace.cache / "tables" / f"{found.full_name}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".{target.name}.{id(found)}")
        _sql().export(found.uri, found.table, target=staged)
        staged.replace(target)
        return _located(rooms, found, target, form=DatasetFormat.PARQUET)
    if found.external:
        return _located(rooms, found, rooms.data.resolve(found.uri), form=found.format)
    content = found.content
    if content is None:
        return DatasetLocation(
            full_name=found.full_name,
            paths=(),
            format=DatasetFormat.PARQUET,
            columns=found.columns,
        )
    paths = rooms.versions.paths(
        found.project, found.name, version=content.version, files=content.files
    )
    return DatasetLocation(
        full_name=found.full_name,
        paths=tuple(paths),
        format=DatasetFormat.PARQUET,
        columns=found.columns,
        version=content.version,
        rows=content.rows,
    )


def stage(rooms: ProjectRooms, name: str, *, project_key: str = "") -> Path:
    """Return a new, empty folder for a writer's files, which `commit` makes a version of.

    Files are read in the order of their names: `.parquet`, or `.csv` and `.jsonl` where the writer
    has no pyarrow. The dataset need not be there: it is made by the commit.

    Raises:
        InvalidName: the name is not allowed.
        StoreFault: the disk cannot be written.
    """
    owner, plain = _full(rooms, name, project_key)
    _check_name(plain)
    return rooms.versions.stage(owner, plain)


def commit(
    rooms: ProjectRooms,
    name: str,
    *,
    staged: Path,
    write: Write | None = None,
    project_key: str = "",
) -> Dataset:
    """Return a dataset whose rows are those that were staged, from now on and not before.

    It is made where it was not there. The staged folder is gone afterwards, whatever happens.

    Args:
        rooms: of the workspace.
        name: of the dataset, or `PROJECT.name`.
        staged: by `stage`, of the same dataset.
        write: what is written.
        project_key: of its project; the default one when empty.

    Raises:
        DataUnreadable: what was staged is damaged, or is nothing.
        InvalidSchema: a value is none of its column's type.
        StoreFault: the disk or the database cannot be written.
    """
    write = write or Write()
    owner, plain = _full(rooms, name, project_key)
    columns = given_columns(write.columns)
    try:
        found = rooms.records.find(Dataset, owner, key=plain)
        if found is None:
            found = Dataset(project=owner, name=plain, created=datetime.now(UTC), who=login_name())
            rooms.records.add(found)
        convert_others(staged, separator=write.separator or None, columns=columns)
        if found.external:
            return _publish(rooms, found, staged, append=write.append)
        return _settle(rooms, found, staged, write=write)
    finally:
        rooms.versions.discard(staged)


def set_schema(
    rooms: ProjectRooms,
    name: str,
    *,
    columns: Sequence[Mapping[str, Any]],
    project_key: str = "",
) -> Dataset:
    """Return a dataset whose schema is another from now on; it is made where it was not there.

    Raises:
        InvalidSchema: a type is none.
    """
    given = given_columns(columns)
    owner, plain = _full(rooms, name, project_key)
    found = rooms.records.find(Dataset, owner, key=plain)
    if found is None:
        return create_dataset(rooms, plain, columns=columns, project_key=owner)
    return rooms.records.change(found, lambda one: replace(one, columns=given))


def restore(rooms: ProjectRooms, found: Dataset, *, version: str) -> Dataset:
    """Return a dataset that is read as an earlier version of it from now on.

    Raises:
        NotFound: no such version is kept.
    """

    def edit(before: Dataset) -> Dataset:
        kept = _version(before, version)
        others = tuple(one for one in before.versions if one.version != kept.version)
        return replace(before, versions=(*others, kept), current=kept.version, columns=kept.columns)

    return rooms.records.change(found, edit)


def prune(rooms: ProjectRooms, found: Dataset, *, keep: int = 1) -> list[DatasetVersion]:
    """Return the versions of a dataset that are gone now: all but the newest, and the current."""
    gone: list[DatasetVersion] = []

    def edit(before: Dataset) -> Dataset:
        newest = {one.version for one in before.versions[-max(1, keep) :]} | {before.current}
        gone[:] = [one for one in before.versions if one.version not in newest]
        return replace(
            before, versions=tuple(one for one in before.versions if one.version in newest)
        )

    left = rooms.records.change(found, edit)
    for one in gone:
        rooms.versions.remove(found.project, found.name, version=one.version)
    rooms.versions.sweep(found.project, found.name, known={one.version for one in left.versions})
    return gone


def delete_dataset(rooms: ProjectRooms, found: Dataset) -> None:
    """Remove a dataset with all its versions; rows that lie elsewhere stay."""
    rooms.records.remove(found)
    rooms.versions.remove(found.project, found.name)
    copy = copy_place(rooms, found)
    for one in copy.parent.glob(f"{glob.escape(found.full_name)}@*"):
        one.unlink(missing_ok=True)


def copy_place(rooms: ProjectRooms, found: Dataset) -> Path:
    """Return where scripts keep a copy of a dataset that is read sooner; it may be gone."""
    return rooms.workspace.cache / "tables" / f"{found.full_name}@{found.current}.arrow"


def export_dataset(rooms: ProjectRooms, found: Dataset, *, target: Path) -> int:
    """Return how many rows were written to a file, in the format that its name's ending says.

    Raises:
        OutputUnwritable: the ending is unknown, or the folder cannot be written.
    """
    tables.output_format(target)
    rows = read_rows(location(rooms, found))
    tables.write_table(rows, target)
    return int(rows.num_rows)


def use_of(found: DatasetLocation | Dataset, *, kind: UseKind) -> Use:
    """Return what is recorded of a run that read or wrote a dataset just now."""
    owner, _, plain = found.full_name.partition(".")
    version = found.version if isinstance(found, DatasetLocation) else found.current
    return Use(
        kind=kind,
        item=ItemKind.DATASET,
        project=owner,
        name=plain,
        version=version,
        at=datetime.now(UTC),
    )


def holds(rooms: ProjectRooms, found: Dataset, *, version: str) -> bool:
    """Return whether a version of a dataset can still be read."""
    return any(
        one.version == version
        and rooms.versions.holds(found.project, found.name, version=version, files=one.files)
        for one in found.versions
    )


def _settle(rooms: ProjectRooms, found: Dataset, staged: Path, *, write: Write) -> Dataset:
    """Return a dataset that we keep with the version that was staged."""
    base = found
    for _ in range(_TRIES):
        after = None
        # Where another appends meanwhile, ours comes after its rows: it is done again.
        spare = staged
        if write.append and base.current:
            after = rooms.versions.folder(base.project, base.name, version=base.current)
            spare = rooms.versions.stage(base.project, base.name)
            for one in staged.iterdir():
                shutil.copyfile(one, spare / one.name)
        written = rooms.versions.settle(spare, after=after)
        changed = False

        def edit(now: Dataset, *, written: Written = written, base: Dataset = base) -> Dataset:
            nonlocal changed
            changed = write.append and now.current != base.current
            return now if changed else _with_version(now, written, write)

        base = rooms.records.change(base, edit)
        if not changed:
            return base
    raise DataUnreachable(
        f"others write to {found.full_name} all the time", hint="append in fewer, larger pieces"
    )


def _with_version(before: Dataset, written: Written, write: Write) -> Dataset:
    columns = given_columns(write.columns) or columns_of(written.schema)
    version = DatasetVersion(
        version=written.version,
        created=datetime.now(UTC),
        who=login_name(),
        rows=written.rows,
        size_bytes=written.size_bytes,
        files=written.files,
        columns=columns,
        run=write.run,
    )
    others = tuple(one for one in before.versions if one.version != version.version)
    return replace(before, columns=columns, versions=(*others, version), current=version.version)


def _publish(rooms: ProjectRooms, found: Dataset, staged: Path, *, append: bool) -> Dataset:
    """Write staged rows where an external dataset has its own."""
    rows = pq.read_table(sorted(staged.iterdir()))
    columns = columns_of(rows.schema)
    if found.format is DatasetFormat.SQL:
        _sql().write(found.uri, found.table, rows=rows, append=append)
    else:
        if append:
            rows = joined(read_rows(location(rooms, found)), rows)
        target = staged / f"rows.{found.format.value}"
        tables.write_table(rows, target, separator=found.separator or ",")
        rooms.data.publish(target, found.uri)
    return rooms.records.change(found, lambda one: replace(one, columns=columns))


def _external(rooms: ProjectRooms, made: Dataset, source: RowSource) -> Dataset:
    """Return a dataset whose rows stay where they are, its columns looked at."""
    if source.table:
        found = made.columns or _sql().columns(source.path, source.table)
        return replace(
            made, format=DatasetFormat.SQL, uri=source.path, table=source.table, columns=found
        )
    address = rooms.data.address(source.path)
    if not isinstance(parse(address), Elsewhere):
        address = str(Path(address).absolute())
        if Path(address).is_dir():
            raise DataUnreadable(
                f"{address} is a folder, and the rows of an external dataset are one file",
                hint="leave --external out: the rows are copied",
            )
    form = source.format
    columns = made.columns
    if form is None or not columns:
        try:
            path = rooms.data.resolve(source.path)
        except (DataUnreachable, DataUnreadable) as error:
            if form is None:
                raise error from None
            path = None
        if path is not None:
            form = form or DatasetFormat(tables.sniff(tables.head_of(path)).value)
            rows = rows_of(path, separator=made.separator or None)
            columns = columns or columns_of(rows.schema)
    assert form is not None  # noqa: S101 - for the type checker
    return replace(made, format=form, uri=address, columns=columns)


def _absolute(source: RowSource) -> RowSource:
    """Return a source whose path begins where the user is, and means the same everywhere."""
    if source.table and source.path.startswith(_SQLITE):
        place = source.path.removeprefix(_SQLITE)
        absolute = place.startswith("/") or place in ("", ":memory:")
        return (
            source
            if absolute
            else dataclasses.replace(source, path=f"{_SQLITE}{Path(place).absolute()}")
        )
    if not source.path or source.table or not isinstance(parse(source.path), Local):
        return source
    plain = Path(source.path.removeprefix("file://")).expanduser()
    return dataclasses.replace(source, path=str(plain.absolute()))


def _located(
    rooms: ProjectRooms, found: Dataset, path: Path, *, form: DatasetFormat
) -> DatasetLocation:
    separator = ""
    if form is DatasetFormat.CSV:
        separator = tables.separator_of(path, tables.head_of(path), asked=found.separator or None)
    return DatasetLocation(
        full_name=found.full_name,
        paths=(str(path),),
        format=form,
        separator=separator,
        columns=found.columns,
        version=rooms.fingerprints.of(str(path)).content[:_DIGITS],
    )


def _version(found: Dataset, version: str) -> DatasetVersion:
    fits = [one for one in found.versions if version and one.version.startswith(version)]
    if len(fits) != 1:
        there = ", ".join(one.version for one in found.versions[-5:]) or "none"
        raise NotFound(
            f"the dataset {found.name} has no version {version}: it has {there}",
            hint=f"brinery dataset show {found.name}",
        )
    return fits[0]


def _full(rooms: ProjectRooms, name: str, project_key: str) -> tuple[str, str]:
    """Return the key of the project and the plain name that a name means."""
    owner, dot, plain = name.partition(".")
    if dot and not project_key:
        return key_of(rooms, owner), plain
    return key_of(rooms, project_key), name


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        tidy = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:100]
        raise InvalidName(
            f"'{name}' is not allowed as the name of a dataset: up to 100 letters, digits, '_' and "
            "'-', the first no '-'",
            hint=f"brinery dataset create {tidy or 'table'}",
        )


def _check_free(rooms: ProjectRooms, owner: str, *, name: str) -> None:
    if rooms.records.find(Dataset, owner, key=name) is not None:
        raise AlreadyThere(
            f"there is a dataset {name} in {owner} already",
            hint=f"brinery dataset delete {name}, or another name",
        )


def _pattern(path: str) -> bool:
    return any(one in path for one in "*?[") and "://" not in path


def _sql() -> Any:
    # pandas and SQLAlchemy's dialects: few datasets are tables of a database.
    return import_module("brinery.store.sql_tables")
