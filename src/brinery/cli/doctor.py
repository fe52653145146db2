"""`brinery doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.diagnosis import Diagnosis


@click.command("doctor")
@format_option
@click.pass_obj
def command(session: Session, /) -> int:
    """Try what a hostile model would, and show what stops it on this machine.

    Exit status 1 says that a layer of the sandbox is missing: models are loaded all the same,
    unless require_sandbox is true under [sandbox] in brinery.toml.
    """
    from brinery.actions.doctor import doctor

    found = doctor(workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for layer in found.sandbox.layers:
                if not layer.in_force:
                    print(layer.name)
        case _:
            _show(found)
    return 0 if found.sandbox.complete else 1


def _show(found: Diagnosis) -> None:
    print_facts(
        [
            ("Python", found.python),
            ("system", found.system),
            ("uv", found.uv or "not installed: no environment can be built"),
        ]
    )
    rows = [
        ("✓" if layer.in_force else "✗", layer.name, layer.by if layer.in_force else layer.reason)
        for layer in found.sandbox.layers
    ]
    print_table(["", "layer", "by"], rows, title="A model's process")
    tried = [
        ("✓" if trial.stopped else "✗", trial.tried, trial.said if trial.stopped else "possible")
        for trial in found.trials
    ]
    print_table(["", "it tried to", "and was told"], tried)
    if found.sandbox.complete:
        note("Every layer is in force.")
    else:
        note("A layer is missing: docs/rooms/pickles.md says what that leaves open.")
