"""Which commit a file lies in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from brinery.records.version import CodeVersion

_TIMEOUT_S = 5.0


def code_version(path: Path) -> CodeVersion | None:
    """Return the commit of the repository that a file lies in; None outside git."""
    folder = path.resolve().parent
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return CodeVersion(commit=commit, dirty=bool(changed))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
