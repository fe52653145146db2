"""The /docs page in a real browser."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Request, expect
from sklearn.linear_model import LinearRegression
from tests import patience
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
from tests.conftest import serving

import brinery

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for the tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    """Return the page, loaded, in a browser profile of its own."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    open_docs(page, served)
    yield page
    context.close()


def open_docs(page: Page, served: str) -> None:
    """Load the page and wait until all of it is there: the form, the figures, the state."""
    page.goto(f"{served}/docs")
    expect(page.locator("#predict")).to_be_visible()
    expect(page.locator("#metrics dd").first).to_be_visible()
    expect(page.locator("#ready")).to_have_text("ready")


def predict(page: Page) -> Request:
    """Press Predict and return the request that it made, once it was answered."""
    with page.expect_response("**/predict") as answered:
        page.click("#predict")
    return answered.value.request


def row_schema(served: str) -> dict[str, Any]:
    """Return the schema of a row as the server describes it."""
    document = patience.get(f"{served}/openapi.json").json()
    schema: dict[str, Any] = document["components"]["schemas"]["Row"]
    return schema


def test_it_predicts_and_shows_the_label(page: Page, served: str) -> None:
    """The label on the page is the one that the API gives for the same row."""
    example = row_schema(served)["examples"][0]
    answer = patience.post(f"{served}/v1/models/bank/predict", json={"rows": [example]}).json()
    prediction = answer["predictions"][0]

    predict(page)

    expect(page.locator("#answer-label")).to_have_text(str(prediction["label"]))
    expect(page.locator("#answer [data-class]")).to_have_count(len(prediction["probabilities"]))
    expect(page.locator("#answer-status")).to_contain_text("200")


def test_a_problem_is_shown_on_its_field(page: Page) -> None:
    """A value that the server refuses is marked where it stands, and listed in the alert."""
    age = page.locator('[data-column="age"]')
    age.fill("1.5")
    predict(page)

    expect(age).to_have_attribute("aria-invalid", "true")
    on_field = page.locator('[data-error-for="age"]')
    expect(on_field).not_to_be_empty()
    assert str(on_field.get_attribute("id")) in str(age.get_attribute("aria-describedby"))
    expect(page.locator("#problem[role=alert]").get_by_role("link", name="age")).to_be_visible()
    expect(page.locator("#answer")).to_be_hidden()

    age.fill("30")
    expect(on_field).to_be_empty()
    predict(page)
    expect(page.locator("#problem")).to_be_empty()
    expect(page.locator("#answer-label")).to_be_visible()


def test_an_empty_field_is_sent_as_null(page: Page, served: str) -> None:
    """A column that may be missing, left empty, reaches the server as null and not as zero."""
    columns = row_schema(served)["properties"].items()
    nullable = next(
        name for name, column in columns if "null" in column["type"] and "enum" not in column
    )

    page.locator(f'[data-column="{nullable}"]').fill("")
    request = predict(page)

    assert json.loads(str(request.post_data))["rows"][0][nullable] is None
    expect(page.locator("#answer-label")).to_be_visible()


def test_the_curl_snippet_follows_the_form(page: Page, served: str) -> None:
    """What is typed stands in the snippet at once, with the address of this very server."""
    snippet = page.locator("#snippet-curl")
    expect(snippet).to_contain_text(f"{served}/v1/models/bank/predict")

    page.locator('[data-column="age"]').fill("61")
    expect(snippet).to_contain_text('"age": 61')

    page.click("#reset")
    expect(snippet).not_to_contain_text('"age": 61')


ENDPOINTS = ["/v1/models/bank/predict", "/invocations"]
RUNS = {
    "curl": ["bash", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("language", RUNS)
def test_each_snippet_runs(page: Page, language: str, endpoint: str) -> None:
    """What is copied with one click runs as it stands, and prints the answer of the page."""
    needed = "curl" if language == "curl" else RUNS[language][0]
    if shutil.which(needed) is None:
        pytest.skip(f"needs {needed}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator('[data-column="job"]').select_option("admin.")
    page.locator("#endpoint").select_option(label=f"POST {endpoint}")
    predict(page)
    page.click(f"#tab-{language}")
    said = noted(page, "#copy")
    page.click("#copy")
    page.wait_for_function(said, arg="Copied")
    program = page.evaluate("navigator.clipboard.readText()")

    assert program == page.locator(f"#snippet-{language}").inner_text()
    done = subprocess.run(
        [*RUNS[language], program], capture_output=True, text=True, check=True, timeout=240
    )
    assert str(page.locator("#answer-label").text_content()) in done.stdout
    assert done.stderr == ""


def test_the_python_snippet_uses_the_client(page: Page, served: str) -> None:
    """Our own endpoint is asked by our own client; MLflow's by what every Python has."""
    snippet = page.locator("#snippet-python")
    expect(snippet).to_contain_text(f'brinery.Client("{served}", model="bank")')
    page.locator("#endpoint").select_option(label="POST /invocations")
    expect(snippet).to_contain_text("urlopen")
    expect(snippet).to_contain_text('"dataframe_records"')


def test_nothing_leaves_the_origin(browser: Browser, served: str) -> None:
    """The page asks no other host for anything, and the console stays free of errors."""
    with opened(browser, served) as page:
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        open_docs(page, served)
        predict(page)
        expect(page.locator("#answer-label")).to_be_visible()
        for summary in page.locator("summary:visible").all():
            summary.click()
        page.click("#tab-python")
    assert len(requested) > 5


@pytest.mark.parametrize("theme", THEMES)
def test_it_fits_a_phone(page: Page, theme: str) -> None:
    """At 400 pixels the page itself never scrolls sideways."""
    page.set_viewport_size({"width": PHONE_WIDTH_PX, "height": 860})
    page.locator(f"#theme-{theme}").check()
    predict(page)
    expect(page.locator("#answer-label")).to_be_visible()
    for summary in page.locator("summary:visible").all():
        summary.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH_PX


def test_the_theme_persists(page: Page) -> None:
    """A chosen theme is there after a reload, and System gives the choice back."""
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(background)

    page.locator("#theme-dark").check()
    page.reload()
    expect(page.locator("#theme-dark")).to_be_checked()
    assert page.evaluate(background) != light

    page.locator("#theme-system").check()
    page.reload()
    expect(page.locator("#theme-system")).to_be_checked()
    assert page.evaluate(background) == light


def test_the_tabs_work_by_keyboard(page: Page) -> None:
    """Arrows, Home and End move between the snippets, and only the chosen tab is a tab stop."""
    page.locator("#tab-curl").focus()
    for key, name in [
        ("ArrowRight", "python"),
        ("End", "javascript"),
        ("ArrowRight", "curl"),
        ("ArrowLeft", "javascript"),
        ("Home", "curl"),
    ]:
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{name}")).to_be_focused()
        expect(page.locator("[role=tab][aria-selected=true]")).to_have_id(f"tab-{name}")
        expect(page.locator("[role=tab][tabindex='-1']")).to_have_count(2)
        expect(page.locator("[role=tabpanel]:visible")).to_have_id(f"panel-{name}")


def test_it_says_when_the_server_describes_nothing(browser: Browser, served: str) -> None:
    """Where /openapi.json cannot be read the page says so instead of staying empty."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.route("**/openapi.json", lambda route: route.abort())
    page.goto(f"{served}/docs")

    expect(page.locator("#fault")).to_contain_text("/openapi.json")
    expect(page.locator("#content")).to_be_hidden()
    context.close()


@needs_axe
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", ["answer", "problem"])
def test_axe_finds_nothing_serious(page: Page, theme: str, state: str) -> None:
    """No serious or critical accessibility fault, with an answer or a problem on the page."""
    page.locator(f"#theme-{theme}").check()
    if state == "problem":
        page.locator('[data-column="age"]').fill("1.5")
    predict(page)
    expect(page.locator("#answer-label" if state == "answer" else "#problem h3")).to_be_visible()
    for summary in page.locator("summary:visible").all():
        summary.click()
    page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")

    page.evaluate(AXE.read_text(encoding="utf-8"))  # in the page's own world, past its policy
    result = page.evaluate("axe.run(document)")

    assert [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
    ] == []


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with two models."""
    folder = tmp_path_factory.mktemp("several")
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    for name, factor in (("half", 0.5), ("twice", 2.0)):
        path = folder / f"{name}.pkl"
        path.write_bytes(pickle.dumps(LinearRegression().fit(frame, frame["x"] * factor)))
        brinery.import_model(
            path, name=name, data=frame.assign(y=1.0), target="y", workspace=folder
        )
    with serving(folder, "half", "twice") as url:
        yield url


@pytest.mark.slow
def test_each_of_several_models_has_a_page(browser: Browser, several: str) -> None:
    """The first one's page opens, the others are a click away, and each predicts by its own."""
    context = browser.new_context(viewport={"width": PHONE_WIDTH_PX, "height": 800})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    open_docs(page, several)
    assert page.url == f"{several}/docs/half"
    expect(page.locator("#models [aria-current=page]")).to_have_text("half")
    page.click("#models a:not([aria-current])")
    expect(page).to_have_url(f"{several}/docs/twice")
    expect(page.locator("h1")).to_have_text("twice")
    assert predict(page).url == f"{several}/v1/models/twice/predict"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH_PX
    context.close()
