"""What is there while others run: processes end and files go between two looks, and are let."""

from __future__ import annotations

from collections.abc import Iterator
from os import walk
from pathlib import Path

PROCESSES = Path("/proc")


def commands() -> Iterator[tuple[int, str]]:
    """Yield each process's number and its command line, its words parted by spaces."""
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        yield int(folder.name), said.replace(b"\0", b" ").decode(errors="replace")


def texts(folder: Path) -> Iterator[bytes]:
    """Yield what each file below a folder says."""
    for above, _, names in walk(folder):
        for name in names:
            try:
                yield (Path(above) / name).read_bytes()
            except OSError:
                continue
