"""The flow of a project as an SVG of its own: columns of boxes, each behind all that feed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from brinery.records.flow import Flow, FlowNode, NodeKind, NodeState

_LETTER: Final = 7.2
_PAD: Final = 14.0
_HEIGHT: Final = 46.0
_GAP_X: Final = 64.0
_GAP_Y: Final = 22.0
_MARGIN: Final = 16.0
_LONGEST: Final = 34
_ROUND: Final[Mapping[NodeKind, float]] = {
    NodeKind.DATASET: 4.0,
    NodeKind.FOLDER: 4.0,
    NodeKind.MODEL: 12.0,
    NodeKind.VARIABLES: 0.0,
    NodeKind.RECIPE: 23.0,
}
_ARROW: Final = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8" /></marker>'
)
_STYLE: Final = """
  .flow { color: #1f2933; color-scheme: light dark; }
  .flow { font: 12px ui-sans-serif, system-ui, sans-serif; }
  .flow rect { fill: #ffffff; stroke: #9aa5b1; stroke-width: 1.2; }
  .flow .dataset rect { fill: #e6f0fb; stroke: #3d7ab8; }
  .flow .folder rect { fill: #f4efe2; stroke: #a3812f; }
  .flow .model rect { fill: #e7f4ea; stroke: #3f8a52; }
  .flow .variables rect { fill: #f1eaf7; stroke: #7d5ba6; }
  .flow .outdated rect { stroke-dasharray: 5 3; stroke: #b4552d; }
  .flow .missing rect { stroke-dasharray: 2 3; stroke: #a61b1b; }
  .flow path { fill: none; stroke: #7b8794; stroke-width: 1.3; }
  .flow text { fill: currentColor; text-anchor: middle; }
  .flow .told { fill: #52606d; font-size: 10px; }
  .flow .outdated .told, .flow .missing .told { fill: #9c3f1a; }
  @media (prefers-color-scheme: dark) {
    .flow { color: #e4e7eb; }
    .flow rect { fill: #1f2933; }
    .flow .dataset rect { fill: #12304d; }
    .flow .folder rect { fill: #3a3116; }
    .flow .model rect { fill: #17351f; }
    .flow .variables rect { fill: #2c2140; }
    .flow .told { fill: #9aa5b1; }
    .flow .outdated .told, .flow .missing .told { fill: #f0a37e; }
  }
""".strip("\n")


class _Box(NamedTuple):
    """Where a node is drawn, in pixels: its left, its top and its width."""

    left: float
    top: float
    width: float


def flow_svg(flow: Flow, layers: Sequence[Sequence[FlowNode]]) -> str:
    """Return a picture of a flow, whole in itself, for light and dark pages.

    Args:
        flow: with at least one node, or none: then the picture says so.
        layers: its nodes in columns, in the order of their rows.
    """
    boxes, width, height = _places(layers)
    title = f"The flow of {flow.project}: {len(flow.nodes)} nodes"
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" {size}>',
        f"<title>{escape(title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        f"<defs>{_ARROW}</defs>",
    ]
    lines += [_edge(boxes[one.source], boxes[one.target]) for one in flow.edges]
    for column in layers:
        lines += [_node(node, boxes[node.id]) for node in column]
    if not flow.nodes:
        lines.append(f'<text x="{width / 2:.0f}" y="30">nothing was run yet</text>')
    return "\n".join([*lines, "</svg>\n"])


def _places(layers: Sequence[Sequence[FlowNode]]) -> tuple[dict[str, _Box], float, float]:
    tallest = max((len(column) for column in layers), default=0)
    height = max(60.0, 2 * _MARGIN + tallest * (_HEIGHT + _GAP_Y) - _GAP_Y)
    boxes: dict[str, _Box] = {}
    left = _MARGIN
    for column in layers:
        wide = max(_width(node) for node in column)
        taken = len(column) * (_HEIGHT + _GAP_Y) - _GAP_Y
        top = (height - taken) / 2
        for node in column:
            boxes[node.id] = _Box(left, top, wide)
            top += _HEIGHT + _GAP_Y
        left += wide + _GAP_X
    return boxes, max(240.0, left - _GAP_X + _MARGIN), height


def _width(node: FlowNode) -> float:
    longest = max(len(_short(node.name)), len(_told(node)) * 0.85)
    return longest * _LETTER + 2 * _PAD


def _edge(start: _Box, end: _Box) -> str:
    x0, y0 = start.left + start.width, start.top + _HEIGHT / 2
    x1, y1 = end.left, end.top + _HEIGHT / 2
    bend = max(24.0, (x1 - x0) / 2)
    return (
        f'<path d="M{x0:.1f} {y0:.1f}C{x0 + bend:.1f} {y0:.1f} {x1 - bend:.1f} {y1:.1f} '
        f'{x1 - 2:.1f} {y1:.1f}" marker-end="url(#arrow)" />'
    )


def _node(node: FlowNode, box: _Box) -> str:
    middle = box.left + box.width / 2
    said = "\n".join(one for one in (f"{node.kind} {node.name}", node.why, node.version) if one)
    return (
        f'<g class="{node.kind} {node.state}" data-node="{escape(node.id)}">'
        f"<title>{escape(said)}</title>"
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" '
        f'height="{_HEIGHT:.0f}" rx="{_ROUND[node.kind]:.0f}" />'
        f'<text x="{middle:.1f}" y="{box.top + 20:.1f}">{escape(_short(node.name))}</text>'
        f'<text class="told" x="{middle:.1f}" y="{box.top + 36:.1f}">{escape(_told(node))}</text>'
        "</g>"
    )


def _told(node: FlowNode) -> str:
    """Return the second line of a box."""
    if node.state is NodeState.MISSING:
        return "gone"
    if node.kind is NodeKind.RECIPE:
        return "out of date" if node.why else "up to date"
    return _short(node.detail or node.version or str(node.kind))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"…{text[-(_LONGEST - 1) :]}"
