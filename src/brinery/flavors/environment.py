"""What a loaded model needs: the distributions it uses, its Python, its platform.

It is asked of the process that holds the model, after it has predicted: what is imported by then is
what loading and predicting imports. Nothing is guessed, and no second process imports the model.
"""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from brinery.flavors import imports

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"\bextra\b")
_OWN = "brinery"

# What holds functions by value: which modules those import is stated nowhere.
CARRIERS = frozenset({"cloudpickle", "dill"})

# As the pickles of Python 2's protocols name the standard library.
_ANCIENT = frozenset({"__builtin__", "copy_reg"})


def used_packages(
    modules: Iterable[str], loaded: frozenset[str], *, before: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return distribution name to version, sorted.

    They are those of the modules that the model names, and those that these require, as far as
    they are imported: an optional requirement that is not is left out. What functions that are
    carried by value, or modules of the user's own, import is stated nowhere: for them all is taken
    that was imported since the model was loaded, and all that the modules' sources import, for
    this process may have had it before.

    Args:
        modules: top-level modules that the model names.
        loaded: top-level modules that this process has imported.
        before: those it had imported before the model was loaded.
    """
    named = frozenset(modules) - {_OWN}
    owners = _owners(loaded | named)
    unstated = {module for module in named if _unstated(module, owners)}
    if unstated:
        named |= loaded - before | _imported(unstated, owners)
    present = {owner for module in loaded for owner in owners.get(module, ())}
    found: dict[str, str] = {}
    waiting = [owner for module in named for owner in owners.get(module, ())]
    while waiting:
        name = waiting.pop()
        if name in found or name == _OWN or name not in present:
            continue
        distribution = metadata.distribution(name)
        found[name] = distribution.version
        waiting += [
            _normal(match.group())
            for requirement in distribution.requires or ()
            if not _EXTRA.search(requirement) and (match := _NAME.match(requirement))
        ]
    return dict(sorted(found.items()))


def imported_modules() -> frozenset[str]:
    """Return the top-level modules of this process, the standard library left out."""
    names = {module.partition(".")[0] for module in list(sys.modules)}
    return frozenset(names - _STANDARD)


def python() -> tuple[str, str, str]:
    """Return the version of this Python, its platform, and its C library with the version."""
    libc = " ".join(platform.libc_ver()).strip()
    return platform.python_version(), sysconfig.get_platform(), libc


def _unstated(module: str, owners: Mapping[str, set[str]]) -> bool:
    """Return whether what a module imports is not among the requirements of a distribution."""
    return module in CARRIERS or not (module in _STANDARD or module in owners)


def _imported(unstated: set[str], owners: Mapping[str, set[str]]) -> frozenset[str]:
    """Return what modules of the user's own import, those of their own modules among it."""
    found: set[str] = set()
    waiting = unstated - CARRIERS - {"__main__"}
    while waiting:
        found |= waiting
        said = imports.of_modules(waiting) - {_OWN} - found
        waiting = {module for module in said if _unstated(module, owners)}
        found |= said
    return frozenset(found)


def _owners(modules: frozenset[str]) -> dict[str, set[str]]:
    """Return module to the distributions that it is of, for those that are of any.

    `importlib.metadata` can tell since Python 3.10; this reads the same files.
    """
    found: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        stated = distribution.read_text("top_level.txt")
        names = set(stated.split()) if stated else _top_levels(distribution)
        for module in names & modules:
            found.setdefault(module, set()).add(_normal(distribution.metadata["Name"]))
    return found


def _top_levels(distribution: metadata.Distribution) -> set[str]:
    """Return the top-level modules among the files of a distribution."""
    lines = (distribution.read_text("RECORD") or "").splitlines()
    return {re.split(r"[/.,]", line, maxsplit=1)[0] for line in lines}


def _standard() -> frozenset[str]:
    """Return the modules of the standard library, which Python itself tells since 3.10."""
    told = getattr(sys, "stdlib_module_names", None)
    if told is None:
        folder = Path(sysconfig.get_path("stdlib"))
        lying = [*folder.iterdir(), *(folder / "lib-dynload").iterdir()]
        told = (*sys.builtin_module_names, *(path.name.partition(".")[0] for path in lying))
    return frozenset(told) | _ANCIENT


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_STANDARD = _standard()
