"""The first screen of an evaluation, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brinery.cli.output import console, print_table

if TYPE_CHECKING:
    from brinery.records.summary import Summary


def print_summary(summary: Summary) -> None:
    """Print what somebody who answers for a model must know of it."""
    from rich.markup import escape

    out = console()
    out.print(f"\n[bold]{escape(summary.headline)}[/bold]\n")
    if summary.tiles:
        print_table(
            ["figure", "value", "95 % interval"],
            [[tile.label, tile.value, tile.interval] for tile in summary.tiles],
        )
    for point in summary.points:
        out.print(f"• {escape(point)}")
    for doubt in summary.doubts:
        out.print(f"[yellow]![/yellow] {escape(doubt)}")
    out.print()
