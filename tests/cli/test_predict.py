"""`brinery predict`: data on standard output, how far it is and what came of it on the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brinery.cli.predict import _Lines, _outcome, _said, _spent
from brinery.records.batch import BatchProgress, ScoredFiles


def test_parts_of_a_folder(
    bank: Any, bank_workspace: Path, brinery_command: Any, tmp_path: Path
) -> None:
    """A folder of parts is told in a line, resumed by the same command, and refused to another."""
    output = tmp_path / "out"
    arguments = ("--workspace", bank_workspace, "predict", "bank", "--data", bank.test)
    done = brinery_command(*arguments, "--output", f"{output}/", "--keep", "age")
    assert (done.status, done.out) == (0, "")
    assert done.err.startswith("905 rows scored")
    assert done.err.endswith(f": {output} in 1 part\n")
    assert len(pd.read_parquet(output)) == 905
    done = brinery_command(*arguments, "--output", output, "--keep", "age")
    assert done.err == f"905 rows in 1 part were scored before: {output} is finished\n"
    done = brinery_command(*arguments, "--output", output)
    assert (done.status, done.out) == (2, "")
    assert "error: " in done.err
    assert "--overwrite" in done.err


def test_for_programs(
    bank: Any, bank_workspace: Path, brinery_command: Any, tmp_path: Path
) -> None:
    """`--format json` prints the outcome, quiet the name of the output, neither anything else."""
    output = tmp_path / "scores.parquet"
    arguments = ("--workspace", bank_workspace, "predict", "bank", "--data", bank.test)
    done = brinery_command(*arguments, "--output", output, "--format", "json")
    assert (done.status, done.err) == (0, "")
    made = json.loads(done.out)
    assert (made["version"], made["rows"], made["output"]) == ("bank@1", 905, str(output))
    done = brinery_command(*arguments, "--output", output, "--format", "quiet")
    assert (done.out, done.err) == (f"{output}\n", "")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")]
)
def test_times(seconds: float, said: str) -> None:
    """A time is told in the two units that matter."""
    assert _spent(seconds) == said


def test_progress() -> None:
    """A line of progress has the rows, the rows in a second, and the time that is left."""
    now = BatchProgress(rows=50_000, seconds=4.0, done=0.25, left_s=12.0)
    assert _said(now) == "50,000 rows, 12,500 rows/s, 12 s left"
    assert _said(BatchProgress(rows=0, seconds=0.0, done=0.0)) == "0 rows, 0 rows/s"


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A log has a line every five seconds, and none that says that all is done."""
    show = _Lines()
    for seconds, done in ((1.0, 0.1), (5.0, 0.5), (6.0, 0.6), (11.0, 0.9), (30.0, 1.0)):
        show(BatchProgress(rows=100, seconds=seconds, done=done, left_s=2.0))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "50%".rjust(4) + "  100 rows, 20 rows/s, 2 s left",
        "90%".rjust(4) + "  100 rows, 9 rows/s, 2 s left",
    ]


def test_outcome() -> None:
    """The last line tells what was scored now, before, and by whom."""
    made = ScoredFiles(
        version="bank@1",
        output="out",
        files=2,
        rows=1500,
        resumed_rows=500,
        library_rows=20,
        parts=("a", "b"),
        seconds=61.0,
    )
    assert _outcome(made) == (
        "1,500 rows scored, 20 of them by its library, 500 before, 1 min 1 s: out in 2 parts"
    )
