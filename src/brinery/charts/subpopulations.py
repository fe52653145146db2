"""The chart of where a model does better or worse."""

from __future__ import annotations

from typing import Final

from brinery.charts import drawing, words
from brinery.records.figure import Figure
from brinery.records.subpopulation import Subpopulation, Subpopulations

_SHOWN: Final = 20
_ROW_PX: Final = 24
_HEAD_PX: Final = 90


def figure(found: Subpopulations) -> Figure | None:
    """Return the groups that differ most from the rest; None where there is no figure."""
    groups = [one for slicing in found.slicings for one in slicing.subpopulations]
    shown = sorted((one for one in groups if one.figure is not None), key=_least_first)[:_SHOWN]
    if not shown or found.whole is None:
        return None
    shown.sort(key=lambda one: one.figure.value if one.figure else 0.0)
    values = [one.figure.value for one in shown if one.figure is not None]
    spans = [one.figure.interval for one in shown if one.figure is not None]
    ends = [*values, *(end for span in spans if span is not None for end in (span.low, span.high))]
    whole = found.whole.value
    return Figure(
        name="subpopulations",
        title=f"Where: {words.called(found.metric)} of groups of rows",
        caption=f"The {len(shown)} groups that most surely differ, with 95 % intervals; the "
        f"dotted line is all rows ({words.number(whole)}).",
        data=(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [whole, whole],
                "y": [0, len(shown) - 1],
                "showlegend": False,
                "hoverinfo": "skip",
                "line": {"color": drawing.QUIET, "dash": "dot", "width": 1},
            },
            drawing.spread(
                values,
                list(range(len(shown))),
                low=[v if s is None else s.low for v, s in zip(values, spans, strict=True)],
                high=[v if s is None else s.high for v, s in zip(values, spans, strict=True)],
            ),
        ),
        layout=drawing.layout(
            drawing.axis(words.called(found.metric), span=_span(ends)),
            drawing.axis(
                "",
                tickvals=list(range(len(shown))),
                ticktext=[words.cut(named(one), length=30) for one in shown],
                zeroline=False,
            ),
        ),
        height_px=_HEAD_PX + _ROW_PX * len(shown),
    )


def named(one: Subpopulation) -> str:
    """Return what a group is called, with the name of its column."""
    if len(one.group.columns) == 1:
        return f"{one.group.columns[0]}: {one.group.label}"
    return one.group.label


def _least_first(one: Subpopulation) -> tuple[float, float]:
    largest = abs(one.difference.value) if one.difference is not None else 0.0
    return (1.0 if one.p_value is None else one.p_value, -largest)


def _span(ends: list[float]) -> tuple[float, float]:
    low, high = min(ends), max(ends)
    room = (high - low or 1.0) * 0.05
    return low - room, high + room
