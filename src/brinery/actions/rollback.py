"""Rollback: give the champion's place back to a version that had it."""

from __future__ import annotations

from brinery.actions import history
from brinery.actions.promote import changed_meanwhile, move
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import NotFound, RollbackImpossible
from brinery.records.audit import Change
from brinery.records.version import Alias, Promotion, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference


def rollback(
    name: str, *, to: int | None = None, why: str = "", workspace: Folder | None = None
) -> Promotion:
    """Return which version is the champion again, and which one it replaced.

    No gate is asked: it has been the champion before. Done twice, it goes back twice.

    Args:
        name: of the model.
        to: a version that was the champion; the champion before this one when None.
        why: kept in the audit trail.
        workspace: its folder; the nearest upwards when None.

    Raises:
        RollbackImpossible: there is nothing to go back to, it is the champion, or it never was.
        NotFound: there is no such model, or the version is gone.
        ChampionChanged: another program moved the champion at the same moment.
        RegistryFault: the registry failed; the audit trail says whether the alias had moved.
    """
    return rollback_in(open_rooms(workspace), name, to=to, why=why)


def rollback_in(rooms: Rooms, name: str, *, to: int | None = None, why: str = "") -> Promotion:
    """Return which version is the champion again in these rooms."""
    name = Reference.parse(name).name
    resolve(rooms.registry, Reference(name))
    seen = history.holder(rooms.registry.versions(name), Alias.CHAMPION)
    with rooms.lock():
        history.catch_up(rooms, name)
        now = history.holder(rooms.registry.versions(name), Alias.CHAMPION)
        if now is None:
            raise RollbackImpossible(
                f"{name} has no champion to replace", hint=f"brinery promote {name}"
            )
        if seen is None or seen.number != now.number:
            instead = f"brinery history {name} shows what was done; brinery rollback {name}"
            before = seen.reference if seen else None
            raise changed_meanwhile(rooms, now, before=before, instead=instead)
        version = _target(rooms, now, to=to)
        entry = rooms.entry(
            Change.ROLLBACK,
            name,
            before=history.moved(now, Alias.CHAMPION),
            after=history.moved(version, Alias.CHAMPION),
            why=why,
        )
        move(rooms, version, alias=Alias.CHAMPION, entry=entry)
    return Promotion(
        version=resolve(rooms.registry, Reference(name, version=version.number)),
        alias=Alias.CHAMPION,
        previous=now.number,
        changed=True,
        why=why,
    )


def _target(rooms: Rooms, now: Version, *, to: int | None) -> Version:
    """Return the version to go back to.

    Raises:
        RollbackImpossible: there is none, it is the champion, or it never was.
        NotFound: it is gone.
    """
    name = now.name
    line = history.champions(rooms.audit.entries(name))
    before = line[-2] if len(line) > 1 else None
    there = {version.number: version for version in rooms.registry.versions(name)}
    were = history.ever_champions(rooms.audit.entries(name)) - {now.number}
    if to is None and before is None:
        raise RollbackImpossible(
            f"{now.reference} is the first champion of {name}: there is none to go back to",
            hint=_choices(name, were & set(there))
            or f"brinery promote {name}@NUMBER takes another version",
        )
    sought = before if to is None else to
    if sought == now.number:
        raise RollbackImpossible(
            f"{now.reference} is the champion already", hint=f"brinery rollback {name}"
        )
    if sought not in there:
        raise NotFound(
            f"{name}@{sought} is gone",
            hint=_choices(name, were & set(there)) or f"brinery model show {name}",
        )
    if sought not in were:
        raise RollbackImpossible(
            f"{name}@{sought} was never the champion", hint=f"brinery promote {name}@{sought}"
        )
    return there[sought]


def _choices(name: str, numbers: set[int]) -> str:
    """Return the command that goes back to a former champion that is there; empty without one."""
    if not numbers:
        return ""
    listed = ", ".join(map(str, sorted(numbers)))
    return f"brinery rollback {name} --to {max(numbers)}; former champions: {listed}"
