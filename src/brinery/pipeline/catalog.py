"""What was registered, as planning asks for it; and references to it, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from brinery.records.plan import Software

_REGISTRY: Final = re.compile(
    r"azureml://registries/[^/]+/(?P<kind>\w+)/(?P<name>[^/]+)"
    r"(?:/(?:versions/(?P<version>[^/]+)|labels/(?P<label>[^/]+)))?/?"
)
_NAMED: Final = re.compile(r"azureml:(?!//)(?P<name>[^:@/]+)(?:[:@](?P<which>[^:@/]+))?")


class Registered(NamedTuple):
    """A component that was registered.

    Attributes:
        declared: the values of its YAML.
        folder: absolute, that its relative paths begin in.
        version: of it, as text.
        file: that it is told as in messages.
    """

    declared: Mapping[str, Any]
    folder: Path
    version: str
    file: str


class Catalog(Protocol):
    """What was registered."""

    def component(self, reference: str, /) -> Registered | None:
        """Return a component by `name`, `name:1`, `name@label`; None where there is none."""
        ...

    def environment(self, reference: str, /) -> Software | None:
        """Return an environment by the same; None where none of that name was registered."""
        ...

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return whether there is such a `data`, `model` or `datastore`; None where unknown."""
        ...

    def names(self, kind: str, /) -> Sequence[str]:
        """Return the names of what there is of a kind, for the nearest."""


class Nothing:
    """A catalog in which nothing was registered, and nothing is known of what is elsewhere."""

    def component(self, reference: str, /) -> Registered | None:
        """Return None."""
        del reference
        return None

    def environment(self, reference: str, /) -> Software | None:
        """Return None."""
        del reference
        return None

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return None: it is not known."""
        del kind, reference
        return None

    def names(self, kind: str, /) -> Sequence[str]:
        """Return no names."""
        del kind
        return ()


def named(text: str) -> str | None:
    """Return `name`, `name:1` or `name@label` of a reference to what was registered.

    `azureml:NAME@LABEL` and `azureml://registries/R/KIND/NAME/labels/LABEL` are the same thing;
    None where a text is no such reference.
    """
    if found := _REGISTRY.fullmatch(text):
        if found["version"]:
            return f"{found['name']}:{found['version']}"
        return f"{found['name']}@{found['label'] or 'latest'}"
    if found := _NAMED.fullmatch(text):
        return text.removeprefix("azureml:")
    return None


def name_of(reference: str) -> str:
    """Return the name alone of `name`, `name:1` or `name@label`."""
    return re.split(r"[:@]", reference, maxsplit=1)[0]
