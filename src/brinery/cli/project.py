"""`brinery project`: create, list, variables, set and delete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from brinery.cli.clock import local_time
from brinery.cli.context import Session, format_option
from brinery.cli.dataset import project_option
from brinery.cli.output import Format, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.actions.project_rooms import ProjectRooms


@click.group("project")
def command() -> None:
    """List projects, and set their variables; a workspace is a project of its own."""


@command.command("create")
@click.argument("key")
@click.pass_obj
def create(session: Session, /, *, key: str) -> None:
    """Make a project with the KEY: capital letters, digits and _."""
    from brinery.actions.projects import create_project

    note(f"created {create_project(_rooms(session), key).name}")


@command.command("list")
@format_option
@click.pass_obj
def list_projects(session: Session, /) -> None:
    """List the projects of the workspace."""
    from brinery.actions.projects import library, projects

    rooms = _rooms(session)
    found = projects(rooms)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for one in found:
                print(one.name)
        case _:
            print_table(
                ["project", "variables", "created", "modules"],
                [
                    [
                        one.name + (" (default)" if one.default else ""),
                        len(one.variables),
                        local_time(one.created),
                        library(rooms, one.name),
                    ]
                    for one in found
                ],
            )


@command.command("variables")
@project_option
@format_option
@click.pass_obj
def variables(session: Session, /, *, project: str) -> None:
    """Print the variables of a project; of two of a name, the local one counts."""
    from brinery.actions.projects import variables

    found = variables(_rooms(session), project)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for name in {**found["standard"], **found["local"]}:
                print(name)
        case _ if not any(found.values()):
            note("no variables yet: brinery project set NAME=VALUE")
        case _:
            print_table(
                ["variable", "value", "kind"],
                [
                    [name, json.dumps(value, ensure_ascii=False), kind]
                    for kind, values in found.items()
                    for name, value in values.items()
                ],
            )


@command.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--local", is_flag=True, help="Of this installation only.")
@project_option
@click.pass_obj
def set_variables(
    session: Session, /, *, pairs: tuple[str, ...], local: bool, project: str
) -> None:
    """Set variables of a project: a VALUE is JSON, or else a text; NAME= takes it away."""
    from brinery.actions.projects import VariableKind, set_variables

    values = dict(_pair(one) for one in pairs)
    kind = VariableKind.LOCAL if local else VariableKind.STANDARD
    set_variables(_rooms(session), values, key=project, kind=kind)
    note(f"set {', '.join(values)}")


@command.command("delete")
@click.argument("key")
@click.pass_obj
def delete(session: Session, /, *, key: str) -> None:
    """Remove a project that has no datasets and no folders."""
    from brinery.actions.projects import delete_project

    note(f"deleted {delete_project(_rooms(session), key).name}")


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"'{text}' is not NAME=VALUE")
    if not value:
        return name.strip(), None
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


def _rooms(session: Session) -> ProjectRooms:
    from brinery.actions.project_rooms import open_project_rooms

    return open_project_rooms(session.workspace, note=note)
