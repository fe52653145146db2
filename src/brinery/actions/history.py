"""History: the audit trail of a model's aliases, told, and kept true.

What a killed process left open is settled by where the alias is, which is the one truth, and what
other programs did is written down. The rest follows from the alias and the trail: the alias
`previous`, and the stages that older clients know.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import RegistryFault
from brinery.records.audit import AuditEntry, Change
from brinery.records.history import Chapter, Deed, KeptDecision
from brinery.records.version import Alias, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference

ELSEWHERE = "by another program"
_UNRECORDED = "found in the registry"

# What is moved; `previous` follows from these.
_MOVED = (Alias.CHAMPION, Alias.CHALLENGER)
_DEEDS = {Change.PROMOTE: Deed.PROMOTED, Change.ROLLBACK: Deed.ROLLED_BACK}


def history(name: str, *, workspace: Folder | None = None) -> list[Chapter]:
    """Return what became of a model's aliases, oldest first: who, when, from, to, and why.

    Decisions that promoted nothing are told, too.

    Args:
        name: of the model.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such model.
    """
    rooms = open_rooms(workspace)
    resolve(rooms.registry, Reference(Reference.parse(name).name))
    return history_in(rooms, name)


def history_in(rooms: Rooms, name: str) -> list[Chapter]:
    """Return the history of a model in these rooms, once what was left open is settled."""
    with suppress(OSError, RegistryFault):  # who may not write is told what is written
        recover(rooms, [name])
    entries = rooms.audit.entries(name)
    kept = {one.number: one for one in rooms.decisions.kept(name)}
    moves = [_move(entry, kept) for entry in entries if entry.change in _DEEDS]
    acted = {entry.decision for entry in entries}
    others = [_not_promoted(one) for one in kept.values() if one.number not in acted]
    return sorted(moves + others, key=lambda one: one.at)


def recover(rooms: Rooms, names: Collection[str] | None = None) -> None:
    """Settle what killed processes left open, and note what other programs moved.

    Args:
        rooms: whose audit trail it is.
        names: of the models; all of the registry when None.
    """
    for name in rooms.registry.names() if names is None else names:
        if _is_behind(rooms, name):
            with rooms.lock():
                catch_up(rooms, name)


def catch_up(rooms: Rooms, name: str) -> None:
    """Bring the audit trail of a model in line with the registry, and the registry with it.

    Call it under the rooms' lock, before a state is changed. A kill in the midst of it loses
    nothing: what is open is settled once the stages are right, and the rest is found again.
    """
    versions = rooms.registry.versions(name)
    left = rooms.audit.open_entries(name)
    if versions and (left or _strayed(rooms, name, versions)):
        rooms.registry.restage(name)
    for number, entry in left:
        done = any(entry.after == moved(version, alias) for version, alias in _aliases(versions))
        rooms.audit.settle(number, done=done)
    _note_versions(rooms, versions)
    for alias, before, after in _strayed(rooms, name, versions):
        rooms.audit.add(
            rooms.entry(
                Change.PROMOTE,
                name,
                before=before and f"{before} {alias}",
                after=f"{after} {alias}",
                why=ELSEWHERE,
            )
        )
    keep_previous(rooms, name)


def keep_previous(rooms: Rooms, name: str) -> None:
    """Give the alias `previous` to the champion that a rollback goes back to."""
    versions = rooms.registry.versions(name)
    due = _previous(rooms, versions)
    now = holder(versions, Alias.PREVIOUS)
    if due is None and now is not None:
        rooms.registry.drop_alias(name, alias=Alias.PREVIOUS)
    elif due is not None and due != now:
        rooms.registry.set_alias(name, due.number, alias=Alias.PREVIOUS)


def champions(entries: Sequence[AuditEntry]) -> list[int]:
    """Return the versions that a rollback goes back through, the champion last.

    A rollback takes back what came after the version that it went to.
    """
    line: list[int] = []
    for entry in entries:
        number = _number(entry.after)
        if number is None or (line and line[-1] == number):
            continue
        if entry.change is Change.ROLLBACK and number in line:
            while line[-1] != number:
                line.pop()
        else:
            line.append(number)
    return line


def ever_champions(entries: Sequence[AuditEntry]) -> set[int]:
    """Return every version that was the champion once."""
    return {number for entry in entries if (number := _number(entry.after)) is not None}


def last_move(rooms: Rooms, version: Version) -> AuditEntry | None:
    """Return the entry that made a version the champion; None where there is none."""
    entries = rooms.audit.entries(version.name)
    sought = moved(version, Alias.CHAMPION)
    return next((entry for entry in reversed(entries) if entry.after == sought), None)


def moved(version: Version, alias: Alias) -> str:
    """Return how the audit trail writes that a version has an alias."""
    return f"{version.reference} {alias}"


def holder(versions: Sequence[Version], alias: Alias) -> Version | None:
    """Return the version that has an alias."""
    return next((version for version in versions if alias in version.aliases), None)


def _aliases(versions: list[Version]) -> list[tuple[Version, Alias]]:
    return [
        (version, alias) for version in versions for alias in _MOVED if alias in version.aliases
    ]


def _number(after: str) -> int | None:
    """Return the version that an entry made the champion; None where it did something else."""
    reference, _, alias = after.rpartition(" ")
    return int(reference.rpartition("@")[2]) if alias == Alias.CHAMPION else None


def _is_behind(rooms: Rooms, name: str) -> bool:
    """Return whether something was left open, or an alias is not where it should be."""
    versions = rooms.registry.versions(name)
    return bool(
        rooms.audit.open_entries(name)
        or _strayed(rooms, name, versions)
        or _previous(rooms, versions) != holder(versions, Alias.PREVIOUS)
    )


def _previous(rooms: Rooms, versions: list[Version]) -> Version | None:
    """Return the version that a rollback goes back to; None where there is none, or none more."""
    if not versions:
        return None
    former = champions(rooms.audit.entries(versions[0].name))[:-1]
    return next((one for one in versions if one.number in former[-1:]), None)


def _strayed(
    rooms: Rooms, name: str, versions: list[Version]
) -> list[tuple[Alias, str | None, str]]:
    """Return the aliases that are not where the trail has them, with where that is and they are."""
    found = []
    for alias in _MOVED:
        put = [
            entry.after
            for entry in rooms.audit.entries(name)
            if entry.change in _DEEDS and entry.after.endswith(f" {alias}")
        ]
        now, last = holder(versions, alias), put[-1] if put else None
        if now is not None and moved(now, alias) != last:
            found.append((alias, last and last.rpartition(" ")[0], now.reference))
    return found


def _note_versions(rooms: Rooms, versions: list[Version]) -> None:
    """Write down the versions that no entry tells of, oldest first."""
    if not versions:
        return
    name = versions[0].name
    known = {e.after for e in rooms.audit.entries(name) if e.change is Change.IMPORT}
    for version in reversed(versions):
        if version.reference not in known:
            why = _UNRECORDED if version.candidate else ELSEWHERE
            rooms.audit.add(rooms.entry(Change.IMPORT, name, after=version.reference, why=why))


def _move(entry: AuditEntry, kept: dict[int, KeptDecision]) -> Chapter:
    reference, _, alias = entry.after.rpartition(" ")
    found = kept.get(entry.decision) if entry.decision is not None else None
    elsewhere = entry.why == ELSEWHERE
    return Chapter(
        at=entry.at,
        who="" if elsewhere else entry.who,
        deed=Deed.MOVED if elsewhere else _DEEDS[entry.change],
        alias=alias,
        before=entry.before.rpartition(" ")[0] if entry.before else None,
        after=reference,
        number=entry.decision,
        decision=found.decision if found else None,
        forced=entry.forced,
        why="" if elsewhere else entry.why,
    )


def _not_promoted(kept: KeptDecision) -> Chapter:
    decision = kept.decision
    return Chapter(
        at=decision.created,
        who=kept.who,
        deed=Deed.NOT_PROMOTED,
        alias=Alias.CHAMPION,
        before=decision.champion,
        after=decision.reference,
        number=kept.number,
        decision=decision,
    )
