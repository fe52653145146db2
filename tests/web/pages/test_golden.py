"""Pages and parts of them, whole, as they were agreed on: a change shows in its golden file.

`python -m pytest tests/web/pages/test_golden.py --write-golden` writes them anew, to be read in the
diff. What differs from day to day, and from machine to machine, is a word in capitals there.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

import httpx
import pandas as pd
import pytest
from tests.web.pages.conftest import Visitor
from tests.web.pages.made_jobs import log_of, plan_of, ran, sweep, write
from tests.web.pages.models import hostile

from brinery.actions.datasets import RowSource, create_dataset
from brinery.actions.project_rooms import open_project_rooms
from brinery.records.job import Status
from brinery.specs.user import login_name

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "pages"
_WAIT_S = 240
_VARIES: Final = (
    (re.compile(r"<script[^>]*>.*?</script>", re.DOTALL), "<script/>"),
    (re.compile(r"<time [^>]*>[^<]*</time>"), "<time/>"),
    (re.compile(r"\bjust now\b|\b\d+ (seconds?|minutes?|hours?|days?) ago\b"), "WHEN"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?"), "WHEN"),
    (re.compile(r'data-mark="\d+"'), 'data-mark="MARK"'),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "DIGEST"),
    (re.compile(r"/[^<\s]*/w/people.csv"), "PATH"),
    (re.compile(r"\b(\d+ (d|h|min) )*\d+(,\d{3})*(\.\d+)? ?(B|KB|MB|GB|ms|s|min|h|d)\b"), "AMOUNT"),
    (re.compile(r"[-+]?\d+(\.\d+)+(e[-+]?\d+)?"), "N"),
    (re.compile(rf"(\bby |>){re.escape(login_name())}\b"), r"\1WHO"),
)
_MAIN: Final = r'<main id="main".*?</main>'
# What a file is called: the page, and which part of it is kept.
FULL: Final = {
    "home": ("/", r'<div class="cards">.*?</article>'),
    "home-attention": ("/", r'<section aria-labelledby="attention">.*?</section>'),
    "models": ("/models", _MAIN),
    "model": ("/models/risk", r'<div class="grid".*?</table>'),
    "model-history": ("/models/risk?tab=history", _MAIN),
    "version-top": ("/models/risk/versions/1", r'<div class="title">.*?</nav>'),
    "promote": ("/models/risk/versions/2/promote", r"<p class=\"wide\">.*?</main>"),
    "package": (
        "/models/risk/versions/1/package",
        r'<section aria-labelledby="make-title">.*?</main>',
    ),
    "compare-choose": ("/compare?versions=risk@2", _MAIN),
    "jobs": ("/jobs", _MAIN),
    "job": ("/jobs/failed", r'<div id="job-head".*?</svg>'),
    "job-steps": ("/jobs/failed?view=steps", r'<div class="grid".*?</table>'),
    "job-step": (
        "/jobs/failed?step=train&tab=log",
        r'id="step".*?</main>',
    ),
    "job-trials": ("/jobs/sweep?view=trials", r'<div id="trials".*?</table>'),
    "datasets": ("/datasets", _MAIN),
    "dataset": ("/datasets/people", _MAIN),
    "flow": ("/flow", _MAIN),
    "gate": ("/gates/default", _MAIN),
    "error": ("/models/nobody", _MAIN),
}
EMPTY: Final = {
    "empty-home": "/",
    "empty-models": "/models",
    "empty-compare": "/compare",
    "empty-import": "/import",
    "empty-experiments": "/experiments",
    "empty-jobs": "/jobs",
    "empty-flow": "/flow",
    "empty-datasets": "/datasets",
    "empty-endpoints": "/endpoints",
    "empty-loops": "/loops",
    "empty-audit": "/audit",
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """A visitor of a workspace with a champion, jobs and a dataset."""
    folder = tmp_path_factory.mktemp("golden") / "w"
    folder.mkdir()
    hostile(folder)
    runs = [
        ran("prep"),
        ran("transform", reused="an_earlier_job", why="nothing changed", usage=None),
        ran("train", after_s=2, status=Status.FAILED, exit_status=1, why="ended with status 1"),
    ]
    plan = plan_of(["prep", "transform", "train", "report"], name="failed", display_name="Taxi")
    write(folder, plan, runs, status=Status.FAILED, error="the step train failed")
    log_of(folder, "failed", "train", lines=["<b>no</b>"])
    sweep(folder)
    rooms = open_project_rooms(folder)
    frame = pd.DataFrame({"age": [31, 42, 53], "job": ["clerk", "<b>", "nurse"]})
    frame.to_csv(folder / "people.csv", index=False)
    create_dataset(rooms, "people", source=RowSource(path=str(folder / "people.csv")))
    return Visitor(folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """A visitor of a workspace `w` in which nothing was done."""
    folder = tmp_path_factory.mktemp("golden-empty") / "w"
    folder.mkdir()
    return Visitor(folder)


@pytest.fixture
def writes(request: pytest.FixtureRequest) -> bool:
    """Whether the files are to be written anew."""
    return bool(request.config.getoption("--write-golden"))


def agreed(name: str, page: str, *, part: str = _MAIN, writes: bool) -> None:
    """Compare a part of a page with the file that is kept of it."""
    found = re.search(part, page, re.DOTALL)
    assert found is not None, f"{name}: nothing is like {part}"
    text = found[0]
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    kept = "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"
    path = GOLDEN / f"{name}.html"
    if writes:
        path.write_text(kept, encoding="utf-8")
    told = f"{path.name} is another now: --write-golden writes it anew"
    assert kept == path.read_text(encoding="utf-8"), told


@pytest.mark.parametrize("name", FULL)
def test_pages_are_as_they_were(full: Visitor, name: str, *, writes: bool) -> None:
    """What stands on a page of a workspace in which everything was done."""
    path, part = FULL[name]
    agreed(name, full.get(path).text, part=part, writes=writes)


@pytest.mark.parametrize("name", EMPTY)
def test_empty_pages_are_as_they_were(empty: Visitor, name: str, *, writes: bool) -> None:
    """What teaches the first command where there is nothing yet."""
    answer = empty.get(EMPTY[name])
    assert answer.status_code == httpx.codes.OK
    agreed(name, answer.text, writes=writes)


def test_settings_are_as_they_were(empty: Visitor, *, writes: bool) -> None:
    """What is told, and in which order; what the machine has is left out."""
    page = re.sub(
        r"(<(dd|td)\b[^>]*>).*?(</\2>)", r"\1…\3", empty.get("/settings").text, flags=re.DOTALL
    )
    page = re.sub(r"<tbody>.*?</tbody>", "<tbody/>", page, flags=re.DOTALL)
    agreed("settings", page, writes=writes)


def test_a_comparison_is_as_it_was(full: Visitor, *, writes: bool) -> None:
    """What stands on top of two versions side by side, once they are compared."""
    path = "/compare?versions=risk@2&versions=risk@1"
    end = time.monotonic() + _WAIT_S
    while 'every 1s"' in (page := full.get(path).text):
        assert time.monotonic() < end, "the comparison never ended"
        time.sleep(0.3)
    agreed("compare", page, part=r'<p class="wide">.*?</section>', writes=writes)


def test_a_refusal_in_a_part_is_as_it_was(empty: Visitor, *, writes: bool) -> None:
    """What htmx puts into an open page where there is no such thing."""
    agreed("refusal", empty.part("/models/nobody").text, part=r".*", writes=writes)
