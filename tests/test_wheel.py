"""The wheel has what the package needs beside its modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    """A wheel has the page with its fetched style, the migrations, and the mark of being typed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert "-py3-none-linux" in wheel.name or "-py3-none-manylinux" in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= {
        "brinery/py.typed",
        "brinery/scorers/libkernel.so",
        "brinery/serve/assets/docs.html",
        "brinery/serve/assets/docs.js",
        "brinery/serve/assets/vendor/pico.min.css",
        "brinery/store/migrations/env.py",
        "brinery/store/revisions/0001_audit.py",
        "brinery/store/revisions/0002_decisions.py",
    }
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]
