"""Managed folders: files under a name and an id of eight characters, wherever they lie."""

from __future__ import annotations

import random
import re
import shutil
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.projects import project_key as key_of
from brinery.errors import AlreadyThere, InvalidName, NotFound
from brinery.records.flow import ItemKind, Use, UseKind
from brinery.records.folder import FolderEntry, ManagedFolder
from brinery.specs.names import nearest
from brinery.specs.user import login_name
from brinery.store.folder_files import FolderFiles, LocalFolder, folder_files, inner

DEFAULT_NAME: Final = "default"
_LETTERS: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 8
_NAME: Final = re.compile(r"[^/\0\n]{1,100}")
_DIGITS: Final = 16


@dataclass(frozen=True)
class Found:
    """A folder that was looked for.

    Attributes:
        folder: that was found.
        note: what a user should know: that an empty id means the default folder; empty for none.
    """

    folder: ManagedFolder
    note: str = ""


def create_folder(
    rooms: ProjectRooms, name: str, *, uri: str = "", project_key: str = "", folder_id: str = ""
) -> ManagedFolder:
    """Return a folder that is new.

    Args:
        rooms: of the workspace.
        name: unique in the project.
        uri: what its paths begin with, where its files do not lie in the workspace: an absolute
            path, or what fsspec reaches, such as `s3://bucket/prefix`.
        project_key: of its project; the default one when empty.
        folder_id: eight letters and digits; drawn when empty.

    Raises:
        AlreadyThere: there is a folder of that name or id.
        InvalidName: the name is empty or has a slash, or the id is not of eight characters.
        NotFound: there is no such project.
    """
    owner = key_of(rooms, project_key)
    if not _NAME.fullmatch(name) or not name.strip():
        raise InvalidName(
            f"{name!r} is not allowed as the name of a folder: up to 100 characters without '/'",
            hint="brinery folder create models",
        )
    if folder_id and not (
        len(folder_id) == _ID_LENGTH and folder_id.isascii() and folder_id.isalnum()
    ):
        raise InvalidName(
            f"{folder_id!r} is no id of a folder: eight letters and digits",
            hint="leave it out, and one is drawn",
        )
    there = rooms.records.all(ManagedFolder, owner)
    if any(one.name == name for one in there):
        raise AlreadyThere(f"there is a folder {name} already", hint="brinery folder list")
    taken = {one.id for one in there}
    drawn = folder_id
    while not drawn or (not folder_id and drawn in taken):
        drawn = "".join(random.SystemRandom().choices(_LETTERS, k=_ID_LENGTH))
    made = ManagedFolder(
        project=owner,
        id=drawn,
        name=name,
        created=datetime.now(UTC),
        who=login_name(),
        uri=_absolute(uri),
        default=name == DEFAULT_NAME,
    )
    rooms.records.add(made)
    return made


def folder(rooms: ProjectRooms, lookup: str = "", *, project_key: str = "") -> Found:
    """Return the folder of an id, a name, or `PROJECT.id`; the default one when it is empty.

    The default folder is made when it is first asked for.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    before, dot, rest = lookup.partition(".")
    if dot and not project_key and _is_project(rooms, before):
        project_key, lookup = before, rest
    owner = key_of(rooms, project_key)
    there = rooms.records.all(ManagedFolder, owner)
    if not lookup:
        default = next((one for one in there if one.default), None)
        if default is None:
            default = create_folder(rooms, DEFAULT_NAME, project_key=owner)
        return Found(default, f"an empty folder id means the folder {default.name} ({default.id})")
    for key in ("id", "name"):
        for one in there:
            if getattr(one, key) == lookup:
                return Found(one)
    near = nearest(lookup, [*(one.name for one in there), *(one.id for one in there)])
    meant = f": did you mean {near}?" if near else ""
    raise NotFound(
        f"there is no folder {lookup} in {owner}{meant}",
        hint=f"brinery folder create {lookup}",
    )


def folders(rooms: ProjectRooms, project_key: str = "") -> list[ManagedFolder]:
    """Return the folders of a project, by their names."""
    there = rooms.records.all(ManagedFolder, key_of(rooms, project_key))
    return sorted(there, key=lambda one: one.name)


def files_of(rooms: ProjectRooms, found: ManagedFolder) -> FolderFiles:
    """Return the files of a folder: paths, open, write, delete, entry."""
    return folder_files(found.uri, home(rooms, found))


def home(rooms: ProjectRooms, found: ManagedFolder) -> Path:
    """Return where the files of a folder lie that is in the workspace; the id is in it once."""
    return rooms.workspace.state / "folders" / found.project / found.id


def local_path(rooms: ProjectRooms, found: ManagedFolder) -> Path | None:
    """Return the folder on this machine, which is there from now on; None where it is elsewhere."""
    return files_of(rooms, found).local


def uri_of(rooms: ProjectRooms, found: ManagedFolder) -> str:
    """Return what the paths of a folder begin with: `file://…`, or where it is elsewhere."""
    return found.uri or home(rooms, found).as_uri()


def read_file(rooms: ProjectRooms, found: ManagedFolder, *, path: str) -> IO[bytes]:
    """Return a file of a folder, opened to be read.

    Raises:
        DataFileMissing: there is none.
    """
    return files_of(rooms, found).open(path)


def write_file(
    rooms: ProjectRooms, found: ManagedFolder, *, path: str, content: IO[bytes]
) -> FolderEntry:
    """Return a file that was written in place of what was there, whole or not at all.

    Raises:
        InvalidReference: the path leads out of the folder.
        StoreFault: it cannot be written.
    """
    files = files_of(rooms, found)
    files.write(path, content)
    return files.entry(path)


def delete_path(rooms: ProjectRooms, found: ManagedFolder, *, path: str) -> int:
    """Return how many files of a folder were removed: one, or all below a path."""
    return files_of(rooms, found).delete(path)


def entry(rooms: ProjectRooms, found: ManagedFolder, *, path: str = "/") -> FolderEntry:
    """Return what lies at a path of a folder, and of a directory what is in it."""
    return files_of(rooms, found).entry(path)


def delete_folder(rooms: ProjectRooms, found: ManagedFolder) -> None:
    """Remove a folder; its files too, where they lie in the workspace."""
    rooms.records.remove(found)
    if not found.uri:
        shutil.rmtree(home(rooms, found), ignore_errors=True)


def use_of(rooms: ProjectRooms, found: ManagedFolder, *, kind: UseKind, path: str = "") -> Use:
    """Return what is recorded of a run that used a folder, or a file of it, just now.

    Args:
        rooms: of the workspace.
        found: the folder.
        kind: how it was used.
        path: of the file; all of the folder when empty.
    """
    return Use(
        kind=kind,
        item=ItemKind.FOLDER,
        project=found.project,
        name=found.id,
        label=found.name,
        path=f"/{inner(path)}" if path else "",
        version="" if kind is UseKind.TRACKED else content_of(rooms, found, path=path),
        at=datetime.now(UTC),
    )


def content_of(rooms: ProjectRooms, found: ManagedFolder, *, path: str = "") -> str:
    """Return what tells that a file, or any file of a folder, is another; empty for none there."""
    files = files_of(rooms, found)
    if isinstance(files, LocalFolder):
        place = files.local / inner(path)
        if not place.exists():
            return ""
        return rooms.fingerprints.of(str(place)).content[:_DIGITS]
    there = files.entry(path or "/")
    if not there.exists:
        return ""
    return f"{there.size_bytes}-{there.modified_ms}"


def _is_project(rooms: ProjectRooms, key: str) -> bool:
    try:
        key_of(rooms, key)
    except NotFound:
        return False
    return bool(key)


def _absolute(uri: str) -> str:
    if not uri or "://" in uri:
        return uri.rstrip("/")
    return Path(uri).expanduser().absolute().as_uri()
