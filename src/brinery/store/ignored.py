"""Patterns of files that do not count, as git reads them. The library is loaded for some only."""

from __future__ import annotations

from importlib import import_module

from brinery.store.fingerprints import Kept


def ignored_by(patterns: str) -> Kept:
    """Return whether a name, and whether it is a folder, is one that patterns leave out."""
    lines = [line for line in patterns.splitlines() if line.strip() and line[:1] != "#"]
    if not lines:
        return lambda _name, _is_folder: False
    # It takes as long to import as all else that a small job needs.
    spec = import_module("pathspec").GitIgnoreSpec.from_lines(lines)

    def ignored(name: str, is_folder: bool, /) -> bool:  # noqa: FBT001 - a callback's second
        return bool(spec.match_file(f"{name}/" if is_folder else name))

    return ignored
