"""A model that is declared as an asset is imported: evaluated, and registered like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brinery.actions.asset_rooms import Folder, open_asset_rooms
from brinery.actions.register_output import register_output
from brinery.errors import InvalidReference
from brinery.records.version import Version
from brinery.specs.addresses import Local, parse
from brinery.specs.job_yaml import Noun, checked
from brinery.store.frames import Data


def import_asset(
    file: Path | None,
    *,
    said: dict[str, Any],
    data: Data | None = None,
    target: str | None = None,
    workspace: Folder | None = None,
) -> Version:
    """Return the version that a declared model has become, in the registry of models.

    Jobs name it by `azureml:NAME:VERSION` as they name one that was only kept.

    Args:
        file: its YAML; None where all of it is said.
        said: `name`, `path` and `sets`, which go before the file.
        data: what it is evaluated on.
        target: the column with the truth; nothing is evaluated without.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidJob: the file is wrong: every fault at once.
        InvalidReference: it has no name or no path, or a version, which the registry gives.
        UserError: as `register_output` has it.
    """
    rooms = open_asset_rooms(workspace)
    stated: dict[str, Any] = {}
    folder = Path.cwd()
    if file is not None:
        source = checked(file, sets=said.get("sets", ()), noun=Noun.MODEL).source
        stated, folder = dict(source.stated), source.folder
    if said.get("path"):
        folder = Path.cwd()
    stated |= {key: value for key, value in said.items() if value is not None}
    for key in ("name", "path"):
        if not stated.get(key):
            raise InvalidReference(
                f"the model has no {key}", hint=f"brinery model create --import --{key} …"
            )
    if stated.get("version"):
        raise InvalidReference(
            "an imported model has the version that the registry gives it",
            hint="the same without a version",
        )
    path = str(stated["path"])
    if isinstance(parse(path), Local):
        path = str(folder / Path(path.removeprefix("file:")).expanduser())
    return register_output(
        rooms.data.resolve(path),
        name=str(stated["name"]),
        data=data,
        target=target,
        workspace=rooms.workspace.root,
    )
