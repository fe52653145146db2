"""`brinery rollback`."""

from __future__ import annotations

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, print_json


@click.command("rollback")
@click.argument("name")
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="VERSION",
    help="A version that was the champion. Default: the champion before this one.",
)
@click.option("--why", "--reason", default="", help="The reason, kept in the audit trail.")
@format_option
@click.pass_obj
def command(session: Session, /, *, name: str, to: int | None, why: str) -> None:
    """Give the champion's place of the model NAME back to the champion before.

    No gate is asked, and servers follow within two seconds. Done again, it goes back further;
    --to names any former champion. brinery history NAME shows them.
    """
    from brinery.actions.rollback import rollback

    done = rollback(name, to=to, why=why, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            print(done.version.reference)
        case _:
            back = done.version
            print(f"{back.reference} is the champion again in place of version {done.previous}.")
            print(f"Next: brinery history {back.name}")
