"""A real browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PHONE_WIDTH_PX = 400
WAIT_MS = 240_000  # until a page shows what is expected of it; the machine has other work
THEMES = ["light", "dark"]

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=WAIT_MS)

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium at /usr/bin/chromium"),
]
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="needs `npm ci --prefix web` for axe-core")


@contextmanager
def launched() -> Iterator[Browser]:
    """Give a browser while the block runs."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        yield chromium
        chromium.close()


def noted(page: Page, selector: str) -> str:
    """Have an element's texts noted from now on; return a function for whether one was among them.

    For what stands there for a moment only, in which nobody may look.
    """
    page.evaluate(
        """(selector) => {
          const element = document.querySelector(selector);
          window.noted = [element.textContent.trim()];
          new MutationObserver(() => window.noted.push(element.textContent.trim()))
            .observe(element, { characterData: true, childList: true, subtree: true });
        }""",
        selector,
    )
    return "(told) => window.noted.includes(told)"


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    path: str = "",
    width_px: int = 1280,
    theme: str = "light",
    console: bool = True,
) -> Iterator[Page]:
    """Give a page of a browser of its own, which in the end had no fault and asked one server only.

    Args:
        browser: whose page it is.
        url: of the server.
        path: that is opened; none where it is empty.
        width_px: of the page.
        theme: `light` or `dark`, as the system says.
        console: whether a warning or an error on the console is a fault; a script's always is.
    """
    faults: list[str] = []
    with browser.new_context(
        base_url=url,
        viewport={"width": width_px, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    ) as context:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: faults.append(f"error {error}"))
        page.on(
            "console",
            lambda said: (
                faults.append(f"console {said.text}")
                if console and said.type in {"error", "warning"}
                else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(f"{url}/") else faults.append(f"asked {asked.url}")
            ),
        )
        if path:
            page.goto(path)
        yield page
    assert faults == []
