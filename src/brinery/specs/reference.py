"""How a model version is named: `bank`, `bank@1`, `bank@champion`, `bank@v01`, its own id."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brinery.errors import InvalidReference
from brinery.specs.names import check_name

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
# An alias of MLflow's, or a version's own id, which may begin with a digit.
_ALIAS = re.compile(
    r"[A-Za-z][A-Za-z0-9_-]{0,99}|(?=[0-9.]*[A-Za-z_])[A-Za-z0-9_][A-Za-z0-9_.]{0,99}"
)

# MLflow's stages are names for our aliases, so that what older clients write is understood.
_STAGES = {"production": "champion", "staging": "challenger"}

LATEST = "latest"


@dataclass(frozen=True)
class Reference:
    """A model, and which version of it.

    Attributes:
        name: of the registered model.
        version: number, or None.
        alias: or the id that a user gave the version, or None; `latest` means the newest version.
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
