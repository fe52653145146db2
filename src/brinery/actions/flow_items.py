"""The items of the flow as they are now: their versions, and what people are told of them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from brinery.actions import datasets, folders, projects
from brinery.actions.project_rooms import ProjectRooms
from brinery.errors import BrineryError
from brinery.pipeline.flow import ItemFacts
from brinery.pipeline.recipes import Place, called, place_of
from brinery.records.dataset import Dataset
from brinery.records.flow import ItemKind, Use
from brinery.records.folder import ManagedFolder
from brinery.specs.places import shown

_SHORT = 16


def version_now(rooms: ProjectRooms, place: Place) -> str | None:
    """Return the version of an item's content; None where the item is gone.

    A model's versions are kept by the registry and never change: it is not asked.
    """
    kind, project, name, path = place
    match kind:
        case ItemKind.DATASET:
            found = rooms.records.find(Dataset, project, key=name)
            if found is not None:
                with contextlib.suppress(BrineryError):
                    where = datasets.location(rooms, found) if found.external else None
                    return where.version if where is not None else found.current
        case ItemKind.FOLDER:
            folder = rooms.records.find(ManagedFolder, project, key=name)
            with contextlib.suppress(BrineryError, OSError):
                if folder is not None:
                    return folders.content_of(rooms, folder, path=path) or None
        case ItemKind.MODEL:
            return ""
        case ItemKind.VARIABLES:
            with contextlib.suppress(BrineryError):
                return projects.variables_version(rooms, project)
    return None


def kept(rooms: ProjectRooms, place: Place, *, version: str) -> bool:
    """Return whether a version of an item is there, or can be had again."""
    kind, project, name, _ = place
    if kind is ItemKind.MODEL or version_now(rooms, place) == version:
        return True
    if kind is not ItemKind.DATASET:
        return False
    found = rooms.records.find(Dataset, project, key=name)
    return found is not None and datasets.holds(rooms, found, version=version)


def restored(rooms: ProjectRooms, place: Place, *, version: str) -> bool:
    """Return whether a dataset had to be made what it was in an earlier version, and is now."""
    kind, project, name, _ = place
    if kind is not ItemKind.DATASET:
        return False
    found = rooms.records.find(Dataset, project, key=name)
    if found is None or found.external or found.current == version:
        return False
    datasets.restore(rooms, found, version=version)
    return True


def facts_of(rooms: ProjectRooms, use: Use) -> ItemFacts:
    """Return what is known of an item that was used."""
    match use.item:
        case ItemKind.DATASET:
            found = rooms.records.find(Dataset, use.project, key=use.name)
            if found is None:
                return ItemFacts(name=use.name, there=False)
            return dataset_facts(found)
        case ItemKind.FOLDER:
            folder = rooms.records.find(ManagedFolder, use.project, key=use.name)
            if folder is None:
                return ItemFacts(name=use.label or use.name, there=False)
            return folder_facts(rooms, folder)
        case ItemKind.MODEL:
            return ItemFacts(name=use.label or use.name, version=use.version, at=use.at)
        case ItemKind.VARIABLES:
            version = version_now(rooms, place_of(use))
            return ItemFacts(
                name=called(use), there=version is not None, version=(version or "")[:_SHORT]
            )


def dataset_facts(found: Dataset) -> ItemFacts:
    """Return what is known of a dataset."""
    content = found.content
    rows = content.rows if content is not None else None
    where = shown(found.uri) + (f" {found.table}" if found.table else "")
    return ItemFacts(
        name=found.name,
        version=found.current,
        at=content.created if content is not None else None,
        detail=f"{rows:,} rows" if rows is not None else where,
    )


def folder_facts(rooms: ProjectRooms, found: ManagedFolder) -> ItemFacts:
    """Return what is known of a managed folder."""
    files = folders.files_of(rooms, found)
    paths = files.paths()
    newest = max((files.entry(one).modified_ms for one in paths[:1000]), default=0)
    return ItemFacts(
        name=found.name,
        at=datetime.fromtimestamp(newest / 1000, UTC) if newest else found.created,
        detail="1 file" if len(paths) == 1 else f"{len(paths):,} files",
    )
