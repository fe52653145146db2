"""`brinery notebook`: a notebook made a job, and what was left out put back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brinery.records.conversion import Conversion

_FILE = click.Path(path_type=Path)
_RULES = "magic, plot, explore, tracking or import"


@click.group("notebook")
def command() -> None:
    """Make a job of a notebook."""


@command.command("convert", short_help="Write a script, a job file and a conda file.")
@click.argument("notebook", type=_FILE)
@click.option(
    "--output",
    type=_FILE,
    help="The script; the job file and the conda file lie beside it. Default: "
    "NAME-job/src/NAME.py beside the notebook, with the other two in NAME-job.",
)
@click.option(
    "--requirements",
    type=_FILE,
    help="The data scientist's list of packages, a requirements or conda file. Default: one that "
    "lies beside the notebook.",
)
@click.option(
    "--keep", multiple=True, metavar="RULE", help=f"Leave nothing out by this rule: {_RULES}."
)
@click.option("--force", is_flag=True, help="Write files anew that were changed since.")
@format_option
@click.pass_obj
def convert(
    session: Session,
    /,
    *,
    notebook: Path,
    output: Path | None,
    requirements: Path | None,
    keep: tuple[str, ...],
    force: bool,
) -> None:
    """Make a job of NOTEBOOK, a .ipynb or a script.

    Magic, plots and looks at tables become comments. Paths that are read and written, and values
    that a model is given, become arguments. Metrics that are printed are logged to MLflow too. The
    packages are those that are really imported, in the versions of the data scientist's list.
    """
    from brinery.actions.notebook import convert_notebook

    done = convert_notebook(
        notebook, output=output, requirements=requirements, keep=keep, force=force
    )
    match session.format:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            print(done.files[1])
        case _:
            for line in _told(done):
                print(line)
            note(f"Next: brinery job create -f {done.files[1]}")


@command.command("restore", short_help="Put back what was left out of a script.")
@click.argument("script", type=_FILE)
@click.option(
    "--rule", "rules", multiple=True, help=f"Only this rule: {_RULES}. Default: all but magic."
)
@format_option
@click.pass_obj
def restore(session: Session, /, *, script: Path, rules: tuple[str, ...]) -> None:
    """Put back what was left out of SCRIPT, which `brinery notebook convert` wrote.

    Imports come back with what needs them. Magic stays a comment: Python has no word for it.
    """
    from brinery.actions.notebook import restore_script

    back = restore_script(script, rules=rules)
    if session.format is Format.JSON:
        print_json(back)
        return
    for one in back:
        first = one.text.partition("\n")[0]
        print(f"{one.rule.value:<9} cell {one.cell}: {first}")
    if any(one.rule.value == "import" for one in back):
        note("What is imported again may be missing from conda.yml.")
    if not back:
        note(f"{script} has nothing to put back")


def _told(done: Conversion) -> Iterator[str]:
    """Yield what was done, a line each."""
    for port in done.inputs:
        missing = "" if port.there else ", which is not there"
        yield f"input     {port.name}: {port.path} ({port.type.value}){missing}"
    for one in done.parameters:
        yield f"parameter {one.name}: {one.value}"
    for port in done.outputs:
        yield f"output    {port.name}: {port.path} ({port.type.value})"
    for metric in done.metrics:
        yield f"metric    {metric.name} = {metric.expression}  [cell {metric.cell}]"
    for package in done.packages:
        source = f"  [{package.source}]" if package.source else ""
        yield f"package   {package.requirement}{source}"
    for name, reason in done.removed.items():
        yield f"without   {name}: {reason}"
    for piece in done.dropped:
        first, _, more = piece.text.partition("\n")
        yield f"{piece.rule.value:<9} cell {piece.cell}: {first}{' …' if more else ''}"
    for line in done.notes:
        yield f"note      {line}"
    for file in done.files:
        yield f"wrote     {file}"
