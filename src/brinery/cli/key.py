"""`brinery key`: keys that a server for other machines asks for."""

from __future__ import annotations

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json, print_table


@click.group("key")
def command() -> None:
    """Make the keys that `brinery up` asks for where other machines reach it."""


@command.command("create")
@click.option("--name", help="What to call it. Default: key-1, key-2 and so on.")
@format_option
@click.pass_obj
def create(session: Session, /, *, name: str | None) -> None:
    """Make a key and print it, this once: only its digest is kept.

    Servers that run take it within seconds.
    """
    from brinery.actions.keys import create_key

    made, secret = create_key(name, workspace=session.workspace)
    if session.format is Format.JSON:
        print_json({"name": made.name, "key": secret})
        return
    print(secret)
    if session.format is not Format.QUIET:
        note(f"This is the key {made.name}. Keep it: it is not shown again.")
        note("  a browser    gives it at /login")
        note("  MLflow       MLFLOW_TRACKING_TOKEN=KEY")
        note("  Python       brinery.Client(URL, key=KEY)")
        note("  anything     Authorization: Bearer KEY")


@command.command("list")
@format_option
@click.pass_obj
def list_keys(session: Session, /) -> None:
    """List the keys: their names, and who made them when."""
    from brinery.actions.keys import keys

    found = keys(workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json([{"name": k.name, "created": k.created, "who": k.who} for k in found])
        case Format.QUIET:
            for one in found:
                print(one.name)
        case _ if found:
            rows = [(one.name, f"{one.created:%Y-%m-%d %H:%M}", one.who) for one in found]
            print_table(["name", "created", "by"], rows)
        case _:
            note("There is no key. Next: brinery key create")


@command.command("delete")
@click.argument("name")
@click.pass_obj
def delete(session: Session, /, *, name: str) -> None:
    """Have no server take the key NAME any more; those that run heed it within seconds."""
    from brinery.actions.keys import delete_key

    delete_key(name, workspace=session.workspace)
    note(f"deleted the key {name}")
