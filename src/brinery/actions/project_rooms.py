"""The rooms of projects: datasets, managed folders, and what recipes did with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from brinery.actions.asset_rooms import Folder, open_asset_rooms
from brinery.specs import settings
from brinery.store.data_paths import DataPaths
from brinery.store.dataset_versions import DatasetVersions
from brinery.store.fingerprints import Fingerprints
from brinery.store.places import places_of
from brinery.store.project_records import ProjectRecords, StoredProjectRecords
from brinery.store.workspace import Workspace


@dataclass(frozen=True)
class ProjectRooms:
    """A workspace as projects see it.

    Attributes:
        workspace: where its state lies.
        records: of projects, datasets, folders and runs of recipes.
        versions: rows of the datasets that we keep.
        data: where other data lie.
        fingerprints: of files.
        keys: of projects that were seen to be there; "" is the default one's.
    """

    workspace: Workspace
    records: ProjectRecords
    versions: DatasetVersions
    data: DataPaths
    fingerprints: Fingerprints
    keys: dict[str, str] = field(default_factory=dict)


def open_project_rooms(
    workspace: Folder | None = None,
    *,
    maps: Sequence[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> ProjectRooms:
    """Return the rooms of a workspace that projects need; it is made where it was never written to.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        maps: each `URL=PATH`: what stands for an address.
        note: told what a user should know of data, a line each.

    Raises:
        SettingsError: it is not a folder, cannot be written, or its settings are wrong.
    """
    assets = open_asset_rooms(workspace, maps=maps, note=note)
    found = assets.workspace
    told = settings.read(found.settings_file, os.environ)
    found.prepare()
    return ProjectRooms(
        workspace=found,
        records=StoredProjectRecords(places_of(found, told.store).database_uri),
        versions=DatasetVersions(found.state / "datasets"),
        data=assets.data,
        fingerprints=Fingerprints(found.cache / "fingerprints"),
    )
