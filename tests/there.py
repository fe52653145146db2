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
    yield from _commands(_begun("self"))


def command(number: int) -> str:
    """Return the command line of a process; empty where it is gone."""
    return dict(_commands([number])).get(number, "")


def _begun(process: int | str) -> Iterator[int]:
    """Yield the processes that one has begun; none where it is gone."""
    try:
        threads = list((PROCESSES / str(process) / "task").iterdir())
    except OSError:
        return
    for thread in threads:
        try:
            begun = (thread / "children").read_text()
        except OSError:
            continue
        yield from map(int, begun.split())


def _commands(numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Yield the numbers of the processes that are still there, each with its command line."""
    for number in numbers:
        try:
            said = (PROCESSES / str(number) / "cmdline").read_bytes()
        except OSError:
            continue
        yield number, said.replace(b"\0", b" ").decode(errors="replace")


def family(number: int) -> list[int]:
    """Return the processes that a process has begun, whichever of its threads did, and theirs."""
    found = []
    for begun in _begun(number):
        found += [begun, *family(begun)]
    return found


def alive(number: int) -> bool:
    """Return whether a process is there, and no zombie."""
    try:
        stat = (PROCESSES / str(number) / "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def ignores(number: int, signal: int) -> bool:
    """Return whether a process ignores a signal: what a model in a sandbox can tell of itself."""
    try:
        status = (PROCESSES / str(number) / "status").read_text()
    except OSError:
        return False
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    return bool(ignored >> (signal - 1) & 1)


def texts(folder: Path) -> Iterator[bytes]:
    """Yield what each file below a folder says."""
    for above, _, names in walk(folder):
        for name in names:
            try:
                yield (Path(above) / name).read_bytes()
            except OSError:
                continue
