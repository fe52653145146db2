"""Ray's own end of a runner: what is said where there is no cluster, or no Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brinery.actions.job_later import ray_runner
from brinery.errors import EndpointUnreachable

JOB = "command: echo hello\nenvironment: {image: python}\n"


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_no_cluster(address: str) -> None:
    """An address at which no cluster answers is named, with what starts one."""
    with pytest.raises(EndpointUnreachable) as caught:
        ray_runner((), address=address)
    assert f"no Ray cluster answers at {address}" in caught.value.message
    assert "ray start --head" in caught.value.hint


def test_no_ray(tmp_path: Path) -> None:
    """Without Ray the command says how to add it, and nothing is left half-done."""
    (tmp_path / "job.yml").write_text(JOB)
    script = (
        "import sys; sys.modules['ray'] = None; from brinery.cli.main import main; "
        "sys.argv[1:] = ['job', 'create', '-f', 'job.yml', '--runner', 'ray', "
        "'--environment', 'current']; main()"
    )
    done: Any = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "--runner ray needs Ray, which is not installed" in done.stderr
    assert "pip install 'brinery[ray]'" in done.stderr
    assert "Traceback" not in done.stderr
