"""What scripts ask about managed folders; see `gateway`. Files do not come by here, paths do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from brinery.actions import folders
from brinery.actions.gateway import Desk, Method
from brinery.actions.scan_files import scan
from brinery.errors import DataUnreachable, ModelFileError
from brinery.flavors import compatibility
from brinery.records.difference import Difference, Level
from brinery.records.flow import UseKind
from brinery.records.folder import FolderEntry, ManagedFolder
from brinery.records.scan import ScanReport, Verdict
from brinery.records.version import Environment

# The compatibility step of an id that a script leaves empty.
DEFAULT_FOLDER: Final = "default-folder"
# That of what is read in a pickle before it is loaded.
PICKLE_CHECK: Final = "pickle-check"
_SHOWN: Final = 8


def _listed(desk: Desk, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the folders of a project."""
    found = folders.folders(desk.data, desk.project(asked.get("project", "")))
    return [_facts(desk, one) for one in found]


def _found(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the folder of an id or a name; of an empty one the default folder, and say so."""
    return _facts(desk, folder_of(desk, asked))


def _create(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make a folder."""
    project = desk.project(asked.get("project", ""))
    return _facts(desk, folders.create_folder(desk.data, asked["name"], project_key=project))


def _delete(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Remove a folder with its files."""
    folders.delete_folder(desk.data, folder_of(desk, asked))


def _place(desk: Desk, asked: Mapping[str, Any]) -> str:
    """Return the path of a folder on this machine."""
    found = folder_of(desk, asked)
    local = folders.local_path(desk.data, found)
    if local is None:
        raise DataUnreachable(
            f"the folder {found.name} is at {found.uri}, and has no path on this machine",
            hint="read by get_download_stream, write by upload_stream",
        )
    desk.office.given.given(desk.data, found)
    desk.used(folders.use_of(desk.data, found, kind=UseKind.READ))
    return str(local)


def _paths(desk: Desk, asked: Mapping[str, Any]) -> list[str]:
    """Return the paths of all files of a folder, each with a slash before it."""
    return folders.files_of(desk.data, folder_of(desk, asked)).paths()


def _entry(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what lies at a path."""
    found = folders.entry(desk.data, folder_of(desk, asked), path=asked.get("path", "/"))
    return _told(found)


def _fetch(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the path of a file on this machine: itself, or a copy that the reader takes away."""
    found, path = folder_of(desk, asked), asked["path"]
    with folders.read_file(desk.data, found, path=path) as stream:
        desk.used(folders.use_of(desk.data, found, kind=UseKind.READ, path=path))
        local = folders.local_path(desk.data, found)
        if local is not None:
            return {"path": stream.name, "copy": False}
        with tempfile.NamedTemporaryFile(prefix="brinery-file-", delete=False) as copy:
            shutil.copyfileobj(stream, copy)
    return {"path": copy.name, "copy": True}


def _check(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pickle asks for, and why the Python of the script is not to load it, if so.

    It is read and not run; `python` and `packages` are what the script has.
    """
    found, path = folder_of(desk, asked), asked["path"]
    name = path.rpartition("/")[2]
    with folders.read_file(desk.data, found, path=path) as stream, _local(stream) as local:
        try:
            report = scan(local)
        except ModelFileError:
            return {"remark": "", "refusal": None}
    if report.verdict is Verdict.DANGEROUS:
        names = ", ".join(report.asked(Verdict.DANGEROUS)[:_SHOWN])
        refusal = f"{name} is not loaded: it asks for {names}, by which a pickle runs programs"
        return {"remark": "", "refusal": refusal}
    there = Environment(
        python=asked["python"],
        platform="",
        packages={},
        built=True,
        lock=tuple(f"{one}=={version}" for one, version in asked["packages"].items()),
    )
    different = compatibility.differences(report, environment=there)
    worst = next((one for one in different if one.level is Level.ERROR and one.written), None)
    remark = _remark(name, report)
    desk.note(remark, step=PICKLE_CHECK)
    return {"remark": remark, "refusal": _why(name, worst) if worst is not None else None}


def _remark(name: str, report: ScanReport) -> str:
    """Return what a pickle is, who wrote it and what it asks for, in one line."""
    wrote = ", ".join(f"{one} {'/'.join(each)}" for one, each in sorted(report.versions.items()))
    names = [str(one) for one in report.globals]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))
    said = f"{name} holds {report.outermost or 'an object'}"
    said += f", written by {wrote}" if wrote else ""
    return f"{said}; it asks for {shown}" if names else said


def _why(name: str, different: Difference) -> str:
    there = (
        f"{different.distribution} {different.present}" if different.present else "it is not here"
    )
    wrote = f"{different.distribution} {different.written}"
    return (
        f"{name} is not loaded: it was written by {wrote}, and this is {there}: "
        f"{different.reason} (brinery run --environment FILE, with {wrote.replace(' ', '==')} in "
        "FILE)"
    )


@contextmanager
def _local(stream: IO[bytes]) -> Iterator[Path]:
    """Give a file a path on this machine."""
    if isinstance(stream.name, str) and Path(stream.name).is_file():
        yield Path(stream.name)
        return
    with tempfile.NamedTemporaryFile(prefix="brinery-file-") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def _put(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Write a file of a folder, whole or not at all, from one that lies on this machine."""
    found, path = folder_of(desk, asked), asked["path"]
    with Path(asked["source"]).open("rb") as stream:
        made = folders.write_file(desk.data, found, path=path, content=stream)
    desk.used(folders.use_of(desk.data, found, kind=UseKind.WRITTEN, path=path))
    return _told(made)


def _remove(desk: Desk, asked: Mapping[str, Any]) -> int:
    """Return how many files were removed: one, or all below a path."""
    return folders.delete_path(desk.data, folder_of(desk, asked), path=asked["path"])


def folder_of(desk: Desk, asked: Mapping[str, Any]) -> ManagedFolder:
    """Return the folder that a script means by `folder` and `project`."""
    lookup = str(asked.get("folder") or "")
    found = folders.folder(desk.data, lookup, project_key=asked.get("project") or "")
    if found.note:
        if DEFAULT_FOLDER in desk.without:
            raise ValueError("the id of a managed folder is empty")
        desk.note(found.note, step=DEFAULT_FOLDER)
    return found.folder


def _facts(desk: Desk, found: ManagedFolder) -> dict[str, Any]:
    local = folders.local_path(desk.data, found)
    return {
        "id": found.id,
        "name": found.name,
        "project": found.project,
        "uri": folders.uri_of(desk.data, found),
        "path": str(local) if local is not None else "",
    }


def _told(found: FolderEntry) -> dict[str, Any]:
    return {
        "path": found.path,
        "exists": found.exists,
        "directory": found.directory,
        "size": found.size_bytes,
        "modified_ms": found.modified_ms,
        "children": [_told(one) for one in found.children],
    }


METHODS: Final[Mapping[str, Method]] = {
    "list": _listed,
    "find": _found,
    "create": _create,
    "delete": _delete,
    "place": _place,
    "paths": _paths,
    "entry": _entry,
    "fetch": _fetch,
    "check": _check,
    "put": _put,
    "remove": _remove,
}
