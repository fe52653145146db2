"""Every page of a server in a real browser: what it weighs, and whether everybody can use it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Request, expect
from sklearn.linear_model import LinearRegression
from starlette.routing import Route
from tests.browser import (
    AXE,
    PHONE_WIDTH_PX,
    THEMES,
    launched,
    needs_axe,
    needs_browser,
    opened,
)
from tests.web.conftest import Up, X, running_up
from tests.web.pages.made_jobs import large, sweep
from tests.web.pages.models import hostile

from brinery.actions.datasets import RowSource, create_dataset
from brinery.actions.folders import create_folder
from brinery.actions.outline import version_in
from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.rooms import open_rooms
from brinery.records.turn import Trigger, Turn
from brinery.web.pages import site
from brinery.web.pages.version import Tab

pytestmark = [*needs_browser, pytest.mark.slow]

_WAIT_MS: Final = 240_000
_MOST_REQUESTS: Final = 12
_MOST_COLD_BYTES: Final = 1_800_000
_MOST_WARM_BYTES: Final = 60_000
_SETTLED_MS: Final = 200
_FOLDER: Final = "aB3dE6gH"
_VERSION: Final = "/models/risk/versions/1"
_COMPARED: Final = "/compare?versions=risk@2&versions=risk@1"
# What pages load or send on, and is none by itself.
_PARTS: Final = {
    "/assets/{digest}/{name}",
    "/live",
    "/folders/{id}/file",
    "/jobs/{name}/changes",
    "/jobs/{name}/log",
    "/jobs/{name}/log.txt",
    "/jobs/{name}/file",
    "/settings/sandbox",
    "/settings/environments",
    "/models/{name}/versions/{number:int}/files/{file:path}",
    "/models/{name}/versions/{number:int}/package/{target}.zip",
}
_SIZES: Final = (
    "() => performance.getEntries().reduce((sum, one) => sum + (one.transferSize ?? 0), 0)"
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server of a workspace with something of every kind."""
    folder = hostile(tmp_path_factory.mktemp("weight"))
    sweep(folder)
    large(folder, name="flat", nested=False)
    rooms = open_project_rooms(folder)
    pd.DataFrame({"a": range(90)}).to_csv(folder / "d.csv")
    create_dataset(rooms, "d", source=RowSource(path=str(folder / "d.csv")))
    create_folder(rooms, "models", folder_id=_FOLDER)
    open_rooms(folder).turns.begin(
        Turn(loop="weekly", model="risk", trigger=Trigger.CRON, started=datetime.now(UTC))
    )
    with running_up(folder) as server:
        server.starts()
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with launched() as found:
        yield found


def _begun(browser: Browser, up: Up, folder: Path) -> str:
    """Return the page of an import that waits; and have two versions compared."""
    file = folder / "waits.pkl"
    file.write_bytes(pickle.dumps(LinearRegression().fit(X, X["x"])))
    page = browser.new_page(base_url=up.url)
    page.set_default_timeout(_WAIT_MS)
    page.goto(_COMPARED)
    expect(page.get_by_role("heading", name="How they differ")).to_be_visible(timeout=_WAIT_MS)
    page.goto("/import")
    page.set_input_files("input[type=file]", file)
    page.wait_for_url("**/import/*")
    path = page.url.removeprefix(up.url)
    page.close()
    return path


def _paths(up: Up) -> list[str]:
    run = version_in(open_rooms(up.workspace), "risk", number=1).run_id
    return [
        *("/", "/audit", "/login", "/import", "/settings", "/gates", "/gates/default"),
        *("/models", "/models/risk", "/models/risk?tab=history"),
        *(f"{_VERSION}?tab={tab.value}" for tab in Tab),
        *(f"{_VERSION}/promote", f"{_VERSION}/package", _COMPARED, "/compare"),
        *("/experiments", "/experiments/1", "/experiments/1?view=scatter", f"/runs/{run}"),
        *("/jobs", "/jobs/flat", *(f"/jobs/sweep?view={one}" for one in ("graph", "trials"))),
        *("/flow", "/datasets", "/datasets/d", f"/folders/{_FOLDER}"),
        *("/endpoints", "/endpoints/risk", "/loops", "/loops/weekly"),
    ]


def _weighed(page: Page, path: str) -> tuple[list[str], int, int]:
    """Return what a page asks for with an empty cache, and the bytes of it and of a reload."""
    asked: list[str] = []

    def note(one: Request) -> None:
        # A part that a page renews by itself, while it is slow to settle, it has already.
        if one.url not in asked or "hx-request" not in one.headers:
            asked.append(one.url)

    page.on("request", note)
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    assert answer.ok, path
    _settled(page)
    first, cold = list(asked), page.evaluate(_SIZES)
    page.reload(wait_until="load")
    _settled(page)
    return first, cold, page.evaluate(_SIZES)


def _settled(page: Page) -> None:
    """Wait until the parts that a page fetches by itself are there."""
    page.wait_for_timeout(_SETTLED_MS)
    page.wait_for_function("() => document.querySelector('.htmx-request') === null")


def test_every_page_asks_for_little(browser: Browser, up: Up, tmp_path: Path) -> None:
    """At most 12 requests, 1.8 MB at first and 60 kB after; no page of the site is left out."""
    paths = _all_paths(browser, up, tmp_path)
    heavy = []
    for path in paths:
        with browser.new_context(base_url=up.url) as context:
            page = context.new_page()
            page.set_default_timeout(_WAIT_MS)
            asked, cold, warm = _weighed(page, path)
        assert cold > 0, path
        assert warm > 0, path
        if len(asked) > _MOST_REQUESTS or cold > _MOST_COLD_BYTES or warm > _MOST_WARM_BYTES:
            heavy.append((path, cold, warm, asked))
    assert heavy == []


def _all_paths(browser: Browser, up: Up, folder: Path) -> list[str]:
    """Return the paths of pages, with one of every route at least."""
    paths = [*_paths(up), _begun(browser, up, folder)]
    plain = [path.partition("?")[0] for path in paths]
    unseen = [
        one.path
        for one in site.application(open_rooms(up.workspace)).routes
        if isinstance(one, Route) and "GET" in (one.methods or ()) and one.path not in _PARTS
        if not any(one.path_regex.match(path) for path in plain)
    ]
    assert unseen == []
    return paths


@needs_axe
@pytest.mark.parametrize("theme", THEMES)
def test_every_page_is_for_everybody(browser: Browser, up: Up, tmp_path: Path, theme: str) -> None:
    """No serious finding of axe, nothing wider than a telephone, and no fault, on any page."""
    found = []
    with opened(browser, up.url, theme=theme) as page:
        for path in _all_paths(browser, up, tmp_path):
            page.set_viewport_size({"width": PHONE_WIDTH_PX, "height": 800})
            page.goto(path)
            _settled(page)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found += [
                (path, one["id"], one["nodes"][0]["html"][:200])
                for one in page.evaluate("async () => (await axe.run()).violations")
                if one["impact"] in {"serious", "critical"}
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > PHONE_WIDTH_PX:
                found.append((path, "wide", str(wide)))
    assert found == []
