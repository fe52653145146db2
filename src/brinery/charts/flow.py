"""The flow of a project as a graph: datasets, folders, models, and the recipes between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from brinery.charts.graph import GraphEdge, GraphNode, graph_svg
from brinery.records.flow import Flow, FlowNode, NodeKind, NodeState

_ROUND: Final[Mapping[NodeKind, float]] = {
    NodeKind.DATASET: 3.0,
    NodeKind.FOLDER: 3.0,
    NodeKind.MODEL: 12.0,
    NodeKind.VARIABLES: 0.0,
    NodeKind.RECIPE: 24.0,
}
_SIGNS: Final[Mapping[NodeKind, str]] = {
    NodeKind.DATASET: "▦",
    NodeKind.FOLDER: "▤",
    NodeKind.MODEL: "◆",
    NodeKind.VARIABLES: "≡",
    NodeKind.RECIPE: "▶",
}


def flow_svg(
    flow: Flow,
    *,
    href: Callable[[FlowNode], str] = lambda _: "",
    selected: str = "",
    whole: bool = True,
) -> str:
    """Return a picture of a flow, for light and dark pages.

    Args:
        flow: with nodes, or none: then the picture says so.
        href: gives where a node leads; empty for nowhere.
        selected: id of the node that the page shows.
        whole: whether it is a file of its own, which carries its style.
    """
    nodes = [
        GraphNode(
            id=node.id,
            name=node.name,
            told=_told(node),
            kind=str(node.kind),
            state=str(node.state),
            sign=_SIGNS[node.kind],
            href=href(node),
            hint=". ".join(
                one for one in (f"{node.kind} {node.name}", _told(node), node.why) if one
            ),
            selected=node.id == selected,
            round=_ROUND[node.kind],
        )
        for node in flow.nodes
    ]
    edges = [
        GraphEdge(source=one.source, target=one.target, hint=one.version) for one in flow.edges
    ]
    title = f"The flow of {flow.project}: {len(flow.nodes)} nodes"
    return graph_svg(nodes, edges, title=title, empty="nothing was run yet", whole=whole)


def _told(node: FlowNode) -> str:
    """Return the second line of a box."""
    if node.state is NodeState.MISSING:
        return "gone"
    if node.kind is NodeKind.RECIPE:
        return "out of date" if node.why else "up to date"
    if node.state is NodeState.OUTDATED:
        return "out of date"
    return node.detail or node.version or str(node.kind)
