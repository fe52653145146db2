"""What scripts ask about projects; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from brinery.actions import projects
from brinery.actions.gateway import Desk, Method
from brinery.actions.projects import VariableKind
from brinery.actions.recording import recipe_name
from brinery.records.flow import ItemKind, Use, UseKind


def _default(desk: Desk, asked: Mapping[str, Any]) -> str:
    """Return the key of the default project."""
    del asked
    return desk.project("")


def _keys(desk: Desk, asked: Mapping[str, Any]) -> list[str]:
    """Return the keys of all projects."""
    del asked
    return [one.name for one in projects.projects(desk.data)]


def _variables(desk: Desk, asked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the variables of a project: `standard` and `local`."""
    key = desk.project(asked.get("project", ""))
    _used_variables(desk, key)
    return projects.variables(desk.data, key)


def _set_variables(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Give all variables of one kind, or some of them, other values."""
    key = desk.project(asked.get("project", ""))
    projects.set_variables(
        desk.data,
        asked["values"],
        key=key,
        kind=VariableKind(asked.get("kind", "standard")),
        whole=bool(asked.get("whole", False)),
    )
    desk.office.settle()
    recorder = desk.office.recorder
    if recorder is not None and any(
        one.item is ItemKind.VARIABLES and one.project == key for one in recorder.activity.uses
    ):
        _used_variables(desk, key)  # what it sets itself is no change to it


def _used_variables(desk: Desk, key: str) -> None:
    desk.used(
        Use(
            kind=UseKind.READ,
            item=ItemKind.VARIABLES,
            project=key,
            name=key,
            version=projects.variables_version(desk.data, key),
            at=datetime.now(UTC),
        )
    )


def _recipe(desk: Desk, asked: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what the recipe is said to read and to write, or else what its last run did."""
    del asked
    task = desk.task
    if task.inputs or task.outputs:
        found = {"inputs": task.inputs, "outputs": task.outputs}
        key = desk.project("")
        return {
            kind: [one if "." in one else f"{key}.{one}" for one in names]
            for kind, names in found.items()
        }
    name = recipe_name(desk.data.workspace.root, Path(task.script))
    runs = desk.data.records.latest(desk.project(""))
    last = next((one for one in runs if one.recipe == name), None) if task.script else None
    if last is None:
        raise ValueError(
            "what the recipe reads and writes is not known: brinery run SCRIPT --input NAME "
            "--output-name NAME"
        )
    kinds = {"inputs": UseKind.READ, "outputs": UseKind.WRITTEN}
    return {
        kind: [
            f"{use.project}.{use.name}"
            for use in last.uses
            if use.kind is wanted and use.item is ItemKind.DATASET
        ]
        for kind, wanted in kinds.items()
    }


METHODS: Final[Mapping[str, Method]] = {
    "default": _default,
    "keys": _keys,
    "variables": _variables,
    "set_variables": _set_variables,
    "recipe": _recipe,
}
