"""`brinery import`."""

from __future__ import annotations

from pathlib import Path

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, print_json

_TYPES = ["binary", "multiclass", "regression", "other"]


@click.command("import")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The name to register it under.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines: what to evaluate it on, not what it was fitted on.",
)
@click.option("--target", help="The column with the truth. Without it nothing is evaluated.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option("--type", "kind", type=click.Choice(_TYPES), help="What it predicts. Default: found.")
@click.option("--new-version", is_flag=True, help="Register again what is already registered.")
@format_option
@click.pass_obj
def command(session: Session, /, *, model: Path, name: str, data: Path, **options: object) -> None:
    """Import MODEL, a pickle or joblib file: evaluate it on data and register it.

    The file is loaded in a process of its own, never in this one. It becomes a version only when
    the registered copy gives the same answers as the file on every row of the data.
    """
    from brinery.actions.import_model import Submission, import_steps
    from brinery.actions.rooms import open_rooms
    from brinery.records.evaluation import PredictionType

    kind = options["kind"]
    asked = Submission(
        model=model,
        name=name,
        data=data,
        target=_text(options["target"]),
        separator=_text(options["sep"]),
        type=PredictionType(str(kind)) if kind is not None else None,
        new_version=bool(options["new_version"]),
    )
    version = follow(import_steps(open_rooms(session.workspace), asked), session.format)
    match session.format:
        case Format.JSON:
            print_json(version)
        case Format.QUIET:
            print(version.reference)
        case _:
            print(f"{version.reference} is registered. Next: brinery promote {version.reference}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
