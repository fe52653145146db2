"""Where the data lies that versions were evaluated on: its digest to a path, never a copy.

`data/3f9a….json` says which file held the content of that digest when it was last read; whether it
still does is for the reader to check.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from brinery.errors import OutputUnwritable
from brinery.records.ready import decoded
from brinery.store.documents import write

_SHORT = 16


class Place(Struct, frozen=True, kw_only=True):
    """A file of data.

    Attributes:
        path: absolute.
        separator: of a csv file, where it was named; None where it is found in its first lines.
    """

    path: str
    separator: str | None = None


class KnownData:
    """Remembers where data lies.

    Args:
        folder: of the workspace; made when the first place is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(self, sha256: str, path: Path, *, separator: str | None) -> None:
        """Keep where the content of a digest lies; a place that cannot be kept is forgotten."""
        place = Place(path=str(path.absolute()), separator=separator)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write(self._of(sha256), msgspec.json.encode(place))
        except (OSError, OutputUnwritable):
            return

    def place(self, sha256: str) -> Place | None:
        """Return where the content of a digest lay; None where that is not known."""
        try:
            return decoded(self._of(sha256).read_bytes(), Place)
        except (OSError, msgspec.DecodeError):
            return None

    def _of(self, sha256: str) -> Path:
        return self._folder / f"{sha256[:_SHORT]}.json"
