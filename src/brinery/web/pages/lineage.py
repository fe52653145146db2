"""Where a version comes from and where it went: data, run, version, decision, endpoint.

The way is a graph, whose boxes lead to the pages of what they are, and a list that says more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from brinery.actions.history import last_move
from brinery.actions.outline import decisions_of
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.charts.graph import GraphEdge, GraphNode, graph_svg
from brinery.records.decision import Outcome
from brinery.records.history import KeptDecision
from brinery.records.version import Alias, Version
from brinery.web.pages.models import path_of

_SHORT: Final = 12
_SIGNS: Final[Mapping[str, str]] = {
    "data": "▦",
    "model file": "▤",
    "run": "▶",
    "version": "◆",
    "champion": "◆",
    "decision": "§",
    "endpoint": "●",
}
_STATES: Final = {Outcome.PASSES: "good", Outcome.FAILS: "bad", Outcome.NOT_DECIDABLE: "warning"}


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
        after: the kinds of the steps that lead to it.
        state: a class of its box, for how far it is.
    """

    kind: str
    title: str
    href: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None
    here: bool = False
    missing: bool = False
    after: tuple[str, ...] = ()
    state: str = ""


def shown(rooms: Rooms, version: Version) -> dict[str, Any]:
    """Return a version's way as a graph, and as a list."""
    found = steps(rooms, version)
    return {"steps": found, "graph": Markup(picture(version.reference, found))}  # noqa: S704 - escaped there


def picture(reference: str, places: Sequence[Place]) -> str:
    """Return the picture of a version's way, for light and dark pages.

    Args:
        reference: of the version.
        places: on the way, one of each kind.
    """
    kinds = {place.kind for place in places}
    nodes = [
        GraphNode(
            id=place.kind,
            name=place.title,
            told=place.kind,
            state="idle" if place.missing else place.state,
            sign=_SIGNS[place.kind],
            href=place.href,
            hint=". ".join(
                [f"{place.kind} {place.title}", *(f"{name} {value}" for name, value in place.facts)]
            ),
            selected=place.here,
        )
        for place in places
    ]
    edges = [
        GraphEdge(source=before, target=place.kind)
        for place in places
        for before in place.after
        if before in kinds
    ]
    way = ", ".join(f"{place.kind} {place.title}" for place in places)
    return graph_svg(nodes, edges, title=f"The way of {reference}: {way}")


def steps(rooms: Rooms, version: Version) -> list[Place]:
    """Return the steps of a version's way, in order."""
    kept = decisions_of(rooms, version.name).get(version.reference)
    return [
        *_sources(version),
        _run(version),
        Place(
            kind="version",
            title=version.reference,
            href=path_of(version.name, version.number),
            at=version.created,
            here=True,
            after=("run",),
            state="good" if version.aliases else "",
            facts=(("aliases", ", ".join(version.aliases) or "none"),),
        ),
        *_against(kept),
        _decision(kept, version),
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
        href=f"{path_of(version.name, version.number)}?tab=files",
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
            href=f"{path_of(version.name, version.number)}?tab=signature",
            facts=(*rows, ("sha256", data.sha256[:_SHORT])),
        ),
        file,
    ]


def _run(version: Version) -> Place:
    after = ("data", "model file")
    if version.run_id is None:
        return Place(kind="run", title="no run", missing=True, after=after)
    return Place(
        kind="run",
        title=version.run_id[:_SHORT],
        href=f"/runs/{quote(version.run_id)}",
        after=after,
    )


def _decision(kept: KeptDecision | None, version: Version) -> Place:
    if kept is None:
        return Place(kind="decision", title="no gate was asked", missing=True, after=("version",))
    decision = kept.decision
    return Place(
        kind="decision",
        title=f"{decision.outcome.value}{', forced' if decision.forced else ''}",
        href=f"{path_of(version.name, version.number)}/promote",
        at=decision.created,
        after=("version", "champion"),
        state=_STATES[decision.outcome],
        facts=(
            ("gate", decision.gate),
            ("against", decision.champion or "no champion"),
            ("by", kept.who or "unknown"),
        ),
    )


def _against(kept: KeptDecision | None) -> list[Place]:
    """Return the champion that a version was compared with, if any."""
    if kept is None or not kept.decision.champion:
        return []
    reference = kept.decision.champion
    name, _, number = reference.rpartition("@")
    href = path_of(name, int(number)) if number.isdigit() else ""
    return [Place(kind="champion", title=reference, href=href)]


def _endpoint(rooms: Rooms, version: Version) -> Place:
    if Alias.CHAMPION.value not in version.aliases:
        title = "is not the champion"
        return Place(kind="endpoint", title=title, missing=True, after=("decision",))
    moved = last_move(rooms, version)
    return Place(
        kind="endpoint",
        title=f"/v1/models/{version.name}",
        href=f"/endpoints/{quote(version.name, safe='')}",
        at=None if moved is None else moved.at,
        after=("decision",),
        state="good",
        facts=() if moved is None or not moved.why else (("why", moved.why),),
    )
