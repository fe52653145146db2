"""The rooms of assets and of data, opened in a few milliseconds: no registry, and no database."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from msgspec import Struct

from brinery.specs import job_settings
from brinery.specs.job_settings import JobSettings
from brinery.store.catalog import AssetCatalog
from brinery.store.data_paths import DataPaths, Models, read_maps
from brinery.store.job_data import JobData
from brinery.store.jobs import Jobs
from brinery.store.workspace import Workspace

Folder = str | os.PathLike[str]


class AssetRooms(Struct, frozen=True):
    """A workspace as assets and data see it.

    Attributes:
        workspace: where its state lies.
        settings: of the workspace, as far as jobs go.
        data: where data lie.
        jobs: that were run, and are.
    """

    workspace: Workspace
    settings: JobSettings
    data: DataPaths
    jobs: Jobs

    @property
    def catalog(self) -> AssetCatalog:
        """Return what was registered, as the planner of jobs asks for it."""
        return AssetCatalog(self.data)

    @property
    def job_data(self) -> JobData:
        """Return where data lie, as the engine of jobs asks for it."""
        return JobData(self.data, staging=self.workspace.state / "staging")


def open_asset_rooms(
    workspace: Folder | None = None,
    *,
    maps: Sequence[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> AssetRooms:
    """Return the rooms of a workspace that assets and data need.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        maps: each `URL=PATH`: what stands for an address.
        note: told what a user should know of data, a line each.

    Raises:
        SettingsError: it is not a folder, or its settings for jobs are wrong.
        DataUnreachable: a map is no pair.
    """
    chosen = workspace or os.environ.get("BRINERY_WORKSPACE")
    found = Workspace.find(Path(chosen) if chosen else None)
    told = job_settings.read(found.settings_file)
    mapped = {**told.maps, **read_maps(maps, base=Path.cwd())}
    data = DataPaths(
        found, datastores=told.datastores, mapped=mapped, models=_LaterModels(found), note=note
    )
    return AssetRooms(found, told, data, Jobs(found.jobs))


class _LaterModels:
    """The registry of models, which takes longer to import than most jobs to run."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def artifact(self, run_id: str, path: str, /) -> Path | None:
        """Return where an artifact of an MLflow run lies on this machine."""
        return self._registry().artifact(run_id, path)

    def fetch(self, run_id: str, into: Path, /) -> None:
        """Copy all artifacts of an MLflow run to a folder."""
        self._registry().fetch(run_id, into)

    def model(self, name: str, /, *, version: str, label: str) -> Path | None:
        """Return where a version of an MLflow model lies on this machine."""
        return self._registry().model(name, version=version, label=label)

    def _registry(self) -> Models:
        models: Models = import_module("brinery.actions.registered_models").RegisteredModels(
            self._workspace.root
        )
        return models
