"""How a model version is named: `bank`, `bank@1`, `bank@champion`, `bank@Production`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brinery.errors import InvalidName, InvalidReference

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")

# MLflow's stages are names for our aliases, so that what older clients write is understood.
_STAGES = {"production": "champion", "staging": "challenger"}

LATEST = "latest"


def check_name(name: str) -> str:
    """Return the model name unchanged.

    Raises:
        InvalidName: it is empty, too long, or has a character that a URL, a file name or MLflow
            would not take.
    """
    if _NAME.fullmatch(name):
        return name
    suggestion = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")[:100]
    hint = f"try --name {suggestion}" if suggestion else "try --name my-model"
    raise InvalidName(
        f"'{name}' is not allowed as a model name: up to 100 letters, digits, '-', '_' and '.', "
        "the first a letter or a digit",
        hint=hint,
    )


@dataclass(frozen=True)
class Reference:
    """A model, and which version of it.

    Attributes:
        name: of the registered model.
        version: number, or None.
        alias: or None; `latest` means the newest version.
    """

    name: str
    version: int | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return the reference that a text states.

        Raises:
            InvalidName: the part before `@` is not a model name.
            InvalidReference: the part after `@` is neither a version number nor an alias.
        """
        name, at, which = text.partition("@")
        check_name(name)
        if not at:
            return cls(name)
        if _VERSION.fullmatch(which):
            return cls(name, version=int(which))
        if _ALIAS.fullmatch(which):
            return cls(name, alias=_STAGES.get(which.lower(), which))
        raise InvalidReference(
            f"'{text}' names no version: after '@' comes a number or an alias",
            hint=f"try {name}@1, {name}@champion or {name}@latest",
        )

    def __str__(self) -> str:
        """Return the reference as it is typed."""
        which = self.version if self.version is not None else self.alias
        return self.name if which is None else f"{self.name}@{which}"
