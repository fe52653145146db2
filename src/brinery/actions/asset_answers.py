"""Assets as scripts ask for them: plain values under the keys that are expected."""

from __future__ import annotations

from typing import Any

import yaml

from brinery.actions.asset_rooms import Folder, open_asset_rooms
from brinery.records.asset import Asset, AssetKind
from brinery.store.catalog import COMPONENT_FILE
from brinery.store.data_paths import DataPaths


def asset_answer(asset: Asset, *, workspace: Folder | None = None) -> dict[str, Any]:
    """Return an asset as plain values.

    Args:
        asset: as it is kept.
        workspace: its folder; the nearest upwards when None.
    """
    return _answer(asset, open_asset_rooms(workspace).data)


def asset_answers(assets: list[Asset], *, workspace: Folder | None = None) -> list[dict[str, Any]]:
    """Return assets as plain values.

    Args:
        assets: as they are kept.
        workspace: its folder; the nearest upwards when None.
    """
    paths = open_asset_rooms(workspace).data
    return [_answer(one, paths) for one in assets]


def _answer(asset: Asset, paths: DataPaths) -> dict[str, Any]:
    changed = asset.changes[-1] if asset.changes else None
    kept = paths.assets.path(asset)
    return {
        "name": asset.name,
        "version": asset.version,
        "type": asset.type,
        "id": asset.reference,
        "display_name": asset.display_name,
        "description": asset.description,
        "tags": asset.tags,
        "properties": asset.properties,
        "labels": list(asset.labels),
        "is_archived": asset.archived,
        "provisioning_state": "Succeeded",
        **_particular(asset, str(kept) if kept is not None else asset.address),
        "digest": asset.digest,
        "size_bytes": asset.size_bytes,
        "creation_context": {
            "created_at": asset.created.isoformat(),
            "created_by": asset.who,
            "created_by_type": "User",
            "last_modified_at": (changed.at if changed else asset.created).isoformat(),
            "last_modified_by": changed.who if changed else asset.who,
        },
    }


def _particular(asset: Asset, place: str) -> dict[str, Any]:
    """Return what assets of one kind have and others have not."""
    match asset.kind:
        case AssetKind.DATA | AssetKind.MODEL:
            return {"path": place, "source": asset.source}
        case AssetKind.DATASTORE:
            return {"uri": asset.address}
        case AssetKind.ENVIRONMENT:
            software = asset.software
            return {
                "image": software.image,
                "conda_file": yaml.safe_load(software.conda) if software.conda else None,
                "build": {"path": place} if software.dockerfile else None,
            }
        case AssetKind.COMPONENT:
            return _declared(place)


def _declared(place: str) -> dict[str, Any]:
    """Return what a component declares, but for what is said of every asset."""
    with open(f"{place}/{COMPONENT_FILE}", "rb") as stream:  # noqa: PTH123 - a text
        stated = yaml.safe_load(stream)
    known = ("name", "version", "type", "display_name", "description", "tags")
    return {key: value for key, value in stated.items() if key not in known}
