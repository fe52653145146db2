"""Where a version comes from and where it went: data, run, version, decision, endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from brinery.actions.history import last_move
from brinery.actions.outline import decisions_of
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.records.version import Alias, Version
from brinery.web.pages.models import path_of

_SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Place:
    """One step of the way.

    Attributes:
        kind: what it is, in a word.
        title: its name.
        href: of its page; empty where it has none.
        facts: names and values.
        at: when it happened; None where that is not known.
        here: whether it is the version itself.
        missing: whether the way has not come so far.
    """

    kind: str
    title: str
    href: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None
    here: bool = False
    missing: bool = False


def steps(rooms: Rooms, version: Version) -> list[Place]:
    """Return the steps of a version's way, in order."""
    return [
        *_sources(version),
        _run(version),
        Place(
            kind="version",
            title=version.reference,
            href=path_of(version.name, version.number),
            at=version.created,
            here=True,
            facts=(("aliases", ", ".join(version.aliases) or "none"),),
        ),
        _decision(rooms, version),
        _endpoint(rooms, version),
    ]


def _sources(version: Version) -> list[Place]:
    candidate = version.candidate
    if candidate is None:
        return []
    origin, code = candidate.origin, candidate.code
    commit = () if code is None else (("commit", code.commit[:_SHORT]),)
    changed = (("work tree", "changed since"),) if code is not None and code.dirty else ()
    file = Place(
        kind="model file",
        title=origin.file,
        facts=(
            ("size", words.size(origin.size_bytes)),
            ("sha256", origin.sha256[:_SHORT]),
            *commit,
            *changed,
        ),
    )
    data = candidate.data
    if data is None:
        return [file]
    rows = (("rows", f"{data.rows:,}"), ("target", data.target or "none"))
    return [
        Place(
            kind="data",
            title=data.name,
            facts=(*rows, ("sha256", data.sha256[:_SHORT])),
        ),
        file,
    ]


def _run(version: Version) -> Place:
    if version.run_id is None:
        return Place(kind="run", title="no run", missing=True)
    return Place(
        kind="run",
        title=version.run_id[:_SHORT],
        href=f"/runs/{quote(version.run_id)}",
    )


def _decision(rooms: Rooms, version: Version) -> Place:
    kept = decisions_of(rooms, version.name).get(version.reference)
    if kept is None:
        return Place(kind="decision", title="no gate was asked", missing=True)
    decision = kept.decision
    return Place(
        kind="decision",
        title=f"{decision.outcome.value}{', forced' if decision.forced else ''}",
        href=f"{path_of(version.name, version.number)}/promote",
        at=decision.created,
        facts=(
            ("gate", decision.gate),
            ("against", decision.champion or "no champion"),
            ("by", kept.who or "unknown"),
        ),
    )


def _endpoint(rooms: Rooms, version: Version) -> Place:
    if Alias.CHAMPION.value not in version.aliases:
        return Place(kind="endpoint", title="is not the champion", missing=True)
    moved = last_move(rooms, version)
    return Place(
        kind="endpoint",
        title=f"/v1/models/{version.name}",
        href=f"/endpoints/{quote(version.name, safe='')}",
        at=None if moved is None else moved.at,
        facts=() if moved is None or not moved.why else (("why", moved.why),),
    )
