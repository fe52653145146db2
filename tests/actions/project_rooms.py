"""Rooms of projects whose records last as long as a test; the rows and the files are real."""

from __future__ import annotations

from pathlib import Path

from brinery.actions.project_rooms import ProjectRooms
from brinery.store.data_paths import DataPaths
from brinery.store.dataset_versions import DatasetVersions
from brinery.store.fingerprints import Fingerprints
from brinery.store.project_records import MemoryProjectRecords
from brinery.store.workspace import Workspace


def rooms_in(folder: Path) -> ProjectRooms:
    """Return the rooms of a new workspace in a folder."""
    workspace = Workspace(folder)
    workspace.prepare()
    return ProjectRooms(
        workspace=workspace,
        records=MemoryProjectRecords(),
        versions=DatasetVersions(workspace.datasets),
        data=DataPaths(workspace, datastores={}, mapped={}),
        fingerprints=Fingerprints(None),
    )
