"""`brinery gate`: show and check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from brinery.cli.context import Session, format_option
from brinery.cli.decision import print_decision
from brinery.cli.output import Format, follow, print_json

if TYPE_CHECKING:
    from brinery.actions.gate import GateExplained, GateOptions

_NOT_PASSED = 3


@click.group("gate")
def command() -> None:
    """Explain what a version must hold before it is promoted, and check one."""


@command.command("show")
@click.argument("name", required=False)
@click.option("--gate", "file", help="A TOML file with gates, or FILE:NAME.")
@format_option
@click.pass_obj
def show(session: Session, /, *, name: str | None, file: str | None) -> None:
    """Explain every rule of the gate NAME in words; of the default gate without a NAME.

    Gates are declared in brinery.toml, or in a file of their own: --gate FILE.
    """
    from brinery.actions.gate import gate

    asked = name if file is None else f"{file}:{name}" if name else file
    found = gate(asked, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for each in (*found.require, *found.rules):
                print(each.asks)
        case _:
            _print(found)


@command.command("check")
@click.argument("reference")
@click.option("--gate", help="A gate of brinery.toml, a TOML file, or FILE:NAME.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines with the target. Default: what the version, or else the "
    "champion, was evaluated on, where that lies unchanged.",
)
@click.option("--target", help="The column with the truth. Default: the one of the import.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@format_option
@click.pass_obj
def check(session: Session, /, *, reference: str, **options: Any) -> int:
    """Judge REFERENCE as `brinery promote` would, and promote nothing.

    It is a look at the rows all the same: looks are counted, and each further one asks for more.
    The same question asked again is no further look. The exit status is 0 where the version
    passes, and 3 where it does not.
    """
    from brinery.actions.gate import GateAsked, check_steps
    from brinery.actions.rooms import open_rooms

    asked = GateAsked.of(reference, cast("GateOptions", options))
    rooms = open_rooms(session.workspace)
    decision = follow(check_steps(rooms, asked), session.format)
    match session.format:
        case Format.JSON:
            print_json(decision)
        case Format.QUIET:
            print(decision.outcome)
        case _:
            print_decision(decision)
            if decision.passes and decision.reference != decision.champion:
                print(f"Next: brinery promote {decision.reference}")
    return 0 if decision.passes else _NOT_PASSED


def _print(found: GateExplained) -> None:
    built_in = ": built in, as no other default is declared" if found.built_in else ""
    print(f"The gate {found.name}{built_in}. A version passes where all of this holds.\n")
    number = 0
    for kind, asked in (("required", found.require), ("rule", found.rules)):
        for each in asked:
            number += 1
            print(f"{number}. {kind}: {each.asks}\n   {each.explained}")
    if found.allow:
        print(f"\nOf the schema it allows: {', '.join(found.allow)}.")
    print("\nWhat is not decidable, such as for too few rows, does not pass.")
    if found.looks:
        print(found.looks)
