"""`brinery evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, print_json
from brinery.cli.summary import print_summary

if TYPE_CHECKING:
    from brinery.actions.evaluate import EvaluateOptions

_AIMS = ["f1", "f_beta", "accuracy", "balanced_accuracy", "mcc", "kappa", "gain"]


@click.command("evaluate")
@click.argument("reference")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines: what to evaluate it on, not what it was fitted on.",
)
@click.option("--target", help="The column with the truth. Default: the one of the import.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option(
    "--aim",
    type=click.Choice(_AIMS),
    help="What the threshold of a binary model is chosen for. Default: f1, or gain with --gains.",
)
@click.option(
    "--beta",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Of F-beta: how many times more recall counts than precision.",
)
@click.option(
    "--gains",
    nargs=4,
    type=float,
    metavar="TP FP FN TN",
    help="What each outcome of a decision is worth; a cost is negative.",
)
@click.option(
    "--assertions",
    type=click.Path(path_type=Path),
    help="A YAML file of what must hold for some rows.",
)
@click.option(
    "--train",
    type=click.Path(path_type=Path),
    help="What the model was fitted on, to look for rows that are in both.",
)
@click.option(
    "--pair",
    "pairs",
    nargs=2,
    multiple=True,
    metavar="COLUMN COLUMN",
    help="Two columns whose groups are crossed; may be repeated.",
)
@click.option(
    "--row",
    "rows",
    type=int,
    multiple=True,
    help="A row to explain, from 1; may be repeated. Default: those that surprise most.",
)
@click.option(
    "--budget",
    type=click.IntRange(min=1000),
    help="Rows that each kind of explanation may have scored: more is steadier, and slower. "
    "Default: the setting, 200,000.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@format_option
@click.pass_obj
def command(session: Session, /, *, reference: str, data: Path, **options: Any) -> None:
    """Find out how good REFERENCE is on data, why it says so, and where it fails.

    Every figure has its interval or the reason why there is none. What is found is kept in the
    workspace, as JSON and as a report; Ctrl-C keeps what is done.
    """
    from brinery.actions.evaluate import EvaluateAsked, evaluate_steps, first_screen
    from brinery.actions.rooms import open_rooms

    asked = EvaluateAsked.of(reference, data=data, options=cast("EvaluateOptions", options))
    found = follow(evaluate_steps(open_rooms(session.workspace), asked), session.format)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            print(found.reference)
        case _:
            print_summary(first_screen(found))
            print(f"Next: brinery report {found.reference} --output report.html")
