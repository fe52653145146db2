"""From a file to the endpoint and back, on the page alone: what a team does in its first hour."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from sklearn.linear_model import LogisticRegression
from tests.browser import launched, needs_browser, opened
from tests.web.conftest import Up, running_up

pytestmark = [pytest.mark.slow, *needs_browser]

ROWS = 600


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Up]:
    """A server of an empty workspace, which evaluates what is imported."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with running_up(workspace, BRINERY_EVALUATE_AT_IMPORT="true") as up:
        up.starts()
        yield up


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A model that learned nothing, a better one of the same name, and rows that neither saw."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(random.normal(size=(2 * ROWS, 2)), columns=["a", "b"])
    truth = np.where(frame["a"] + random.normal(size=2 * ROWS) > 0, "yes", "no")
    found = []
    learned = {1: random.permutation(truth[:ROWS]), 2: truth[:ROWS]}
    for number, labels in learned.items():
        path = tmp_path / str(number) / "shop.pkl"
        path.parent.mkdir()
        path.write_bytes(pickle.dumps(LogisticRegression().fit(frame[:ROWS], labels)))
        found.append(path)
    rows = tmp_path / "rows.csv"
    frame[ROWS:].assign(y=truth[ROWS:]).to_csv(rows, index=False)
    return [*found, rows]


def imports(page: Page, model: Path, rows: Path, *, version: int) -> None:
    """Give the page a model and its rows; it ends on the version, evaluated."""
    page.goto("/import")
    page.set_input_files("input[type=file]", model)
    page.wait_for_url(re.compile("/import/[0-9a-f]{16}$"))
    expect(page.get_by_text("Safe: it asks for no name that is not known.")).to_be_visible()
    page.set_input_files("input[type=file]", rows)
    expect(page.get_by_label("Target: the column with the truth")).to_have_value("y")
    page.get_by_role("button", name="Import", exact=True).click()
    # Two refreshes at once lead there twice, and one of the two navigations is given up.
    expect(page).to_have_url(re.compile(f"/models/shop/versions/{version}$"))
    expect(page.get_by_text("ROC AUC").first).to_be_visible()


def promotes(page: Page, version: int) -> None:
    """Have a version promoted if the gate passes it, which it does."""
    page.get_by_role("button", name="Promote if it passes").click()
    page.get_by_role("button", name="Promote if the gate passes").click()
    expect(page.get_by_text(f"shop@{version} is the champion now")).to_be_visible()


def answers(server: Up) -> int:
    """Return which version answers a request."""
    answer = server.post("/v1/models/shop/predict", {"a": 1.0, "b": 0.0})
    return int(answer.headers.get("x-model-version", "0").rpartition("@")[2] or 0)


def test_from_a_file_to_the_endpoint_and_back(server: Up, files: list[Path]) -> None:
    """Import, evaluate, compare, promote: the endpoint answers with the better one; roll back."""
    weak, better, rows = files
    with launched() as browser, opened(browser, server.url) as page:
        imports(page, weak, rows, version=1)
        page.goto("/models/shop/versions/1/promote")
        promotes(page, 1)
        server.until(lambda: answers(server) == 1)
        imports(page, better, rows, version=2)
        page.goto("/models/shop")
        page.get_by_label("compare shop@2").check()
        page.get_by_label("compare shop@1").check()
        page.get_by_role("button", name="Compare the chosen").click()
        expect(page.get_by_role("heading", name="shop@2 beside shop@1")).to_be_visible()
        page.get_by_role("link", name="Ask the gate about shop@2").click()
        promotes(page, 2)
        server.until(lambda: answers(server) == 2)
        page.goto("/models/shop")
        page.get_by_role("button", name="Roll back").click()
        page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
        expect(page.get_by_text("rolled back")).to_be_visible()
        server.until(lambda: answers(server) == 1)
