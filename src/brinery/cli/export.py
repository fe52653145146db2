"""`brinery export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_facts, print_json

if TYPE_CHECKING:
    from brinery.records.export import Export

_FORMATS = ["skops", "joblib", "mlflow", "onnx", "native"]


@click.command("export")
@click.argument("reference")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    type=click.Choice(_FORMATS),
    help="native is the framework's own: .ubj, .txt, .cbm or .onnx; or the file as it is, of what "
    "cannot be asked for predictions.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Rows to compare on. Default: rows made from the signature.",
)
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option(
    "--allow-difference", is_flag=True, help="Keep what answers otherwise than the model."
)
@click.option("--force", is_flag=True, help="Replace an export that lies in FOLDER.")
@format_option
@click.pass_obj
def command(
    session: Session, /, *, reference: str, folder: Path, to: str, **options: object
) -> None:
    """Write REFERENCE to FOLDER in another format, and compare it with the model.

    The model's own confined process writes it. It is read back in another one, and both are asked
    the same rows: labels must be equal, and probabilities as near as the format allows.
    """
    from brinery.actions.export_model import export_model

    data, sep = options["data"], options["sep"]
    done = export_model(
        reference,
        to=to,
        folder=folder,
        data=None if data is None else Path(str(data)),
        sep=None if sep is None else str(sep),
        allow_difference=bool(options["allow_difference"]),
        force=bool(options["force"]),
        workspace=session.workspace,
    )
    match session.format:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            print(done.folder)
        case _:
            _print(done)


def _compared(done: Export) -> list[tuple[str, object]]:
    return [
        ("labels", f"{done.rows - done.labels_differ:,} of {done.rows:,} rows equal"),
        ("largest difference", f"{done.max_difference:.3g}, {done.tolerance:g} is allowed"),
    ]


def _print(done: Export) -> None:
    print_facts(
        [
            ("version", done.version),
            ("format", done.format),
            ("folder", done.folder),
            ("files", ", ".join(done.files)),
            ("compared on", done.checked),
            *(_compared(done) if done.rows else []),
        ]
    )
    if done.classes:
        names = ", ".join(f"{number} is {name}" for number, name in enumerate(done.classes))
        note(f"! this format keeps no names of classes: {names}")
    if not done.equal:
        note("! it answers otherwise than the model, and was written because you allowed that")
