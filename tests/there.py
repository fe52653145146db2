"""What is there while others run: processes end and files go between two looks, and are let."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import walk
from pathlib import Path

PROCESSES = Path("/proc")


def commands() -> Iterator[tuple[int, str]]:
    """Yield each process's number and its command line, its words parted by spaces."""
    yield from _commands(int(folder.name) for folder in PROCESSES.glob("[0-9]*"))


def children() -> Iterator[tuple[int, str]]:
    """Yield the same of the processes that this one began, whichever of its threads did."""
    for thread in (PROCESSES / "self" / "task").iterdir():
        try:
            begun = (thread / "children").read_text()
        except OSError:
            continue
        yield from _commands(map(int, begun.split()))


def _commands(numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Yield the numbers of the processes that are still there, each with its command line."""
    for number in numbers:
        try:
            said = (PROCESSES / str(number) / "cmdline").read_bytes()
        except OSError:
            continue
        yield number, said.replace(b"\0", b" ").decode(errors="replace")


def texts(folder: Path) -> Iterator[bytes]:
    """Yield what each file below a folder says."""
    for above, _, names in walk(folder):
        for name in names:
            try:
                yield (Path(above) / name).read_bytes()
            except OSError:
                continue
