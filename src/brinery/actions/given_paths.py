"""What a script does with a managed folder whose path it was given: told by which files changed.

Such a script opens files itself, and nobody sees which it reads and which it writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from brinery.actions import folders
from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.recording import Recorder
from brinery.errors import NotFound
from brinery.records.flow import ItemKind, Use, UseKind
from brinery.records.folder import ManagedFolder

# Of more files nothing is told but that the folder was read.
_MOST: Final = 1000
# What MLflow logs lies below a run, and is told of otherwise.
_LOGGED: Final = re.compile(r"/[^/]+/(?:[0-9a-f]{32}/|models/m-)")

# Path to size and time of a file.
Files = Mapping[str, tuple[int, int]]


class GivenPaths:
    """Knows the files of folders as they were when a script was given the path of each."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], Files] = {}

    def given(self, rooms: ProjectRooms, found: ManagedFolder) -> None:
        """Look at a folder whose path a script is given, the first time that it is."""
        if (found.project, found.id) not in self._before:
            self._before[found.project, found.id] = _files(rooms, found)

    def settle(self, rooms: ProjectRooms, recorder: Recorder) -> None:
        """Have a run that is over recorded to have written the files that changed.

        Where any did, it read the others, and not the folder as a whole.

        Raises:
            StoreFault: the database cannot be written.
        """
        for (project, key), before in self._before.items():
            try:
                found = folders.folder(rooms, key, project_key=project).folder
            except NotFound:  # the script removed it
                continue
            after = _files(rooms, found)
            if after == before or len(after) > _MOST:
                continue
            recorder.forget(partial(_is_whole, found))
            for path in after:
                kind = UseKind.READ if after[path] == before.get(path) else UseKind.WRITTEN
                recorder.used(folders.use_of(rooms, found, kind=kind, path=path))


def _files(rooms: ProjectRooms, found: ManagedFolder) -> Files:
    place = folders.local_path(rooms, found)
    if place is None:
        return {}
    paths = folders.files_of(rooms, found).paths()
    seen = {path: (place / path.lstrip("/")).stat() for path in paths if not _LOGGED.match(path)}
    return {path: (one.st_size, one.st_mtime_ns) for path, one in seen.items()}


def _is_whole(found: ManagedFolder, use: Use) -> bool:
    """Return whether a use is the reading of a whole folder."""
    return (use.kind, use.item, use.project, use.name, use.path) == (
        UseKind.READ,
        ItemKind.FOLDER,
        found.project,
        found.id,
        "",
    )
