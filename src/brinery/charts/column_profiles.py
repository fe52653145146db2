"""The columns of a table as histograms: of numbers and times in bins, of others by their values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from brinery.charts.drawing import FIRST, axis, layout
from brinery.charts.words import counted, number, percent
from brinery.records.column_profile import ColumnProfile
from brinery.records.figure import Figure

_HEIGHT_PX: Final = 220


def profile_figures(found: Sequence[ColumnProfile]) -> tuple[Figure, ...]:
    """Return a histogram for each column that has values."""
    return tuple(_figure(at, one) for at, one in enumerate(found) if one.counts)


def _figure(at: int, one: ColumnProfile) -> Figure:
    missing = percent(one.missing / one.rows)
    said = f"{counted(one.distinct or 0, 'different value')}, {missing} missing"
    kind = "date" if one.times else "linear" if one.edges else "category"
    return Figure(
        name=f"column-{at}",
        title=one.name,
        caption=f"{said}.",
        data=(_bins(one) if one.edges else _values(one),),
        layout=layout(
            axis("", type=kind),
            axis("rows"),
            bargap=0.04 if one.edges else 0.25,
        ),
        height_px=_HEIGHT_PX,
    )


def _bins(one: ColumnProfile) -> dict[str, object]:
    middles = [(low + high) / 2 for low, high in zip(one.edges, one.edges[1:], strict=False)]
    return {
        "type": "bar",
        "x": [shown(one, value) for value in middles] if one.times else middles,
        "y": list(one.counts),
        "showlegend": False,
        "marker": {"color": FIRST},
        "text": [
            f"{shown(one, low)} to {shown(one, high)}: {count:,} rows"
            for low, high, count in zip(one.edges, one.edges[1:], one.counts, strict=False)
        ],
        "textposition": "none",
        "hoverinfo": "text",
    }


def _values(one: ColumnProfile) -> dict[str, object]:
    return {
        "type": "bar",
        "x": [value if len(value) <= 14 else f"{value[:13]}…" for value in one.values],  # noqa: PLR2004 - under a bar
        "y": list(one.counts),
        "showlegend": False,
        "marker": {"color": FIRST},
        "text": [f"{v}: {n:,} rows" for v, n in zip(one.values, one.counts, strict=True)],
        "textposition": "none",
        "hoverinfo": "text",
    }


def shown(one: ColumnProfile, value: float | None) -> str:
    """Return a value of a column for people: a number, or a time in UTC."""
    if value is None or not one.times:
        return number(value)
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}"
