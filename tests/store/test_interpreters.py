from __future__ import annotations

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

from brinery.store.interpreters import OLDEST, inspect, installed


def test_this_one() -> None:
    """This Python is among those that are installed."""
    here = ".".join(map(str, sys.version_info[:2]))
    (found,) = [python for python in installed() if python.minor == here]
    assert found.platform == sysconfig.get_platform()
    assert found.libc == " ".join(platform.libc_ver())


def test_newest_first() -> None:
    """There is one of each minor version, newest first, and none that is too old."""
    versions = [python.version[:2] for python in installed()]
    assert versions == sorted(set(versions), reverse=True)
    assert min(versions) >= OLDEST


def test_none_lies_in_an_environment() -> None:
    """An environment is made of a Python, not of another environment."""
    for python in installed():
        assert not (python.path.parent.parent / "pyvenv.cfg").exists()


def test_said_by_itself() -> None:
    """The version is what the program itself says."""
    newest = installed()[0]
    said = subprocess.run([newest.path, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.split()[1] == str(newest)


def test_no_python(tmp_path: Path) -> None:
    """What is no Python is none, whatever it does."""
    program = tmp_path / "python3.9"
    assert inspect(program) is None
    program.write_text("#!/bin/sh\necho '[]'\n")
    assert inspect(program) is None
    program.chmod(0o755)
    assert inspect(program) is None
    program.write_text("#!/bin/sh\nexit 127\n")
    assert inspect(program) is None


def test_an_environments_own(tmp_path: Path) -> None:
    """The program of a virtual environment is not taken for a Python of the machine."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--copies", "--without-pip", str(tmp_path / "e")], check=True
    )
    assert inspect(tmp_path / "e" / "bin" / "python") is None
