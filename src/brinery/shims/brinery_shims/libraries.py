"""`project-libraries`: modules in `lib/python` of the project can be imported.

They are on the path; this only says so, once for each module that a script takes from there.
"""

from __future__ import annotations

import os
from typing import Any, Dict

from brinery_shims import notes, setup

STEP = "project-libraries"


def modules() -> Dict[str, str]:
    """Return the names of modules that may be taken from there, each with its folder."""
    found: Dict[str, str] = {}
    for folder in setup.libraries():
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
        except OSError:
            continue
        for each in names:
            name, _, ending = each.partition(".")
            if name.isidentifier() and ending in ("", "py"):
                found.setdefault(name, folder)
    return found


def found(name: str, *, folder: str, spec: Any) -> None:
    """Say where a module comes from, if it is from a folder of the project.

    Args:
        name: of the module.
        folder: that has one of that name.
        spec: how it is loaded; None where it is not.
    """
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
    if any(place.startswith(folder + os.sep) for place in places):
        notes.tell(STEP, f"{name} is taken from lib/python of the project", later=True)
