"""Which project is meant where none is named."""

from __future__ import annotations

from brinery_shims.gateway import call

_CHOSEN: list[str] = []  # at most one


def default() -> str:
    """Return the key of the default project, which is asked for once."""
    if not _CHOSEN:
        _CHOSEN.append(call("projects.default"))
    return _CHOSEN[0]


def choose(key: str) -> None:
    """Have another project meant from now on, in this process."""
    _CHOSEN[:] = [key]
