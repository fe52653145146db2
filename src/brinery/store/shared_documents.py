"""Documents that all workspaces of a store see: texts, each under a kind, an owner and a key.

A document is changed by an edit of what is kept at that moment, in one transaction: of two that
change it at once, each sees what the other did.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from brinery.errors import NotFound

_SQLITE: Final = "sqlite:///"


class Place(NamedTuple):
    """Where a document is found.

    Attributes:
        kind: what it is, such as `saved_version`.
        owner: id of what it belongs to; empty where it stands alone.
        key: that no other document of its kind and owner has.
    """

    kind: str
    owner: str
    key: str


class SharedDocuments(Protocol):
    """Where documents are kept."""

    def all(self, kind: str, owner: str, /) -> list[str]:
        """Return the documents of a kind and an owner, by their keys."""
        ...

    def find(self, place: Place, /) -> str | None:
        """Return a document; None where there is none."""
        ...

    def add(self, place: Place, document: str, /) -> bool:
        """Return whether a document is new and kept; what is there already stays as it is."""
        ...

    def keep(self, place: Place, document: str, /) -> None:
        """Keep a document, in place of what is there."""
        ...

    def change(self, place: Place, edit: Callable[[str], str], /) -> str:
        """Return a document that is otherwise from now on.

        Args:
            place: of the document.
            edit: is given what is kept at that moment.

        Raises:
            NotFound: it is gone.
        """
        ...

    def remove(self, *places: Place) -> None:
        """Forget documents, all in one transaction."""
        ...


def gone(place: Place) -> NotFound:
    """Return the error for a document that was removed meanwhile."""
    return NotFound(
        f"the {place.kind.replace('_', ' ')} {place.key} is gone: somebody deleted it",
        hint="brinery model list shows the models",
    )


class MemorySharedDocuments:
    """Documents that last as long as the object."""

    def __init__(self) -> None:
        self._documents: dict[Place, str] = {}
        self._lock = threading.Lock()

    def all(self, kind: str, owner: str, /) -> list[str]:
        """Return the documents of a kind and an owner, by their keys."""
        return [text for at, text in sorted(self._documents.items()) if at[:2] == (kind, owner)]

    def find(self, place: Place, /) -> str | None:
        """Return a document; None where there is none."""
        return self._documents.get(place)

    def add(self, place: Place, document: str, /) -> bool:
        """Return whether a document is new and kept."""
        with self._lock:
            new = place not in self._documents
            self._documents.setdefault(place, document)
        return new

    def keep(self, place: Place, document: str, /) -> None:
        """Keep a document, in place of what is there."""
        with self._lock:
            self._documents[place] = document

    def change(self, place: Place, edit: Callable[[str], str], /) -> str:
        """Return a document that is otherwise from now on."""
        with self._lock:
            if place not in self._documents:
                raise gone(place)
            self._documents[place] = edit(self._documents[place])
            return self._documents[place]

    def remove(self, *places: Place) -> None:
        """Forget documents."""
        with self._lock:
            for place in places:
                self._documents.pop(place, None)


class StoredSharedDocuments:
    """Documents in a database, which is opened when it is first needed.

    Args:
        uri: an SQLAlchemy URI; a file that was never written has no documents.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _kept(self) -> SharedDocuments:
        module = import_module("brinery.store.shared_documents_database")
        return cast("SharedDocuments", module.SqlSharedDocuments(self._uri))

    def _is_there(self) -> bool:
        uri = self._uri
        return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).exists()

    def all(self, kind: str, owner: str, /) -> list[str]:
        """Return the documents of a kind and an owner, by their keys."""
        return self._kept.all(kind, owner) if self._is_there() else []

    def find(self, place: Place, /) -> str | None:
        """Return a document; None where there is none."""
        return self._kept.find(place) if self._is_there() else None

    def add(self, place: Place, document: str, /) -> bool:
        """Return whether a document is new and kept."""
        return self._kept.add(place, document)

    def keep(self, place: Place, document: str, /) -> None:
        """Keep a document, in place of what is there."""
        self._kept.keep(place, document)

    def change(self, place: Place, edit: Callable[[str], str], /) -> str:
        """Return a document that is otherwise from now on."""
        return self._kept.change(place, edit)

    def remove(self, *places: Place) -> None:
        """Forget documents, all in one transaction."""
        self._kept.remove(*places)
