"""A conda file, `environment.yml` or `conda.yaml`: the lines of its dependencies, as they stand.

What a line asks for, and whether it can be had here, is for whoever reads the file to say: a job's
environment takes what it can get, a model's must be exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from brinery.errors import SettingsError


class Line(NamedTuple):
    """One dependency.

    Attributes:
        text: as it is written.
        pip: whether it is pip's, and not conda's own.
    """

    text: str
    pip: bool


def lines(text: str, *, where: str) -> tuple[Line, ...]:
    """Return the dependencies that the text of a conda file lists, in their order.

    Args:
        text: of the file.
        where: its name, for the messages.

    Raises:
        SettingsError: it is no YAML, or has no list of dependencies.
    """
    try:
        declared: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise SettingsError(f"{where} is not valid YAML: {said}", hint=f"edit {where}") from None
    items = declared.get("dependencies") if isinstance(declared, dict) else None
    if not isinstance(items, list):
        raise SettingsError(
            f"{where} has no list of dependencies", hint="conda env export writes one"
        )
    found: list[Line] = []
    for item in items:
        if isinstance(item, dict):
            stated = item.get("pip") or []
            found += [Line(_text(one, where), pip=True) for one in _listed(stated, where)]
        else:
            found.append(Line(_text(item, where), pip=False))
    return tuple(found)


def _listed(stated: Any, where: str) -> list[Any]:
    if isinstance(stated, list):
        return stated
    raise SettingsError(
        f"{where} has pip: {stated!r}, where a list is expected", hint=f"edit {where}"
    )


def _text(item: object, where: str) -> str:
    if isinstance(item, (str, int, float)):
        return str(item).strip()
    kind = "a mapping" if isinstance(item, dict) else "a list or nothing"
    raise SettingsError(
        f"{where} has {kind} among its dependencies, where a text is expected",
        hint="conda env export writes one",
    )
