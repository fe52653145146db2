"""Why an environment cannot be built: which wheels there are, and for which Pythons."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from packaging.requirements import Requirement

from brinery.errors import EnvironmentUnavailable
from brinery.records.requirements import Requirements
from brinery.store import uv
from brinery.store.interpreters import OLDEST, Interpreter

_MINORS = tuple(f"3.{number}" for number in range(6, 15))
_OLDEST = ".".join(map(str, OLDEST))
_AT_ONCE = 6
_FEW = 2
_SAID_CHARACTERS = 400
_UNKNOWN = ("there is no version of", "was not found in the package registry")
_SAY_WHICH = "say which versions to use with --environment FILE"


def no_python(minor: str, here: Sequence[Interpreter]) -> EnvironmentUnavailable:
    """Return the error that the one Python that will do is not installed."""
    return EnvironmentUnavailable(
        f"the model needs Python {minor}, and this machine has {_listed(here)}",
        hint=_get(minor) if _fits(minor) else _save_again(minor),
    )


def no_wheels(
    wanted: Requirements, tried: Sequence[Interpreter], *, said: str
) -> EnvironmentUnavailable:
    """Return the error that no Python that was tried has a wheel for each requirement.

    It asks the registry for which Pythons there are wheels of each pinned release.

    Args:
        wanted: what was asked for.
        tried: Pythons, newest first.
        said: what the resolver said of the first.

    Raises:
        EnvironmentUnavailable: the registry cannot be reached.
    """
    if any(words in said for words in _UNKNOWN):
        return EnvironmentUnavailable(
            f"the registry lacks what the model was written with: {said[:_SAID_CHARACTERS]}",
            hint=_SAY_WHICH,
        )
    pins = [line for line in wanted.packages if "==" in line]
    found = _pythons(pins)
    minors = {python.minor for python in tried}
    for pin, pythons in found.items():
        if not minors & set(pythons):
            return _without(pin, pythons, tried)
    common = [minor for minor in _MINORS if all(minor in some for some in found.values())]
    if pins and not minors & set(common):
        each = "; ".join(f"{_name(pin)}: {_span(pythons)}" for pin, pythons in found.items())
        return EnvironmentUnavailable(
            f"no Python on this machine ({_listed(tried)}) has wheels of all: {each}",
            hint=_way_out(common, pins[0]) if common else _SAY_WHICH,
        )
    return EnvironmentUnavailable(
        f"no set of wheels meets what the model was written with: {said[:_SAID_CHARACTERS]}",
        hint=_SAY_WHICH,
    )


def _without(
    pin: str, pythons: Sequence[str], tried: Sequence[Interpreter]
) -> EnvironmentUnavailable:
    where = f"for {sysconfig.get_platform()}"
    if not pythons:
        return EnvironmentUnavailable(
            f"{_name(pin)} has no wheel {where} and any Python from {_MINORS[0]} to {_MINORS[-1]}: "
            "there is no such release, or it is published as source only",
            hint=_SAY_WHICH,
        )
    return EnvironmentUnavailable(
        f"{_name(pin)} has wheels {where} for Python {_span(pythons)} only, and this machine has "
        f"{_listed(tried)}",
        hint=_way_out(pythons, pin),
    )


def _pythons(pins: Sequence[str]) -> dict[str, list[str]]:
    """Return release to the minor versions of Python that it has a wheel for on this platform."""
    asked = [(pin, minor) for pin in pins for minor in _MINORS]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda pair: _has_wheel(*pair), asked)
        found: dict[str, list[str]] = {pin: [] for pin in pins}
        for (pin, minor), there in zip(asked, answers, strict=True):
            if there:
                found[pin].append(minor)
    return found


def _has_wheel(pin: str, minor: str) -> bool:
    try:
        uv.resolve([pin], python=minor, dependencies=False)
    except uv.Unresolved:
        return False
    return True


def _way_out(pythons: Sequence[str], pin: str) -> str:
    """Return the command that installs the newest Python that will do, or what else to do."""
    fitting = [minor for minor in pythons if _fits(minor)]
    return _get(fitting[-1]) if fitting else _save_again(_name(pin))


def _get(minor: str) -> str:
    return f"uv python install {minor}, and import again"


def _save_again(what: str) -> str:
    return (
        f"a model's process needs Python {_OLDEST} or later, and {what} is from before: load the "
        "model where it was made, fit or save it with a later release, and import that"
    )


def _fits(minor: str) -> bool:
    return tuple(map(int, minor.split("."))) >= OLDEST


def _name(pin: str) -> str:
    requirement = Requirement(pin)
    return f"{requirement.name} {str(requirement.specifier).removeprefix('==')}"


def _span(minors: Sequence[str]) -> str:
    """Return versions in a few words: `3.6, 3.7`, or `3.7 to 3.10`."""
    if len(minors) > _FEW and len(minors) == int(minors[-1][2:]) - int(minors[0][2:]) + 1:
        return f"{minors[0]} to {minors[-1]}"
    return ", ".join(minors) if minors else "none"


def _listed(pythons: Sequence[Interpreter]) -> str:
    minors = sorted((python.minor for python in pythons), key=lambda minor: int(minor[2:]))
    return f"Python {', '.join(minors)}" if minors else f"no Python {_OLDEST} or later"
