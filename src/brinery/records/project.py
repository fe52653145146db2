"""A project: what datasets, managed folders, recipes and models of one undertaking belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Project(Struct, frozen=True, kw_only=True):
    """A project of a workspace.

    Attributes:
        name: its key: capital letters, digits and `_`.
        created: with time zone.
        who: created it.
        default: whether it is the one that is meant where none is named.
        standard: variables that go where the project goes, JSON values by name.
        local: variables of this installation, which win over the standard ones.
    """

    name: str
    created: datetime
    who: str = ""
    default: bool = False
    standard: dict[str, Any] = {}
    local: dict[str, Any] = {}

    @property
    def project(self) -> str:
        """Return the key, as the other records of a project have it."""
        return self.name

    @property
    def variables(self) -> dict[str, Any]:
        """Return the variables as scripts get them: the local ones win."""
        return {**self.standard, **self.local}
