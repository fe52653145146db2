"""MLflow's models and artifacts, as jobs and scripts ask for them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from brinery.actions.asset_answers import asset_answer, asset_answers
from brinery.actions.assets import asset, assets
from brinery.actions.rooms import Folder, open_rooms
from brinery.errors import NotFound
from brinery.records.asset import AssetKind
from brinery.records.version import Version
from brinery.registry.interface import resolve
from brinery.specs.addresses import LATEST
from brinery.specs.addresses import asset as parsed
from brinery.specs.reference import Reference


class RegisteredModels:
    """Where MLflow's models and artifacts lie on this machine.

    Args:
        workspace: its folder.
    """

    def __init__(self, workspace: Folder) -> None:
        self._rooms = open_rooms(workspace)

    def artifact(self, run_id: str, path: str, /) -> Path | None:
        """Return a copy of an artifact of a run, which is made once; None where there is none."""
        place = self._place(f"runs:/{run_id}/{path}")
        try:
            return _once(place, lambda into: self._rooms.runs().fetch(run_id, into, path=path))
        except NotFound:
            return None

    def fetch(self, run_id: str, into: Path, /) -> None:
        """Copy all artifacts of a run to a folder; nothing where it has none."""
        with suppress(NotFound):
            self._rooms.runs().fetch(run_id, into)

    def model(self, name: str, /, *, version: str, label: str) -> Path | None:
        """Return a copy of a version of a model, which is made once; None where there is none."""
        try:
            which = version or ("" if label == LATEST else label)
            found = self._newest(name) if not which else self._named(f"{name}@{which}")
        except NotFound:
            return None
        if found is None:
            return None
        uri = f"models:/{found.name}/{found.number}"
        return _once(self._place(uri), lambda into: self._rooms.registry.fetch(uri, into))

    def _newest(self, name: str) -> Version | None:
        if not self._rooms.workspace.exists and not self._rooms.places.shared:
            return None
        return next(iter(self._rooms.registry.versions(name)), None)

    def _named(self, reference: str) -> Version:
        return resolve(self._rooms.registry, Reference.parse(reference))

    def _place(self, uri: str) -> Path:
        return self._rooms.workspace.cache / "data" / hashlib.sha256(uri.encode()).hexdigest()[:32]


def _once(home: Path, fetch: Callable[[Path], Path | None]) -> Path | None:
    """Return what is fetched into a folder, now or before; None where there is nothing."""
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".new-", dir=home.parent))
        try:
            found = fetch(staged)
            if found is None:
                return None
            # Of a file or a folder within, its name; of the folder itself, nothing.
            (staged / ".found").write_text(str(found.relative_to(staged)))
            staged.rename(home)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return home / (home / ".found").read_text()


def model_answers(
    name: str | None = None, *, workspace: Folder | None = None
) -> list[dict[str, Any]]:
    """Return what jobs may name of models, as plain values: folders, and MLflow's models.

    Args:
        name: whose versions are asked for; the newest of each where it is None.
        workspace: its folder; the nearest upwards when None.
    """
    folders = assets(AssetKind.MODEL, name=name, workspace=workspace)
    found = asset_answers(folders, workspace=workspace)
    rooms = open_rooms(workspace)
    if rooms.workspace.exists or rooms.places.shared:
        known = set(rooms.registry.names())
        for one in [name] if name in known else known if name is None else ():
            versions = rooms.registry.versions(str(one))
            found += [_answer(version) for version in (versions if name else versions[:1])]
    return sorted(found, key=lambda one: str(one["name"])) if name is None else found


def model_answer(
    reference: str, *, version: str | None = None, workspace: Folder | None = None
) -> dict[str, Any]:
    """Return a model that jobs may name, as plain values.

    Raises:
        NotFound: there is none.
    """
    told = parsed(reference)
    which = version or told.version or None
    try:
        label = None if which else told.label
        found = asset(AssetKind.MODEL, told.name, version=which, label=label, workspace=workspace)
        return asset_answer(found, workspace=workspace)
    except NotFound:
        known = open_rooms(workspace).registry
        chosen = which or ("" if told.label == LATEST else told.label)
        if chosen:
            return _answer(resolve(known, Reference.parse(f"{told.name}@{chosen}")))
        newest = next(iter(known.versions(told.name)), None)
        if newest is None:
            raise
        return _answer(newest)


def _answer(version: Version) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": str(version.number),
        "type": "mlflow_model",
        "id": f"azureml:{version.name}:{version.number}",
        "path": f"models:/{version.name}/{version.number}",
        "stage": str(version.stage),
        "labels": list(version.aliases),
        "provisioning_state": "Succeeded",
        "job_name": version.run_id,
        "creation_context": {"created_at": version.created.isoformat()},
    }
