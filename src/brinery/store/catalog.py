"""What was registered, as the planner of jobs asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from brinery.errors import InvalidReference
from brinery.pipeline.catalog import Registered
from brinery.records.asset import Asset, AssetKind
from brinery.records.plan import Software
from brinery.specs.addresses import LATEST, InDatastore, asset, parse
from brinery.store.data_paths import DataPaths

COMPONENT_FILE: Final = "component.yml"


class AssetCatalog:
    """The assets of a workspace; implements the planner's `Catalog`.

    Args:
        paths: of the workspace.
    """

    def __init__(self, paths: DataPaths) -> None:
        self._paths = paths

    def component(self, reference: str, /) -> Registered | None:
        """Return a component by `name`, `name:1`, `name@label`; None where there is none."""
        found = self._found(AssetKind.COMPONENT, reference)
        path = self._paths.assets.path(found) if found is not None else None
        if found is None or path is None:
            return None
        file = path / COMPONENT_FILE
        yaml: Any = import_module("yaml")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        declared = yaml.load(file.read_bytes(), Loader=loader)
        return Registered(declared, path, found.version, str(file))

    def environment(self, reference: str, /) -> Software | None:
        """Return an environment by the same; None where none of that name was registered."""
        found = self._found(AssetKind.ENVIRONMENT, reference)
        return None if found is None else software_of(found, self._paths.assets.path(found))

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return whether there is such a `data`, `model` or `datastore`; None where it is unknown.

        A model may be MLflow's, which nobody asks while a job is planned.
        """
        if kind == AssetKind.DATASTORE:
            return self._datastore(reference)
        asked = AssetKind(kind)
        if self._found(asked, reference) is not None:
            return True
        if asked is AssetKind.DATA and self._found(AssetKind.MODEL, reference) is not None:
            return True
        return None if asked is AssetKind.MODEL or asset(reference).registry else False

    def names(self, kind: str, /) -> Sequence[str]:
        """Return the names of what there is of a kind, for the nearest."""
        if kind == AssetKind.DATASTORE:
            return list(self._paths.datastores())
        return self._paths.assets.names(AssetKind(kind))

    def _found(self, kind: AssetKind, reference: str) -> Asset | None:
        try:
            told = asset(reference)
        except InvalidReference:
            return None
        return self._paths.assets.find(
            kind, told.name, version=told.version, label=told.label or LATEST
        )

    def _datastore(self, reference: str) -> bool:
        known = parse(reference) if ":" in reference else InDatastore(reference, "")
        name = known.datastore if isinstance(known, InDatastore) else reference
        return name in self._paths.datastores()


def software_of(asset: Asset, copy: Path | None) -> Software:
    """Return what an environment declares; its context is the copy that was taken of it."""
    reference = f"{asset.name}:{asset.version}"
    context = str(copy) if copy is not None else asset.software.context
    return replace(asset.software, reference=reference, context=context)
