"""The picture of a graph: links, words for states, and no text that is more than text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from brinery.charts.graph import GraphEdge, GraphNode, graph_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '<img src=x onerror="alert(1)">',
    "\"'>",
    "../../etc/passwd",
    "ü\u202e名",
    "a\x1b[0m\x00",
]


def drawn(*nodes: GraphNode, whole: bool = False) -> ET.Element:
    edges = [GraphEdge(source=one.id, target=other.id) for one, other in pairwise(nodes)]
    return ET.fromstring(graph_svg(nodes, edges, title="t", whole=whole))  # noqa: S314 - our own


def test_a_box_is_a_link_with_its_state_in_words() -> None:
    """It leads somewhere, says its state by a sign and words, and which one is shown."""
    root = drawn(
        GraphNode(
            id="a", name="prep", told="reused", state="good", sign="↺", href="/jobs/j?step=a"
        ),
        GraphNode(
            id="b", name="train", told="failed", state="bad", sign="✕", href="/b", selected=True
        ),
    )
    links = list(root.iter(f"{SVG}a"))
    assert [link.get("href") for link in links] == ["/jobs/j?step=a", "/b"]
    told = [" ".join(one.text or "" for one in link.iter(f"{SVG}text")) for link in links]
    assert told == ["↺ prep reused", "✕ train failed"]
    assert [link.get("aria-current") for link in links] == [None, "true"]
    assert root.get("role") == "group"
    assert {text.text for text in root.iter(f"{SVG}text")} >= {"prep", "reused", "✕"}


def test_a_part_of_a_page_has_no_style_of_its_own() -> None:
    """The page's policy forbids it; a picture that is a file carries its colours."""
    assert drawn(GraphNode(id="a", name="a")).find(f"{SVG}style") is None
    carried = drawn(GraphNode(id="a", name="a"), whole=True).find(f"{SVG}style")
    assert carried is not None
    assert "--brine" in (carried.text or "")
    assert 'style="' not in graph_svg([GraphNode(id="a", name="a")], [], title="t")


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_node_is_called_is_text(name: str) -> None:
    """It becomes no element and no attribute, and the picture can be read."""
    root = drawn(GraphNode(id=name, name=name, told=name, hint=name, href=f"/x?{name}"))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        "svg",
        "title",
        "g",
        "a",
        "rect",
        "text",
    }
    assert all("on" not in key[:2] for one in root.iter() for key in one.attrib)


def test_a_long_name_is_told_by_its_end() -> None:
    """300 letters make no box that wide; all of them are there when it is pointed at."""
    root = drawn(GraphNode(id="a", name="x" * 299 + "y"))
    rect = root.find(f".//{SVG}rect")
    assert rect is not None
    assert float(rect.get("width", "0")) < 320
    assert any((title.text or "").startswith("x" * 299) for title in root.iter(f"{SVG}title"))
