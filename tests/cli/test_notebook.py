"""`brinery notebook` and `brinery run`: what they print, write and refuse; what the docs show."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from brinery.cli.main import cli, main

ROOT = Path(__file__).parents[2]
SOURCE = """\
%matplotlib inline
import pandas as pd
from mine import half
rate = 0.5
table = pd.read_csv("rows.csv")
table.head()
table.to_csv("out/rows.csv")
print(half(rate))
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook with a table and a module beside it."""
    path = tmp_path / "look.ipynb"
    cells = [{"cell_type": "code", "source": SOURCE.splitlines(keepends=True)}]
    path.write_text(json.dumps({"nbformat": 4, "cells": cells, "metadata": {}}))
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "mine.py").write_text("def half(x):\n    return x / 2\n")
    (tmp_path / "requirements.txt").write_text("pandas==2.2.3\nseaborn==0.13.2\n")
    (tmp_path / "brinery.toml").touch()
    return path


def test_convert_tells_what_it_did_and_restore_undoes_it(
    notebook: Path, brinery_command: Any
) -> None:
    """Each change is a line; changed files are not lost; what was left out comes back."""
    folder = notebook.parent
    done = brinery_command("notebook", "convert", "look.ipynb", cwd=folder)
    assert done.status == 0, done.err
    assert done.out.splitlines() == [
        "input     rows: rows.csv (uri_file)",
        "output    out: out (uri_folder)",
        "package   pandas==2.2.3  [requirements.txt]",
        "without   seaborn==0.13.2: not imported by what is left",
        "magic     cell 1: %matplotlib inline",
        "explore   cell 1: table.head()",
        "wrote     look-job/src/look.py",
        "wrote     look-job/job.yml",
        "wrote     look-job/conda.yml",
        "wrote     look-job/src/mine.py",
    ]
    assert done.err == "Next: brinery job create -f look-job/job.yml\n"
    script = folder / "look-job" / "src" / "look.py"
    done = brinery_command("notebook", "restore", str(script))
    assert done.out == "explore   cell 1: table.head()\n"
    assert "\ntable.head()\n" in script.read_text()
    done = brinery_command("notebook", "convert", "look.ipynb", cwd=folder)
    assert done.status == 2
    assert "--force" in done.err
    done = brinery_command(
        "notebook", "convert", "look.ipynb", "--output", "one.py", "--format", "json", cwd=folder
    )
    told = json.loads(done.out)
    assert told["inputs"] == [
        {"name": "rows", "type": "uri_file", "path": "rows.csv", "there": True}
    ]
    assert told["files"][:3] == ["one.py", "job.yml", "conda.yml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "none.py"], "none.py cannot be read: No such file"),
        (
            ["run", "look.ipynb", "--set", "rat=1"],
            "gives no such name a value (did you mean rate?)",
        ),
        (["run", "look.ipynb", "--set", "rate=fast"], "rate is 0.5, and 'fast' is of another type"),
        (["run", "mine.py", "--set", "x"], "--set x is not NAME=VALUE"),
        (["notebook", "convert", "rows.csv", "--output", "rows"], "--output rows is no script"),
        (["notebook", "convert", "look.ipynb", "--keep", "plots"], "did you mean 'plot'?"),
        (
            ["notebook", "convert", "look.ipynb", "--requirements", "no.txt"],
            "no.txt cannot be read",
        ),
    ],
    ids=["missing", "name", "type", "pair", "output", "rule", "list"],
)
def test_a_mistake_has_one_clear_error(
    notebook: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong is said in a line, with the exit status 2, and nothing is run."""
    monkeypatch.chdir(notebook.parent)
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert said in capsys.readouterr().err


SCRIPT = """\
import argparse, os, pathlib
from mine import half
RATE = 0.5
parser = argparse.ArgumentParser()
parser.add_argument("--n-trees", type=int, default=3)
parser.add_argument("more", nargs="*")
given = parser.parse_args()
print("rate", half(RATE), "trees", given.n_trees, "more", given.more)
print("tracked", bool(os.environ["MLFLOW_RUN_ID"] and os.environ["MLFLOW_TRACKING_URI"]))
pathlib.Path("outputs/x.txt").write_text("kept")
"""


def test_a_script_runs_in_a_copy_of_its_folder(notebook: Path, brinery_command: Any) -> None:
    """It is given what was set and what follows `--`; outputs/ is kept, and its folder is not."""
    folder = notebook.parent
    script = folder / "go.py"
    script.write_text(SCRIPT)
    asked = ("--set", "RATE=0.25", "--set", "n_trees=9", "--environment", "current")
    done = brinery_command("run", "go.py", "--name", "one", *asked, "--", "a", "b", cwd=folder)
    assert done.status == 0, done.err
    assert "rate 0.125 trees 9 more ['a', 'b']\n" in done.out
    assert "tracked True\n" in done.out
    artifacts = folder / ".brinery" / "jobs" / "one" / "steps" / "go" / "outputs"
    assert (artifacts / "artifacts" / "outputs" / "x.txt").read_text() == "kept"
    assert not (folder / "outputs").exists()
    assert script.read_text() == SCRIPT


def test_a_script_that_fails_shows_its_traceback_once(notebook: Path, brinery_command: Any) -> None:
    """What it wrote was told as it came, and is not told again at its end."""
    folder = notebook.parent
    (folder / "breaks.py").write_text("raise SystemError('half way')\n")
    done = brinery_command("run", "breaks.py", "--environment", "current", cwd=folder)
    assert done.status == 1
    assert (done.out + done.err).count("SystemError: half way") == 1
    assert (done.out + done.err).count("Traceback") == 1
    assert "its command ended with status 1" in done.err


@pytest.mark.parametrize("page", ["docs/how-to/notebooks.md", "examples/taxi/README.md"])
def test_the_commands_that_pages_show_are_there(page: str) -> None:
    """Every `brinery …` that a page shows is a command with those options."""
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.findall(r"^brinery (.*)$", text, re.MULTILINE)
    assert shown
    for line in shown:
        words = shlex.split(line, comments=True)
        group: click.Command = cli
        while isinstance(group, click.Group):
            found = group.get_command(click.Context(group), words.pop(0))
            assert found is not None, line
            group = found
        group.make_context(line, words)
