"""`brinery history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.history import Chapter

_TIME = "%Y-%m-%d %H:%M:%S"


@click.command("history")
@click.argument("name")
@format_option
@click.pass_obj
def command(session: Session, /, *, name: str) -> None:
    """Show what became of the aliases of the model NAME: who, when, from, to, and why.

    Every promotion, rollback and move by another program, oldest first, with what the gate had
    decided, and every decision that promoted nothing. What was forced against the gate is marked
    for ever.
    """
    from brinery.actions.history import history

    told = history(name, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(told)
        case Format.QUIET:
            for one in told:
                print(one.after)
        case _ if not told:
            note(f"no version of {name} was promoted yet: brinery promote {name}")
        case _:
            print_table(
                ["when", "who", "what", "from", "to", "decision", "reason"],
                [_row(one) for one in told],
            )


def _row(one: Chapter) -> list[str]:
    return [
        one.at.astimezone().strftime(_TIME),
        one.who,
        one.deed if one.alias == "champion" else f"{one.deed}, {one.alias}",
        one.before or "",
        one.after,
        one.verdict,
        one.why,
    ]
