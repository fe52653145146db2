"""Promote: give an alias to a version."""

from __future__ import annotations

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.records.audit import Change
from brinery.records.version import Alias, Promotion, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference

_ELSEWHERE = "moved by another program"


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
        RegistryFault: the registry failed; the old champion is still in place.
    """
    return promote_in(open_rooms(workspace), Reference.parse(reference), Alias(alias), why=why)


def promote_in(rooms: Rooms, reference: Reference, alias: Alias, *, why: str = "") -> Promotion:
    """Return what was promoted in these rooms."""
    if reference.version is None and reference.alias is None:
        reference = Reference(reference.name, alias="latest")
    version = resolve(rooms.registry, reference)
    before = next((v for v in rooms.registry.versions(version.name) if alias in v.aliases), None)
    _record_what_others_did(rooms, version.name, alias, before)
    changed = before is None or before.number != version.number
    # Where nothing changes, the stage that older clients see is still put in step.
    rooms.registry.set_alias(version.name, alias, version.number)
    if changed:
        rooms.record(
            Change.PROMOTE,
            version.name,
            before=f"{before.reference} {alias}" if before else None,
            after=f"{version.reference} {alias}",
            why=why,
        )
    return Promotion(
        version=resolve(rooms.registry, Reference(version.name, version=version.number)),
        alias=alias,
        previous=before.number if before else None,
        changed=changed,
    )


def _record_what_others_did(rooms: Rooms, name: str, alias: Alias, now: Version | None) -> None:
    """Note an alias that another MLflow program moved since, so that no step is lost."""
    ours = [
        entry.after
        for entry in rooms.audit.entries(name)
        if entry.change is Change.PROMOTE and entry.after.endswith(f" {alias}")
    ]
    last = ours[-1] if ours else None
    found = f"{now.reference} {alias}" if now else None
    if found is not None and found != last:
        rooms.record(Change.PROMOTE, name, before=last, after=found, why=_ELSEWHERE)
