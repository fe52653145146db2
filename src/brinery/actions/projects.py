"""Projects: the one that is meant where none is named, others, their variables and libraries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions.project_rooms import ProjectRooms
from brinery.errors import AlreadyThere, InvalidName, NotFound
from brinery.records.dataset import Dataset
from brinery.records.folder import ManagedFolder
from brinery.records.project import Project
from brinery.specs.names import nearest
from brinery.specs.user import login_name
from brinery.store.fingerprints import hash_text

_KEY: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_FALLBACK: Final = "PROJECT"


class VariableKind(StrEnum):
    """Whether a variable goes where the project goes, or is of this installation."""

    STANDARD = "standard"
    LOCAL = "local"


def default_project(rooms: ProjectRooms) -> Project:
    """Return the project that is meant where none is named; made when it is first asked for.

    Its key is the workspace's name in capital letters, and stays when the workspace is renamed.
    """
    found = next((one for one in rooms.records.all(Project) if one.default), None)
    if found is not None:
        return found
    key = re.sub(r"[^A-Z0-9]+", "_", rooms.workspace.root.name.upper()).strip("_")
    made = Project(
        name=key if _KEY.fullmatch(key) else f"{_FALLBACK}_{key}".rstrip("_")[:100],
        created=datetime.now(UTC),
        who=login_name(),
        default=True,
    )
    try:
        rooms.records.add(made)
    except AlreadyThere:
        # Another process was first, or a project of this name was made before the default one.
        return rooms.records.change(made, lambda one: replace(one, default=True))
    return made


def project(rooms: ProjectRooms, key: str = "") -> Project:
    """Return a project; the default one when its key is empty.

    Raises:
        NotFound: there is none of that key; the message has the nearest.
    """
    default = default_project(rooms)
    if key in ("", default.name):
        return default
    found = rooms.records.find(Project, key, key=key)
    if found is None:
        near = nearest(key, [one.name for one in projects(rooms)])
        meant = f": did you mean {near}?" if near else ""
        raise NotFound(f"there is no project {key}{meant}", hint=f"brinery project create {key}")
    return found


def project_key(rooms: ProjectRooms, key: str = "") -> str:
    """Return the key of a project that is there; the default one's when it is empty.

    A project that was found once is not looked for again.

    Raises:
        NotFound: there is none of that key.
    """
    if key not in rooms.keys:
        rooms.keys[key] = project(rooms, key).name
    return rooms.keys[key]


def projects(rooms: ProjectRooms) -> list[Project]:
    """Return all projects, by their keys."""
    default_project(rooms)
    return rooms.records.all(Project)


def create_project(rooms: ProjectRooms, key: str) -> Project:
    """Return a project that is new.

    Raises:
        InvalidName: the key is not allowed.
        AlreadyThere: there is one of that key.
    """
    default_project(rooms)
    if not _KEY.fullmatch(key):
        tidy = re.sub(r"[^A-Z0-9_]+", "_", key.upper()).strip("_")
        raise InvalidName(
            f"'{key}' is not allowed as the key of a project: capital letters, digits and '_', the "
            "first no digit",
            hint=f"brinery project create {tidy}" if _KEY.fullmatch(tidy) else "",
        )
    made = Project(name=key, created=datetime.now(UTC), who=login_name())
    rooms.records.add(made)
    return made


def delete_project(rooms: ProjectRooms, key: str) -> Project:
    """Return a project that is gone.

    Raises:
        NotFound: there is none of that key.
        AlreadyThere: it is the default one, or has datasets or folders still.
    """
    found = project(rooms, key)
    kept = [one.name for one in rooms.records.all(Dataset, key)]
    kept += [one.name for one in rooms.records.all(ManagedFolder, key)]
    if found.default:
        raise AlreadyThere(f"{key} is the project of the workspace and stays", hint="")
    if kept:
        raise AlreadyThere(
            f"the project {key} has {', '.join(kept[:5])} still",
            hint=f"brinery dataset delete NAME --project {key}",
        )
    rooms.records.remove(found)
    rooms.keys.pop(key, None)
    return found


def variables(rooms: ProjectRooms, key: str = "") -> dict[str, dict[str, Any]]:
    """Return a project's variables: `standard` and `local`, each by name.

    Raises:
        NotFound: there is no such project.
    """
    found = project(rooms, key)
    return {"standard": dict(found.standard), "local": dict(found.local)}


def variables_version(rooms: ProjectRooms, key: str = "") -> str:
    """Return what tells the values of a project's variables from others: a BLAKE3.

    Raises:
        NotFound: there is no such project.
    """
    return hash_text(json.dumps(variables(rooms, key), sort_keys=True))


def set_variables(
    rooms: ProjectRooms,
    values: Mapping[str, Any],
    *,
    key: str = "",
    kind: VariableKind = VariableKind.STANDARD,
    whole: bool = False,
) -> Project:
    """Return a project of which some variables are others from now on.

    Args:
        rooms: of the workspace.
        values: that JSON can hold, by name; None takes a variable away.
        key: of the project; the default one when empty.
        kind: of the variables.
        whole: whether they replace all of that kind.

    Raises:
        NotFound: there is no such project.
    """

    def edit(before: Project) -> Project:
        old = {} if whole else getattr(before, kind.value)
        merged = {name: one for name, one in {**old, **values}.items() if one is not None or whole}
        return replace(before, **{kind.value: merged})

    return rooms.records.change(project(rooms, key), edit)


def library(rooms: ProjectRooms, key: str = "") -> Path:
    """Return the folder of a project's own modules, which need not be there.

    It is `lib/python` of the workspace; of another project, `projects/KEY/lib/python`.

    Raises:
        NotFound: there is no such project.
    """
    found = project(rooms, key)
    base = rooms.workspace.root
    return (base if found.default else base / "projects" / found.name) / "lib" / "python"
