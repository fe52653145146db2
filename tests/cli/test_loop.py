"""`brinery loop`: what it would do, what it did, and what a kill leaves."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.conftest import BRINERY

LOOP = """\
name: lamps-weekly
model: lamps
train: {command: %s, model: "%s", inputs: {data: ./data.csv}}
evaluate: {data: ./data.csv, target: broken}
gate: ./gate.toml
trigger: {cron: "0 6 * * 1", new_data: "./batches/*.csv"}
"""
GATE = '[[rule]]\nmetric = "roc_auc"\nat_least = 0.6\n'
LOGS = """\
import sys
import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression

frame = pd.read_csv(sys.argv[1])
with mlflow.start_run():
    fitted = LogisticRegression().fit(frame.drop(columns="broken"), frame["broken"])
    mlflow.sklearn.log_model(fitted, name="lamp", serialization_format="pickle")
"""


@pytest.fixture
def lamps(tmp_path: Path) -> Path:
    """A workspace with a loop, its data, and a model that its training may leave."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(300, 2)), columns=["hours", "heat"])
    frame["broken"] = np.where(frame["hours"] + random.normal(size=300) > 0, "yes", "no")
    frame.to_csv(tmp_path / "data.csv", index=False)
    model = LogisticRegression().fit(frame[["hours", "heat"]], frame["broken"])
    (tmp_path / "new").write_bytes(pickle.dumps(model))
    (tmp_path / "gate.toml").write_text(GATE, encoding="utf-8")
    declared(tmp_path, "[cp, new, model.pkl]", "model.pkl")
    return tmp_path


def declared(folder: Path, command: str, model: str) -> None:
    """Write the loop with this training."""
    (folder / "loop.yml").write_text(LOOP % (command, model), encoding="utf-8")


def test_a_dry_run_does_nothing(lamps: Path, brinery_command: Callable[..., Any]) -> None:
    """It says the command, the gate and when the loop is due, and leaves nothing."""
    there = sorted(lamps.iterdir())
    done = brinery_command("loop", "run", "loop.yml", "--dry-run", cwd=lamps)
    assert done.status == 0
    for told in ("cp new model.pkl", "no champion yet", "due next at", "no file that no turn had"):
        assert told in done.out
    assert sorted(lamps.iterdir()) == there


def test_a_wrong_loop_is_told(lamps: Path, brinery_command: Callable[..., Any]) -> None:
    """Every fault of a loop.yml is told with its line, and the exit status is 2."""
    text = (lamps / "loop.yml").read_text(encoding="utf-8")
    (lamps / "loop.yml").write_text(text.replace("gate:", "gaet:"), encoding="utf-8")
    done = brinery_command("loop", "check", "loop.yml", cwd=lamps)
    assert (done.status, done.out) == (2, "")
    assert "loop.yml:5: gaet is not known: did you mean gate?" in done.err


def test_a_failed_turn_is_told(lamps: Path, brinery_command: Callable[..., Any]) -> None:
    """A turn that failed ends with status 1, and the history says why."""
    declared(lamps, "[sh, -c, 'echo no rows; exit 3']", "model.pkl")
    done = brinery_command("loop", "run", "loop.yml", cwd=lamps)
    assert done.status == 1
    assert "status 3: no rows" in done.err
    told = brinery_command("loop", "history", "lamps-weekly", "--format", "json", cwd=lamps)
    assert [turn["ending"] for turn in json.loads(told.out)] == ["failed"]
    missed = brinery_command("loop", "history", "lamps-weakly", cwd=lamps)
    assert missed.status == 2
    assert "did you mean lamps-weekly?" in missed.err


@pytest.mark.slow
def test_a_run_of_mlflow_is_taken(lamps: Path, brinery_command: Callable[..., Any]) -> None:
    """A training that logs its model in MLflow is told where, and the run is in the lineage."""
    (lamps / "train.py").write_text(LOGS, encoding="utf-8")
    declared(lamps, '"python train.py {data}"', "")
    done = brinery_command("loop", "run", "loop.yml", "--format", "json", cwd=lamps)
    assert done.status == 0, done.err
    turn = json.loads(done.out)
    assert turn["ending"] == "promoted"
    assert turn["trained"].startswith("models:/m-")
    assert turn["lineage"]["run_id"]
    page = brinery_command("loop", "history", "loop.yml", "--output", "story.html", cwd=lamps)
    assert page.status == 0
    assert "lamps-weekly" in (lamps / "story.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_killed_turn_goes_on(lamps: Path, brinery_command: Callable[..., Any]) -> None:
    """Killed while it trains, and as it registers: one turn, one version and one champion."""
    declared(
        lamps, "[sh, -c, 'echo x >> count; [ -f go ] || sleep 300; cp new model.pkl']", "*.pkl"
    )
    killed(lamps, at="train", once=lamps / "count")
    (lamps / "go").touch()
    killed(lamps, at="register")
    done = brinery_command("loop", "run", "loop.yml", cwd=lamps)
    assert done.status == 0, done.err
    told = brinery_command("loop", "history", "lamps-weekly", "--format", "json", cwd=lamps)
    (turn,) = json.loads(told.out)
    assert (turn["attempts"], turn["ending"], turn["champion"]) == (3, "promoted", 1)
    assert len((lamps / "count").read_text().splitlines()) == 2
    shown = brinery_command("model", "show", "lamps", "--format", "quiet", cwd=lamps)
    assert shown.out.split() == ["lamps@1"]


def killed(folder: Path, *, at: str, once: Path | None = None) -> None:
    """Kill a turn when it says that it has come to a step, and a file is there."""
    command = [str(BRINERY), "loop", "run", "loop.yml"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.split()[1:2] == [at]:
                while once is not None and not once.exists():
                    time.sleep(0.05)
                process.kill()
    assert process.returncode == -signal.SIGKILL
