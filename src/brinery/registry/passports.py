"""What is recorded with versions, as it lies beside their models: read again only once it changes.

A list of versions is asked for again and again, and what it says of each lies in a file; the files
that were read last are kept, until they take too much memory.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Final

from msgspec import Struct

from brinery.records.fast_path import FastPath
from brinery.records.ready import decoded
from brinery.records.version import Candidate, Parity

# Of the files; what is made of them takes about four times that.
_KEPT_BYTES: Final = 16_000_000

_Key = tuple[Path, int, int]


class Passport(Struct, frozen=True):
    """What is recorded with a version."""

    candidate: Candidate
    parity: Parity | None
    fast_path: FastPath | None = None


class Passports:
    """Reads passports from several threads, and keeps those that were asked for last.

    Args:
        kept_bytes: of the files whose content is kept at most.
    """

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        self._most = kept_bytes
        self._bytes = 0
        self._kept: OrderedDict[_Key, Passport] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path) -> Passport:
        """Return what a file holds now.

        Raises:
            OSError: it cannot be read.
            MsgspecError: it holds something else.
        """
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = decoded(path.read_bytes(), Passport)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += stat.st_size
            while self._bytes > self._most and len(self._kept) > 1:
                (_, _, size_bytes), _ = self._kept.popitem(last=False)
                self._bytes -= size_bytes
        return made
