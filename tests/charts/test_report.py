"""The report: one file, readable by everybody, that needs no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser
from tests.browser import AXE, PHONE_WIDTH_PX, THEMES, launched, needs_axe, needs_browser

from brinery.charts import report
from brinery.records.appraisal import Appraisal
from brinery.records.version import Version

GOLDEN = Path(__file__).parents[1] / "golden"


class _Text(HTMLParser):
    """Reads what a page says, a line for each element that holds text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.lines.append(" ".join(data.split()))


def text_of(page: str) -> str:
    """Return what a page says."""
    parser = _Text()
    parser.feed(page)
    return "\n".join(parser.lines) + "\n"


@pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
def test_what_the_report_says(
    appraisals: dict[str, Appraisal], version: Version, name: str
) -> None:
    """The text of the report is what was agreed on; a change shows in the golden file."""
    golden = GOLDEN / f"report-{name}.txt"
    assert text_of(report.render(appraisals[name], version)) == golden.read_text(encoding="utf-8")


def test_it_asks_the_network_for_nothing(appraisal: Appraisal, version: Version) -> None:
    """No address is fetched: no source, no link to a style, and a policy that forbids it."""
    page = report.render(appraisal, version)
    assert not re.search(r"<(?:script|img|iframe)[^>]* src=|<link|@import|url\(", _shell(page))
    assert "default-src 'none'" in page


def test_the_record_is_in_the_file(appraisal: Appraisal, version: Version) -> None:
    """The figures can be read back from the file by a program."""
    page = report.render(appraisal, version)
    found = re.search(r'<script type="application/json" id="record">(.*?)</script>', page, re.S)
    assert found is not None
    record = json.loads(found.group(1))
    assert appraisal.evaluation is not None
    assert record["evaluation"]["metrics"] == appraisal.evaluation.metrics


def test_nothing_in_the_data_becomes_code(
    appraisals: dict[str, Appraisal], version: Version
) -> None:
    """A name of a file that ends the script is text, wherever it is written."""
    hostile = "</script><script>alert(1)</script>.csv"
    data = replace(appraisals["binary"].data, name=hostile)
    page = report.render(replace(appraisals["binary"], data=data), version)
    assert "<script>alert(1)" not in page


def test_a_report_of_nothing_is_small_and_says_why(empty: Appraisal, version: Version) -> None:
    """Without a figure no script is carried along, and the reason is on the first screen."""
    page = report.render(empty, version)
    assert len(page) < 50_000
    assert "no target was named" in text_of(page)


def _shell(page: str) -> str:
    """Return a page without what is inside its scripts."""
    return re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", page, flags=re.S)


class TestInABrowser:
    """What a reader sees."""

    pytestmark = needs_browser

    @pytest.fixture(scope="class")
    def browser(self) -> Iterator[Browser]:
        with launched() as chromium:
            yield chromium

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("width_px", [1280, PHONE_WIDTH_PX])
    def test_every_chart_is_drawn(
        self,
        browser: Browser,
        appraisal: Appraisal,
        version: Version,
        tmp_path: Path,
        width_px: int,
        theme: str,
    ) -> None:
        """From a file, without a network, no error: each chart is there and nothing sticks out."""
        path = tmp_path / "report.html"
        path.write_text(report.render(appraisal, version), encoding="utf-8")
        context = browser.new_context(viewport={"width": width_px, "height": 900}, offline=True)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.goto(path.as_uri())
        charts = page.locator(".chart")
        for place in range(charts.count()):
            charts.nth(place).scroll_into_view_if_needed()
            charts.nth(place).locator("svg.main-svg").first.wait_for()
        assert charts.count() >= 8
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px
        context.close()

    def test_a_chosen_theme_recolours_the_charts(
        self,
        browser: Browser,
        appraisals: dict[str, Appraisal],
        version: Version,
        tmp_path: Path,
    ) -> None:
        """The switch changes the page and the charts that are drawn already."""
        path = tmp_path / "report.html"
        path.write_text(report.render(appraisals["regression"], version), encoding="utf-8")
        context = browser.new_context()
        page = context.new_page()
        page.emulate_media(color_scheme="light")
        page.goto(path.as_uri())
        chart = page.locator(".chart").first
        chart.scroll_into_view_if_needed()
        text = chart.locator("text").first
        before = text.evaluate("(node) => getComputedStyle(node).fill")
        page.locator('input[value="dark"]').check()
        assert text.evaluate("(node) => getComputedStyle(node).fill") != before
        context.close()

    @needs_axe
    @pytest.mark.parametrize("theme", THEMES)
    def test_axe_finds_nothing_serious(
        self,
        browser: Browser,
        appraisals: dict[str, Appraisal],
        version: Version,
        tmp_path: Path,
        theme: str,
    ) -> None:
        """No serious or critical accessibility fault."""
        path = tmp_path / "report.html"
        path.write_text(report.render(appraisals["binary"], version), encoding="utf-8")
        context = browser.new_context()
        page = context.new_page()
        page.goto(path.as_uri())
        page.locator(f'input[value="{theme}"]').check()
        for summary in page.locator("summary").all():
            summary.click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document)")
        assert [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
            for violation in result["violations"]
            if violation["impact"] in {"serious", "critical"}
        ] == []
        context.close()
