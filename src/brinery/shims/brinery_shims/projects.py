"""Which project is meant where none is named."""

from __future__ import annotations

from typing import Optional, Tuple

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


def meant(lookup: str, project_key: Optional[str]) -> Tuple[str, str]:
    """Return the key of the project that a thing is of, and its id or name there.

    Args:
        lookup: an id or a name, or `PROJECT.id` where no project is named.
        project_key: of the project; the default one when None.
    """
    owner, dot, plain = lookup.partition(".")
    if not project_key and dot and owner in call("projects.keys"):
        return owner, plain
    return project_key or default(), lookup
