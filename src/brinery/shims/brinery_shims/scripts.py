"""Whether what runs is a script for the platform: only then do libraries behave as there."""

from __future__ import annotations

import sys


def asks() -> bool:
    """Return whether the process has imported `dataiku` or `dataikuapi`."""
    return "dataiku" in sys.modules or "dataikuapi" in sys.modules


def release(distribution: str, *others: str) -> tuple[int, int]:
    """Return the major and minor version of what is installed; zeros where nothing is.

    Args:
        distribution: its name.
        others: names that the same modules come under, too.
    """
    from importlib import metadata

    for name in (distribution, *others):
        try:
            parts = metadata.version(name).split(".")
        except metadata.PackageNotFoundError:
            continue
        return int(parts[0]), int("".join(one for one in parts[1] if one.isdigit()) or 0)
    return 0, 0
