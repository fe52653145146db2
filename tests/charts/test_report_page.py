"""The pages in a real browser, opened from a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser import AXE, PHONE_WIDTH_PX, THEMES, launched, needs_axe, needs_browser

from brinery.charts import loop, report
from brinery.records.appraisal import Appraisal
from brinery.records.decision import Decision, Outcome, RuleResult
from brinery.records.turn import Ending, Trigger, Turn
from brinery.records.version import Version

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.mark.parametrize("width_px", [1280, PHONE_WIDTH_PX])
def test_every_chart_is_drawn(
    browser: Browser, appraisal: Appraisal, *, version: Version, tmp_path: Path, width_px: int
) -> None:
    """From a file, without a network, no error: each chart is there and nothing sticks out."""
    path = tmp_path / "report.html"
    path.write_text(report.render(appraisal, version), encoding="utf-8")
    assert drawn(browser, path, width_px=width_px) >= 8


@pytest.mark.parametrize("width_px", [1280, PHONE_WIDTH_PX])
def test_the_story_of_a_loop_is_drawn(browser: Browser, tmp_path: Path, width_px: int) -> None:
    """Both charts of a loop's page are there, from a file, without an error."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    turns = [
        Turn(
            loop="weekly",
            model="bank",
            trigger=Trigger.CRON,
            number=week,
            started=start + timedelta(weeks=week),
            ended=start + timedelta(weeks=week, minutes=5),
            ending=Ending.PROMOTED if week < 3 else Ending.KEPT,
            version=week,
            champion=min(week, 2),
            decision=judged(week),
        )
        for week in (1, 2, 3)
    ]
    path = tmp_path / "loop.html"
    path.write_text(loop.render(turns), encoding="utf-8")
    assert drawn(browser, path, width_px=width_px) == 2


def judged(week: int) -> Decision:
    """Return what a gate decided of a week's version."""
    return Decision(
        reference=f"bank@{week}",
        champion=f"bank@{max(week - 1, 1)}",
        gate="default",
        created=datetime(2026, 1, 5, tzinfo=UTC),
        data=None,
        rules=(
            RuleResult(
                rule="roc_auc better than the champion's",
                outcome=Outcome.PASSES,
                champion=0.8,
                candidate=0.8 + week / 100,
                why="it is better",
            ),
        ),
        outcome=Outcome.PASSES,
    )


def drawn(browser: Browser, path: Path, *, width_px: int) -> int:
    """Return how many charts a page draws; it says nothing and nothing of it sticks out."""
    context = browser.new_context(viewport={"width": width_px, "height": 900}, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    charts = page.locator(".chart")
    for place in range(charts.count()):
        charts.nth(place).scroll_into_view_if_needed()
        charts.nth(place).locator("svg.main-svg").first.wait_for()
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    found = charts.count()
    context.close()
    return found


def test_a_chosen_theme_recolours_the_charts(
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
