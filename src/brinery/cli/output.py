"""The one output sink: data on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import TypeVar

    from rich.console import Console

    from brinery.records.event import Event

    _R = TypeVar("_R")

_PIPE_WIDTH = 160


class Format(StrEnum):
    """The form of the output."""

    AUTO = "auto"
    HUMAN = "human"
    JSON = "json"
    QUIET = "quiet"


def report_error(form: Format, code: str, *, message: str, hint: str) -> None:
    """Print an error and the next thing to do on standard error."""
    if form is Format.JSON:
        import msgspec

        error = {"error": {"code": code, "message": message, "hint": hint}}
        print(msgspec.json.encode(error).decode(), file=sys.stderr)
        return
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f" hint: {hint}", file=sys.stderr)


def print_json(record: Any) -> None:
    """Print a record as JSON on standard output."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(record), indent=2).decode())


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def follow(events: Generator[Event, None, _R], form: Format) -> _R:
    """Return what long work returns, printing each of its events on standard error."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            result: _R = end.value
            return result
        if event.progress and not sys.stderr.isatty():
            continue
        if form is not Format.QUIET and (form is not Format.JSON or event.warning):
            mark = "!" if event.warning else "✓"
            note(f"{mark} {event.step:<9} {event.message}  [{event.elapsed_s:.1f} s]")


def console() -> Console:
    """Return where tables are printed; a pipe is wide, so that nothing in it is cut."""
    from rich.console import Console

    return Console(
        highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH
    )


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
) -> None:
    """Print a table on standard output."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        show_edge=False,
    )
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console().print(table)
    console().print()


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print names and values on standard output, a line each."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name:<{width}}  {value}")
    print()
