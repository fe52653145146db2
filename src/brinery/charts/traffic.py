"""The charts of an endpoint: what it is asked, how soon it answers, what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from brinery.charts import drawing
from brinery.records.figure import Figure
from brinery.records.traffic import Traffic, TrafficPoint

_MS: Final = 1000.0
_HEIGHT_PX: Final = 240


def figures(traffic: Traffic) -> tuple[Figure, ...]:
    """Return the charts of an endpoint; none before there is anything to draw."""
    points = traffic.points
    if not points:
        return ()
    asked = _line(points, [one.requests_per_s for one in points], shade=drawing.FIRST)
    refused = _line(points, [one.errors_per_s for one in points], shade=drawing.BAD)
    return (
        _figure("traffic", "Requests", unit="per second", caption=_caption(traffic), data=(asked,)),
        _figure(
            "latency",
            "Time to an answer",
            unit="ms",
            caption="From the first byte of a request to its answer: half of the requests, 95 and "
            "99 in a hundred took no longer.",
            data=_latencies(points),
        ),
        _figure(
            "errors",
            "Refused or failed",
            unit="per second",
            caption=f"Answers with a status of 400 or more; {traffic.errors:,} since the server "
            "began to count.",
            data=(refused,),
        ),
    )


def _caption(traffic: Traffic) -> str:
    return f"Answered by this server; {traffic.requests:,} since it began to count."


def _latencies(points: Sequence[TrafficPoint]) -> tuple[drawing.Trace, ...]:
    lines = (
        ("50 %", [one.p50_s for one in points]),
        ("95 %", [one.p95_s for one in points]),
        ("99 %", [one.p99_s for one in points]),
    )
    return tuple(
        _line(
            points,
            [None if value is None else value * _MS for value in values],
            name=name,
            shade=drawing.colour(place),
        )
        for place, (name, values) in enumerate(lines)
    )


def _line(
    points: Sequence[TrafficPoint], values: drawing.Numbers, *, name: str = "", shade: str
) -> drawing.Trace:
    drawn = drawing.line((), values, name=name, shade=shade)
    return {**drawn, "x": [one.at.strftime("%Y-%m-%d %H:%M:%S") for one in points]}


def _figure(
    name: str, title: str, *, unit: str, caption: str, data: tuple[dict[str, Any], ...]
) -> Figure:
    return Figure(
        name=name,
        title=title,
        caption=caption,
        data=data,
        layout=drawing.layout(
            {"type": "date"}, {**drawing.axis(unit), "rangemode": "tozero", "nticks": 5}
        ),
        height_px=_HEIGHT_PX,
    )
