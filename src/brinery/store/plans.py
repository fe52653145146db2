"""Plans that were made, found again while every file that they were made of is as it was.

Reading a job file with all its checks takes longer than five small steps. Whoever reads it hands
over which files it was made of; each is remembered by size, time and inode, or as absent. What a
plan names must still be there, too: else it is made again, which says what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from brinery.records.plan import Data, Joined, Plan, Value
from brinery.store.fingerprints import hash_text

_PACKAGE: Final = str(Path(__file__).parent.parent)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """A plan, and what it was made of: each path with its size, time and inode."""

    plan: Plan
    seen: list[tuple[str, int, int, int]]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Kept)


class Plans:
    """The plans that are remembered in a workspace.

    Args:
        folder: `.brinery/cache/plans`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, asked: Iterable[str]) -> Plan | None:
        """Return the plan of what was asked for; None where it must be made.

        Args:
            asked: everything but files that decides the plan: the version, the file's name, …
        """
        try:
            kept = _DECODER.decode(self._place(asked).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None
        if any(_look(path) != (size, at, inode) for path, size, at, inode in kept.seen):
            return None
        return kept.plan if all(_is_there(path) for path in _named(kept.plan)) else None

    def add(self, asked: Iterable[str], plan: Plan, *, files: Iterable[str]) -> None:
        """Remember a plan, made of files that were read or looked for."""
        place = self._place(asked)
        kept = _Kept(plan, [(path, *_look(path)) for path in sorted(set(files))])
        beside = place.with_name(f"{place.name}.{os.getpid()}")
        with suppress(OSError):  # it only saves time
            place.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_ENCODER.encode(kept))
            beside.replace(place)

    def _place(self, asked: Iterable[str]) -> Path:
        return self._folder / hash_text("\0".join(asked))[:32]


def own_files() -> list[str]:
    """Return what tells one state of our own code from another, where it is being written."""
    found = []
    for room in ("specs", "pipeline"):
        with os.scandir(f"{_PACKAGE}/{room}") as entries:
            found += [
                f"{each.name} {each.stat().st_mtime_ns}" for each in entries if each.is_file()
            ]
    return sorted(found)


def _look(path: str) -> tuple[int, int, int]:
    try:
        seen = os.stat(path)  # noqa: PTH116 - many in a row
    except OSError:
        return (-1, -1, -1)
    return (seen.st_size, seen.st_mtime_ns, seen.st_ino)


def _named(plan: Plan) -> Iterator[str]:
    """Yield the absolute paths that a plan names."""
    found: set[str] = set()
    for step in plan.steps:
        found.update((step.code, *step.includes))
        for value in step.inputs.values():
            found.update(_paths(value))
    found.discard("")
    yield from found


def _is_there(path: str) -> bool:
    """Return whether something lies at a path, or at one that a pattern stands for."""
    there = os.path.exists(path)  # noqa: PTH110 - a text
    if there or not any(mark in path for mark in "*?["):
        return there
    return any(Path("/").glob(path.removeprefix("/")))


def _paths(value: Value) -> Iterator[str]:
    if isinstance(value, Data) and value.uri.startswith("/"):
        yield value.uri
    elif isinstance(value, Joined):
        for part in value.parts:
            yield from _paths(part)
