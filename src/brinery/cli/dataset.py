"""`brinery dataset`: create, list, show, head, export, restore, prune and delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brinery.charts.words import size
from brinery.cli.clock import local_time
from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_facts, print_json, print_table
from brinery.specs.places import shown

if TYPE_CHECKING:
    from brinery.actions.project_rooms import ProjectRooms
    from brinery.records.dataset import Dataset

_F = TypeVar("_F", bound=Callable[..., Any])

_FORMATS = ("parquet", "csv", "jsonl")


def project_option(function: _F) -> _F:
    """Return a command with `--project`."""
    return click.option(
        "--project", default="", metavar="KEY", help="Default: the workspace's own project."
    )(function)


@click.group("dataset")
def command() -> None:
    """Keep named tables: a copy as Parquet, or rows that stay where they are."""


@command.command("create")
@click.argument("name")
@click.option(
    "--path",
    default="",
    metavar="FILE|URI",
    help="csv, Parquet, Arrow or JSON lines: a file, a folder, a pattern or an address; with "
    "--table, the SQLAlchemy URI of a database. Without it the dataset is empty.",
)
@click.option("--sep", default="", help="Of csv. Default: found in the first lines.")
@click.option(
    "--external", is_flag=True, help="Leave the rows where they are, and write them there."
)
@click.option("--table", default="", help="Of the database that --path names.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(_FORMATS),
    help="Of an external file that is not there yet.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME:TYPE",
    help="Of the schema, such as age:bigint, once for each. Default: what the rows have.",
)
@click.option("--description", default="", help="In your words.")
@project_option
@format_option
@click.pass_obj
def create(session: Session, /, *, name: str, **said: Any) -> None:
    """Make a dataset NAME of a file: a copy, kept as Parquet and versioned by its content."""
    from brinery.actions.datasets import RowSource, create_dataset
    from brinery.records.dataset import DatasetFormat

    source = RowSource(
        path=said["path"],
        external=said["external"],
        separator=said["sep"],
        table=said["table"],
        format=DatasetFormat(said["kind"]) if said["kind"] else None,
    )
    if (source.external or source.table) and not source.path:
        raise click.UsageError("--external and --table need --path")
    made = create_dataset(
        _rooms(session),
        name,
        source=source,
        columns=[_column(one) for one in said["columns"]],
        project_key=said["project"],
        description=said["description"],
    )
    if session.format is Format.JSON:
        print_json(_plain(made))
    elif session.format is Format.QUIET:
        print(made.name)
    else:
        content = made.content
        rows = f"{content.rows:,} rows, " if content is not None else ""
        version = f", version {made.current}" if made.current else ""
        print(f"{made.full_name}: {rows}{len(made.columns)} columns{version}")


@command.command("list")
@project_option
@format_option
@click.pass_obj
def list_datasets(session: Session, /, *, project: str) -> None:
    """List the datasets of a project."""
    from brinery.actions.datasets import datasets

    found = datasets(_rooms(session), project)
    match session.format:
        case Format.JSON:
            print_json([_plain(one) for one in found])
        case Format.QUIET:
            for one in found:
                print(one.name)
        case _ if not found:
            note("no datasets yet: brinery dataset create NAME --path FILE")
        case _:
            print_table(
                ["dataset", "rows", "columns", "size", "version", "written", "where"],
                [_row(one) for one in found],
            )


@command.command("show")
@click.argument("name")
@project_option
@format_option
@click.pass_obj
def show(session: Session, /, *, name: str, project: str) -> None:
    """Show a dataset: its schema, and the versions that are kept."""
    from brinery.actions.datasets import dataset

    found = dataset(_rooms(session), name, project_key=project)
    match session.format:
        case Format.JSON:
            print_json(_plain(found))
        case Format.QUIET:
            print(found.full_name)
        case _:
            _print(found)


@command.command("head")
@click.argument("name")
@click.option("-n", "--rows", default=10, show_default=True, type=click.IntRange(1))
@project_option
@format_option
@click.pass_obj
def head(session: Session, /, *, name: str, rows: int, project: str) -> None:
    """Print the first rows of a dataset."""
    from brinery.actions.datasets import dataset, location
    from brinery.store.dataset_rows import read_rows

    rooms = _rooms(session)
    table = read_rows(location(rooms, dataset(rooms, name, project_key=project)), limit=rows)
    found = table.to_pylist()
    if session.format is Format.JSON:
        import json

        print(json.dumps(found, default=str, ensure_ascii=False, indent=2))
        return
    print_table(
        table.column_names,
        [["" if value is None else value for value in one.values()] for one in found],
    )


@command.command("export")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@project_option
@click.pass_obj
def export(session: Session, /, *, name: str, file: Path, project: str) -> None:
    """Write the rows of a dataset to FILE: .csv, .parquet, .jsonl or .arrow."""
    from brinery.actions.datasets import dataset, export_dataset

    rooms = _rooms(session)
    found = dataset(rooms, name, project_key=project)
    count = export_dataset(rooms, found, target=file)
    note(f"{count:,} rows of {found.full_name} in {file}")


@command.command("restore")
@click.argument("name")
@click.argument("version")
@project_option
@click.pass_obj
def restore(session: Session, /, *, name: str, version: str, project: str) -> None:
    """Have a dataset be what an earlier VERSION of it holds; its first digits are enough."""
    from brinery.actions.datasets import dataset, restore

    rooms = _rooms(session)
    found = restore(rooms, dataset(rooms, name, project_key=project), version=version)
    note(f"{found.full_name} is version {found.current}")


@command.command("prune")
@click.argument("name")
@click.option(
    "--keep", default=1, show_default=True, type=click.IntRange(1), help="Newest that stay."
)
@project_option
@click.pass_obj
def prune(session: Session, /, *, name: str, keep: int, project: str) -> None:
    """Remove old versions of a dataset; the one that is read stays."""
    from brinery.actions.datasets import dataset, prune

    rooms = _rooms(session)
    found = dataset(rooms, name, project_key=project)
    gone = prune(rooms, found, keep=keep)
    freed = size(sum(one.size_bytes for one in gone))
    note(f"removed {len(gone)} of {len(found.versions)} versions of {found.full_name}, {freed}")


@command.command("delete")
@click.argument("name")
@project_option
@click.pass_obj
def delete(session: Session, /, *, name: str, project: str) -> None:
    """Remove a dataset with all its versions; the rows of an external one stay."""
    from brinery.actions.datasets import dataset, delete_dataset

    rooms = _rooms(session)
    found = dataset(rooms, name, project_key=project)
    delete_dataset(rooms, found)
    kept = f"; its rows stay at {shown(found.uri)}" if found.external else ""
    note(f"deleted {found.full_name}{kept}")


def _rooms(session: Session) -> ProjectRooms:
    from brinery.actions.project_rooms import open_project_rooms

    return open_project_rooms(session.workspace, note=note)


def _column(text: str) -> dict[str, str]:
    name, colon, kind = text.rpartition(":")
    if not colon or not name:
        raise click.UsageError(f"--column {text} is not NAME:TYPE")
    return {"name": name, "type": kind}


def _plain(found: Dataset) -> Dataset:
    """Return a dataset as it may be shown: without a password in its address."""
    from msgspec.structs import replace

    return replace(found, uri=shown(found.uri), source=shown(found.source))


def _row(found: Dataset) -> list[object]:
    content = found.content
    if content is None:
        where = shown(found.uri) + (f" {found.table}" if found.table else "")
        return [found.name, "", len(found.columns), "", "", "", where or "empty"]
    return [
        found.name,
        "" if content.rows is None else f"{content.rows:,}",
        len(found.columns),
        size(content.size_bytes),
        content.version,
        local_time(content.created),
        "kept here",
    ]


def _print(found: Dataset) -> None:
    facts: list[tuple[str, object]] = [
        ("dataset", found.full_name),
        ("rows", _row(found)[1]),
        ("where", shown(found.uri) if found.external else "kept here, as Parquet"),
        ("table", found.table),
        ("made of", shown(found.source)),
        ("description", found.description),
    ]
    print_facts([(name, value) for name, value in facts if value])
    print_table(
        ["column", "type", "comment"], [[one.name, one.type, one.comment] for one in found.columns]
    )
    if found.versions:
        print_table(
            ["version", "rows", "size", "written", "by", "run"],
            [
                [
                    one.version + (" (read)" if one.version == found.current else ""),
                    "" if one.rows is None else f"{one.rows:,}",
                    size(one.size_bytes),
                    local_time(one.created),
                    one.who,
                    one.run,
                ]
                for one in reversed(found.versions)
            ],
        )
