"""The gateway begins when a script imports a module of ours, and knows what is asked first."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from brinery.actions.job_gateway import MODULES, VARIABLE, Told, listening, said

WAIT_S = 240.0
# What the first question would have to wait for.
NEEDED = ("sqlalchemy", "brinery.store.project_database", "brinery.actions.shim_datasets")


@pytest.mark.parametrize("module", ["dataiku", "dataikuapi"])
def test_it_begins_with_the_import(tmp_path: Path, module: str) -> None:
    """The script imports its other libraries meanwhile."""
    told = Told(workspace=str(tmp_path))
    with listening(told) as gateway:
        assert not gateway.asked
        subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            env={"PYTHONPATH": str(MODULES), VARIABLE: said(gateway.place, told, mirrors={})},
            check=True,
        )
        end = time.monotonic() + WAIT_S
        while not gateway.asked and time.monotonic() < end:
            time.sleep(0.01)
        assert gateway.asked


def test_it_is_prepared(tmp_path: Path) -> None:
    """What most scripts ask first is imported before it is asked."""
    program = (
        "import sys; from brinery.actions.gateway import GatewayTask, Office, prepare; "
        f"needed = {NEEDED!r}; before = [name in sys.modules for name in needed]; "
        f"prepare(Office(GatewayTask(workspace={str(tmp_path)!r}))); "
        "print(before, [name in sys.modules for name in needed])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{[False] * 3} {[True] * 3}"
