"""The picture of the flow: whole, safe and readable."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tests.pipeline.test_flow import TUTORIAL, drawn
from tests.pipeline.test_recipes import run, use

from brinery.charts.flow import flow_svg
from brinery.records.flow import Flow, UseKind

SVG = "{http://www.w3.org/2000/svg}"


def picture(flow: Flow) -> ET.Element:
    return ET.fromstring(flow_svg(flow))  # noqa: S314 - of our own making


def test_every_node_and_edge_is_drawn() -> None:
    """There is a box for each node and a line for each edge, and no two boxes lie on each other."""
    flow = drawn(*TUTORIAL)
    root = picture(flow)
    boxes = [one for one in root.iter(f"{SVG}g") if one.get("data-node")]
    assert {one.get("data-node") for one in boxes} == {node.id for node in flow.nodes}
    assert len(list(root.iter(f"{SVG}path"))) == len(flow.edges)
    width = float(root.get("width", "0"))
    taken: list[tuple[float, float, float, float]] = []
    for one in boxes:
        rect = one.find(f"{SVG}rect")
        assert rect is not None
        x, y, w, h = (float(rect.get(key, "0")) for key in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + w <= width
        assert all(x + w <= a or a + c <= x or y + h <= b or b + d <= y for a, b, c, d in taken)
        taken.append((x, y, w, h))


def test_names_are_texts() -> None:
    """What is in a name is shown as it is, and never becomes part of the picture."""
    flow = drawn(run("<script>&.py", use(UseKind.WRITTEN, "a")))
    text = flow_svg(flow)
    assert "<script>" not in text
    assert "&lt;script&gt;&amp;.py" in text
    assert re.search(r"https?://(?!www\.w3\.org/2000/svg)", text) is None


def test_an_empty_flow_says_so() -> None:
    """A project in which nothing was run has a picture that says so."""
    assert "nothing was run yet" in flow_svg(Flow(project="P"))
