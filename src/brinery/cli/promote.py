"""`brinery promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, print_json

if TYPE_CHECKING:
    from brinery.records.version import Version


@click.command("promote")
@click.argument("reference")
@click.option(
    "--alias",
    type=click.Choice(["champion", "challenger"]),
    default="champion",
    show_default=True,
    help="The alias to give it.",
)
@click.option("--why", default="", help="The reason, kept in the audit trail.")
@format_option
@click.pass_obj
def command(session: Session, /, *, reference: str, alias: str, why: str) -> None:
    """Give the alias champion to REFERENCE: bank@1, bank@challenger, or bank for its newest.

    MLflow's stage follows: Production for the champion, Staging for the challenger.
    """
    from brinery.actions.promote import promote

    done = promote(reference, alias=alias, why=why, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            print(done.version.reference)
        case _:
            print(_sentence(done.version.reference, alias, done.previous, changed=done.changed))
            print(f"Next: {_next(done.version)}")


def _next(version: Version) -> str:
    """Return the command to type next; what cannot be asked for predictions is taken as it is."""
    if version.candidate is not None and version.candidate.description.unscored is not None:
        return f"brinery export {version.name} --to native FOLDER"
    return f"brinery serve {version.name}"


def _sentence(reference: str, alias: str, previous: int | None, *, changed: bool) -> str:
    if not changed:
        return f"{reference} is the {alias} already."
    before = f" in place of version {previous}" if previous is not None else ""
    return f"{reference} is the {alias} now{before}."
