"""What compatibility steps did in the process of a script; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from brinery.actions.gateway import Desk, Method


def _told(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Have the run of the job tagged with what a user was told."""
    desk.note(asked["message"], step=asked["step"])


METHODS: Final[Mapping[str, Method]] = {"told": _told}
