"""A graph as SVG: boxes that are links, with a sign and words for their state, and smooth edges.

What it looks like is said by `assets/graph.css`, by classes: a page loads that file, since its
policy allows no style within it, and a picture that is a file of its own carries it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Final

from msgspec import Struct

from brinery.charts.layering import Box, Placement, layered

_NAME_LETTER: Final = 7.4
_TOLD_LETTER: Final = 6.4
_PAD: Final = 12.0
_SIGN: Final = 24.0
_HEIGHT: Final = 48.0
_NARROWEST: Final = 168.0
_MARGIN: Final = 12.0
_LONGEST: Final = 30
_ROUND: Final = 8.0
_HEAD: Final = 5.0


class GraphNode(Struct, frozen=True, kw_only=True):
    """A box of a graph.

    Attributes:
        id: unique in it.
        name: its first line.
        told: its second line.
        kind: a class of it, for its colours.
        state: likewise, for how far it is.
        sign: a letter or two for the state, before the name; none where it is empty.
        href: where it leads; nowhere where it is empty.
        hint: all that there is to say, shown when it is pointed at.
        selected: whether it is what the page shows.
        round: radius of its corners, in pixels.
    """

    id: str
    name: str
    told: str = ""
    kind: str = ""
    state: str = ""
    sign: str = ""
    href: str = ""
    hint: str = ""
    selected: bool = False
    round: float = _ROUND


class GraphEdge(Struct, frozen=True, kw_only=True):
    """A line from one box to another.

    Attributes:
        source: id of the box it leaves.
        target: id of the box it ends at.
        hint: shown when it is pointed at.
    """

    source: str
    target: str
    hint: str = ""


def graph_svg(
    nodes: Sequence[GraphNode],
    edges: Sequence[GraphEdge],
    *,
    title: str,
    empty: str = "nothing is here yet",
    whole: bool = False,
) -> str:
    """Return the picture of a graph; all text in it is escaped.

    Args:
        nodes: in an order that is kept where nothing else speaks.
        edges: between them.
        title: what it shows, for those who do not see it.
        empty: what is written where there are no nodes.
        whole: whether it is a file of its own, which carries its style, and not part of a page.
    """
    sizes = {node.id: (_width(node), _HEIGHT) for node in nodes}
    placed = _placed(tuple(sizes.items()), tuple((edge.source, edge.target) for edge in edges))
    wide, high = max(placed.width, 240.0) + 2 * _MARGIN, max(placed.height, 36.0) + 2 * _MARGIN
    view = f"{-_MARGIN:.0f} {-_MARGIN:.0f} {wide:.0f} {high:.0f}"
    # What holds links is no image: they would be lost to those who hear it.
    role = "group" if any(node.href for node in nodes) else "img"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="{role}" '
        f'aria-label="{text_of(title)}" viewBox="{view}" width="{wide:.0f}" height="{high:.0f}">'
    )
    lines = [
        opening,
        f"<title>{text_of(title)}</title>",
        *([f"<style>\n{style()}</style>"] if whole else []),
        *_edges(edges, placed.routes),
        *(_node(node, placed.boxes[node.id]) for node in nodes),
    ]
    if not nodes:
        lines.append(f'<text class="told" x="0" y="20">{text_of(empty)}</text>')
    return "\n".join([*lines, "</svg>\n"])


@lru_cache(maxsize=32)
def _placed(
    sizes: tuple[tuple[str, tuple[float, float]], ...], links: tuple[tuple[str, str], ...]
) -> Placement:
    """Return where everything is; a graph that is looked at again stands where it stood."""
    return layered(dict(sizes), links)


def style() -> str:
    """Return the style of a picture that is a file of its own: colours, and what has them."""
    folder = resources.files("brinery.charts") / "assets"
    return "".join((folder / name).read_text("utf-8") for name in ("tokens.css", "graph.css"))


def _edges(
    edges: Sequence[GraphEdge],
    routes: Mapping[tuple[str, str], Sequence[tuple[float, float]]],
) -> list[str]:
    drawn = []
    for edge in edges:
        way = routes.get((edge.source, edge.target))
        if way is not None:
            said = f"<title>{text_of(edge.hint)}</title>" if edge.hint else ""
            drawn.append(f'<path class="edge" d="{_path(way)}">{said}</path>')
    return drawn


def _path(way: Sequence[tuple[float, float]]) -> str:
    """Return a smooth line through points, with a head at its end."""
    (x, y), *following = way
    parts = [f"M{x:.1f} {y:.1f}"]
    for at, (to_x, to_y) in enumerate(following):
        if at % 2 or abs(to_y - y) < 0.05:  # noqa: PLR2004 - less than is written
            parts.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            half = (x + to_x) / 2 if to_x > x else x + 2 * _MARGIN
            back = half if to_x > x else to_x - 2 * _MARGIN
            parts.append(f"C{half:.1f} {y:.1f} {back:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    head = (
        f"M{x - _HEAD:.1f} {y - _HEAD + 1:.1f}L{x:.1f} {y:.1f}L{x - _HEAD:.1f} {y + _HEAD - 1:.1f}"
    )
    return "".join([*parts, head])


def _node(node: GraphNode, box: Box) -> str:
    left = box.left + _PAD
    said = node.hint or f"{node.name} {node.told}".strip()
    classes = " ".join(
        one for one in ("node", node.kind, node.state, "selected" if node.selected else "") if one
    )
    sign = ""
    if node.sign:
        sign = (
            f'<text class="sign" aria-hidden="true" x="{left:.1f}" y="{box.top + 21:.1f}">'
            f"{text_of(node.sign)}</text>"
        )
        left += _SIGN - 4
    name, told = text_of(short(node.name)), text_of(short(node.told))
    # What is said when the box is pointed at is not its name, which is what stands in it.
    inner = (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.0f}" rx="{node.round:g}"><title>{text_of(said)}</title></rect>{sign}'
        f'<text class="name" x="{left:.1f}" y="{box.top + 21:.1f}">{name}</text>'
        f'<text class="told" x="{left:.1f}" y="{box.top + 37:.1f}">{told}</text>'
    )
    if node.href:
        current = ' aria-current="true"' if node.selected else ""
        inner = f'<a href="{text_of(node.href)}"{current}>{inner}</a>'
    return f'<g class="{classes}" data-node="{text_of(node.id)}">{inner}</g>'


def _width(node: GraphNode) -> float:
    lines = (len(short(node.name)) * _NAME_LETTER, len(short(node.told)) * _TOLD_LETTER)
    return max(_NARROWEST, max(lines) + 2 * _PAD + (_SIGN if node.sign else 0))


def text_of(said: str) -> str:
    """Return text for a picture: escaped, and without what XML has no way to say."""
    return escape(
        "".join(
            one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in said
        )
    )


def short(text: str) -> str:
    """Return a text as it stands in a box: of a long one its end, which tells it from others."""
    return text if len(text) <= _LONGEST else f"…{text[-(_LONGEST - 1) :]}"
