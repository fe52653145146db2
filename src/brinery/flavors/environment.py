"""Which distributions a loaded model uses: those its pickle names, and what those load."""

from __future__ import annotations

import re
import sys
from importlib import metadata

_REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OWN = "brinery"


def used_packages(modules: tuple[str, ...], loaded: frozenset[str]) -> dict[str, str]:
    """Return distribution name to version, sorted.

    Args:
        modules: top-level modules that the model's pickle names.
        loaded: top-level modules that this process has imported.

    A distribution that was installed but never imported is left out: an optional one, say.
    """
    owners = metadata.packages_distributions()
    loaded_names = {_normal(owner) for module in loaded for owner in owners.get(module, ())}
    found: dict[str, str] = {}
    waiting = [owner for module in modules for owner in owners.get(module, ())]
    while waiting:
        name = _normal(waiting.pop())
        if name in found or name == _OWN or name not in loaded_names:
            continue
        distribution = metadata.distribution(name)
        found[name] = distribution.version
        waiting += [
            match.group()
            for requirement in distribution.requires or ()
            if "extra ==" not in requirement and (match := _REQUIREMENT_NAME.match(requirement))
        ]
    return dict(sorted(found.items()))


def imported_modules() -> frozenset[str]:
    """Return the top-level modules of this process, the standard library left out."""
    return frozenset(
        name
        for name in {module.partition(".")[0] for module in list(sys.modules)}
        if name not in sys.stdlib_module_names
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
