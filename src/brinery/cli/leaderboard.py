"""`brinery leaderboard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.compare import beside_first
from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.leaderboard import Leaderboard, Standing


@click.command("leaderboard")
@click.argument("name")
@click.option("--metric", help="What they are ranked by. Default: by what the model predicts.")
@format_option
@click.pass_obj
def command(session: Session, name: str, *, metric: str | None) -> None:
    """Rank the versions and runs of the model NAME by a metric.

    Versions have the figures of their import, runs those that your own programs logged in the
    MLflow experiment NAME. brinery compare asks versions the same rows, and is more certain.
    """
    from brinery.actions.leaderboard import leaderboard

    board = leaderboard(name, metric=metric, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(board)
        case Format.QUIET:
            for standing in board.standings:
                print(standing.name)
        case _:
            _print(board)


def _print(board: Leaderboard) -> None:
    print_table(
        ["rank", "name", "aliases", board.metric, "95 % interval", "on", "beside the first"],
        [_row(one) for one in board.standings],
    )
    for name, why in board.not_ranked.items():
        note(f"! {name}: {why}")


def _row(one: Standing) -> list[str]:
    interval = one.value.interval
    on = f"{one.data}, {one.rows:,} rows" if one.rows else one.data
    return [
        str(one.rank),
        one.name,
        ", ".join(one.aliases),
        f"{one.value.value:.4g}",
        f"{interval.low:.4g} to {interval.high:.4g}" if interval else "",
        on,
        "" if one.rank == 1 and one.alike is not None else beside_first(one.alike, one.reason),
    ]
