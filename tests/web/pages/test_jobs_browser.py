"""Jobs and data in a real browser on a real server: watched, steered, nothing asked elsewhere."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect
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
from tests.conftest import BRINERY, _environment
from tests.web.conftest import Up, running_up
from tests.web.pages.made_jobs import HOSTILE, large, log_of, plan_of, ran, sweep, write

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.actions.datasets import RowSource, create_dataset
from brinery.actions.folders import create_folder
from brinery.actions.project_rooms import open_project_rooms
from brinery.records.job import Status

pytestmark = [*needs_browser, pytest.mark.slow]

JOB = """\
type: pipeline
display_name: watched
jobs:
  first:
    type: command
    environment: {{image: any}}
    command: >-
      echo "<b>begun</b>"; while [ ! -e {gate} ]; do sleep 0.1; done; echo over;
      echo x > ${{{{outputs.o}}}}
    outputs:
      o: {{type: uri_file}}
  second:
    type: command
    environment: {{image: any}}
    command: cat ${{{{inputs.i}}}}
    inputs:
      i: ${{{{parent.jobs.first.outputs.o}}}}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server of a workspace with jobs, a dataset and a folder."""
    folder = tmp_path_factory.mktemp("up") / "w"
    folder.mkdir()
    (folder / "brinery.toml").touch()
    sweep(folder)
    large(folder, name="flat", nested=False)
    write(folder, plan_of(HOSTILE, name="odd"), [ran(HOSTILE[0])], status=Status.CANCELED)
    log_of(folder, "odd", HOSTILE[0], lines=[HOSTILE[0]] * 5)
    rooms = open_project_rooms(folder)
    pd.DataFrame({"a": range(90), HOSTILE[0]: ["x", HOSTILE[0], "y"] * 30}).to_csv(folder / "d.csv")
    create_dataset(rooms, "d", source=RowSource(path=str(folder / "d.csv")))
    create_folder(rooms, "models", folder_id="aB3dE6gH")
    with running_up(folder) as server:
        server.starts()
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser, up: Up) -> Iterator[Page]:
    """A page, which must be without faults in the end."""
    with opened(browser, up.url) as made:
        yield made


def begun(up: Up, name: str, *words: str) -> tuple[Path, subprocess.Popen[str]]:
    """Return the file that lets a new job's first step end, and the job's process."""
    gate = up.workspace / f"{name}.gate"
    file = up.workspace / f"{name}.yml"
    file.write_text(JOB.format(gate=gate))
    process = subprocess.Popen(
        [
            str(BRINERY),
            "--workspace",
            str(up.workspace),
            *("job", "create", "-f", str(file), "--name", name, "--environment", "current", *words),
        ],
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = open_asset_rooms(up.workspace).jobs.path(name) / "journal.jsonl"
    until(lambda: journal.exists() or process.poll() is not None)
    assert journal.exists(), process.communicate()[1]
    return gate, process


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + WAIT_MS / 1000
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.1)


def test_a_job_is_watched_until_its_end(page: Page, up: Up) -> None:
    """Boxes change and a log grows on a page that is open; a reload in the midst shows both."""
    gate, process = begun(up, "watched", "--web")
    page.goto("/jobs/watched")
    first = page.locator('[data-node="first"]')
    expect(first).to_have_class("node command active", timeout=WAIT_MS)
    first.locator("a").click()
    expect(page.locator("#step h2")).to_contain_text("first")
    assert page.url.endswith("/jobs/watched?step=first")
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator("#log")).to_contain_text("<b>begun</b>", timeout=WAIT_MS)
    page.reload()
    expect(page.locator("#log")).to_contain_text("<b>begun</b>")
    gate.touch()
    expect(page.locator("#log")).to_contain_text("over", timeout=WAIT_MS)
    expect(page.locator('[data-node="second"]')).to_have_class("node command good", timeout=WAIT_MS)
    expect(page.locator("#job-head")).to_contain_text("completed", timeout=WAIT_MS)
    expect(page.locator("#job-head")).to_contain_text("2 of 2 steps over")
    _, told = process.communicate(timeout=240)
    assert "/jobs/watched" in told.partition("page ")[2].partition("\n")[0]


def test_a_job_is_cancelled_and_resumed(page: Page, up: Up) -> None:
    """Asked first, then done; going on is a process of its own, and does not begin again."""
    gate, process = begun(up, "steered")
    page.goto("/jobs/steered")
    expect(page.locator('[data-node="first"]')).to_have_class(
        "node command active", timeout=WAIT_MS
    )
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#job-head")).to_contain_text("canceled", timeout=WAIT_MS)
    process.communicate(timeout=240)
    gate.touch()
    page.reload()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.locator("#resume-python").select_option("current")
    page.locator("#ask-resume button.first").click()
    expect(page.locator("#job-head")).to_contain_text("completed", timeout=WAIT_MS)


def test_a_job_is_run_again_and_reuses_what_stands(page: Page, up: Up) -> None:
    """The page moves to the new job, whose steps say what stands for them."""
    gate, process = begun(up, "again")
    gate.touch()
    process.communicate(timeout=240)
    page.goto("/jobs/again")
    page.get_by_role("button", name="Run again", exact=True).click()
    page.locator("#rerun-python").select_option("current")
    page.locator("#ask-rerun button.first").click()
    expect(page.locator("#job-head")).to_contain_text("completed", timeout=WAIT_MS)
    assert "/jobs/again" not in page.url
    expect(page.locator('[data-node="first"]')).to_contain_text("reused")
    page.locator('[data-node="first"] a').click()
    expect(page.locator("#step")).to_contain_text("reused from again")


def test_a_large_graph_is_smooth(page: Page) -> None:
    """500 boxes are drawn at once, each a link; one is reached by the keyboard and opened."""
    page.goto("/jobs/flat")
    assert page.locator("#graph .node").count() == 500
    one = page.locator('[data-node="part3_s7"] a')
    one.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#step h2")).to_contain_text("part3_s7")
    assert page.locator("#graph .selected").count() == 1


@needs_axe
@pytest.mark.parametrize("theme", THEMES)
def test_pages_are_accessible_and_fit(page: Page, theme: str) -> None:
    """No serious finding of axe in either theme, nothing wider than 400 pixels, no fault."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for path in (
        "/jobs",
        "/jobs/odd?view=steps",
        "/jobs/odd?step=%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E&tab=log",
        "/jobs/sweep?view=trials&step=tune",
        "/jobs/odd?view=gantt",
        "/flow",
        "/datasets",
        "/datasets/d",
        "/datasets/d?tab=columns",
        "/folders/aB3dE6gH",
    ):
        page.set_viewport_size({"width": PHONE_WIDTH_PX, "height": 800})
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        page.set_viewport_size({"width": 1280, "height": 900})
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run().then(told => told.violations)")
        serious = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == [], path
