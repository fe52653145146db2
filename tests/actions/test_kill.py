"""kill -9 in the middle of an import leaves a workspace as if it had never begun."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import brinery
from brinery.records.event import Step

BRINERY = Path(sys.executable).parent / "brinery"


def _kill_after(workspace: Path, bank: Any, step: Step, *, delay_s: float = 0.0) -> str:
    """Start an import and kill it once a step is told; return what it told after that."""
    importing = subprocess.Popen(
        [
            *(str(BRINERY), "--workspace", str(workspace), "import", str(bank.model)),
            *("--name", "bank", "--data", str(bank.test), "--target", "y"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert importing.stderr is not None
    with importing.stderr as lines:
        for line in lines:
            if line.startswith(f"✓ {step}"):
                time.sleep(delay_s)
                importing.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"the step {step} was never told")
        rest = lines.read()
    importing.wait()
    return rest


def _model_folders(workspace: Path) -> list[Path]:
    return list(workspace.glob(".brinery/artifacts/bank/models/*"))


@pytest.mark.slow
def test_killed_at_every_step(bank: Any, tmp_path: Path) -> None:
    """Killed after any step before it is stored, an import is not there, and the next succeeds."""
    told = [step for step in Step if step is not Step.ENVIRONMENT]  # nothing is built here
    for step in told[: told.index(Step.STORE)]:
        told_later = _kill_after(tmp_path, bank, step)
        # The import goes on until the kill comes, which may be late.
        assert f"✓ {Step.STORE}" in told_later or not brinery.models(workspace=tmp_path), step
    version = brinery.import_model(
        bank.model, name="bank", data=bank.test, target="y", workspace=tmp_path
    )
    assert version.reference == "bank@1"
    assert len(_model_folders(tmp_path)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "delay_s"),
    [
        *((Step.DATA, delay_s) for delay_s in (0.7, 1.0, 1.3)),  # MLflow's database is made
        *((Step.EVALUATE, delay_s) for delay_s in (0.3, 0.6, 0.9)),  # the run and the files
        (Step.STORE, 0.0),
        *((Step.PARITY, delay_s) for delay_s in (0.0, 0.03, 0.06, 0.1, 0.2)),  # the version
    ],
)
def test_killed_in_the_middle(bank: Any, tmp_path: Path, step: Step, delay_s: float) -> None:
    """Killed at any moment, an import is a version wholly or not at all, and the next succeeds."""
    _kill_after(tmp_path, bank, step, delay_s=delay_s)
    for model in brinery.models(workspace=tmp_path):
        (version,) = model.versions
        assert version.candidate is not None
        assert version.parity is not None
        with brinery.load(version.reference, workspace=tmp_path) as loaded:
            assert len(loaded.predict(bank.frame)) == len(bank.frame)
    version = brinery.import_model(
        bank.model, name="bank", data=bank.test, target="y", workspace=tmp_path
    )
    assert version.reference == "bank@1"
    assert len(_model_folders(tmp_path)) == 1
