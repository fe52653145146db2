"""Promote: give an alias to a version."""

from __future__ import annotations

from brinery.actions import history
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import BrineryError
from brinery.records.audit import AuditEntry, Change
from brinery.records.version import Alias, Promotion, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import LATEST, Reference


def promote(
    reference: str,
    *,
    alias: Alias | str = Alias.CHAMPION,
    why: str = "",
    workspace: Folder | None = None,
) -> Promotion:
    """Return what was promoted, and what it replaced.

    Args:
        reference: `bank@1`, `bank@latest`, `bank@challenger`; `bank` alone means its newest
            version.
        alias: `champion`, which is what is served, or `challenger`.
        why: kept in the audit trail.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such version.
        RegistryFault: the registry failed; the audit trail says whether the alias had moved.
    """
    return promote_in(
        open_rooms(workspace), Reference.parse(reference), alias=Alias(alias), why=why
    )


def promote_in(rooms: Rooms, reference: Reference, *, alias: Alias, why: str = "") -> Promotion:
    """Return what was promoted in these rooms."""
    if reference.version is None and reference.alias is None:
        reference = Reference(reference.name, alias=LATEST)
    resolve(rooms.registry, reference)
    with rooms.workspace.lock():
        history.catch_up(rooms, reference.name)
        version = resolve(rooms.registry, reference)
        before = history.holder(rooms.registry.versions(version.name), alias)
        changed = before is None or before.number != version.number
        if changed:
            entry = rooms.entry(
                Change.PROMOTE,
                version.name,
                before=history.moved(before, alias) if before else None,
                after=history.moved(version, alias),
                why=why,
            )
            _move(rooms, version, alias=alias, entry=entry)
        else:
            # The stage that older clients see may have been moved by one of them.
            rooms.registry.set_alias(version.name, version.number, alias=alias)
    return Promotion(
        version=resolve(rooms.registry, Reference(version.name, version=version.number)),
        alias=alias,
        previous=before.number if before else None,
        changed=changed,
    )


def _move(rooms: Rooms, version: Version, *, alias: Alias, entry: AuditEntry) -> None:
    """Move an alias between the two halves of its audit entry: what is meant, and that it is done.

    The alias is one row of the registry, so a killed process leaves the old champion or the new
    one; the entry that it left open says who meant what, and is settled before the next change.
    """
    number = rooms.audit.begin(entry)
    try:
        rooms.registry.set_alias(version.name, version.number, alias=alias)
    except BrineryError:
        history.catch_up(rooms, version.name)
        raise
    rooms.audit.settle(number, done=True)
