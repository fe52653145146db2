"""Sweeps and parallel steps as people have them: from YAML, by the command line, with MLflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import BRINERY

pytestmark = pytest.mark.slow

TRAIN = """
import argparse, pathlib
import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--rate", type=float)
parser.add_argument("--model")
known = parser.parse_args()
with mlflow.start_run():
    for step in range(2):
        mlflow.log_metric("loss", abs(known.depth - 3) + known.rate / (1 + step), step=step)
pathlib.Path(known.model, "told").write_text(str(known.depth))
"""
COMPONENT = """
type: command
name: train
inputs:
  depth: {type: integer}
  rate: {type: number, default: 0.5}
outputs: {model: {type: uri_folder}}
code: ./src
environment: {image: python}
command: >-
  python train.py --depth ${{inputs.depth}} --rate ${{inputs.rate}} --model ${{outputs.model}}
"""
SWEEP = """
type: pipeline
jobs:
  tune:
    type: sweep
    trial: ./train.yml
    search_space: {depth: {type: choice, values: [1, 3, 4]}}
    sampling_algorithm: grid
    objective: {goal: minimize, primary_metric: loss}
    limits: {max_total_trials: 3}
    outputs: {model: }
  look:
    command: cat ${{inputs.model}}/told
    environment: {image: python}
    inputs: {model: "${{parent.jobs.tune.outputs.model}}"}
"""
SCORE = """
import os, time

def run(mini_batch):
    with open(os.environ["COUNTS"], "a") as stream:
        stream.write("".join(f"{os.path.basename(path)}\\n" for path in mini_batch))
    while os.path.basename(mini_batch[0]) >= "40" and not os.path.exists(os.environ["GOES_ON"]):
        time.sleep(0.1)
    return [open(path).read() for path in mini_batch]
"""
PARALLEL = """
type: pipeline
inputs: {data: {type: uri_folder, path: ./data}}
outputs: {rows: {type: uri_file}}
jobs:
  score:
    type: parallel
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {rows: "${{parent.outputs.rows}}"}
    input_data: ${{inputs.data}}
    mini_batch_size: "2"
    environment_variables: {COUNTS: PLACE, GOES_ON: GATE}
    task:
      type: run_function
      code: ./src
      entry_script: score.py
      environment: {image: python}
      append_row_to: ${{outputs.rows}}
"""


def _command(folder: Path, *words: str) -> list[str]:
    return [str(BRINERY), "--workspace", str(folder), "job", *words]


def _job(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(folder, *words), capture_output=True, text=True, check=False)


def _shown(folder: Path, name: str) -> Any:
    return json.loads(_job(folder, "show", name, "-o", "json").stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brinery.toml").touch()
    (tmp_path / "src").mkdir()
    return tmp_path


def test_sweep(folder: Path) -> None:
    """The best trial by its MLflow metric feeds what follows; each trial is a run, and is shown."""
    (folder / "src" / "train.py").write_text(TRAIN)
    (folder / "train.yml").write_text(COMPONENT)
    file = folder / "sweep.yml"
    file.write_text(SWEEP)
    create = ("create", "-f", str(file), "--environment", "current")
    done = _job(folder, *create, "--name", "first")
    assert done.returncode == 0, done.stderr + done.stdout
    step = _shown(folder, "first/tune")
    assert [each["metric"] for each in step["trials"]] == [2.25, 0.25, 1.25]
    assert len({each["run_id"] for each in step["trials"]}) == 3
    assert step["best_trial"] == "trial_1"
    assert step["properties"]["best_child_run_id"] == step["trials"][1]["run_id"]
    for each, depth in zip(step["trials"], "134", strict=True):
        assert Path(each["outputs"]["model"], "told").read_text() == depth
    log = folder / ".brinery" / "jobs" / "first" / "steps" / "look" / "logs" / "std_log.txt"
    assert log.read_text().split()[-1] == "3"
    assert "trial_1 (best)" in _job(folder, "show", "first").stdout
    again = _job(folder, *create, "--name", "second")
    assert "2 of 2 steps reused" in again.stdout + again.stderr


def test_parallel_is_resumed(folder: Path) -> None:
    """An engine that is killed in the middle is gone on with; no mini-batch is done twice."""
    (folder / "data").mkdir()
    for at in range(60):
        (folder / "data" / f"{at:02d}").write_text(f"row {at}")
    (folder / "src" / "score.py").write_text(SCORE)
    counts = folder / "counts"
    file = folder / "parallel.yml"
    file.write_text(PARALLEL.replace("PLACE", str(counts)).replace("GATE", str(folder / "gate")))
    create = ("create", "-f", str(file), "--environment", "current", "--name", "scored")
    engine = subprocess.Popen(_command(folder, *create), stdout=subprocess.DEVNULL)
    done = folder / ".brinery" / "jobs" / "scored" / "steps" / "score" / "mini-batches" / "done"
    while len([*done.glob("0*.json")]) < 8:
        assert engine.poll() is None
        time.sleep(0.02)
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    (folder / "gate").touch()
    resumed = _job(folder, "resume", "scored", "--environment", "current")
    assert resumed.returncode == 0, resumed.stderr + resumed.stdout
    rows = folder / ".brinery" / "jobs" / "scored" / "named-outputs" / "rows"
    assert rows.read_text().splitlines() == [f"row {at}" for at in range(60)]
    told = _shown(folder, "scored/score")["mini_batches"]
    assert (told["batches"], told["failed"], told["rows"]) == (30, 0, 60)
    # Those that were worked on when the engine was killed are worked on again.
    lines = counts.read_text().splitlines()
    assert len({*lines}) == 60
    assert len(lines) <= 60 + 2 * 2
