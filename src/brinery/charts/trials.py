"""The trials of a sweep as charts: what each came to, and what each was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from brinery.charts.drawing import BAD, FIRST, QUIET, axis, layout, line, points
from brinery.records.figure import Figure
from brinery.records.job import Status
from brinery.records.trials import Trial, Trials

_MOST_LINES: Final = 200
_HEIGHT_PX: Final = 380


def trial_figures(found: Trials) -> tuple[Figure, ...]:
    """Return the charts of a sweep; none where no trial has logged what is compared."""
    measured = [one for one in found.trials if one.metric is not None]
    if not measured:
        return ()
    return (_over_time(found, measured), *_parallel(found, measured))


def _over_time(found: Trials, measured: Sequence[Trial]) -> Figure:
    better = min if found.sweep.goal == "minimize" else max
    best: list[float] = []
    for one in measured:
        value = one.metric if one.metric is not None else 0.0
        best.append(better(best[-1], value) if best else value)
    numbers = [one.number for one in measured]
    done = [one for one in measured if one.status is Status.COMPLETED]
    early = [one for one in measured if one.status is not Status.COMPLETED]
    traces = [
        line(numbers, best, name="best so far", shade=QUIET, shape="hv", dash="dot"),
        _dots(done, name="completed", shade=FIRST),
        *([_dots(early, name="ended early", shade=BAD)] if early else []),
    ]
    return Figure(
        name="trials",
        title=f"{found.sweep.metric} of each trial",
        caption=f"{len(measured)} trials logged it; {found.sweep.goal} was asked for, and "
        + (f"trial {found.best} is the best." if found.best is not None else "none completed."),
        data=tuple(traces),
        layout=layout(axis("trial", dtick=max(1, len(numbers) // 12)), axis(found.sweep.metric)),
        height_px=_HEIGHT_PX,
    )


def _dots(trials: Sequence[Trial], *, name: str, shade: str) -> dict[str, object]:
    texts = [
        f"trial {one.number}: {one.metric:g}, "
        + ", ".join(f"{key}={value}" for key, value in one.values.items())
        for one in trials
    ]
    return points(
        [one.number for one in trials],
        [one.metric for one in trials],
        name=name,
        shade=shade,
        size=9,
        opacity=0.9,
        texts=texts,
    )


def _parallel(found: Trials, measured: Sequence[Trial]) -> tuple[Figure, ...]:
    """Return a line for each trial through its hyperparameters, each in its range."""
    names = list(found.sweep.space)
    shown = [one for one in measured if len(one.place) == len(names)][:_MOST_LINES]
    if len(names) < 1 or not shown:
        return ()
    values = [one.metric for one in shown if one.metric is not None]
    low, high = min(values), max(values)
    ticks = list(range(len(names) + 1))
    traces = []
    for one in sorted(shown, key=lambda each: each.number == found.best):
        chosen = one.number == found.best
        result = ((one.metric or 0.0) - low) / (high - low) if high > low else 0.5
        drawn = line(
            [float(tick) for tick in ticks],
            [*one.place, result],
            name=f"trial {one.number}" if chosen else "",
            shade=FIRST if chosen else QUIET,
            width=3 if chosen else 1,
        )
        said = ", ".join(f"{key}={value}" for key, value in one.values.items())
        text = f"trial {one.number}: {one.metric:g}, {said}"
        traces.append({**drawn, "text": [text] * len(ticks), "hoverinfo": "text"})
    return (
        Figure(
            name="parallel",
            title="What each trial was told, and what it came to",
            caption="A line for each trial: where each hyperparameter lies in its range, and, on "
            f"the right, {found.sweep.metric} from {low:g} to {high:g}; the best is drawn thick.",
            data=tuple(traces),
            layout=layout(
                axis("", tickvals=ticks, ticktext=[*names, found.sweep.metric]),
                axis("in its range", span=(-0.05, 1.05), showticklabels=False),
                hovermode="closest",
            ),
            height_px=_HEIGHT_PX,
        ),
    )
