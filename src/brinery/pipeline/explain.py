"""Why a step runs: what is otherwise than when it ran before, down to the file and the line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

from brinery.records.job import Part

# BLAKE3 of a tree to its files' names and theirs; None where nobody remembers.
Trees = Callable[[str], Mapping[str, str] | None]
# BLAKE3 of a file to its bytes; None likewise.
Files = Callable[[str], bytes | None]

_SHOWN_CHARACTERS = 60
_BEFORE_CHARACTERS = 20
_SHOWN_FILES = 3


def differences(
    before: Sequence[Part], now: Sequence[Part], *, trees: Trees, files: Files
) -> list[str]:
    """Return what is otherwise, a short sentence each, in the order of the parts.

    Args:
        before: parts of the key of an earlier run.
        now: parts of the key of this one.
        trees: what is remembered of trees.
        files: what is remembered of files.
    """
    old = {part.name: part.value for part in before}
    new = {part.name: part.value for part in now}
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old:
            found.append(f"{name} is new")
        elif name not in new:
            found.append(f"{name} is gone")
        elif old[name] != new[name]:
            found.append(_difference(name, old[name], new[name], trees=trees, files=files))
    return found


def changed_files(
    before: Mapping[str, str], now: Mapping[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """Return the names of files that changed, came and went, each in order."""
    changed = sorted(name for name in now if name in before and before[name] != now[name])
    return changed, sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())


def same_but_comments(
    before: Mapping[str, str], now: Mapping[str, str], *, old: Files, new: Callable[[str], bytes]
) -> bool:
    """Return whether two trees differ in comments and layout of Python files only.

    Args:
        before: names and BLAKE3 of the files of one tree.
        now: of the other.
        old: bytes of a file of the first by its BLAKE3, where they are remembered.
        new: bytes of a file of the second by its name.
    """
    changed, came, went = changed_files(before, now)
    if came or went:
        return False
    for name in changed:
        earlier = old(before[name])
        if not name.endswith(".py") or earlier is None:
            return False
        try:
            if ast.dump(ast.parse(earlier)) != ast.dump(ast.parse(new(name))):
                return False
        except (SyntaxError, ValueError):
            return False
    return True


def _difference(name: str, old: str, new: str, *, trees: Trees, files: Files) -> str:
    kind = name.partition(" ")[0]
    if kind in ("code", "input"):
        return _of_trees(name, trees(old), trees(new), files=files)
    if name == "command":
        line = _line(old.encode(), new.encode())
        return f"command changed{line}"
    if name in ("environment", "sweep", "parallel", "processes"):
        return f"{name} changed"
    return f"{name} was {_short(old)}, is {_short(new)}"


def _of_trees(
    name: str, old: Mapping[str, str] | None, new: Mapping[str, str] | None, *, files: Files
) -> str:
    if old is None or new is None:
        return f"{name} changed"
    changed, came, went = changed_files(old, new)
    said = []
    for each in changed[:_SHOWN_FILES]:
        before, now = files(old[each]), files(new[each])
        line = _line(before, now) if before is not None and now is not None else ""
        said.append(f"{each} changed{line}")
    said += [f"{each} is new" for each in came[:_SHOWN_FILES]]
    said += [f"{each} is gone" for each in went[:_SHOWN_FILES]]
    more = len(changed) + len(came) + len(went) - len(said)
    tail = f" and {more} more" if more else ""
    return f"{name}: {', '.join(said) or 'its folders changed'}{tail}"


def _line(before: bytes, now: bytes) -> str:
    """Return which line is the first that differs, and how; empty where they are no texts."""
    try:
        old, new = before.decode().splitlines(), now.decode().splitlines()
    except UnicodeDecodeError:
        return ""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, start, end, other, last in matcher.get_opcodes():
        if kind == "equal":
            continue
        if kind == "insert":
            return f" at line {other + 1}: {_short(new[other])} is new"
        if kind == "delete":
            return f" at line {start + 1}: {_short(old[start])} is gone"
        del end, last
        was, becomes = _apart(old[start], new[other])
        return f" at line {other + 1}: {was} became {becomes}"
    return ""


def _apart(old: str, new: str) -> tuple[str, str]:
    """Return two lines as they are shown: of long ones, from a little before they differ."""
    old, new = " ".join(old.split()), " ".join(new.split())
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, same - _BEFORE_CHARACTERS)
    if max(len(old), len(new)) <= _SHOWN_CHARACTERS or start == 0:
        return _short(old), _short(new)
    return _short("…" + old[start:]), _short("…" + new[start:])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"'{line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + '…'}'"
