"""Which commit a file lies in, and what the code beside it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from brinery.records.version import CodeVersion

_TIMEOUT_S = 5.0
_NO_CODE = {"__pycache__", "node_modules", "site-packages", "mlruns", "mlartifacts"}


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


def code_digest(folder: Path, named: Iterable[Path] = ()) -> str:
    """Return the sha256 of the Python files in a folder, and of other files that are named.

    Folders that hold no code of the user's own, such as virtual environments, are left out.

    Args:
        folder: that the code lies in.
        named: more files, such as a script without an ending.
    """
    whole = hashlib.sha256()
    found = {*_sources(folder), *(path for path in named if path.is_file())}
    for path in sorted(found):
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        whole.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n".encode())
    return whole.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if name not in _NO_CODE
            and name[0] != "."
            and not Path(parent, name, "pyvenv.cfg").exists()
        ]
        yield from (Path(parent, name) for name in names if name.endswith(".py"))
