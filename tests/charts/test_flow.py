"""The picture of the flow: whole, safe and readable."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.browser import CHROMIUM, THEMES, launched
from tests.pipeline.test_flow import TUTORIAL, drawn
from tests.pipeline.test_recipes import run, use

from brinery.charts.flow import flow_svg
from brinery.pipeline.flow import layers
from brinery.records.flow import Flow, ItemKind, Use, UseKind

SVG = "{http://www.w3.org/2000/svg}"


def picture(flow: Flow) -> ET.Element:
    return ET.fromstring(flow_svg(flow, layers(flow)))  # noqa: S314 - of our own making


def test_every_node_and_edge_is_drawn() -> None:
    """There is a box for each node and a line for each edge, and no two boxes lie on each other."""
    flow = drawn(*TUTORIAL)
    root = picture(flow)
    boxes = [one for one in root.iter(f"{SVG}g") if one.get("data-node")]
    assert {one.get("data-node") for one in boxes} == {node.id for node in flow.nodes}
    assert len(root.findall(f"{SVG}path")) == len(flow.edges)
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
    text = flow_svg(flow, layers(flow))
    assert "<script>" not in text
    assert "&lt;script&gt;&amp;.py" in text
    assert re.search(r"https?://(?!www\.w3\.org/2000/svg)", text) is None


# Least contrast of two colours of a page's text; WCAG 2.1, 1.4.3.
CONTRAST = """() => {
  const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }
  const light = c => {
    const [r, g, b] = c.match(/[0-9.]+/g).map(Number)
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
  }
  return [...document.querySelectorAll("g[data-node]")].flatMap(g => {
    const back = light(getComputedStyle(g.querySelector("rect")).fill)
    return [...g.querySelectorAll("text")].map(t => {
      const ink = light(getComputedStyle(t).fill)
      return (Math.max(back, ink) + 0.05) / (Math.min(back, ink) + 0.05)
    })
  })
}"""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium at /usr/bin/chromium")
def test_every_text_can_be_read_in_light_and_dark(tmp_path: Path) -> None:
    """In a browser the file shows each name on its box, with enough contrast in both themes."""
    variables = Use(kind=UseKind.READ, item=ItemKind.VARIABLES, project="P", name="P", version="a")
    flow = drawn(*TUTORIAL, run("rates.py", variables, use(UseKind.WRITTEN, "rates")))
    file = tmp_path / "flow.svg"
    file.write_text(flow_svg(flow, layers(flow)), encoding="utf-8")
    with launched() as browser:
        for theme in THEMES:
            page = browser.new_page()
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.goto(file.as_uri())
            found = page.evaluate(CONTRAST)
            assert len(found) == 2 * len(flow.nodes)
            assert min(found) >= 4.5


def test_an_empty_flow_says_so() -> None:
    """A project in which nothing was run has a picture that says so."""
    assert "nothing was run yet" in flow_svg(Flow(project="P"), [])
