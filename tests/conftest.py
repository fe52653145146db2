"""What the tests share: the demo's model, a workspace it is registered in, and a server of it."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests import buckets as s3
from tests import ports, weights
from tests import postgres as pg
from tests.buckets import Buckets
from tests.postgres import Postgres

import brinery
from brinery.pickles.scanner import scan
from brinery.records.artifact import Artifact

ROOT = Path(__file__).parent.parent
BRINERY = Path(sys.executable).parent / "brinery"
START_WAIT_S = 240.0  # the machine has other work
END_WAIT_S = 120.0
# An import evaluates whole by default; most tests import for another reason.
QUICK = {"BRINERY_EVALUATE_AT_IMPORT": "false"}
SEED = 7
# The states of generators before anything was drawn by a test, by their identity.
_FIRST: dict[int, Any] = {}

# Hypothesis's own for machines that have other work: without a time for an example, and with the
# same examples each time. `--hypothesis-profile=default` looks for new ones.
# The tests of a flavor also run in an environment that has none.
if importlib.util.find_spec("hypothesis") is not None:
    importlib.import_module("hypothesis").settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options that `make weigh` has, and who writes golden pages."""
    parser.addoption("--weigh", action="store_true", help=f"write {weights.FILE.name} anew")
    parser.addoption("--write-golden", action="store_true", help="write the golden pages anew")


def pytest_configure(config: pytest.Config) -> None:
    """Have imports within the tests' own process be quick, too, and weigh the tests where asked."""
    os.environ.update(QUICK)  # noqa: TID251 - for the front door, which reads it
    if config.getoption("--weigh"):
        config.pluginmanager.register(weights.Weighing(writes=not hasattr(config, "workerinput")))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the files that take longest begin first."""
    items[:] = weights.longest_first(items, weights.read())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> None:
    """Have a test draw the same numbers from the generators that all share, each time it runs."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - the one that estimators without a seed draw from


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have what a file's tests share draw the same numbers, whichever of them is the first."""
    _begin_anew(getattr(item, "module", None))


@pytest.fixture(autouse=True)
def _same_numbers(request: pytest.FixtureRequest) -> None:
    """Have a test draw the same numbers from its file's generators, whatever ran before it."""
    _begin_anew(request.module)


def _begin_anew(module: object) -> None:
    """Put the generators of a file back: `RANDOM` to a seed, others to what they were at first."""
    for name, source in vars(module).items() if module is not None else ():
        if isinstance(source, np.random.Generator):
            own = np.random.default_rng(SEED) if name == "RANDOM" else source
            first = _FIRST.setdefault(id(source), own.bit_generator.state)
            source.bit_generator.state = first


def stable(value: object) -> str:
    """Return what a case is called, the same in every process: without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def artifact_of(path: Path) -> Artifact:
    """Return how a model file that is trusted whole is loaded."""
    report = scan(path)
    return Artifact(
        flavor="",
        format=report.format,
        file=path.name,
        sha256=report.sha256,
        globals=tuple(str(name) for name in report.globals),
    )


@dataclass(frozen=True)
class Bank:
    """The demo's files."""

    model: Path
    test: Path

    @property
    def frame(self) -> pd.DataFrame:
        """Return the held-out data, target included."""
        return pd.read_csv(self.test, sep=";")

    @property
    def row(self) -> dict[str, Any]:
        """Return its first row without the target, as JSON has it."""
        first = self.frame.drop(columns="y").iloc[0]
        return {str(name): value for name, value in first.to_dict().items()}


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """The demo's model, of a tenth of its trees, and held-out data, made by its own script."""
    folder = tmp_path_factory.mktemp("bank")
    path = ROOT / "examples" / "bank" / "train.py"
    spec = importlib.util.spec_from_file_location("train", path)
    assert spec is not None
    assert spec.loader is not None
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    train.main(folder, trees=10)
    return Bank(folder / "model.pkl", folder / "test.csv")


@pytest.fixture(scope="session")
def bank_workspace(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which bank@1 is the champion. Tests read it and do not change it."""
    folder = tmp_path_factory.mktemp("workspace")
    brinery.import_model(bank.model, name="bank", data=bank.test, target="y", workspace=folder)
    brinery.promote("bank@1", workspace=folder)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; a test takes a database of its own. Tests that use it are slow."""
    with pg.running() as server:
        yield server


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """An S3 server; a test takes a bucket of its own. Tests that use it are slow."""
    with s3.running() as server:
        yield server


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def run_brinery(*arguments: str | Path, cwd: Path | None = None, **environ: str) -> Done:
    """Return how a `brinery` command ended."""
    done = subprocess.run(
        [str(BRINERY), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**_environment(), **environ},
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _environment() -> dict[str, str]:
    """Return the variables without any of ours but that which makes imports quick."""
    shell = {key: value for key, value in os.environ.items() if not key.startswith("BRINERY_")}  # noqa: TID251 - what a shell would pass on
    return {**shell, **QUICK}


@pytest.fixture(scope="session")
def brinery_command() -> Callable[..., Done]:
    """Runs a `brinery` command to its end."""
    return run_brinery


@pytest.fixture
def brinery_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs a `brinery` command in this process: for what it says, not for how a process starts.

    What it does not translate into an error of ours is raised, and is no traceback on a screen.
    """
    # Some tests run where a model's libraries are and click is not.
    run_here = import_module("brinery.cli.main").run

    def run(*arguments: str | Path, cwd: Path | None = None, **environ: str) -> Done:
        out, err = _screen(), _screen()
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            if cwd is not None:
                patch.chdir(cwd)
            with redirect_stdout(out), redirect_stderr(err):
                status = run_here([*map(str, arguments)])
        return Done(status, _shown(out), _shown(err))

    return run


def _screen() -> TextIOWrapper:
    """Return what takes text and, as a real stream does, bytes."""
    return TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)


def _shown(screen: TextIOWrapper) -> str:
    """Return what was written to it."""
    screen.seek(0)
    return screen.read()


@pytest.fixture
def free_port() -> int:
    """A port that no one listens on."""
    return ports.free()


@contextmanager
def serving(workspace: Path, reference: str, *options: str, **environ: str) -> Iterator[str]:
    """Serve a version while the block runs; gives the URL once the model is loaded."""
    port = ports.free()
    command = [str(BRINERY), "--workspace", str(workspace), "serve", reference, "--port", str(port)]
    server = subprocess.Popen([*command, *options], env={**_environment(), **environ})
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, server)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=END_WAIT_S)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_WAIT_S
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended before it was ready"
        try:
            with urllib.request.urlopen(f"{url}/ready"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the server was not ready in time")


@pytest.fixture(scope="session")
def served(bank_workspace: Path) -> Iterator[str]:
    """The URL of a server of the demo's champion."""
    with serving(bank_workspace, "bank") as url:
        yield url
