"""`brinery predict`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Protocol

    from brinery.actions.batch_plan import BatchOptions
    from brinery.records.batch import BatchProgress, ScoredFiles

    class Shown(Protocol):
        """What shows how far a run is."""

        def __call__(self, progress: BatchProgress) -> None:
            """Show it."""
            ...


_LINE_S = 5.0
_MINUTE_S = 60


@click.command("predict")
@click.argument("reference")
@click.option(
    "--data",
    required=True,
    help="csv (.csv.gz), Parquet, Arrow or JSON lines: a file, a folder, or a pattern such as "
    "'in/*.parquet'.",
)
@click.option(
    "--output",
    help="A .csv, .parquet, .arrow or .jsonl file; or a folder of parts, such as out/, which is "
    "resumed after a kill. Default: csv on standard output.",
)
@click.option("--keep", multiple=True, metavar="COLUMN", help="A column to keep. Repeatable.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option(
    "--output-format",
    type=click.Choice(["parquet", "csv", "arrow", "jsonl"]),
    help="Of the parts, or of standard output. Default: parquet for parts.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Threads of the scorer, or processes of the model's library. Default: one a processor.",
)
@click.option(
    "--batch-rows",
    type=click.IntRange(min=1),
    help="Rows scored at a time, which bound the memory. Default: by the number of columns.",
)
@click.option(
    "--part-rows", type=click.IntRange(min=1), help="Most rows of a part. Default: 262144."
)
@click.option("--overwrite", is_flag=True, help="Replace the scores of another run in the folder.")
@format_option
@click.pass_obj
def command(
    session: Session, /, *, reference: str, data: str, output: str | None, **options: Any
) -> None:
    """Score data with REFERENCE: bank@champion, bank@1, or bank for its champion.

    Data of any size: it is read, scored and written in blocks. Wrong columns are found before the
    first row is scored. A folder of parts is complete part by part; the same command goes on with
    it after a kill, and does nothing when it is finished.
    """
    from brinery.actions.batch_plan import BatchAsked
    from brinery.actions.progress import attempt_line
    from brinery.actions.rooms import open_rooms
    from brinery.actions.score_files import score_steps

    asked = BatchAsked.of(
        reference, data=data, output=output, options=cast("BatchOptions", options)
    )
    quiet = session.format in (Format.QUIET, Format.JSON)
    sys.stdout.flush()
    steps = score_steps(open_rooms(session.workspace), asked, stream=sys.stdout.buffer)
    made = _follow(steps, quiet=quiet, to_terminal=asked.output is None and sys.stdout.isatty())
    for attempt in made.attempts:
        note(f"warning: {attempt_line(attempt)}")
    if not made.output:
        return
    match session.format:
        case Format.JSON:
            print_json(made)
        case Format.QUIET:
            print(made.output)
        case _:
            note(_outcome(made))


def _outcome(made: ScoredFiles) -> str:
    parts = f" in {_counted(len(made.parts), 'part')}" if made.parts else ""
    if not made.rows and made.resumed_rows:
        return f"{made.resumed_rows:,} rows{parts} were scored before: {made.output} is finished"
    before = f", {made.resumed_rows:,} before" if made.resumed_rows else ""
    took = f", {_spent(made.seconds)}" if made.seconds >= 1 else ""
    by_library = f", {made.library_rows:,} of them by its library" if made.library_rows else ""
    return f"{made.rows:,} rows scored{by_library}{before}{took}: {made.output}{parts}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _follow(
    steps: Generator[BatchProgress, None, ScoredFiles], *, quiet: bool, to_terminal: bool
) -> ScoredFiles:
    """Return what scoring returns, showing on standard error how far it is."""
    if quiet or to_terminal:
        return _end_of(steps, lambda _: None)
    if not sys.stderr.isatty():
        return _end_of(steps, _Lines())
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, said="")
        return _end_of(steps, lambda now: bar.update(task, completed=now.done, said=_said(now)))


def _end_of(steps: Generator[BatchProgress, None, ScoredFiles], show: Shown) -> ScoredFiles:
    while True:
        try:
            show(next(steps))
        except StopIteration as end:
            result: ScoredFiles = end.value
            return result


class _Lines:
    """Prints how far a run is, a line every few seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: BatchProgress) -> None:
        if progress.done < 1 and progress.seconds - self._last >= _LINE_S:
            self._last = progress.seconds
            note(f"{progress.done:4.0%}  {_said(progress)}")


def _said(progress: BatchProgress) -> str:
    left = "" if progress.left_s is None else f", {_spent(progress.left_s)} left"
    return f"{progress.rows:,} rows, {progress.rows_per_s:,.0f} rows/s{left}"


def _spent(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
