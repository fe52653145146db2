"""Sizes and times, as the commands about data print them."""

from __future__ import annotations

from datetime import datetime

_TIME = "%Y-%m-%d %H:%M"
_STEP = 1024


def size(size_bytes: int) -> str:
    """Return a number of bytes in words: `345.0 KB`."""
    value = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if value < _STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} TB"


def local_time(at: datetime) -> str:
    """Return a time as the clock of this machine has it."""
    return at.astimezone().strftime(_TIME)
