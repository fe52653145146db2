"""The acceptance script: it runs files from a tree that is given, and says which behave."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_files_that_behave_that_do_not_and_that_are_not_there(tmp_path: Path) -> None:
    """Each file has a row: it passed, it failed and why, or it is not there."""
    basics = tmp_path / "cli" / "jobs" / "basics"
    basics.mkdir(parents=True)
    (basics / "hello-world.yml").write_text(HELLO)
    (basics / "hello-world-input.yml").write_text(WRONG)
    (basics / "hello-pipeline.yml").write_text(PIPELINE)
    script = ROOT / "acceptance" / "job_yaml.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "--environment", "current"],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = {row.split()[0]: row for row in done.stdout.splitlines() if row.startswith("jobs/")}
    assert len(rows) == 24
    assert "pass" in rows["jobs/basics/hello-world.yml"]
    assert "pass" in rows["jobs/basics/hello-pipeline.yml"]
    assert "FAIL" in rows["jobs/basics/hello-world-input.yml"]
    assert "does not say ['42']" in rows["jobs/basics/hello-world-input.yml"]
    assert "not there" in rows["jobs/basics/hello-mlflow.yml"]
    assert done.stdout.splitlines()[-1] == "2 pass, 1 FAIL, 21 not there"
    assert done.returncode == 1
