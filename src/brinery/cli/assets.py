"""`brinery component`, `environment`, `data`, `datastore`: what is registered, and what of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brinery.cli.answers import answer, answer_options, name_options, named
from brinery.cli.context import Session
from brinery.cli.output import note

if TYPE_CHECKING:
    from brinery.records.asset import AssetKind

_F = TypeVar("_F", bound=Callable[..., Any])

_COLUMNS = ("name", "version", "type", "description", "creation_context.created_at")
_FILE = click.Path(path_type=Path)


def asset_group(kind: str, told: str) -> click.Group:
    """Return the group of commands about assets of one kind.

    Args:
        kind: as the command is called.
        told: what the help says of the group.
    """
    group = click.Group(kind, help=told)
    for command in asset_commands(kind):
        group.add_command(command)
    return group


def asset_commands(kind: str) -> list[click.Command]:
    """Return the commands that assets of every kind have."""
    return [
        _create(kind),
        _list(kind),
        _show(kind),
        _update(kind),
        _archive(kind, restored=False),
        _archive(kind, restored=True),
    ]


def _kind(kind: str) -> AssetKind:
    from brinery.records.asset import AssetKind

    return AssetKind(kind)


def _particular(kind: str) -> Callable[[_F], _F]:
    """Return what gives a command the options that only one kind has."""
    options = {
        "environment": (
            click.option("--image", help="The image of a container."),
            click.option("--conda-file", help="The conda file."),
        ),
        "data": (
            click.option("--type", help="uri_file, uri_folder or mltable."),
            click.option("-p", "--path", help="A path, or an address."),
        ),
        "model": (
            click.option("--type", help="custom_model, mlflow_model or triton_model."),
            click.option("-p", "--path", help="A path, or an address such as runs:/ID/model."),
            click.option(
                "--import",
                "imported",
                is_flag=True,
                help="Evaluate it and register it in MLflow, as brinery import does.",
            ),
            click.option("--data", type=_FILE, help="What an imported model is evaluated on."),
            click.option("--target", help="The column with the truth in it."),
        ),
    }.get(kind, ())

    def add(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _create(kind: str) -> click.Command:
    @click.command("create", short_help=f"Register a {kind}.")
    @click.option("-f", "--file", type=_FILE, help="The YAML that declares it.")
    @click.option("-n", "--name", help="Its name, before what the file says.")
    @click.option("-v", "--version", help="Its version. Default: the next number.")
    @_particular(kind)
    @click.option("--description", help="In your words.")
    @click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Set in the file.")
    @answer_options
    @click.pass_obj
    def create(session: Session, /, *, query: str | None, form: str | None, **said: Any) -> None:
        from brinery.actions.asset_answers import asset_answer
        from brinery.actions.assets import create_asset

        file = said.pop("file")
        imported = said.pop("imported", False)
        on = {key: said.pop(key, None) for key in ("data", "target")}
        if imported:
            _import(session, file, said=said, on=on, query=query, form=form)
            return
        if any(on.values()):
            raise click.UsageError("--data and --target are of --import")
        made = create_asset(_kind(kind), file, workspace=session.workspace, **said)
        for told in made.notes:
            note(told)
        told_of = asset_answer(made.asset, workspace=session.workspace)
        if form is None and query is None:
            note(f"registered {made.asset.reference}")
        answer(session, told_of, query=query, form=form)

    create.help = f"Register a {kind}, from its YAML or from what is said here."
    return create


def _import(
    session: Session,
    file: Path | None,
    *,
    said: dict[str, Any],
    on: dict[str, Any],
    query: str | None,
    form: str | None,
) -> None:
    """Import a model that is declared as an asset, and tell its version."""
    from brinery.actions.import_asset import import_asset

    made = import_asset(file, said=said, workspace=session.workspace, **on)
    if form is None and query is None:
        note(f"registered {made.name}@{made.number}")
    number = str(made.number)
    told = {"name": made.name, "version": number, "id": f"azureml:{made.name}:{number}"}
    answer(session, told, query=query, form=form)


def _list(kind: str) -> click.Command:
    @click.command("list", short_help="List them, or the versions of one.")
    @name_options("asset")
    @click.option("--include-archived", "archived", is_flag=True, help="Those archived, too.")
    @answer_options
    @click.pass_obj
    def listed(
        session: Session,
        /,
        *,
        asset: str | None,
        name: str | None,
        archived: bool,
        query: str | None,
        form: str | None,
    ) -> None:
        from brinery.actions.asset_answers import asset_answers
        from brinery.actions.assets import assets

        found = assets(
            _kind(kind), name=asset or name, archived=archived, workspace=session.workspace
        )
        told = asset_answers(found, workspace=session.workspace)
        answer(session, told, query=query, form=form, columns=_COLUMNS)

    listed.help = f"List the newest version of each {kind}, or all versions of the one named."
    return listed


def _show(kind: str) -> click.Command:
    @click.command("show", short_help="Show one.")
    @name_options("asset")
    @click.option("-v", "--version", help="Which version. Default: the one created last.")
    @click.option("-l", "--label", help="A label of the version, such as latest.")
    @answer_options
    @click.pass_context
    def show(ctx: click.Context, /, **said: Any) -> None:
        from brinery.actions.asset_answers import asset_answer
        from brinery.actions.assets import asset

        session = ctx.ensure_object(Session)
        name, version, label = _reference(named(ctx, said["asset"], option=said["name"]))
        found = asset(
            _kind(kind),
            name,
            version=said["version"] or version,
            label=said["label"] or label,
            workspace=session.workspace,
        )
        told = asset_answer(found, workspace=session.workspace)
        answer(session, told, query=said["query"], form=said["form"])

    show.help = f"Show a {kind}: NAME, NAME:VERSION or NAME@LABEL."
    return show


def _update(kind: str) -> click.Command:
    @click.command("update", short_help="Change its tags, description or label.")
    @name_options("asset")
    @click.option("-v", "--version", help="Which version. Default: the one created last.")
    @click.option("--label", help="Means this version from now on: azureml:NAME@LABEL.")
    @click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Such as tags.x=y.")
    @answer_options
    @click.pass_context
    def update(ctx: click.Context, /, **said: Any) -> None:
        from brinery.actions.asset_answers import asset_answer
        from brinery.actions.assets import update_asset

        session = ctx.ensure_object(Session)
        name, version, _ = _reference(named(ctx, said["asset"], option=said["name"]))
        found = update_asset(
            _kind(kind),
            name,
            sets=said["sets"],
            version=said["version"] or version,
            label=said["label"],
            workspace=session.workspace,
        )
        told = asset_answer(found, workspace=session.workspace)
        answer(session, told, query=said["query"], form=said["form"])

    update.help = f"Change what is said of a {kind}; what is in a version never changes."
    return update


def _archive(kind: str, *, restored: bool) -> click.Command:
    verb, does = ("restore", "have it again") if restored else ("archive", "leave it out")

    @click.command(verb, short_help=f"Have lists {does}.")
    @name_options("asset")
    @click.option("-v", "--version", help="Which version. Default: all of them.")
    @click.option("-y", "--yes", is_flag=True, help="Ask nothing; nothing is asked.")
    @click.pass_context
    def archive(ctx: click.Context, /, **said: Any) -> None:
        from brinery.actions.assets import archive_asset

        session = ctx.ensure_object(Session)
        name, version, _ = _reference(named(ctx, said["asset"], option=said["name"]))
        found = archive_asset(
            _kind(kind),
            name,
            version=said["version"] or version,
            restored=restored,
            workspace=session.workspace,
        )
        for one in found:
            note(f"{verb}d {one.reference}")

    archive.help = f"Have lists {does}: a version of a {kind}, or all of them."
    return archive


def _reference(name: str) -> tuple[str, str | None, str | None]:
    """Return the name, the version and the label that a name says."""
    from brinery.specs.addresses import LATEST
    from brinery.specs.addresses import asset as parsed

    told = parsed(name)
    label = told.label if told.label != LATEST else None
    return told.name, told.version or None, label


@click.command("list")
@answer_options
@click.pass_obj
def _datastores(session: Session, /, *, query: str | None, form: str | None) -> None:
    """List the datastores, and the path or the address that each is a name for."""
    from brinery.actions.assets import datastores

    found = datastores(workspace=session.workspace)
    told = [{"name": name, "uri": uri} for name, uri in found.items()]
    answer(session, told, query=query, form=form)


@click.command("show")
@name_options("asset")
@answer_options
@click.pass_context
def _datastore(ctx: click.Context, /, **said: Any) -> None:
    """Show a datastore: the path or the address that it is a name for."""
    from brinery.actions.assets import datastore

    session = ctx.ensure_object(Session)
    name = named(ctx, said["asset"], option=said["name"])
    told = {"name": name, "uri": datastore(name, workspace=session.workspace)}
    answer(session, told, query=said["query"], form=said["form"])


@click.command("delete")
@name_options("asset")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; nothing is asked.")
@click.pass_context
def _forget(ctx: click.Context, /, **said: Any) -> None:
    """Forget what a datastore is a name for; what lies there stays."""
    from brinery.actions.assets import forget_datastore

    session = ctx.ensure_object(Session)
    name = named(ctx, said["asset"], option=said["name"])
    forget_datastore(name, workspace=session.workspace)
    note(f"forgot the datastore {name}")


component = asset_group("component", "Register components, so that pipelines find them by name.")
environment = asset_group("environment", "Register environments, so that jobs find them by name.")
data = asset_group("data", "Register data, so that jobs find a version of them by name.")
datastore = click.Group("datastore", help="Name the places that data lie at.")
for _one in (_create("datastore"), _datastores, _datastore, _forget):
    datastore.add_command(_one)
