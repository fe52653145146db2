"""What was registered, as planning asks for it; and references to it, taken apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from brinery.records.plan import Software

_Answer = TypeVar("_Answer")

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


class Asked(Struct, frozen=True, kw_only=True):
    """A question to a catalog, and what it came to.

    Attributes:
        method: of the catalog.
        arguments: of the method.
        answer: a digest of what it returned.
    """

    method: str
    arguments: tuple[str, ...]
    answer: str


class Noting:
    """A catalog that keeps what it was asked, so that the same may be asked again.

    Args:
        catalog: that answers.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.asked: dict[tuple[str, ...], Asked] = {}

    def component(self, reference: str, /) -> Registered | None:
        """Return a component."""
        return self._noted(self._catalog.component(reference), "component", reference)

    def environment(self, reference: str, /) -> Software | None:
        """Return an environment."""
        return self._noted(self._catalog.environment(reference), "environment", reference)

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return whether there is such a thing."""
        return self._noted(self._catalog.exists(kind, reference), "exists", kind, reference)

    def names(self, kind: str, /) -> Sequence[str]:
        """Return the names of what there is, which only faults are told with."""
        return self._catalog.names(kind)

    def _noted(self, answer: _Answer, method: str, *arguments: str) -> _Answer:
        self.asked[method, *arguments] = Asked(
            method=method, arguments=arguments, answer=_digest(answer)
        )
        return answer


def still(asked: Asked, catalog: Catalog) -> bool:
    """Return whether a catalog answers as it did."""
    match asked.method, asked.arguments:
        case "component", (reference,):
            return _digest(catalog.component(reference)) == asked.answer
        case "environment", (reference,):
            return _digest(catalog.environment(reference)) == asked.answer
        case "exists", (kind, reference):
            return _digest(catalog.exists(kind, reference)) == asked.answer
    return False


def _digest(answer: object) -> str:
    return hashlib.blake2b(repr(answer).encode(), digest_size=16).hexdigest()


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
