"""The acceptance script: it runs files from a tree that is given, and says which behave."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli import standins, standins_learning, standins_pipelines

ROOT = Path(__file__).parents[2]

HELLO = """
type: command
command: echo "hello world"
environment: {image: docker.io/python}
"""
# Says the wrong thing, so that a failure is seen, too.
WRONG = """
type: command
command: |
  echo ${{inputs.greeting}}
  echo ${{inputs.number}}
inputs: {greeting: hello world, number: 41}
environment: {image: docker.io/python}
"""
PIPELINE = """
type: pipeline
jobs:
  one: {command: echo one, environment: {image: docker.io/python}}
  two: {command: echo two, environment: {image: docker.io/python}}
"""


CONDA = "5c_env_conda_file"


def accepted(tree: Path, *arguments: str) -> tuple[str, int]:
    """What the script says of a tree, and its exit status."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "acceptance" / "job_yaml.py"), str(tree), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


@pytest.mark.slow
def test_files_like_the_public_ones_behave(tmp_path: Path) -> None:
    """Each has the features that the specification lists for it, and shows what it must."""
    files = {**standins.FILES, **standins_pipelines.FILES, **standins_learning.FILES}
    tree = standins.written(
        tmp_path, {name: text for name, text in files.items() if CONDA not in name}
    )
    standins_learning.tables(tree)
    said, status = accepted(tree, "--environment", "current")
    assert said.splitlines()[-1] == "23 pass, 0 FAIL, 1 not there", said
    assert status == 0


@pytest.mark.slow
def test_a_file_whose_environment_is_built_behaves(tmp_path: Path) -> None:
    """The packages of its conda file are there, and it prints a joke from one of them."""
    tree = standins.written(
        tmp_path, {name: text for name, text in standins_pipelines.FILES.items() if CONDA in name}
    )
    said, status = accepted(tree, "--only", f"*{CONDA}*")
    assert said.splitlines()[-1] == "1 pass, 0 FAIL, 0 not there", said
    assert status == 0


@pytest.mark.slow
def test_files_that_behave_that_do_not_and_that_are_not_there(tmp_path: Path) -> None:
    """Each file has a row: it passed, it failed and why, or it is not there."""
    basics = tmp_path / "cli" / "jobs" / "basics"
    basics.mkdir(parents=True)
    (basics / "hello-world.yml").write_text(HELLO)
    (basics / "hello-world-input.yml").write_text(WRONG)
    (basics / "hello-pipeline.yml").write_text(PIPELINE)
    said, status = accepted(tmp_path, "--environment", "current")
    rows = {row.split()[0]: row for row in said.splitlines() if row.startswith("jobs/")}
    assert len(rows) == 24
    assert "pass" in rows["jobs/basics/hello-world.yml"]
    assert "pass" in rows["jobs/basics/hello-pipeline.yml"]
    assert "FAIL" in rows["jobs/basics/hello-world-input.yml"]
    assert "does not say ['42']" in rows["jobs/basics/hello-world-input.yml"]
    assert "not there" in rows["jobs/basics/hello-mlflow.yml"]
    assert said.splitlines()[-1] == "2 pass, 1 FAIL, 21 not there"
    assert status == 1
