"""The pages of models in a real browser, on a real `brinery up`: what a team does there."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TimedOut
from tests.browser import (
    AXE,
    PHONE_WIDTH_PX,
    THEMES,
    WAIT_MS,
    launched,
    needs_axe,
    needs_browser,
    opened,
)
from tests.web.conftest import Up, running_up
from tests.web.pages.models import LONG, QUOTES, SCRIPT, hostile

pytestmark = [*needs_browser, pytest.mark.slow]

_RESIZED_MS = WAIT_MS
_FITS = "() => document.documentElement.scrollWidth <= innerWidth"
_VERSION = "/models/risk/versions/1"
_PAGES = (
    "/models",
    "/models/risk",
    "/models/risk?tab=history",
    _VERSION,
    *(
        f"{_VERSION}?tab={tab}"
        for tab in ("reasons", "groups", "rows", "whatif", "signature", "lineage", "trust", "files")
    ),
    "/models/risk/versions/2/promote",
    f"{_VERSION}/package",
    "/compare?versions=risk@2&versions=risk@1",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server in whose workspace risk@1 is the champion; each test ends where it began."""
    workspace = hostile(tmp_path_factory.mktemp("flows"))
    with running_up(workspace) as up:
        up.starts()
        yield up


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    with launched() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, server: Up) -> Iterator[Page]:
    """A page; it ends without an error, a word on the console, or a request elsewhere."""
    with opened(chromium, server.url) as made:
        said: list[str] = []
        made.on("dialog", lambda dialog: said.append(dialog.message))
        yield made
    assert said == []


def test_the_slider_moves_every_figure(page: Page) -> None:
    """By the keyboard: recall and the marks on the curves move, and the URL keeps the place."""
    page.goto(f"{_VERSION}?threshold=0.5")
    roc = page.locator('[data-figure="roc"]')
    roc.scroll_into_view_if_needed()
    expect(roc.locator(".main-svg").first).to_be_visible()
    marked = "() => document.querySelector('[data-figure=roc]').data.at(-1).x[0]"
    before, recall = page.evaluate(marked), page.locator('[data-metric="recall"]').inner_text()
    slider = page.get_by_role("slider", name="Threshold, as a slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator('[data-metric="recall"]')).to_have_text("1")
    assert recall != "1"
    page.wait_for_function(f"(before) => ({marked})() > before", arg=before)
    page.wait_for_function("() => Number(new URL(location).searchParams.get('threshold')) < 0.5")
    page.reload()
    expect(page.locator('[data-metric="recall"]')).to_have_text("1")
    cells = [int(one) for one in page.locator("[data-cell]").all_inner_texts()]
    assert sum(cells) == 160
    page.get_by_text("What an outcome is worth").click()
    page.get_by_role("spinbutton", name="false alarm").fill("-1")
    expect(page.locator("[data-worth]")).not_to_have_text("0")


def test_what_if_answers_as_one_types(page: Page) -> None:
    """The prediction and the contributions are another after a key, and both come at once."""
    page.goto(f"{_VERSION}?tab=whatif")
    bars = page.locator("#contributions rect")
    expect(bars).to_have_count(3, timeout=WAIT_MS)
    shown = page.locator("#probabilities").inner_text()
    field = page.get_by_role("spinbutton", name=SCRIPT)
    field.fill("4")
    expect(page.locator("#probabilities")).not_to_have_text(shown)
    answers = []
    for value in range(12):
        field.fill(str(value / 4))
        page.wait_for_function("() => document.getElementById('took').textContent !== ''")
        answers.append(float(page.locator("#whatif").get_attribute("data-took-ms") or inf))
    assert all(0 < one < inf for one in answers), "how long it took is told"
    cut = (
        "() => [...document.querySelectorAll('svg.bars text')].filter((one) =>"
        " one.getBoundingClientRect().right > one.closest('svg').getBoundingClientRect().right)"
        ".map((one) => one.textContent)"
    )
    # The longest number that may stand there.
    page.locator("svg.bars text:nth-of-type(2)").first.evaluate(
        "(one) => { one.textContent = '-0.0001234'; }"
    )
    assert page.evaluate(cut) == []
    field.fill("")
    field.press_sequentially("1e999")
    expect(page.locator("#prediction")).to_have_text(f"{SCRIPT} is no number")
    field.fill("")
    expect(page.locator("#prediction")).to_contain_text(SCRIPT)
    expect(page.locator("#prediction")).not_to_contain_text("is no number")
    assert page.locator("#prediction img").count() == 0


def test_a_version_is_compared_promoted_and_taken_back(page: Page, server: Up) -> None:
    """From the list to the endpoint, which answers with the new version and then with the old."""
    page.goto("/models/risk")
    page.get_by_label("compare risk@2").check()
    page.get_by_label("compare risk@1").check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", name="risk@2 beside risk@1")).to_be_visible(timeout=WAIT_MS)
    # What came while the page was open is drawn, too.
    page.locator(".chart").last.scroll_into_view_if_needed()
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="How they differ")).to_be_visible()
    page.get_by_role("link", name="Ask the gate about risk@2").click()
    page.get_by_role("button", name="Ask the gate", exact=True).click()
    expect(page.get_by_role("heading", name="What the gate said last")).to_be_visible(
        timeout=WAIT_MS
    )
    page.get_by_role("button", name="Promote if it passes").click()
    page.get_by_role("button", name="Promote if the gate passes").click()
    expect(page.get_by_text("risk@2 is not promoted")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="Promote all the same").first.click()
    page.get_by_label("The reason").fill("the test says so")
    page.get_by_role("dialog").get_by_role("button", name="Promote all the same").click()
    expect(page.get_by_text("risk@2 is the champion now")).to_be_visible(timeout=WAIT_MS)
    server.until(lambda: _answers(server) == 2)
    page.goto("/models/risk")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("rolled back")).to_be_visible()
    server.until(lambda: _answers(server) == 1)


def _answers(server: Up) -> int:
    row = {SCRIPT: 0.1, QUOTES: SCRIPT, LONG: 1}
    answer = server.post("/v1/models/risk/predict", row)
    return int(answer.headers.get("x-model-version", "0").rpartition("@")[2] or 0)


def _widest(page: Page) -> str:
    """Return what reaches farthest to the right."""
    ends = "(one) => one.getBoundingClientRect().right"
    return str(
        page.evaluate(
            f"() => {{ const right = {ends}; return [...document.querySelectorAll('main *')]"
            ".filter((one) => !one.closest('.scroll'))"
            ".sort((a, b) => right(b) - right(a))[0].outerHTML.slice(0, 120); }"
        )
    )


@needs_axe
@pytest.mark.parametrize("theme", THEMES)
def test_every_page_is_usable_by_all(page: Page, theme: str) -> None:
    """Nothing serious is found by axe-core, and nothing overflows at 400 px, in either theme."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    found = []
    for path in _PAGES:
        page.goto(path)
        page.wait_for_load_state("load")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found += [
            (path, one["id"], one["nodes"][0]["html"][:200])
            for one in page.evaluate("async () => (await axe.run()).violations")
            if one["impact"] in {"serious", "critical"}
        ]
        page.set_viewport_size({"width": PHONE_WIDTH_PX, "height": 800})
        try:
            # Charts follow a moment later.
            page.wait_for_function(_FITS, timeout=_RESIZED_MS)
        except TimedOut:
            found.append((path, "overflow", _widest(page)))
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []


def test_the_lineage_is_walked_by_keys(page: Page) -> None:
    """From the region of the graph to its boxes, and from a box to its page, on a telephone."""
    page.set_viewport_size({"width": PHONE_WIDTH_PX, "height": 800})
    page.goto(f"{_VERSION}?tab=lineage")
    page.get_by_role("region", name="Graph of the way").focus()
    box = page.locator('[data-node="version"] a')
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(box).to_be_focused()
    expect(box).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{_VERSION}")


def test_files_of_a_package_are_made_and_kept(page: Page, tmp_path: Path) -> None:
    """Without its proof it says so; the zip file is sent."""
    page.goto(f"{_VERSION}/package")
    page.get_by_role("combobox").select_option("gcf")
    page.get_by_label("Prove it").uncheck()
    page.get_by_role("button", name="Make the package").click()
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=WAIT_MS)
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "package.zip"
    download.value.save_as(path)
    assert path.read_bytes().startswith(b"PK")
