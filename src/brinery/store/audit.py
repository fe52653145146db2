"""The audit trail: a row for every state change, begun when meant and settled when done."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from brinery.records.audit import AuditEntry, AuditPage, AuditQuery, Change

# What moves an alias.
MOVES = (Change.PROMOTE, Change.ROLLBACK)


class Audit(Protocol):
    """Where state changes are written down."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry of what is done."""
        ...

    def begin(self, entry: AuditEntry) -> int:
        """Append an entry of what is meant; return its number, to settle it by."""
        ...

    def settle(self, number: int, *, done: bool) -> None:
        """Say of an open entry whether it was done; one that was not is never shown."""
        ...

    def open_entries(self, subject: str) -> list[tuple[int, AuditEntry]]:
        """Return the entries of one model that are not settled, with their numbers."""
        ...

    def entries(self, subject: str | None = None) -> list[AuditEntry]:
        """Return what was done, oldest first, to one model or to all."""
        ...

    def page(self, asked: AuditQuery) -> AuditPage:
        """Return some of what was done, and how much matches in all."""
        ...

    def last_moves(self, alias: str, *, most: int) -> list[AuditEntry]:
        """Return the last move of an alias in each model, those that moved last first."""
        ...


class MemoryAudit:
    """An audit trail that lasts as long as the object."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []
        self._done: dict[int, bool] = {}

    def add(self, entry: AuditEntry) -> None:
        """Append an entry of what is done."""
        self.settle(self.begin(entry), done=True)

    def begin(self, entry: AuditEntry) -> int:
        """Append an entry of what is meant."""
        self._entries.append(entry)
        return len(self._entries) - 1

    def settle(self, number: int, *, done: bool) -> None:
        """Say of an open entry whether it was done."""
        self._done[number] = done

    def open_entries(self, subject: str) -> list[tuple[int, AuditEntry]]:
        """Return the entries of one model that are not settled."""
        return [
            (number, entry)
            for number, entry in enumerate(self._entries)
            if entry.subject == subject and number not in self._done
        ]

    def entries(self, subject: str | None = None) -> list[AuditEntry]:
        """Return what was done, oldest first, to one model or to all."""
        return [
            entry
            for number, entry in enumerate(self._entries)
            if subject in (None, entry.subject) and self._done.get(number)
        ]

    def page(self, asked: AuditQuery) -> AuditPage:
        """Return some of what was done, and how much matches in all."""
        found = [one for one in self.entries() if _matches(one, asked.words)]
        found.sort(key=lambda one: str(getattr(one, asked.sort)), reverse=asked.descending)
        entries = found[asked.offset : asked.offset + asked.most]
        return AuditPage(entries=tuple(entries), total=len(found))

    def last_moves(self, alias: str, *, most: int) -> list[AuditEntry]:
        """Return the last move of an alias in each model, those that moved last first."""
        moved: dict[str, AuditEntry] = {}
        for one in self.entries():
            if one.change in MOVES and one.after.endswith(f" {alias}"):
                moved.pop(one.subject, None)
                moved[one.subject] = one
        return list(moved.values())[::-1][:most]


class StoredAudit:
    """An audit trail in a database, which is opened when it is first needed.

    What opens it takes as long to import as everything else that a command needs, and most
    commands write nothing down.

    Args:
        uri: an SQLAlchemy URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _trail(self) -> Audit:
        return cast("Audit", import_module("brinery.store.audit_database").SqlAudit(self._uri))

    def add(self, entry: AuditEntry) -> None:
        """Append an entry of what is done."""
        self._trail.add(entry)

    def begin(self, entry: AuditEntry) -> int:
        """Append an entry of what is meant."""
        return self._trail.begin(entry)

    def settle(self, number: int, *, done: bool) -> None:
        """Say of an open entry whether it was done."""
        self._trail.settle(number, done=done)

    def open_entries(self, subject: str) -> list[tuple[int, AuditEntry]]:
        """Return the entries of one model that are not settled."""
        return self._trail.open_entries(subject)

    def entries(self, subject: str | None = None) -> list[AuditEntry]:
        """Return what was done, oldest first, to one model or to all."""
        return self._trail.entries(subject)

    def page(self, asked: AuditQuery) -> AuditPage:
        """Return some of what was done, and how much matches in all."""
        return self._trail.page(asked)

    def last_moves(self, alias: str, *, most: int) -> list[AuditEntry]:
        """Return the last move of an alias in each model, those that moved last first."""
        return self._trail.last_moves(alias, most=most)


def _matches(entry: AuditEntry, words: tuple[str, ...]) -> bool:
    told = " ".join((entry.subject, entry.who, entry.before or "", entry.after, entry.why)).lower()
    return all(word.lower() in told for word in words)
