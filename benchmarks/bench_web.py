"""The pages of `brinery up` over a workspace of some size: 1,000 versions, 10,000 runs, 1,000 jobs.

For each page: the server's own time once it is warm, when a headless Chromium paints first, how
many requests a cold browser makes and how many bytes they are, and how many bytes a warm one's are;
and the memory of all processes of the server, MLflow's among them. Then what-if on the demo's
model of 100 trees: from a key to the answer, as a browser measures it.

    python benchmarks/bench_web.py [WORKSPACE]
    python benchmarks/bench_web.py --what-if

A workspace that was made before is used again; with `--what-if` that part is all.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
from large_workspace import JOBS, RUNS, VERSIONS, make
from playwright.sync_api import Browser, Request, sync_playwright

import brinery

CHROMIUM = "/usr/bin/chromium"
PAGES = (
    "/",
    "/models",
    "/models/model-00",
    "/models/model-00/versions/1",
    "/experiments",
    "/experiments/1",
    "/jobs",
    "/jobs/first-job",
    "/flow",
    "/endpoints",
    "/settings",
)
BANK = Path(__file__).parents[1] / "examples" / "bank" / "train.py"
WHAT_IF = """async ({rounds, pause}) => {
  const place = document.getElementById("whatif");
  const field = place.querySelector('[data-column="duration"]');
  const turn = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  });
  const taken = [];
  for (let round = 0; round < rounds; round++) {
    delete place.dataset.tookMs;
    performance.clearResourceTimings();
    const began = performance.now();
    field.value = 50 + round * 37;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    while (!place.dataset.tookMs) await turn();
    const answered = performance.now() - began;
    await new Promise(requestAnimationFrame);
    await turn();
    const painted = performance.now() - began;
    const files = performance.getEntriesByType("resource");
    const asked = files.find((one) => one.name.endsWith("/whatif"));
    taken.push([answered, painted, asked.serverTiming[0].duration]);
    await new Promise((done) => setTimeout(done, pause));
  }
  return taken;
}"""
ROUNDS = 25
PAINTS = 5
TYPED = 60
WAIT_S = 180.0


@contextmanager
def running(workspace: Path) -> Iterator[tuple[str, int]]:
    """Run the server while the block runs; gives its URL and the number of its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("brinery")
    process = subprocess.Popen(
        [str(program), "--workspace", str(workspace), "up", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + WAIT_S
        while not _answers(f"{url}/settings"):
            if time.monotonic() > end:
                raise SystemExit("the server does not answer")
            time.sleep(0.5)
        yield url, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def served_ms(client: httpx.Client, path: str) -> float:
    """Return the median time of an answer over a kept connection, in milliseconds."""
    taken = []
    for _ in range(ROUNDS + 3):
        began = time.perf_counter()
        answer = client.get(path)
        taken.append(time.perf_counter() - began)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{path}: {answer.status_code}")
    return 1000 * median(taken[3:])


def seen(browser: Browser, url: str) -> tuple[float, int, int, int]:
    """Return first contentful paint in ms, requests, and bytes of a cold and of a warm visit."""
    paints: list[float] = []
    counts: list[int] = []
    cold: list[int] = []
    warm: list[int] = []
    for _ in range(PAINTS):
        context = browser.new_context()
        page = context.new_page()
        asked: list[Request] = []
        page.on("request", _into(asked))
        for sizes in (cold, warm):
            page.goto(url, wait_until="load")
            page.wait_for_timeout(400)
            if sizes is cold:
                paints.append(
                    page.evaluate(
                        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
                    )
                )
                counts.append(len(asked))
            sizes.append(
                page.evaluate(
                    "performance.getEntriesByType('resource').concat("
                    "performance.getEntriesByType('navigation'))"
                    ".reduce((sum, one) => sum + one.transferSize, 0)"
                )
            )
        context.close()
    return median(paints), max(counts), int(median(cold)), int(median(warm))


def _into(asked: list[Request]) -> Callable[[Request], None]:
    """Return what keeps each request; Playwright takes no method of a list."""

    def keep(one: Request) -> None:
        asked.append(one)

    return keep


def memory_mb(group: int) -> float:
    """Return the proportional memory of all processes of a group, in megabytes."""
    total_kb = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                rollup = (folder / "smaps_rollup").read_text()
                total_kb += int(rollup.partition("Pss:")[2].split()[0])
        except OSError:
            continue
    return total_kb / 1024


def what_if(browser: Browser, folder: Path) -> None:
    """Print how long an answer to a typed row takes, of the demo's model."""
    train = runpy.run_path(str(BANK))
    train["main"](folder)
    brinery.import_model(
        folder / "model.pkl", name="bank", data=folder / "test.csv", target="y", workspace=folder
    )
    with running(folder) as (url, _):
        page = browser.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.goto(f"{url}/models/bank/versions/1?tab=whatif")
        page.wait_for_function("() => document.getElementById('took').textContent !== ''")
        taken = page.evaluate(WHAT_IF, {"rounds": TYPED + 5, "pause": 50})[5:]
        page.close()
    print("| what if: from the key to | median ms | least ms |")
    print("|---|--:|--:|")
    parts = ("the answer in the page", "the answer painted", "the server's own part")
    for name, times in zip(parts, zip(*taken, strict=True), strict=True):
        print(f"| {name} | {median(times):.1f} | {min(times):.1f} |")


def main() -> None:
    """Measure."""
    if "--what-if" in sys.argv:
        with tempfile.TemporaryDirectory() as spare, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            print(f"load {os.getloadavg()[0]:.1f}\n")
            what_if(browser, Path(spare))
            browser.close()
        return
    with tempfile.TemporaryDirectory() as spare:
        workspace = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(spare)
        workspace.mkdir(exist_ok=True)
        if not (workspace / ".brinery" / "jobs" / f"job-{JOBS - 1:04}").exists():
            make(workspace)
        with running(workspace) as (url, group), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            print(
                f"{VERSIONS:,} versions, {RUNS:,} runs, {JOBS:,} jobs; {os.getloadavg()[0]:.1f}\n"
            )
            print("| page | server ms | first paint ms | requests | cold kB | warm kB |")
            print("|---|--:|--:|--:|--:|--:|")
            with httpx.Client(base_url=url, timeout=60) as client:
                for path in PAGES:
                    served = served_ms(client, path)
                    paint, count, cold, warm = seen(browser, url + path)
                    print(
                        f"| `{path}` | {served:.1f} | {paint:.0f} | {count} | {cold / 1000:.0f} "
                        f"| {warm / 1000:.1f} |"
                    )
            print(f"\nmemory of the server: {memory_mb(group):.0f} MB\n")
            bank = Path(spare) / "bank"
            bank.mkdir()
            what_if(browser, bank)
            browser.close()


if __name__ == "__main__":
    main()
