"""Pages in a real browser, before a real server: what is clicked, and what becomes of it."""

from __future__ import annotations

import pickle
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect
from sklearn.linear_model import LinearRegression
from tests.browser import (
    AXE,
    PHONE_WIDTH_PX,
    THEMES,
    WAIT_MS,
    launched,
    needs_axe,
    needs_browser,
    noted,
    opened,
)
from tests.web.conftest import Up, X, lines, running_up

import brinery
from brinery.records.import_asked import ImportState
from brinery.store.imports import Imports

pytestmark = [pytest.mark.slow, *needs_browser]

PATHS = ("/", "/audit", "/import", "/endpoints", "/endpoints/m", "/settings", "/login")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server of a workspace with one champion."""
    workspace = lines(tmp_path_factory.mktemp("pages"), versions=1)
    brinery.promote("m@1", force=True, why="a test", workspace=workspace)
    with running_up(workspace) as up:
        up.starts()
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with launched() as found:
        yield found


@needs_axe
@pytest.mark.parametrize("theme", THEMES)
def test_pages_are_for_everybody(server: Up, browser: Browser, theme: str) -> None:
    """No serious finding of axe, and nothing wider than a telephone, in either theme."""
    with opened(browser, server.url, width_px=PHONE_WIDTH_PX, theme=theme) as page:
        for path in PATHS:
            page.goto(path)
            if path == "/settings":
                page.wait_for_selector("#sandbox table")
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found = page.evaluate("axe.run()")["violations"]
            serious = [
                (one["id"], [node["target"] for node in one["nodes"]])
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == [], path


def test_a_file_is_dropped_and_ends_on_its_version(
    server: Up, browser: Browser, tmp_path: Path
) -> None:
    """The scan, the rows, the target, a reload in the middle; two browsers see the version."""
    model, rows = tmp_path / "dropped.pkl", tmp_path / "rows.csv"
    model.write_bytes(pickle.dumps(LinearRegression().fit(X, X["x"])))
    X.assign(y=X["x"]).to_csv(rows, index=False)
    with opened(browser, server.url) as page, opened(browser, server.url) as other:
        other.goto("/")
        page.goto("/import")
        page.set_input_files("input[type=file]", model)
        page.wait_for_url(re.compile("/import/[0-9a-f]{16}$"))
        expect(page.get_by_text("Safe: it asks for no name that is not known.")).to_be_visible()
        page.set_input_files("input[type=file]", rows)
        expect(page.get_by_label("Target: the column with the truth")).to_have_value("y")
        page.get_by_role("button", name="Import", exact=True).click()
        # It may be over before anybody looks.
        importing = page.get_by_role("heading", name="Importing …")
        expect(importing.or_(page.get_by_role("heading", name="dropped@1")).first).to_be_visible()
        page.reload()
        expect(page).to_have_url(re.compile("/models/dropped/versions/1$"))
        expect(other.get_by_role("link", name="dropped@1")).to_be_visible()


def test_a_file_is_imported_without_scripts(server: Up, browser: Browser, tmp_path: Path) -> None:
    """Plain forms do it: the model is scanned, the rows are taken, and it becomes a version."""
    model, rows = tmp_path / "plain.pkl", tmp_path / "rows.csv"
    model.write_bytes(pickle.dumps(LinearRegression().fit(X, X["x"])))
    X.assign(y=X["x"]).to_csv(rows, index=False)
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto("/import")
    page.set_input_files("input[type=file]", model)
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("Safe: it asks for no name that is not known.")).to_be_visible()
    page.set_input_files("input[type=file]", rows)
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_label("Target: the column with the truth")).to_have_value("y")
    page.get_by_role("button", name="Import", exact=True).click()
    key = page.url.rpartition("/")[2]
    journals = Imports(server.workspace / ".brinery" / "imports")
    server.until(lambda: journals.read(key).state is not ImportState.RUNNING)
    page.reload()
    assert page.url.endswith("/models/plain/versions/1")
    context.close()


def test_a_dangerous_file_says_so_and_goes_no_further(
    server: Up, browser: Browser, tmp_path: Path
) -> None:
    """The refusal is the command line's, and a box stands beside each name."""
    model, rows = tmp_path / "evil.pkl", tmp_path / "rows.csv"
    model.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    X.assign(y=X["x"]).to_csv(rows, index=False)
    with opened(browser, server.url) as page:
        page.goto("/import")
        page.set_input_files("input[type=file]", model)
        expect(page.get_by_text("Dangerous: it asks for")).to_be_visible()
        page.set_input_files("input[type=file]", rows)
        expect(page.get_by_role("checkbox")).to_have_count(1)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text("It did not become a version.")).to_be_visible()


def test_traffic_is_drawn_while_it_goes_on(server: Up, browser: Browser) -> None:
    """What is asked now is on the page within seconds, without a click."""
    with opened(browser, server.url) as page:
        page.goto("/endpoints/m")
        for _ in range(20):
            server.answered()
        expect(page.locator("[data-figure=traffic] svg").first).to_be_visible()
        expect(page.locator(".tiles")).to_contain_text(re.compile(r"of \d+:"))
        expect(page.locator("[data-language=curl]")).to_contain_text("/v1/models/m/predict")


def test_a_table_that_changes_by_itself_stays_searched(server: Up, browser: Browser) -> None:
    """What is looked for is asked for again, by the search, and what was typed stands there.

    A refresh that was under way when somebody searched does not put back what was there before.
    """
    late: list[Route] = []

    def keep(refresh: Route) -> None:
        late.append(refresh)

    with opened(browser, server.url, path="/endpoints") as page:
        expect(page.locator("#endpoints tbody tr").first).to_be_visible()
        with page.expect_request(re.compile("/endpoints$")):
            page.route(re.compile("/endpoints$"), keep)
        search = page.get_by_role("searchbox")
        search.fill("zzz")
        expect(page.get_by_text("Nothing matches.")).to_be_visible()
        for refresh in late:
            with page.expect_response(re.compile("/endpoints$")):
                refresh.continue_()
        with page.expect_response(re.compile("/endpoints[?].*q=zzz")) as again:
            expect(page.get_by_text("Nothing matches.")).to_be_visible()
        again.value.finished()
        expect(page.get_by_text("Nothing matches.")).to_be_visible()
        expect(search).to_have_value("zzz")


def test_what_was_ticked_stays_so(server: Up, browser: Browser) -> None:
    """Also when the table changes by itself before the chosen versions are compared."""
    with opened(browser, server.url, path="/models/m") as page:
        page.get_by_role("checkbox", name="compare m@1").check()
        page.evaluate("document.querySelector('#versions').dataset.before = ''")
        tag = {"name": "m", "version": "1", "key": "note", "value": "looked at"}
        told = httpx.post(f"{server.url}/api/2.0/mlflow/model-versions/set-tag", json=tag)
        assert told.status_code == 200, told.text
        expect(page.locator("#versions[data-before]")).to_have_count(0)
        expect(page.get_by_role("checkbox", name="compare m@1")).to_be_checked()


@pytest.mark.parametrize("secure", [True, False])
def test_commands_are_copied(server: Up, browser: Browser, *, secure: bool) -> None:
    """Also on a page that has no clipboard, as it came over plain HTTP from another machine."""
    with opened(browser, server.url) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
        if not secure:
            page.add_init_script(
                "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
            )
        page.goto("/models/m")
        said = noted(page, "button[data-copy]")
        page.get_by_role("button", name="Copy").first.click()
        page.wait_for_function(said, arg="Copied")
        page.goto("/models")
        page.get_by_role("searchbox").press("ControlOrMeta+v")
        expect(page.get_by_role("searchbox")).to_have_value("brinery model show m")


def test_the_section_is_in_sight_on_a_telephone(server: Up, browser: Browser) -> None:
    """Where the names of all sections are wider than the page, the one that is open is shown."""
    with opened(browser, server.url, path="/settings", width_px=PHONE_WIDTH_PX) as page:
        expect(page.locator(".sections [aria-current]")).to_be_in_viewport(ratio=1)


def test_a_folder_that_is_dropped_is_refused(server: Up, browser: Browser, tmp_path: Path) -> None:
    """It is said to be a folder, and what to do instead; nothing is sent."""
    with opened(browser, server.url, path="/import") as page:
        place = page.locator(".drop").bounding_box()
        assert place is not None
        drag = page.context.new_cdp_session(page)
        told = {"items": [], "files": [str(tmp_path)], "dragOperationsMask": 1}
        at = {"x": place["x"] + 10, "y": place["y"] + 10, "data": told}
        for kind in ("dragEnter", "dragOver", "drop"):
            drag.send("Input.dispatchDragEvent", {"type": kind, **at})
        expect(page.locator("[data-said]")).to_have_text(
            "A folder cannot be sent (name where it is instead)"
        )


def test_open_pages_do_not_hold_a_server_up(tmp_path: Path) -> None:
    """Streams that would go on for minutes come to a clean end when the server is told to end."""
    ends: list[str] = []
    with running_up(tmp_path) as up:
        up.starts()
        begun = threading.Barrier(4)

        def listen() -> None:
            with httpx.stream("GET", f"{up.url}/live", timeout=240) as stream:
                parts = stream.iter_text()
                next(parts)
                begun.wait()
                for _ in parts:  # a stream that is broken off raises
                    pass
                ends.append("clean")

        threads = [threading.Thread(target=listen) for _ in range(3)]
        for thread in threads:
            thread.start()
        begun.wait(240)
        up.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(240)
        up.process.wait(240)
    assert ends == ["clean"] * 3
