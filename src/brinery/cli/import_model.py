"""`brinery import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, print_json
from brinery.cli.summary import print_summary

if TYPE_CHECKING:
    from brinery.actions.submission import ImportOptions

_TYPES = ["binary", "multiclass", "regression", "other"]


@click.command("import")
@click.argument("model")
@click.option("--name", required=True, help="The name to register it under.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines: what to evaluate it on, not what it was fitted on. Only a "
    "model that cannot be asked for predictions, such as bare weights, needs none.",
)
@click.option("--target", help="The column with the truth. Without it nothing is evaluated.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option("--type", type=click.Choice(_TYPES), help="What it predicts. Default: found.")
@click.option(
    "--trust",
    multiple=True,
    metavar="NAME",
    help="A name that MODEL asks for and you vouch for, such as my_pkg.steps.Clipper or my_pkg.*; "
    "may be repeated.",
)
@click.option(
    "--code",
    type=click.Path(path_type=Path),
    help="A folder of your own modules that MODEL needs; they are kept with the version.",
)
@click.option(
    "--environment",
    default="current",
    show_default=True,
    metavar="auto|current|FILE",
    help="auto builds the one MODEL was written with where the current one does not fit; FILE is "
    "a requirements file to build one from.",
)
@click.option("--tracking-uri", help="Of the MLflow that a runs:/ or models:/ URI is looked up in.")
@click.option("--new-version", is_flag=True, help="Register again what is already registered.")
@format_option
@click.pass_obj
def command(
    session: Session, /, *, model: str, name: str, data: Path | None, **options: Any
) -> None:
    """Import MODEL: read it, load it where it can do no harm, evaluate and register it.

    MODEL is a model file of any framework, an MLflow model folder, a runs:/ or models:/ URI, or
    module:name of your own code. What it would do is read before it is loaded, in a confined
    process; names that are not known safe need --trust. It becomes a version only when the
    registered copy gives the same answers as the file on every row of the data; one that cannot
    be asked is registered as it is, and says why.
    """
    from brinery.actions.import_model import import_steps
    from brinery.actions.rooms import open_rooms
    from brinery.actions.submission import Submission

    asked = Submission.of(model, name=name, data=data, options=cast("ImportOptions", options))
    version = follow(import_steps(open_rooms(session.workspace), asked), session.format)
    match session.format:
        case Format.JSON:
            print_json(version)
        case Format.QUIET:
            print(version.reference)
        case _:
            from brinery.actions.evaluate import summary_of

            summary = summary_of(version, workspace=session.workspace)
            if summary is not None:
                print_summary(summary)
            print(f"{version.reference} is registered. Next: brinery promote {version.reference}")
