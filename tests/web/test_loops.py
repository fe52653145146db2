"""Loops run beside the server."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.conftest import run_brinery
from tests.web.conftest import Up, X, lines, running_up

LOOP = """\
name: again
model: m
train:
  command: {python} -c "import shutil; shutil.copy('model1.pkl', 'made.pkl')"
  model: made.pkl
evaluate: {{data: ./holdout.csv, target: y}}
trigger: {{new_data: "./incoming/*.csv"}}
"""


def deeds(up: Up) -> list[str]:
    """Return what was done with the aliases of the model."""
    return [one["deed"] for one in up.get("/api/v1/models/m/history").json()["history"]]


@pytest.mark.slow
def test_new_data_begins_a_turn(tmp_path: Path) -> None:
    """Of a loop that the server was given, whose model then answers."""
    lines(tmp_path, versions=1)
    shutil.rmtree(tmp_path / ".brinery")
    X.assign(y=X["x"]).to_csv(tmp_path / "holdout.csv", index=False)
    (tmp_path / "incoming").mkdir()
    (tmp_path / "loop.yml").write_text(LOOP.format(python=sys.executable))
    with running_up(tmp_path, "--loop", str(tmp_path / "loop.yml")) as up:
        up.starts()
        assert up.answered() == 0
        X.to_csv(tmp_path / "incoming" / "first.csv", index=False)
        up.until(lambda: up.answered() == 1)
        up.until(lambda: deeds(up) == ["promoted"])


def test_a_loop_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    """Before anything is started."""
    done = run_brinery("--workspace", tmp_path, "up", "--loop", "none.yml", cwd=tmp_path)
    assert done.status == 2
    assert "none.yml" in done.err
    assert "Traceback" not in done.err
