"""What scripts ask about projects; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from brinery.actions.gateway import Desk, Method


def _default(desk: Desk, arguments: Mapping[str, Any]) -> str:
    """Return the key of the default project."""
    del arguments
    return desk.task.project or desk.rooms.workspace.root.name


METHODS: Final[Mapping[str, Method]] = {"default": _default}
