"""The whole story, from the first model to the one that is taken back, against a running server.

    python story.py [--train PYTHON] [--serve PYTHON] [--store URI] [--artifacts URI]

Train, log, register, stage, serve, as in `train.py` and `serve.py`; then Brinery: the model is
checked and promoted, a better one is promoted by itself while the server answers, a worse one is
refused with reasons, and the better one is taken back. --train and --serve are interpreters with
MLflow of any version from 2.17 on; both are this one by default. What MLflow 3.14 or later logs is
in the format of skops, which MLflow 2 cannot load: let the older one train, or both be the same.
Each step says what it saw, and the script ends with an error where that is something else.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sklearn.datasets import load_iris

HERE = Path(__file__).parent
BRINERY = str(Path(sys.executable).with_name("brinery"))
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
VIRGINICA = dict(zip(COLUMNS, [6.3, 3.3, 6.0, 2.5], strict=True))
SETOSA_CODE, VIRGINICA_CODE = 0, 2
WAIT_S = 180.0

LOOP = """\
name: iris-again
model: iris
train:
  command: {python} {train} --model {kind} --into model.pkl --tracking-uri {url}
  model: model.pkl
evaluate: {{data: ./holdout.csv, target: species}}
import: {{environment: auto}}
"""


def say(text: str) -> None:
    """Tell the reader."""
    print(f"• {text}", flush=True)


def free_port() -> int:
    """Return a port that no one listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(url: str, body: object = None) -> Any:
    """Return what a server answers to a document, or to a question without one."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def until(url: str, *, body: object = None, holds: Any) -> None:
    """Ask until an answer is what it should be."""
    end = time.monotonic() + WAIT_S
    seen: object = None
    while time.monotonic() < end:
        try:
            seen = asked(url, body)
            if holds(seen):
                return
        except (urllib.error.URLError, ConnectionError, ValueError) as error:
            seen = error
        time.sleep(0.1)
    raise SystemExit(f"{url} never answered as it should; at last: {seen}")


@contextmanager
def running(command: list[str], **environ: str) -> Iterator[None]:
    """Run a server while the block runs."""
    process = subprocess.Popen(command, env={**os.environ, **environ}, cwd=HERE)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Story:
    """The server, and who works with it.

    Args:
        folder: of the workspace, empty.
        url: of the server.
        places: `BRINERY_STORE_…` variables of where models are kept.
    """

    def __init__(self, folder: Path, url: str, places: dict[str, str]) -> None:
        self.folder = folder
        self.url = url
        self.environ = {**places, "MLFLOW_TRACKING_URI": url}

    def run(self, *command: str, status: int = 0) -> str:
        """Return what a command printed; it must end as expected."""
        environ = {**os.environ, **self.environ}
        if command[0] == BRINERY:
            del environ["MLFLOW_TRACKING_URI"]
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode != status:
            raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def brinery(self, *arguments: str, status: int = 0) -> str:
        """Return what a `brinery` command printed."""
        return self.run(BRINERY, *arguments, status=status)

    def turn(self, python: str, kind: str) -> None:
        """Run the loop once, with a training of some kind."""
        train = HERE / "train.py"
        text = LOOP.format(python=python, train=train, kind=kind, url=self.url)
        (self.folder / "loop.yml").write_text(text)
        self.brinery("loop", "run", "loop.yml")

    def champion(self) -> int:
        """Return which version is the champion."""
        return int(asked(f"{self.url}/api/v1/models/iris/champion")["version"])

    def answers(self, label: int) -> None:
        """Wait until the endpoint gives a virginica a label."""
        until(
            f"{self.url}/v1/models/iris/predict",
            body=VIRGINICA,
            holds=lambda told: int(told["predictions"][0]["label"]) == label,
        )


def told(story: Story, train: str, serve: str) -> None:
    """Tell the story."""
    frame = load_iris(as_frame=True).frame
    frame.columns = [*COLUMNS, "species"]
    frame.to_csv(story.folder / "holdout.csv", index=False)

    story.run(train, str(HERE / "train.py"))
    say("a model that always says setosa is logged, registered, and in production for MLflow")

    port = free_port()
    command = [serve, "-m", "uvicorn", "serve:app", "--port", str(port), "--log-level", "warning"]
    with running(command, **story.environ):
        url = f"http://127.0.0.1:{port}/label"
        until(url, body=VIRGINICA, holds=lambda answer: answer == {"label": SETOSA_CODE})
    say("a service of FastAPI's loads models:/iris/Production and answers with it")

    data = ["--data", "holdout.csv", "--target", "species"]
    checked = [*data, "--environment", "auto"]
    story.brinery("import", "models:/iris/1", "--name", "iris", *checked)
    story.brinery("promote", "iris@2", "--if-better")
    story.answers(SETOSA_CODE)
    say("Brinery has checked it: iris@2 is the champion, and the server answers with it")

    story.turn(train, "logistic")
    if story.champion() != 3:
        raise SystemExit(story.brinery("history", "iris"))
    story.answers(VIRGINICA_CODE)
    say("a better one was trained: it is promoted by itself, and the running server answers")

    story.turn(train, "scrambled")
    if story.champion() != 3:
        raise SystemExit(story.brinery("history", "iris"))
    decision = asked(f"{story.url}/api/v1/models/iris/decisions")["decisions"][-1]["decision"]
    why = next(rule["why"] for rule in decision["rules"] if rule["outcome"] != "passes")
    story.answers(VIRGINICA_CODE)
    say(f"a worse one was trained: it is refused, because {why}")

    story.brinery("rollback", "iris", "--why", "to see that it can be")
    if story.champion() != 2:
        raise SystemExit(story.brinery("history", "iris"))
    story.answers(SETOSA_CODE)
    say("and back: iris@2 is the champion again, and the server answers with it")
    print(story.brinery("history", "iris"))


def main() -> None:
    """Run the server, and tell the story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--serve", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--store", metavar="URI")
    parser.add_argument("--artifacts", metavar="URI")
    chosen = parser.parse_args()
    given = {"BRINERY_STORE_URI": chosen.store, "BRINERY_STORE_ARTIFACTS": chosen.artifacts}
    places = {name: uri for name, uri in given.items() if uri}
    port = free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "brinery.toml").touch()
        command = [BRINERY, "--workspace", str(folder), "up", "--port", str(port)]
        stack.enter_context(running(command, **places))
        story = Story(folder, f"http://localhost:{port}", places)
        until(f"{story.url}/api/v1/models", holds=lambda answer: "models" in answer)
        told(story, chosen.train, chosen.serve)


if __name__ == "__main__":
    main()
