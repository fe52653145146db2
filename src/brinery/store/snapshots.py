"""The code of a step: what of its folder counts, and a copy of it that the step may do anything to.

What counts is what `.amlignore` in the folder leaves, or `.gitignore` where there is none; our own
state, git's and Python's byte code never do. Links are followed: a copy holds no way back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from brinery.store.copying import copy_file
from brinery.store.fingerprints import Fingerprints, Kept, hash_text
from brinery.store.ignored import ignored_by

_IGNORE_FILES: Final = (".amlignore", ".gitignore")
_NEVER: Final = frozenset({".brinery", ".git", "__pycache__", ".ipynb_checkpoints"})


class Snapshots:
    """Copies of code, and what it holds.

    Args:
        fingerprints: of its files.
    """

    def __init__(self, fingerprints: Fingerprints) -> None:
        self._fingerprints = fingerprints
        self._known: dict[tuple[str, tuple[str, ...]], tuple[str, dict[str, str]]] = {}

    def look(self, code: str, includes: Sequence[str] = ()) -> tuple[str, dict[str, str]]:
        """Return the BLAKE3 of a step's code and that of each file, by its name in the copy.

        It is looked at once for all steps of a job.

        Raises:
            OSError: it cannot be read.
        """
        known = self._known.get((code, tuple(includes)))
        if known is None:
            files: dict[str, str] = {}
            for top, prefix in _tops(code, includes):
                keeps = keeps_of(top) if Path(top).is_dir() else None
                _, found = self._fingerprints.look(top, keeps=keeps)
                single = not Path(top).is_dir()
                files |= {prefix if single else prefix + name: found[name] for name in found}
            lines = [f"{name}\0{files[name]}" for name in sorted(files)]
            known = (hash_text("\n".join(lines)) if code or includes else "", files)
            self._known[code, tuple(includes)] = known
        return known

    def copy(self, code: str, includes: Sequence[str], *, target: str) -> None:
        """Copy a step's code to a folder that is there.

        Raises:
            OSError: it cannot be read or written.
        """
        for top, prefix in _tops(code, includes):
            place = os.path.join(target, prefix) if prefix else target  # noqa: PTH118 - a text
            if Path(top).is_dir():
                _copy_tree(top, place, keeps=keeps_of(top), prefix="")
            else:
                copy_file(top, place, writable=True)


def place_of(code: str, includes: Sequence[str], *, name: str) -> str:
    """Return where a file of a snapshot lies, by its name in the copy; empty where nowhere."""
    found = ""
    for top, prefix in _tops(code, includes):
        if name == prefix:
            found = top
        elif name.startswith(prefix) and (path := Path(top, name.removeprefix(prefix))).is_file():
            found = str(path)
    return found


def keeps_of(folder: str) -> Kept:
    """Return which names below a folder of code count."""
    patterns = ""
    for name in _IGNORE_FILES:
        path = Path(folder, name)
        if path.is_file():
            patterns = path.read_text(encoding="utf-8", errors="replace")
            break
    ignored = ignored_by(patterns)

    def keeps(name: str, is_folder: bool, /) -> bool:  # noqa: FBT001 - a callback's second
        return name.rpartition("/")[2] not in _NEVER and not ignored(name, is_folder)

    return keeps


def _tops(code: str, includes: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is copied, and the name or the prefix that it has in the copy."""
    found = []
    if code:
        single = not Path(code).is_dir()
        found.append((code, Path(code).name if single else ""))
    for each in includes:
        path = Path(each)
        found.append((each, f"{path.name}/" if path.is_dir() else path.name))
    return found


def _copy_tree(top: str, target: str, *, keeps: Kept, prefix: str, depth: int = 0) -> None:
    os.makedirs(target, exist_ok=True)  # noqa: PTH103 - texts, for speed
    if depth > 100:  # noqa: PLR2004 - a link leads back
        return
    with os.scandir(top) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            place = f"{target}/{entry.name}"
            if not keeps(name, entry.is_dir()):
                continue
            if entry.is_dir():
                _copy_tree(entry.path, place, keeps=keeps, prefix=f"{name}/", depth=depth + 1)
            elif entry.is_file():
                copy_file(entry.path, place, writable=True)
