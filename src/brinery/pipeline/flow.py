"""The flow as a graph: what recipes did, item by item, and what of it is out of date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from brinery.pipeline.recipes import of_kind
from brinery.records.flow import (
    Activity,
    Flow,
    FlowEdge,
    FlowNode,
    ItemKind,
    NodeKind,
    NodeState,
    Use,
    UseKind,
)

_KINDS = {
    ItemKind.DATASET: NodeKind.DATASET,
    ItemKind.FOLDER: NodeKind.FOLDER,
    ItemKind.MODEL: NodeKind.MODEL,
    ItemKind.VARIABLES: NodeKind.VARIABLES,
}


class ItemFacts(Struct, frozen=True, kw_only=True):
    """What is known of an item now.

    Attributes:
        name: as people call it.
        there: whether it is.
        version: of its content.
        at: when it was written; None where nobody knows.
        detail: rows and size, in words.
    """

    name: str
    there: bool = True
    version: str = ""
    at: datetime | None = None
    detail: str = ""


def node_of(use: Use) -> str:
    """Return the id of the node of an item: of a folder, whatever path of it was used."""
    return f"{use.item}:{use.project}.{use.name}"


def recipe_node(recipe: str) -> str:
    """Return the id of the node of a recipe."""
    return f"recipe:{recipe}"


def graph(
    project: str,
    activities: Iterable[Activity],
    *,
    items: Mapping[str, ItemFacts],
    changed: Mapping[str, str],
) -> Flow:
    """Return the graph of a project.

    An edge that would lead back to where it comes from is left out: a recipe that reads a folder
    and writes to it reads it.

    Args:
        project: its key.
        activities: the newest of each recipe, the oldest first.
        items: what is known of each item that was used, and of those that were not, by node.
        changed: why a recipe would leave something else now, in words, by its name; a recipe that
            is not here would not.
    """
    known = list(activities)
    edges: dict[tuple[str, str], FlowEdge] = {}
    above: dict[str, set[str]] = {}
    for kind in (UseKind.READ, UseKind.WRITTEN, UseKind.TRACKED):
        for activity in known:
            recipe = recipe_node(activity.recipe)
            for use in of_kind(activity, kind):
                item = node_of(use)
                pair = (item, recipe) if kind is UseKind.READ else (recipe, item)
                if pair in edges or not _reaches(above, pair[1], pair[0]):
                    edges[pair] = FlowEdge(
                        source=pair[0], target=pair[1], version=use.version, at=use.at
                    )
                    above.setdefault(pair[1], set()).add(pair[0])
    nodes = _nodes(known, items, above=above, changed=changed)
    return Flow(project=project, nodes=nodes, edges=tuple(edges.values()))


def layers(flow: Flow) -> list[list[FlowNode]]:
    """Return the nodes in columns: each behind all that feed it, near to what feeds it."""
    above: dict[str, list[str]] = {}
    for edge in flow.edges:
        above.setdefault(edge.target, []).append(edge.source)
    depth: dict[str, int] = {}
    for node in flow.nodes:
        depth[node.id] = max((depth[one] + 1 for one in above.get(node.id, ())), default=0)
    found: list[list[FlowNode]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in flow.nodes:
        found[depth[node.id]].append(node)
    row: dict[str, float] = {}
    for column in found:
        column.sort(key=lambda node: _middle([row[one] for one in above.get(node.id, ())]))
        row |= {node.id: float(at) for at, node in enumerate(column)}
    return found


def _middle(rows: Sequence[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _nodes(
    activities: Sequence[Activity],
    items: Mapping[str, ItemFacts],
    *,
    above: Mapping[str, set[str]],
    changed: Mapping[str, str],
) -> tuple[FlowNode, ...]:
    recipes = {recipe_node(one.recipe): one for one in activities}
    waiting = [*items, *(one for one in recipes if one not in items)]
    found: dict[str, FlowNode] = {}
    while waiting:
        # There is no way round in a circle, so that one of them is always ready.
        ready = next(one for one in waiting if above.get(one, set()) <= set(found))
        waiting.remove(ready)
        before = [found[one] for one in sorted(above.get(ready, ()))]
        if ready in recipes:
            found[ready] = _recipe(recipes[ready], before, why=changed.get(recipes[ready].recipe))
        else:
            found[ready] = _item(ready, items[ready], before)
    return tuple(found.values())


def _recipe(activity: Activity, before: Sequence[FlowNode], *, why: str | None) -> FlowNode:
    old = [one.name for one in before if one.state is NodeState.OUTDATED]
    if why is None and old:
        why = f"{' and '.join(old)} {'are' if len(old) > 1 else 'is'} out of date"
    return FlowNode(
        id=recipe_node(activity.recipe),
        kind=NodeKind.RECIPE,
        name=activity.recipe,
        version=activity.job,
        at=activity.ended,
        state=NodeState.CURRENT if why is None else NodeState.OUTDATED,
        why=why or "",
    )


def _item(node: str, facts: ItemFacts, before: Sequence[FlowNode]) -> FlowNode:
    kind = _KINDS[ItemKind(node.partition(":")[0])]
    old = [one for one in before if one.state is NodeState.OUTDATED]
    why = ""
    if not facts.there:
        state, why = NodeState.MISSING, "it is gone"
    elif not before:
        state = NodeState.SOURCE
    elif old:
        state, why = NodeState.OUTDATED, f"{old[0].name} would write something else"
    else:
        state = NodeState.CURRENT
    return FlowNode(
        id=node,
        kind=kind,
        name=facts.name,
        version=facts.version,
        at=facts.at,
        state=state,
        why=why,
        detail=facts.detail,
    )


def _reaches(above: Mapping[str, set[str]], start: str, end: str) -> bool:
    """Return whether one node is above another, or is it."""
    waiting, seen = [end], set[str]()
    while waiting:
        one = waiting.pop()
        if one == start:
            return True
        if one not in seen:
            seen.add(one)
            waiting += above.get(one, ())
    return False
