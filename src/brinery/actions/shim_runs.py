"""What `brinery run` asks about the script that it ran; see `gateway`. No script asks this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from brinery.actions.gateway import Desk, Method


def _end(desk: Desk, asked: Mapping[str, Any]) -> Any:
    """Return what the script read and wrote, which is on record now; None where nothing is."""
    recorder = desk.office.recorder
    if recorder is None:
        return None
    desk.office.settle()
    desk.office.given.settle(desk.data, recorder)
    return msgspec.to_builtins(recorder.end(completed=bool(asked["completed"])))


METHODS: Final[Mapping[str, Method]] = {"end": _end}
