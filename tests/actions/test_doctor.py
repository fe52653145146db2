from __future__ import annotations

import sys

import pytest

from brinery.actions.doctor import doctor
from brinery.pickles.limits import Kernel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")


def test_doctor() -> None:
    """Where the kernel has all of it, everything that is tried is stopped, and nothing hangs."""
    found = doctor()  # what hangs is a ModelProcessTimeout
    assert found.sandbox.complete
    assert len(found.trials) >= 11
    assert all(trial.stopped and trial.said for trial in found.trials)
    assert {trial.layer for trial in found.trials} <= {layer.name for layer in found.sandbox.layers}
    assert found.system.startswith("Linux ")
    assert found.uv


def test_doctor_without_landlock() -> None:
    """A layer that is missing is said to be, and what it lets through was really possible."""
    found = doctor(kernel=Kernel(landlock=False))
    assert not found.sandbox.complete
    missing = {layer.name: layer.reason for layer in found.sandbox.layers if not layer.in_force}
    assert missing["filesystem"] == "it is not used"
    possible = {trial.tried for trial in found.trials if not trial.stopped}
    assert {"read a file of yours", "write a file of yours"} <= possible
    # They lie in a file of another process, which root's child without privileges cannot read
    # either. A layer that a trial belies is not in force.
    assert ("read your variables" in possible) == ("environment" in missing)
