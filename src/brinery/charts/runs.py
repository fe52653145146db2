"""Charts of runs: one figure over another, all of them side by side, and a metric as it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from brinery.charts import drawing, words
from brinery.records.figure import Figure
from brinery.records.run import FoundRun

# What a name begins with where it is told whether it is a metric's or a parameter's.
METRIC: Final = "m:"
PARAM: Final = "p:"

_AXES: Final = 8
_LINES: Final = 300


def named(name: str) -> str:
    """Return what a metric or a parameter is called, without what says which it is."""
    return name[len(METRIC) :]


def value(run: FoundRun, name: str) -> float | str | None:
    """Return a figure of a run; a parameter that reads as a number is one."""
    if name.startswith(METRIC):
        return run.metrics.get(named(name))
    told = run.params.get(named(name))
    try:
        return None if told is None else float(told)
    except ValueError:
        return told


def scatter(runs: Sequence[FoundRun], x: str, *, y: str) -> Figure | None:
    """Return a dot for each run that has both figures; None where none has."""
    found = [(run, value(run, x), value(run, y)) for run in runs]
    there = [(run, a, b) for run, a, b in found if a is not None and b is not None]
    if not there:
        return None
    dots: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": [a for _, a, _ in there],
        "y": [b for _, _, b in there],
        "text": [f"{run.name or run.id}" for run, _, _ in there],
        "hoverinfo": "text+x+y",
        "showlegend": False,
        "marker": {"color": drawing.FIRST, "size": 8, "opacity": 0.7},
    }
    return Figure(
        name="scatter",
        title=f"{named(y)} over {named(x)}",
        caption=f"A dot for each of {words.counted(len(there), 'run')}.",
        data=(dots,),
        layout=drawing.layout(drawing.axis(named(x)), drawing.axis(named(y))),
        height_px=420,
    )


def parallel(runs: Sequence[FoundRun], names: Sequence[str], *, by: str) -> Figure | None:
    """Return a line for each run through its figures, each on an axis of its own.

    Args:
        runs: that are drawn; the best come last, on top of the others.
        names: of the figures, in the order of their axes.
        by: one of them; the third of the runs with its highest values is in another colour.
    """
    axes = [name for name in dict.fromkeys((*names, by)) if _places(runs, name)][:_AXES]
    there = [run for run in runs if value(run, by) is not None][:_LINES]
    if len(axes) < 2 or not there:  # noqa: PLR2004 - a line has two ends
        return None
    places = {name: _places(runs, name) for name in axes}
    ordered = sorted(there, key=lambda run: places[by].get(_key(run, by), 0.0))
    first_good = len(ordered) - max(1, len(ordered) // 3)
    traces = [
        {
            **drawing.line(
                list(range(len(axes))),
                [places[name].get(_key(run, name)) for name in axes],
                shade=drawing.FIRST if at >= first_good else drawing.QUIET,
                width=1.5 if at >= first_good else 1,
            ),
            "opacity": 0.85 if at >= first_good else 0.35,
            "connectgaps": True,
            "hoverinfo": "text",
            "text": [f"{run.name or run.id}: {named(n)} {_shown(run, n)}" for n in axes],
        }
        for at, run in enumerate(ordered)
    ]
    ends = [
        {"x": at, "y": y, "text": text, "showarrow": False, "yanchor": anchor, "font": {"size": 10}}
        for at, name in enumerate(axes)
        for y, text, anchor in _ends(runs, name)
    ]
    return Figure(
        name="parallel",
        title=f"All figures side by side, coloured by {named(by)}",
        caption=f"A line for each of {words.counted(len(ordered), 'run')}; those with the highest "
        f"{named(by)} stand out.",
        data=tuple(traces),
        layout=drawing.layout(
            drawing.axis(
                "",
                tickvals=list(range(len(axes))),
                ticktext=[words.cut(named(name), length=18) for name in axes],
                side="top",
                range=[-0.2, len(axes) - 0.8],
            ),
            drawing.axis("", showticklabels=False, showgrid=False, range=[-0.08, 1.08]),
            annotations=ends,
            margin={"l": 24, "r": 24, "t": 48, "b": 16},
        ),
        height_px=460,
    )


def curves(told: Mapping[str, Sequence[tuple[int, float]]]) -> list[Figure]:
    """Return a chart for each metric that was logged again and again."""
    return [
        Figure(
            name=f"curve-{at}",
            title=name,
            caption=f"{words.counted(len(points), 'value')}, the last one "
            f"{words.number(points[-1][1])}.",
            data=(drawing.line([step for step, _ in points], [v for _, v in points]),),
            layout=drawing.layout(drawing.axis("step"), drawing.axis("")),
            height_px=260,
        )
        for at, (name, points) in enumerate(told.items())
    ]


def _key(run: FoundRun, name: str) -> float | str:
    told = value(run, name)
    return "" if told is None else told


def _places(runs: Sequence[FoundRun], name: str) -> dict[float | str, float]:
    """Return where each value of a figure stands on its axis, 0 to 1; empty where there is none."""
    found = {told for run in runs if (told := value(run, name)) is not None}
    numbers = [one for one in found if isinstance(one, float)]
    if len(numbers) == len(found):
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        return {one: (one - low) / (high - low) if high > low else 0.5 for one in numbers}
    texts = sorted(map(str, found))
    spread = {text: at / max(1, len(texts) - 1) for at, text in enumerate(texts)}
    return {one: spread[str(one)] for one in found}


def _ends(runs: Sequence[FoundRun], name: str) -> list[tuple[float, str, str]]:
    """Return what stands at the ends of an axis: place, text, and which side of it."""
    placed = sorted(_places(runs, name).items(), key=lambda one: one[1])
    ends = [(placed[0], "top")] + ([(placed[-1], "bottom")] if len(placed) > 1 else [])
    return [(place, words.cut(told, length=12), anchor) for (told, place), anchor in ends]


def _shown(run: FoundRun, name: str) -> str:
    return words.cut(value(run, name))
