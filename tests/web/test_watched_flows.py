"""What is watched while it happens: a pipeline, a sweep, a refusal, what another browser does."""

from __future__ import annotations

import logging
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import WAIT_MS, launched, needs_browser, opened
from tests.conftest import BRINERY, ROOT, _environment
from tests.web.conftest import Up, killed, lines, running_up
from tests.web.pages.models import LONG, QUOTES, SCRIPT, hostile

from brinery.actions.asset_rooms import open_asset_rooms

pytestmark = [*needs_browser, pytest.mark.slow]

_log = logging.getLogger(__name__)

MOVES = 4
STEPS = ("prep", "transform", "train", "predict", "score")
TRAIN = """
import argparse, pathlib, time
import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
known = parser.parse_args()
while not pathlib.Path({gates!r}, f"go-{{known.depth}}").exists():
    time.sleep(0.1)
with mlflow.start_run():
    mlflow.log_metric("loss", abs(known.depth - 3) + 0.5)
"""
SWEEP = """\
type: sweep
display_name: tuned
trial:
  code: src
  command: python train.py --depth ${{search_space.depth}}
  environment: {image: any}
search_space:
  depth: {type: choice, values: [1, 3, 4]}
sampling_algorithm: grid
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3, max_concurrent_trials: 1}
"""
# What each box of a graph looked like, noted as it changes.
NOTES = """
() => {
  window.looks = {};
  const note = () => {
    for (const node of document.querySelectorAll("[data-node]")) {
      const known = (window.looks[node.dataset.node] ??= []);
      const now = node.getAttribute("class");
      if (known.at(-1) !== now) known.push(now);
    }
  };
  note();
  const graph = document.getElementById("graph");
  new MutationObserver(note).observe(graph, { attributes: true, subtree: true });
}
"""
# When the champion's card first told a version, by the clock of the machine, in seconds.
SEEN = """
(told) =>
  document.querySelector(".card .badge")?.textContent.trim() === told && Date.now() / 1000
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server of a workspace in which risk@1 is the champion, with a pipeline and a sweep."""
    folder = hostile(tmp_path_factory.mktemp("watched"))
    (folder / "brinery.toml").touch()
    left_out = shutil.ignore_patterns("__pycache__", ".brinery")
    shutil.copytree(ROOT / "examples" / "taxi", folder / "taxi", ignore=left_out)
    (folder / "src").mkdir()
    (folder / "src" / "train.py").write_text(TRAIN.format(gates=str(folder)))
    (folder / "sweep.yml").write_text(SWEEP)
    with running_up(folder) as server:
        server.starts()
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with launched() as chromium:
        yield chromium


@contextmanager
def loads_of(page: Page) -> Iterator[list[str]]:
    """Give where the page goes while the block runs: nowhere, where it changes by itself."""
    went: list[str] = []
    page.on("framenavigated", lambda frame: went.append(frame.url))
    yield went


def begun(up: Up, name: str, file: str) -> subprocess.Popen[str]:
    """Return the process of a new job, once the job is there."""
    process = subprocess.Popen(
        [
            *(str(BRINERY), "--workspace", str(up.workspace), "job", "create", "-f", file),
            *("--name", name, "--environment", "current", "--web"),
        ],
        cwd=up.workspace,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = open_asset_rooms(up.workspace).jobs.path(name) / "journal.jsonl"
    until(lambda: journal.exists() or process.poll() is not None)
    assert journal.exists(), process.communicate()[1]
    return process


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + WAIT_MS / 1000
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.1)


def test_the_taxi_pipeline_is_watched_to_its_end(up: Up, browser: Browser) -> None:
    """Every box of the real pipeline is seen to run and to be done, on a page loaded once."""
    process = begun(up, "rides", "taxi/pipeline.yml")
    process.send_signal(signal.SIGSTOP)  # it goes on when the page is there
    with opened(browser, up.url, path="/jobs/rides") as page, loads_of(page) as loads:
        page.evaluate(NOTES)
        process.send_signal(signal.SIGCONT)
        expect(page.locator("#graph [data-node]")).to_have_count(len(STEPS))
        expect(page.locator("#job-head")).to_contain_text("completed", timeout=WAIT_MS)
        expect(page.locator("#job-head")).to_contain_text("5 of 5 steps over")
        expect(page.locator('[data-node="score"]')).to_have_class(
            "node command good", timeout=WAIT_MS
        )
        looks = page.evaluate("() => window.looks")
        # The last one may be over before the page looks again.
        assert "node command active" in [look for name in STEPS for look in looks[name]]
        assert "node command active" in looks["train"], looks
        for name in STEPS:
            assert looks[name][-1] == "node command good", looks
        assert loads == []
    _, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    assert "/jobs/rides" in told


def test_a_sweep_is_watched_trial_by_trial(up: Up, browser: Browser) -> None:
    """A point comes to the chart with each trial, by itself; the best one is named."""
    process = begun(up, "tuned", "sweep.yml")
    points = (
        "() => (document.querySelector('[data-figure=trials]')?.data ?? [])"
        ".find((one) => one.name === 'completed')?.x.length ?? 0"
    )
    with opened(browser, up.url, path="/jobs/tuned?view=trials") as page, loads_of(page) as loads:
        assert page.evaluate(points) == 0
        for number, depth in enumerate((1, 3, 4), 1):
            (up.workspace / f"go-{depth}").touch()
            page.wait_for_function(f"(many) => ({points})() === many", arg=number)
            expect(page.locator('[data-figure="trials"] .main-svg').first).to_be_visible()
        expect(page.locator("#job-head")).to_contain_text("completed", timeout=WAIT_MS)
        best = page.locator("#trials-table tr", has_text="(best)")
        expect(best).to_have_count(1)
        expect(best.locator("td").nth(2)).to_have_text("0.5")
        expect(best.locator("td").nth(3)).to_have_text("3")
        expect(page.locator("#trials")).not_to_have_attribute("hx-trigger", "sse:jobs, every 3s")
        assert loads == []
    _, told = process.communicate(timeout=240)
    assert process.returncode == 0, told


def answering(up: Up) -> int:
    """Return which version of the model answers."""
    answer = up.post("/v1/models/risk/predict", {SCRIPT: 0.1, QUOTES: SCRIPT, LONG: 1})
    return int(answer.headers.get("x-model-version", "0").rpartition("@")[2] or 0)


def test_a_refused_challenger_is_told_why(up: Up, browser: Browser) -> None:
    """Each rule says what it came to and why; nothing moves, and no page offers to promote it."""
    with opened(browser, up.url, path="/models/risk/versions/2/promote") as page:
        # It may have been asked before, in another test.
        with page.expect_navigation():
            page.get_by_role("button", name=re.compile(r"^Ask the gate( again)?$")).click()
        expect(page.get_by_role("button", name="Ask the gate again")).to_be_visible()
        expect(page.get_by_role("heading", name="What the gate said last")).to_be_visible()
        rules = page.get_by_role("region", name="Rules of the gate").locator("tbody tr")
        told = [
            (row.locator("th").inner_text(), row.locator("td").first.inner_text())
            for row in rules.all()
        ]
        assert {outcome for _, outcome in told} <= {"passes", "fails", "not decidable"}
        held = [at for at, (_, outcome) in enumerate(told) if outcome != "passes"]
        assert held, told
        for at in held:
            assert rules.nth(at).locator("td").last.inner_text().strip(), told[at]
        expect(page.get_by_role("button", name="Promote…", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Promote if it passes").click()
        page.get_by_role("button", name="Promote if the gate passes").click()
        expect(page.get_by_text("risk@2 is not promoted")).to_be_visible()
        expect(page.get_by_text("Everything is as it was.")).to_be_visible()
        page.goto("/")
        expect(page.locator("main")).to_contain_text("risk@2")
        page.goto("/compare?versions=risk@2&versions=risk@1")
        expect(page.get_by_role("link", name="Ask the gate about risk@2")).to_be_visible()
        expect(page.get_by_role("link", name="Promote risk@2")).to_have_count(0)
    assert answering(up) == 1


def test_two_browsers_see_the_same(up: Up, browser: Browser) -> None:
    """What is done in one is on the first page of the other, which is not loaded again.

    It fails where the other never follows; how soon it does is told in the log.
    """
    took = []
    with (
        opened(browser, up.url, path="/") as watching,
        opened(browser, up.url, path="/models/risk") as acting,
        loads_of(watching) as loads,
    ):
        for move in range(MOVES):
            why = f"move {move} of two browsers"
            acting.goto("/models/risk/versions/2/promote")
            acting.get_by_role("button", name="Promote all the same").first.click()
            acting.get_by_label("The reason").fill(why)
            asked = acting.get_by_role("dialog")
            asked.get_by_role("button", name="Promote all the same").click()
            expect(acting.get_by_text("risk@2 is the champion now")).to_be_visible()
            watching.wait_for_function(SEEN, arg="version 2", timeout=WAIT_MS)
            expect(watching.locator("main")).to_contain_text(why)
            acting.goto("/models/risk")
            acting.get_by_role("button", name="Roll back").click()
            begun_s = time.time()
            acting.get_by_role("dialog").get_by_role("button", name="Roll back").click()
            seen = watching.wait_for_function(SEEN, arg="version 1", timeout=WAIT_MS)
            took.append(seen.json_value() - begun_s)
            expect(acting.get_by_text("rolled back").first).to_be_visible()
        assert loads == []
    # For who asks: `pytest --log-cli-level=info`.
    _log.info("the other browser saw it after %.2f s, the median", statistics.median(took))
    up.until(lambda: answering(up) == 1)


def test_work_that_was_cut_off_is_told_on_the_open_page(tmp_path: Path, browser: Browser) -> None:
    """The process behind the pages is killed under a package: the page waits, and then says so."""
    path = "/models/m/versions/1/package"
    with (
        running_up(lines(tmp_path, versions=1)) as server,
        # The console tells that the server was away.
        opened(browser, server.url, console=False) as page,
    ):
        server.starts()
        page.goto(path)
        page.get_by_role("button", name="Make the package").click()
        expect(page.locator("#progress")).to_contain_text("Working…", timeout=WAIT_MS)
        with loads_of(page) as loads:
            killed(server.companion())
            expect(page.locator("#progress")).to_contain_text(
                "The server ended before this was done", timeout=WAIT_MS
            )
            assert loads == []
        expect(page.locator("#progress")).to_contain_text("brinery package m@1 --to gcf")
        expect(page.get_by_role("button", name="Begin it again")).to_be_visible()
