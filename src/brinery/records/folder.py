"""A managed folder: files under a name and an id of eight characters."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class ManagedFolder(Struct, frozen=True, kw_only=True):
    """A managed folder of a project.

    Attributes:
        project: its key.
        id: eight letters and digits; part of every path in it.
        name: unique in the project.
        created: with time zone.
        who: created it.
        uri: what the paths of its files begin with, without a slash at its end: `file://…` or what
            fsspec reaches; empty where its files lie in the workspace.
        default: whether it is the one that an empty id means.
    """

    project: str
    id: str
    name: str
    created: datetime
    who: str = ""
    uri: str = ""
    default: bool = False


class FolderEntry(Struct, frozen=True, kw_only=True):
    """What lies at a path of a managed folder.

    Attributes:
        path: with a slash before it: `/models/pipeline.pkl`.
        exists: whether anything does.
        directory: whether it is one.
        size_bytes: of the file; of a directory 0.
        modified_ms: milliseconds since 1970 UTC; of a directory 0.
        children: of a directory, in the order of their paths.
    """

    path: str
    exists: bool = True
    directory: bool = False
    size_bytes: int = 0
    modified_ms: int = 0
    children: tuple[FolderEntry, ...] = ()
