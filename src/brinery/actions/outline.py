"""Outline: what models there are, each by its champion and its newest version; for a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from brinery.actions import history
from brinery.actions.rooms import Rooms
from brinery.records.audit import AuditEntry
from brinery.records.history import KeptDecision
from brinery.records.version import Alias, Version
from brinery.registry.interface import Entry, one, resolve
from brinery.specs.reference import Reference


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A model in a list.

    Attributes:
        name: of it.
        versions: newest first; one at least.
    """

    name: str
    versions: tuple[Entry, ...]

    @property
    def newest(self) -> Entry:
        """Return its newest version."""
        return self.versions[0]

    @property
    def champion(self) -> Entry | None:
        """Return the version that is its champion; None where none is."""
        champion = Alias.CHAMPION.value
        return next((one for one in self.versions if champion in one.aliases), None)


def outlines_in(rooms: Rooms) -> list[Outline]:
    """Return every model, by name; nothing that was recorded of a version is read."""
    if not (rooms.workspace.exists or rooms.places.shared):
        return []
    entries = rooms.registry.entries()
    return [
        Outline(name=name, versions=tuple(found))
        for name, found in groupby(entries, key=lambda one: one.name)
    ]


def outline_in(rooms: Rooms, name: str) -> Outline:
    """Return one model.

    Raises:
        NotFound: there is none of that name.
    """
    entries = rooms.registry.entries(name)
    if not entries:
        resolve(rooms.registry, Reference(name))  # which says what there is
    return Outline(name=name, versions=tuple(entries))


def version_of(rooms: Rooms, entry: Entry) -> Version:
    """Return a version of a list, with what was recorded of it.

    Raises:
        NotFound: it is gone.
    """
    return version_in(rooms, entry.name, number=entry.number)


def versions_of(rooms: Rooms, entries: Sequence[Entry]) -> dict[str, Version]:
    """Return reference to version, with what was recorded of it, of those that are not gone."""
    found = rooms.registry.some([(each.name, each.number) for each in entries])
    return {each.reference: each for each in found}


def version_in(rooms: Rooms, name: str, *, number: int) -> Version:
    """Return a version, by its number.

    Raises:
        NotFound: there is no such model or version.
    """
    found = one(rooms.registry, name, number=number)
    return found or resolve(rooms.registry, Reference(name, version=number))


def decisions_of(rooms: Rooms, name: str) -> dict[str, KeptDecision]:
    """Return reference to the last decision on it, of the versions of a model that have one."""
    return {one.decision.reference: one for one in rooms.decisions.kept(name)}


def rollback_choices(rooms: Rooms, outline: Outline) -> Sequence[int]:
    """Return the versions that were the champion and are not, the one before this one first."""
    champion = outline.champion
    if champion is None:
        return ()
    entries: list[AuditEntry] = rooms.audit.entries(outline.name)
    there = {one.number for one in outline.versions}
    line = [number for number in history.champions(entries)[:-1] if number in there]
    others = sorted(history.ever_champions(entries) & there, reverse=True)
    ordered = dict.fromkeys([*reversed(line), *others])
    return [number for number in ordered if number != champion.number]
