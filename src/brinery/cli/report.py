"""`brinery report`."""

from __future__ import annotations

from pathlib import Path

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json


@click.command("report")
@click.argument("reference")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="An .html file for the page, an .md file for the model card.",
)
@format_option
@click.pass_obj
def command(session: Session, reference: str, *, output: Path) -> None:
    """Write what was found out about REFERENCE: one page in one file, or a model card.

    It is the newest of its evaluations: brinery evaluate makes one, and so does an import.
    """
    from brinery.actions.report import report

    found = report(reference, output=output, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            print(output)
        case _:
            note(f"{found.reference}, evaluated on {found.data.name}: {output}")
