"""`brinery status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.overview import InProduction, Overview


@click.command("status")
@format_option
@click.pass_obj
def command(session: Session, /) -> int:
    """Show what is in production, what needs attention and what happened.

    Exit status 1 says that something needs attention.
    """
    from brinery.actions.overview import overview

    found = overview(workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for need in found.needs:
                print(f"{need.concern}  {need.subject}")
        case _:
            _show(found)
    return 1 if found.needs else 0


def _show(found: Overview) -> None:
    from brinery.charts.overview import sentence

    print(sentence(found))
    if found.production:
        rows = [_row(one) for one in found.production]
        print_table(["model", "version", "figure", "interval", "champion since"], rows)
    for need in found.needs:
        print(f"! {need.message}")
        if need.hint:
            print(f"  next: {need.hint}")
    if not found.registered:
        note("Next: brinery import model.pkl --name NAME --data test.csv --target COLUMN")


def _row(one: InProduction) -> tuple[str, ...]:
    from brinery.charts import words

    version = one.version
    evaluation = version.candidate.evaluation if version.candidate else None
    figure = interval = ""
    if evaluation and one.metric:
        figure = f"{words.called(one.metric)} {words.number(evaluation.metrics[one.metric])}"
        interval = words.between(evaluation.intervals.get(one.metric))
    since = one.since.at if one.since else version.created
    return (version.name, str(version.number), figure, interval, f"{since:%Y-%m-%d %H:%M}")
