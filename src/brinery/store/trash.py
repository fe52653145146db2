"""What a step needed while it ran, and nobody needs now: put aside at once, removed by and by.

To remove a folder takes a file system longer than to run a small step; to rename it takes nothing.
A process of the lowest priority removes what was put aside once the job is over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

_SHELL: Final = "/bin/sh"
_REMOVE: Final = 'nice -n 19 rm -rf -- "$1" >/dev/null 2>&1 </dev/null &'


class Trash:
    """The folder of what nobody needs.

    Args:
        folder: `.brinery/trash`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._filled = False

    def put(self, path: str) -> None:
        """Put a folder aside; one that is not there is no fault.

        Raises:
            OSError: it cannot be renamed.
        """
        place = f"{self._folder}/{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        try:
            os.rename(path, place)  # noqa: PTH104 - a text
        except (FileNotFoundError, NotADirectoryError):
            if not os.path.lexists(path):
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            os.rename(path, place)  # noqa: PTH104 - as above
        self._filled = True

    def empty(self) -> None:
        """Have what was put aside removed, by a process that nobody waits for."""
        with self.emptied():
            pass

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Have what was put aside removed, while the block runs and after."""
        child = self._removal() if self._filled else 0
        try:
            yield
        finally:
            if child:
                # The shell, which ends as soon as it has begun what removes; where a parent had
                # children ignored there is none to wait for.
                with suppress(OSError):
                    os.waitpid(child, 0)

    def _removal(self) -> int:
        """Return the process that was started to remove what was put aside; 0 where none was."""
        self._filled = False
        gone = self._folder.with_name(f"{self._folder.name}-{os.getpid()}-{next(self._numbers)}")
        with suppress(OSError):
            self._folder.rename(gone)
            shell = [_SHELL, "-c", _REMOVE, _SHELL, str(gone)]
            return os.posix_spawn(_SHELL, shell, {"PATH": os.defpath}, setsid=True)
        return 0
