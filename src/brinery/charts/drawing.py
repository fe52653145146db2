"""The few kinds of traces that all charts are made of, in the colours of the page's palette."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

Trace = dict[str, Any]
Axis = dict[str, Any]
Numbers = Sequence[float] | Sequence[float | None]

# Names of the page's palette: the first of several lines, the next ones, what is beside the point.
FIRST: Final = "@brine"
SERIES: Final = (FIRST, "@clay", "@sky", "@plum", "@straw", "@slate")
QUIET: Final = "@quiet"
GOOD: Final = FIRST
BAD: Final = "@clay"
WASH: Final = "@wash"

_DIGITS: Final = 6


def colour(place: int) -> str:
    """Return the colour of the line at a place, from 0; they come round again."""
    return SERIES[place % len(SERIES)]


def rounded(values: Numbers) -> list[float | None]:
    """Return numbers as short as a chart can show; what is not finite is a gap."""
    return [
        None if v is None or not math.isfinite(v) else float(f"{v:.{_DIGITS}g}") for v in values
    ]


def line(
    x: Numbers,
    y: Numbers,
    *,
    name: str = "",
    shade: str = FIRST,
    dash: str = "solid",
    shape: str = "linear",
    width: float = 2,
) -> Trace:
    """Return a line through points, both (n_points,)."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": rounded(x),
        "y": rounded(y),
        "name": name,
        "showlegend": bool(name),
        "line": {"color": shade, "dash": dash, "shape": shape, "width": width},
    }


def diagonal(low: float = 0.0, high: float = 1.0, *, name: str = "") -> Trace:
    """Return the line on which both axes say the same."""
    drawn = line((low, high), (low, high), name=name, shade=QUIET, dash="dot", width=1)
    return {**drawn, "hoverinfo": "skip"}


def level(low: float, high: float, *, at: float, name: str = "") -> Trace:
    """Return a horizontal line for comparison, from `low` to `high`."""
    drawn = line((low, high), (at, at), name=name, shade=QUIET, dash="dot", width=1)
    return {**drawn, "hoverinfo": "skip"}


def band(x: Numbers, low: Numbers, *, high: Numbers, shade: str = WASH) -> tuple[Trace, Trace]:
    """Return the area between two lines, all (n_points,)."""
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return (
        {**edge, "x": rounded(x), "y": rounded(low), "showlegend": False},
        {
            **edge,
            "x": rounded(x),
            "y": rounded(high),
            "fill": "tonexty",
            "fillcolor": shade,
            "showlegend": False,
        },
    )


def points(
    x: Numbers,
    y: Numbers,
    *,
    name: str = "",
    shade: str = FIRST,
    size: float = 5,
    opacity: float = 0.6,
    texts: Sequence[str] = (),
) -> Trace:
    """Return dots, both (n_points,); `texts` are shown beside a dot that is pointed at."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": rounded(x),
        "y": rounded(y),
        "name": name,
        "showlegend": bool(name),
        "marker": {"color": shade, "size": size, "opacity": opacity},
        **({"text": list(texts), "hoverinfo": "text"} if texts else {}),
    }


def spread(
    x: Sequence[float],
    y: Sequence[object],
    *,
    low: Sequence[float],
    high: Sequence[float],
    shade: str = FIRST,
) -> Trace:
    """Return values with their intervals, one under the other; `y` are their names."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": rounded(x),
        "y": list(y),
        "showlegend": False,
        "marker": {"color": shade, "size": 7},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": rounded([end - v for v, end in zip(x, high, strict=True)]),
            "arrayminus": rounded([v - end for v, end in zip(x, low, strict=True)]),
            "color": shade,
            "thickness": 1.5,
            "width": 3,
        },
    }


def bars(
    x: Sequence[Any],
    y: Sequence[Any],
    *,
    name: str = "",
    shade: str | Sequence[str] = FIRST,
    sideways: bool = False,
    opacity: float = 1.0,
) -> Trace:
    """Return bars: values over names, or sideways names beside values."""
    return {
        "type": "bar",
        "orientation": "h" if sideways else "v",
        "x": list(x),
        "y": list(y),
        "name": name,
        "showlegend": bool(name),
        "opacity": opacity,
        "marker": {"color": shade if isinstance(shade, str) else list(shade)},
    }


def axis(title: str, *, span: tuple[float, float] | None = None, **others: Any) -> Axis:
    """Return an axis with its title; its ends where they are not those of the data."""
    ends = {} if span is None else {"range": list(span)}
    return {"title": {"text": title}, **ends, **others}


def layout(x: Axis, y: Axis, **others: Any) -> dict[str, Any]:
    """Return the layout of a chart with two axes."""
    return {"xaxis": x, "yaxis": y, **others}
