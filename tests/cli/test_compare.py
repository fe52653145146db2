"""Comparing and ranking versions on the command line, in MLflow's own registry."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.conftest import run_brinery

RANDOM = np.random.default_rng(1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with m@1, the champion, and m@2, which knows more; their data beside them."""
    folder = tmp_path_factory.mktemp("compared")
    frame = pd.DataFrame(RANDOM.normal(size=(600, 2)), columns=["a", "b"])
    frame["y"] = np.where(frame["a"] + frame["b"] + RANDOM.normal(size=600) > 0, "yes", "no")
    frame.to_csv(folder / "test.csv", index=False)
    inputs = frame[["a", "b"]]
    blind = LogisticRegression().fit(inputs.assign(b=0.0), frame["y"])
    for name, model in (("blind", blind), ("full", LogisticRegression().fit(inputs, frame["y"]))):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
        asked = ["--name", "m", "--data", "test.csv", "--target", "y"]
        done = run_brinery("import", f"{name}.pkl", *asked, cwd=folder)
        assert done.status == 0, done.err
    assert run_brinery("promote", "m@1", cwd=folder).status == 0
    return folder


def test_a_comparison_is_read_by_people_and_by_programs(workspace: Path) -> None:
    """It says what is better and how sure that is; as JSON it is the record, quiet the ranks."""
    done = run_brinery("compare", "m@2", "m@champion", cwd=workspace)
    assert done.status == 0, done.err
    assert "m@2 compared with m@1, on 600 rows of test.csv" in done.out
    area = next(line for line in done.out.splitlines() if line.startswith("roc_auc"))
    assert area.rstrip().endswith("better")
    assert "They disagree on" in done.out
    assert "rows in a second" in done.out
    found = json.loads(run_brinery("compare", "m@2", "--format", "json", cwd=workspace).out)
    assert found["base"] == "m@1"
    assert found["leaderboard"]["standings"][0]["name"] == "m@2"
    quiet = run_brinery("compare", "m@2", "--format", "quiet", cwd=workspace)
    assert quiet.out.split() == ["m@2", "m@1"]
    assert quiet.err == ""


@pytest.mark.slow
def test_a_leaderboard_is_read_by_people_and_by_programs(workspace: Path) -> None:
    """Versions stand in the order of the metric, with their alias and their data."""
    done = run_brinery("leaderboard", "m", cwd=workspace)
    assert done.status == 0, done.err
    lines = [line.split() for line in done.out.splitlines() if "m@" in line]
    assert [line[1] for line in lines] == ["m@2", "m@1"]
    assert "champion" in lines[1]
    assert "test.csv, 600 rows" in done.out
    shown = run_brinery(
        "leaderboard", "m", "--metric", "log_loss", "--format", "json", cwd=workspace
    )
    board = json.loads(shown.out)
    assert (board["metric"], board["higher_is_better"]) == ("log_loss", False)


def test_the_rows_are_found_where_they_lay(workspace: Path) -> None:
    """From another folder, too, those of the import are taken."""
    away = run_brinery("--workspace", workspace, "compare", "m@2", cwd=workspace.parent)
    assert away.status == 0, away.err
    assert "on 600 rows of test.csv" in away.out


def test_a_mistake_is_one_line_and_the_next_command(workspace: Path) -> None:
    """Without a metric of that name, and of one version alone, it says what to type."""
    wrong = run_brinery("compare", "m@2", "--metric", "roc_acu", cwd=workspace)
    assert (wrong.status, wrong.out) == (2, "")
    assert "roc_auc" in wrong.err.splitlines()[1]
    same = run_brinery("compare", "m@1", cwd=workspace)
    assert (same.status, same.out) == (2, "")
    assert same.err.splitlines() == [
        "error: m@1 and m@champion are the same version, m@1",
        " hint: brinery compare m@2 m@1",
    ]
