"""The audit trail kept true: what a killed process left open, and what others did, is written down.

Call it under the workspace's lock, before a state is changed.
"""

from __future__ import annotations

from brinery.actions.rooms import Rooms
from brinery.records.audit import Change
from brinery.records.version import Alias, Version

_ELSEWHERE = "by another program"
_UNRECORDED = "found in the registry"


def catch_up(rooms: Rooms, name: str) -> None:
    """Bring the audit trail of a model in line with the registry."""
    versions = rooms.registry.versions(name)
    for number, entry in rooms.audit.open_entries(name):
        done = any(entry.after == moved(version, alias) for version, alias in _aliases(versions))
        rooms.audit.settle(number, done=done)
    _note_versions(rooms, versions)
    for alias in Alias:
        _note_alias(rooms, name, alias=alias, versions=versions)


def moved(version: Version, alias: Alias) -> str:
    """Return how the audit trail writes that a version has an alias."""
    return f"{version.reference} {alias}"


def holder(versions: list[Version], alias: Alias) -> Version | None:
    """Return the version that has an alias."""
    return next((version for version in versions if alias in version.aliases), None)


def _aliases(versions: list[Version]) -> list[tuple[Version, Alias]]:
    return [(version, alias) for version in versions for alias in Alias if alias in version.aliases]


def _note_versions(rooms: Rooms, versions: list[Version]) -> None:
    """Write down the versions that no entry tells of, oldest first."""
    if not versions:
        return
    name = versions[0].name
    known = {e.after for e in rooms.audit.entries(name) if e.change is Change.IMPORT}
    for version in reversed(versions):
        if version.reference not in known:
            why = _UNRECORDED if version.candidate else _ELSEWHERE
            rooms.audit.add(rooms.entry(Change.IMPORT, name, after=version.reference, why=why))


def _note_alias(rooms: Rooms, name: str, *, alias: Alias, versions: list[Version]) -> None:
    """Write down an alias that is not where the last entry put it."""
    ours = [
        entry.after
        for entry in rooms.audit.entries(name)
        if entry.change is Change.PROMOTE and entry.after.endswith(f" {alias}")
    ]
    last = ours[-1] if ours else None
    now = holder(versions, alias)
    if now is not None and moved(now, alias) != last:
        after = moved(now, alias)
        rooms.audit.add(rooms.entry(Change.PROMOTE, name, before=last, after=after, why=_ELSEWHERE))
