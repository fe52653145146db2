"""`brinery folder`: create, list, show, get, put and delete."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.charts.words import size
from brinery.cli.clock import local_time
from brinery.cli.context import Session, format_option
from brinery.cli.dataset import project_option
from brinery.cli.output import Format, note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from brinery.actions.project_rooms import ProjectRooms
    from brinery.records.folder import ManagedFolder


@click.group("folder")
def command() -> None:
    """Keep files in managed folders, which have a name and an id of eight characters."""


@command.command("create")
@click.argument("name")
@click.option(
    "--uri",
    default="",
    help="A folder, or what fsspec reaches such as s3://bucket/prefix. Default: the workspace.",
)
@click.option("--id", "folder_id", default="", help="Eight letters and digits. Default: drawn.")
@project_option
@format_option
@click.pass_obj
def create(session: Session, /, *, name: str, uri: str, folder_id: str, project: str) -> None:
    """Make a managed folder NAME, and print its id."""
    from brinery.actions.folders import create_folder

    made = create_folder(_rooms(session), name, uri=uri, project_key=project, folder_id=folder_id)
    if session.format is Format.JSON:
        print_json(made)
    else:
        print(made.id)


@command.command("list")
@project_option
@format_option
@click.pass_obj
def list_folders(session: Session, /, *, project: str) -> None:
    """List the managed folders of a project."""
    from brinery.actions.folders import files_of, folders

    rooms = _rooms(session)
    found = folders(rooms, project)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for one in found:
                print(one.id)
        case _ if not found:
            note("no folders yet: brinery folder create NAME")
        case _:
            print_table(
                ["folder", "id", "files", "created", "where"],
                [
                    [
                        one.name,
                        one.id,
                        len(files_of(rooms, one).paths()),
                        local_time(one.created),
                        one.uri or "kept here",
                    ]
                    for one in found
                ],
            )


@command.command("show")
@click.argument("folder")
@project_option
@format_option
@click.pass_obj
def show(session: Session, /, *, folder: str, project: str) -> None:
    """Show a managed folder, by its name or id, and the files in it."""
    from brinery.actions.folders import entry, files_of, uri_of

    rooms = _rooms(session)
    found = _folder(rooms, folder, project)
    entries = [entry(rooms, found, path=path) for path in files_of(rooms, found).paths()]
    match session.format:
        case Format.JSON:
            print_json({"folder": found, "uri": uri_of(rooms, found), "files": entries})
        case Format.QUIET:
            for one in entries:
                print(one.path)
        case _:
            print_facts([("folder", found.name), ("id", found.id), ("where", uri_of(rooms, found))])
            print_table(["file", "size"], [[one.path, size(one.size_bytes)] for one in entries])


@command.command("get")
@click.argument("folder")
@click.argument("path")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@project_option
@click.pass_obj
def get(session: Session, /, *, folder: str, path: str, file: Path, project: str) -> None:
    """Copy the file at PATH of a managed folder to FILE; - is standard output."""
    from brinery.actions.folders import read_file

    rooms = _rooms(session)
    with read_file(rooms, _folder(rooms, folder, project), path=path) as stream:
        if str(file) == "-":
            shutil.copyfileobj(stream, sys.stdout.buffer)
            return
        from brinery.store.documents import write

        write(file, stream.read())
    note(f"{path} of {folder} in {file}")


@command.command("put")
@click.argument("folder")
@click.argument("path")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@project_option
@click.pass_obj
def put(session: Session, /, *, folder: str, path: str, file: Path, project: str) -> None:
    """Copy FILE to PATH of a managed folder, in place of what is there."""
    from brinery.actions.folders import write_file

    rooms = _rooms(session)
    with file.open("rb") as stream:
        done = write_file(rooms, _folder(rooms, folder, project), path=path, content=stream)
    note(f"{done.path} of {folder}, {size(done.size_bytes)}")


@command.command("delete")
@click.argument("folder")
@click.option("--path", default="", help="Of what is removed in it. Default: the folder itself.")
@project_option
@click.pass_obj
def delete(session: Session, /, *, folder: str, path: str, project: str) -> None:
    """Remove a managed folder, or what lies at a path in it; files elsewhere stay."""
    from brinery.actions.folders import delete_folder, delete_path

    rooms = _rooms(session)
    found = _folder(rooms, folder, project)
    if path:
        count = delete_path(rooms, found, path=path)
        note(f"deleted {count} files at {path} of {found.name}")
        return
    delete_folder(rooms, found)
    note(f"deleted {found.name} ({found.id})")


def _folder(rooms: ProjectRooms, lookup: str, project: str) -> ManagedFolder:
    from brinery.actions.folders import folder

    found = folder(rooms, lookup, project_key=project)
    if found.note:
        note(found.note)
    return found.folder


def _rooms(session: Session) -> ProjectRooms:
    from brinery.actions.project_rooms import open_project_rooms

    return open_project_rooms(session.workspace, note=note)
