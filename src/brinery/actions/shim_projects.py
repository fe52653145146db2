"""What scripts ask about projects; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from brinery.actions import projects
from brinery.actions.gateway import Desk, Method
from brinery.actions.projects import VariableKind


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
    return projects.variables(desk.data, desk.project(asked.get("project", "")))


def _set_variables(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Give all variables of one kind, or some of them, other values."""
    projects.set_variables(
        desk.data,
        asked["values"],
        key=desk.project(asked.get("project", "")),
        kind=VariableKind(asked.get("kind", "standard")),
        whole=bool(asked.get("whole", False)),
    )


METHODS: Final[Mapping[str, Method]] = {
    "default": _default,
    "keys": _keys,
    "variables": _variables,
    "set_variables": _set_variables,
}
