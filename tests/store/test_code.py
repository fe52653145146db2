"""The commit a file lies in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from brinery.store.code import code_version


def test_outside_git(tmp_path: Path) -> None:
    """A file outside any repository has no code version."""
    assert code_version(tmp_path / "model.pkl") is None


def test_a_changed_repository(tmp_path: Path) -> None:
    """A tracked file that was changed since makes the version dirty; an untracked one does not."""
    tracked = tmp_path / "train.py"
    tracked.write_text("1")
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    (tmp_path / "model.pkl").write_text("untracked")
    clean = code_version(tmp_path / "model.pkl")
    assert clean is not None
    assert not clean.dirty
    tracked.write_text("2")
    dirty = code_version(tmp_path / "model.pkl")
    assert dirty is not None
    assert dirty.dirty
    assert dirty.commit == clean.commit
