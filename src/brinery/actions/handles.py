"""What a program holds of a project: a dataset to read, a folder to read and write, its flow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from brinery.actions import datasets, flow_rooms, folders, projects
from brinery.actions import flow as flows
from brinery.actions.asset_rooms import Folder
from brinery.actions.dataset_frames import DatasetReader
from brinery.actions.project_rooms import ProjectRooms, open_project_rooms
from brinery.records.flow import Flow
from brinery.records.folder import FolderEntry, ManagedFolder
from brinery.records.project import Project


def dataset(name: str, *, project: str = "", workspace: Folder | None = None) -> DatasetReader:
    """Return a dataset as it is now; what is written later is not seen through it.

    Args:
        name: of the dataset, or `PROJECT.name`.
        project: its key; the default one when empty.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is none.
        DataUnreachable: nothing here leads to its rows.
    """
    rooms = open_project_rooms(workspace)
    found = datasets.dataset(rooms, name, project_key=project)
    return DatasetReader(datasets.location(rooms, found))


@dataclass(frozen=True)
class FolderHandle:
    """A managed folder.

    Attributes:
        rooms: of its workspace.
        folder: its record.
    """

    rooms: ProjectRooms
    folder: ManagedFolder

    @property
    def uri(self) -> str:
        """Return what the paths of its files begin with."""
        return folders.uri_of(self.rooms, self.folder)

    def paths(self) -> list[str]:
        """Return the paths of all files, each with a slash before it."""
        return folders.files_of(self.rooms, self.folder).paths()

    def open(self, path: str) -> IO[bytes]:
        """Return a file opened to be read.

        Raises:
            DataFileMissing: there is none.
        """
        return folders.read_file(self.rooms, self.folder, path=path)

    def write(self, path: str, content: bytes) -> FolderEntry:
        """Return a file that was written in place of what was there, whole or not at all.

        Raises:
            InvalidReference: the path leads out of the folder.
            StoreFault: it cannot be written.
        """
        stream = io.BytesIO(content)
        return folders.write_file(self.rooms, self.folder, path=path, content=stream)


def folder(name: str, *, project: str = "", workspace: Folder | None = None) -> FolderHandle:
    """Return a managed folder by its name or its id.

    Args:
        name: or id of the folder, or `PROJECT.id`.
        project: its key; the default one when empty.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is none.
    """
    rooms = open_project_rooms(workspace)
    return FolderHandle(rooms, folders.folder(rooms, name, project_key=project).folder)


def project(key: str = "", *, workspace: Folder | None = None) -> Project:
    """Return a project with its variables; the workspace's own when its key is empty.

    Raises:
        NotFound: there is none of that key.
    """
    return projects.project(open_project_rooms(workspace), key)


def flow(project: str = "", *, workspace: Folder | None = None) -> Flow:
    """Return what made what in a project, with what is out of date and why.

    Args:
        project: its key; the workspace's own when empty.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such project.
    """
    return flows.flow(flow_rooms.open_flow_rooms(workspace), project=project)
