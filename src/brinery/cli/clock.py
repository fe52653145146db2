"""Times, as the commands about data print them."""

from __future__ import annotations

from datetime import datetime

_TIME = "%Y-%m-%d %H:%M"


def local_time(at: datetime) -> str:
    """Return a time as the clock of this machine has it."""
    return at.astimezone().strftime(_TIME)
