"""What there is to see of a dataset or a folder: rows, figures of columns, where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from brinery.actions.datasets import location
from brinery.actions.folders import files_of
from brinery.actions.project_rooms import ProjectRooms, open_project_rooms
from brinery.actions.rooms import Rooms
from brinery.errors import DataFileMissing
from brinery.evaluate.column_profiles import profiles
from brinery.records.column_profile import ColumnProfile
from brinery.records.dataset import Dataset
from brinery.records.flow import Activity, ItemKind, Use
from brinery.records.folder import ManagedFolder
from brinery.records.preview import Listed, Preview, PreviewKind
from brinery.store.dataset_rows import read_rows
from brinery.store.previews import preview, preview_of, texts, within
from brinery.store.project_records import StoredProjectRecords

# Rows that figures of columns are made of, and that one may page through.
LOOKED_AT: Final = 200_000
_BROWSED: Final = 100_000
_ENTRIES: Final = 1_000


@dataclass(frozen=True)
class Sample:
    """Some rows of a dataset.

    Attributes:
        columns: their names.
        rows: as texts.
        more: whether rows follow.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: bool


def project_rooms_in(rooms: Rooms) -> ProjectRooms:
    """Return the rooms of projects of a workspace that is open, on the same database."""
    opened = open_project_rooms(rooms.workspace.root)
    return replace(opened, records=StoredProjectRecords(rooms.places.database_uri))


def sample(rooms: ProjectRooms, found: Dataset, *, offset: int, count: int) -> Sample:
    """Return some rows of a dataset, as they are read now.

    Args:
        rooms: of the workspace.
        found: the dataset.
        offset: rows before them; of a far one the last that is browsed.
        count: at most.

    Raises:
        DataFileMissing: its rows are gone.
        DataUnreachable: nothing here leads to them.
    """
    offset = min(offset, _BROWSED)
    table = read_rows(location(rooms, found), limit=offset + count + 1)
    page = table.slice(offset, count)
    return Sample(page.column_names, texts(page), table.num_rows > offset + count)


def column_profiles(rooms: ProjectRooms, found: Dataset) -> tuple[ColumnProfile, ...]:
    """Return what the columns of a dataset are like, by its first 200,000 rows.

    Raises:
        DataFileMissing: its rows are gone.
        DataUnreachable: nothing here leads to them.
    """
    return profiles(read_rows(location(rooms, found), limit=LOOKED_AT).to_pandas())


def uses_of(
    rooms: ProjectRooms, kind: ItemKind, *, project: str, name: str
) -> list[tuple[Activity, Use]]:
    """Return the newest uses of a dataset or a folder by recipes, the newest first.

    Args:
        rooms: of the workspace.
        kind: what it is.
        project: its key.
        name: of a dataset; of a folder its id.
    """
    found = [
        (activity, use)
        for activity in rooms.records.latest(project)
        for use in activity.uses
        if use.item is kind and use.name == name and use.project == project
    ]
    return found[::-1]


def folder_preview(rooms: ProjectRooms, found: ManagedFolder, *, path: str = "") -> Preview:
    """Return what is shown of a file or folder of a managed folder.

    Raises:
        InvalidReference: the path leads out of the folder.
        DataFileMissing: there is nothing.
    """
    files = files_of(rooms, found)
    if files.local is not None:
        return preview_of(within(files.local, path), inside=path)
    entry = files.entry(path or "/")
    if not entry.exists:
        raise DataFileMissing(f"the folder has no file {path}", hint="brinery folder show")
    if not entry.directory:
        with files.open(path) as stream:
            return preview(stream, name=Path(path).name, size_bytes=entry.size_bytes)
    children = [
        Listed(
            name=Path(one.path).name,
            path=one.path.lstrip("/"),
            folder=one.directory,
            size_bytes=one.size_bytes,
        )
        for one in entry.children[:_ENTRIES]
    ]
    return Preview(
        kind=PreviewKind.FOLDER, entries=tuple(children), cut=len(entry.children) > _ENTRIES
    )


def folder_file(rooms: ProjectRooms, found: ManagedFolder, *, path: str) -> Path | IO[bytes]:
    """Return a file of a managed folder: where it lies here, or opened where it is elsewhere.

    Raises:
        InvalidReference: the path leads out of the folder.
        DataFileMissing: there is none.
    """
    files = files_of(rooms, found)
    if files.local is not None:
        return within(files.local, path)
    return files.open(path)
