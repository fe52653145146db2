"""Screenshots of every page, in both themes, of a workspace in which everything was done once.

    python docs/screenshots.py [FOLDER]

Those that the README and the docs show are written to `docs/images/`, the others, and those as wide
as a telephone, to `build/screenshots/`, or to a folder that is named; `make screenshots` does that.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
IMAGES = ROOT / "docs" / "images"
OTHERS = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
BRINERY = Path(sys.executable).with_name("brinery")

# What a picture is called, and the page it is of.
PAGES = {
    "home": "/",
    "import": "/import",
    "models": "/models",
    "model": "/models/bank",
    "version": "/models/bank/versions/1",
    "reasons": "/models/bank/versions/1?tab=reasons",
    "what-if": "/models/bank/versions/1?tab=whatif",
    "lineage": "/models/bank/versions/1?tab=lineage",
    "compare": "/compare?versions=bank@1&versions=bank@2",
    "experiments": "/experiments",
    "jobs": "/jobs",
    "job": "/jobs/taxi",
    "gantt": "/jobs/taxi?view=gantt",
    "flow": "/flow",
    "dataset": "/datasets/bank",
    "endpoints": "/endpoints",
    "endpoint": "/endpoints/bank",
    "loop": "/loops/shop-weekly",
    "gate": "/gates/default",
    "settings": "/settings",
}
WIDTH_PX = 1280
PHONE_WIDTH_PX = 400
HEIGHT_PX = 860
COLOURS = 128
TURNS = 4
WAIT_S = 180.0
_IMAGE = re.compile(r"images/([\w-]+\.png)")
_NUMERIC = ["age", "balance", "duration", "previous", "campaign"]
_CATEGORICAL = ["job", "marital", "education", "housing", "loan", "contact", "poutcome"]


def main() -> None:
    """Do everything once, and take the pictures."""
    others = Path(sys.argv[1]) if len(sys.argv) > 1 else OTHERS
    others.mkdir(parents=True, exist_ok=True)
    used = shown()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder, "pickles")
        workspace.mkdir()
        fill(workspace)
        with served(workspace) as url, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            for theme in ("light", "dark"):
                for name, path in PAGES.items():
                    file = f"page-{name}-{theme}.png"
                    place = IMAGES if file in used else others
                    picture(chromium, url + path, place / file, theme=theme)
                    narrow = others / f"phone-{name}-{theme}.png"
                    picture(chromium, url + path, narrow, theme=theme, width_px=PHONE_WIDTH_PX)
            chromium.close()


def shown() -> set[str]:
    """Return the names of the pictures that the README and the docs show."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found = (_IMAGE.findall(page.read_text(encoding="utf-8")) for page in pages)
    return {name for names in found for name in names}


def fill(workspace: Path) -> None:
    """Import two models, run a pipeline, recipes and a loop, in an empty folder."""
    subprocess.run([sys.executable, str(EXAMPLES / "bank" / "train.py")], check=True)
    for name in ("model.pkl", "test.csv", "bank.csv"):
        shutil.copy(EXAMPLES / "bank" / name, workspace)
    other_model(workspace)
    imported = ("--name", "bank", "--data", "test.csv", "--target", "y")
    brinery(workspace, "import", "model.pkl", *imported)
    brinery(workspace, "promote", "bank@1")
    brinery(workspace, "import", "linear.pkl", *imported)
    left_out = shutil.ignore_patterns("__pycache__", "year.py", ".brinery", "README.md")
    for name, place in (("taxi", "taxi"), ("loop", "loop"), ("recipes", ".")):
        shutil.copytree(EXAMPLES / name, workspace / place, ignore=left_out, dirs_exist_ok=True)
    brinery(
        workspace,
        *("job", "create", "-f", "taxi/pipeline.yml", "--name", "taxi"),
        *("--environment", "current"),
    )
    for step in ("step1_prepare.py", "step2_train.py", "step3_deploy.py"):
        brinery(workspace, "run", step)
    loop(workspace)


def other_model(workspace: Path) -> None:
    """Fit a second model on the same rows, to be compared with the first."""
    data = pd.read_csv(workspace / "bank.csv", sep=";")
    test = pd.read_csv(workspace / "test.csv", sep=";")
    train = data.merge(test.drop_duplicates(), how="left", indicator=True)
    train = train[train["_merge"] == "left_only"].drop(columns="_merge")
    model = make_pipeline(
        ColumnTransformer(
            [
                ("numeric", StandardScaler(), _NUMERIC),
                ("categorical", OneHotEncoder(handle_unknown="ignore"), _CATEGORICAL),
            ]
        ),
        LogisticRegression(max_iter=1000),
    ).fit(train.drop(columns="y"), train["y"])
    (workspace / "linear.pkl").write_bytes(pickle.dumps(model))


def loop(workspace: Path) -> None:
    """Run a few turns of the weekly loop, a delivery before each."""
    folder = workspace / "loop"
    for week in range(1, TURNS + 1):
        made = f"import source, pathlib; source.deliver(pathlib.Path(), {week})"
        subprocess.run([sys.executable, "-c", made], cwd=folder, check=True)
        brinery(workspace, "loop", "run", "loop/loop.yml")


def brinery(workspace: Path, *words: str) -> None:
    """Run a command in the workspace."""
    print("$ brinery", *words, flush=True)
    done = subprocess.run(
        [str(BRINERY), "--workspace", str(workspace), *words], cwd=workspace, check=False
    )
    if done.returncode:
        print(f"it ended with {done.returncode}", flush=True)


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """Run `brinery up` while the block runs; gives its URL once its pages answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(BRINERY), "--workspace", str(workspace), "up", "--port", str(port)],
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + WAIT_S
        while not answers(f"{url}/gates"):
            if time.monotonic() > end:
                raise SystemExit("the server does not answer")
            time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def answers(url: str) -> bool:
    """Return whether a page is there."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own
    except (urllib.error.URLError, OSError):
        return False


def picture(
    browser: Browser, url: str, file: Path, *, theme: str, width_px: int = WIDTH_PX
) -> None:
    """Write a picture of a page, small."""
    page = browser.new_page(
        viewport={"width": width_px, "height": HEIGHT_PX},
        color_scheme="dark" if theme == "dark" else "light",
    )
    answer = page.goto(url)
    page.wait_for_timeout(1500)
    if answer is None or not answer.ok:
        print(f"{url}: {answer.status if answer else 'no answer'}", flush=True)
    shot = Image.open(BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
