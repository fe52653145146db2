"""`brinery predict`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from brinery.cli.context import Session
from brinery.cli.output import note


@click.command("predict")
@click.argument("reference")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="csv, Parquet or JSON lines.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A .csv, .parquet or .jsonl file. Default: csv on standard output.",
)
@click.option("--keep", multiple=True, metavar="COLUMN", help="A column to keep. Repeatable.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    reference: str,
    data: Path,
    output: Path | None,
    keep: tuple[str, ...],
    sep: str | None,
) -> None:
    """Score a data file with REFERENCE: bank@champion, bank@1, or bank for its champion."""
    from brinery.actions.predict import predict

    table = predict(
        reference,
        data=data,
        sep=sep,
        keep=keep,
        output=output,
        workspace=session.workspace,
        warn=lambda said: note(f"warning: {said}"),
    )
    if output is None:
        import pyarrow.csv

        sys.stdout.flush()
        pyarrow.csv.write_csv(table, sys.stdout.buffer)
    else:
        note(f"{table.num_rows:,} rows scored: {output}")
