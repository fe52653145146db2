"""The charts of why a model answers as it does: importance, contributions, effects, single rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from brinery.charts import drawing, words
from brinery.records.contributions import Unit
from brinery.records.effects import Dependence, Effect, Kind, PartialDependence
from brinery.records.explanation import Explanation, RowExplanation
from brinery.records.figure import Figure
from brinery.records.importance import Importances, MeanContributions

_SHOWN: Final = 15
_ROW_PX: Final = 26
_HEAD_PX: Final = 90
_LINES: Final = 25
_Z: Final = 1.96
_ORDERED: Final = (Kind.NUMBER, Kind.DATE)


def importance(found: Importances) -> Figure | None:
    """Return how much worse the model becomes without each column; None where nothing is known."""
    ranked = [one for one in found.ranked if one.estimate is not None][:_SHOWN][::-1]
    if not ranked:
        return None
    estimates = [one.estimate for one in ranked if one.estimate is not None]
    intervals = [one.interval for one in estimates]
    values = [one.value for one in estimates]
    return Figure(
        name="importance",
        title="What the model needs: permutation importance",
        caption=f"By how much the {words.called(found.metric)} becomes worse when a column is "
        f"shuffled, on {found.rows:,} rows; bars are 95 % intervals.",
        data=(
            drawing.spread(
                values,
                [words.cut(one.column, length=24) for one in ranked],
                low=[v if i is None else i.low for v, i in zip(values, intervals, strict=True)],
                high=[v if i is None else i.high for v, i in zip(values, intervals, strict=True)],
            ),
        ),
        layout=drawing.layout(
            drawing.axis(f"worse {words.called(found.metric)}", zeroline=True),
            drawing.axis("", type="category"),
        ),
        height_px=_HEAD_PX + _ROW_PX * len(ranked),
    )


def contributions(found: MeanContributions) -> Figure | None:
    """Return how far each column moves the answers; None where nothing is known."""
    ranked = found.ranked[:_SHOWN][::-1]
    if not ranked:
        return None
    names = [words.cut(one.column, length=24) for one in ranked]
    several = len(found.classes) > 1
    exact = "exact" if found.exact else "estimated"
    traces = (
        [
            drawing.bars(
                drawing.rounded([one.by_class[place].value for one in ranked]),
                names,
                name=str(label),
                shade=drawing.colour(place),
                sideways=True,
            )
            for place, label in enumerate(found.classes)
        ]
        if several
        else [
            drawing.bars(
                drawing.rounded([one.absolute.value for one in ranked]), names, sideways=True
            )
        ]
    )
    return Figure(
        name="contributions",
        title="What moves the answers: mean size of SHAP values",
        caption=f"On average over {found.rows:,} rows ({exact}, {found.method}), in "
        f"{_counted_in(found.unit)}.",
        data=tuple(traces),
        layout=drawing.layout(
            drawing.axis(f"mean size, {_counted_in(found.unit)}"),
            drawing.axis("", type="category"),
            barmode="stack",
        ),
        height_px=_HEAD_PX + _ROW_PX * len(ranked),
    )


def effects(explanation: Explanation, *, most: int) -> tuple[Figure, ...]:
    """Return, for the columns that matter most, what is true and what the model answers there.

    Args:
        explanation: with effects, partial dependence, or both.
        most: how many columns are drawn.
    """
    partial = {one.column: one for one in explanation.partial_dependence if not one.reason}
    seen = {one.column: one for one in explanation.effects if not one.reason}
    shown = {one.column: one for one in explanation.dependence}
    names = [name for name in _ranked(explanation) if name in partial or name in seen]
    drawn = []
    for place, name in enumerate(names[:most]):
        if name in partial:
            drawn.append(_partial(partial[name], place))
        if name in shown:
            drawn.append(_dependence(shown[name], place))
        if name in seen:
            drawn.append(_effect(seen[name], place))
        if name in seen and seen[name].unit is Unit.VALUE:
            drawn.append(_errors(seen[name], place))
    return tuple(drawn)


def row(found: RowExplanation, place: int) -> Figure:
    """Return what made the answer for one row.

    Args:
        found: the row.
        place: among the rows that are explained, from 0.
    """
    parts = [
        *((f"{c.column} = {words.cut(c.value, length=18)}", c.amount) for c in found.contributions),
    ]
    if found.rest:
        parts.append(("all others", found.rest))
    parts.reverse()
    answer, base = words.number(found.answer), words.number(found.base)
    explained = "" if found.explained is None else f" of {found.explained}"
    truth = "" if found.actual is None else f", true is {words.cut(found.actual)}"
    return Figure(
        name=f"row-{place}",
        title=f"Row {found.row + 1:,}: {found.chosen}",
        caption=f"Predicted {words.cut(found.predicted)}{truth}. From {base} before anything is "
        f"known to {answer}: {_counted_in(found.unit)}{explained}.",
        data=(
            drawing.bars(
                drawing.rounded([amount for _, amount in parts]),
                [name for name, _ in parts],
                shade=[drawing.GOOD if amount >= 0 else drawing.BAD for _, amount in parts],
                sideways=True,
            ),
        ),
        layout=drawing.layout(
            drawing.axis(f"contribution, {_counted_in(found.unit)}", zeroline=True),
            drawing.axis("", type="category"),
        ),
        height_px=_HEAD_PX + _ROW_PX * len(parts),
    )


def _ranked(explanation: Explanation) -> list[str]:
    """Return the columns, those that matter most first."""
    if explanation.mean_contributions is not None:
        first = [one.column for one in explanation.mean_contributions.ranked]
    elif explanation.importance is not None:
        first = [one.column for one in explanation.importance.ranked]
    else:
        first = []
    known = [one.column for one in explanation.partial_dependence]
    known += [one.column for one in explanation.effects]
    return list(dict.fromkeys([*first, *known]))


def _partial(found: PartialDependence, place: int) -> Figure:
    names = [words.labelled(each) for each in found.bins]
    ordered = found.kind in _ORDERED and not any(each.missing for each in found.bins)
    at = [each.value if ordered else name for each, name in zip(found.bins, names, strict=True)]
    laid: dict[str, Any] = {} if ordered else {"type": "category"}
    several = len(found.classes) > 1
    traces = [] if several else [_thin(at, line) for line in found.lines[0][:_LINES]]
    for output, means in enumerate(found.mean):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": at,
                "y": drawing.rounded(means),
                "name": str(found.classes[output]) if several else "",
                "showlegend": several,
                "line": {"color": drawing.colour(output), "width": 3},
                **_in_log_odds(found, output),
            }
        )
    rows = {
        **drawing.bars(at, [each.rows for each in found.bins], shade=drawing.QUIET, opacity=0.25),
        "yaxis": "y2",
        "hovertemplate": "%{x}: %{y:,} rows<extra></extra>",
    }
    thin = "" if several else " Thin lines are single rows."
    return Figure(
        name=f"partial-{place}",
        title=f"{words.cut(found.column)}: partial dependence",
        caption=f"The mean answer, were every row to have the same {words.cut(found.column)} "
        f"({found.rows:,} rows); grey bars: how many rows are near it.{thin}",
        data=(rows, *traces),
        layout=drawing.layout(
            drawing.axis(words.cut(found.column), **laid),
            drawing.axis(_counted_in(found.unit)),
            yaxis2={
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "showticklabels": False,
                "rangemode": "tozero",
            },
        ),
    )


def _effect(found: Effect, place: int) -> Figure:
    names = [words.labelled(each) for each in found.bins]
    several = len(found.classes) > 1
    traces = []
    for output, (predicted, actual) in enumerate(zip(found.predicted, found.actual, strict=True)):
        label = f"{found.classes[output]}, " if several else ""
        base = {"type": "scatter", "mode": "lines+markers", "x": names}
        traces += [
            {
                **base,
                "y": drawing.rounded(predicted),
                "name": f"{label}predicted",
                "line": {"color": drawing.colour(2 * output), "width": 2},
            },
            {
                **base,
                "y": drawing.rounded(actual),
                "name": f"{label}true",
                "line": {"color": drawing.colour(2 * output + 1), "dash": "dot", "width": 2},
            },
        ]
    return Figure(
        name=f"effect-{place}",
        title=f"{words.cut(found.column)}: predicted and true",
        caption=f"The mean answer and the mean truth of the rows with similar "
        f"{words.cut(found.column)}, on {found.rows:,} rows.",
        data=tuple(traces),
        layout=drawing.layout(
            drawing.axis(words.cut(found.column), type="category"),
            drawing.axis(_counted_in(found.unit)),
        ),
    )


def _in_log_odds(found: PartialDependence, output: int) -> dict[str, Any]:
    """Return what a line says of a point beside its probability; nothing where it is none."""
    if not found.log_odds:
        return {}
    return {
        "customdata": drawing.rounded(found.log_odds[output]),
        "hovertemplate": "%{x}: %{y:.3f}, log-odds %{customdata:.2f}<extra></extra>",
    }


def _dependence(found: Dependence, place: int) -> Figure:
    ordered = found.kind in _ORDERED
    laid: dict[str, Any] = {} if ordered else {"type": "category"}
    at = [value if ordered else words.cut(value, length=18) for value in found.values]
    several = len(found.classes) > 1
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": at,
            "y": drawing.rounded(amounts),
            "name": str(found.classes[output]) if several else "",
            "showlegend": several,
            "marker": {"color": drawing.colour(output), "size": 5, "opacity": 0.5},
        }
        for output, amounts in enumerate(found.contributions)
    ]
    return Figure(
        name=f"dependence-{place}",
        title=f"{words.cut(found.column)}: SHAP dependence",
        caption=f"What {words.cut(found.column)} added to the answer, for each of "
        f"{len(found.rows):,} rows.",
        data=tuple(traces),
        layout=drawing.layout(
            drawing.axis(words.cut(found.column), **laid),
            drawing.axis(f"contribution, {_counted_in(found.unit)}", zeroline=True),
        ),
    )


def _errors(found: Effect, place: int) -> Figure:
    bins = [
        (words.labelled(one), predicted - actual, _Z * (error or 0.0))
        for one, predicted, actual, error in zip(
            found.bins,
            found.predicted[0],
            found.actual[0],
            found.actual_errors[0],
            strict=True,
        )
        if predicted is not None and actual is not None
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [name for name, _, _ in bins],
        "y": drawing.rounded([off for _, off, _ in bins]),
        "showlegend": False,
        "marker": {"color": drawing.FIRST, "size": 7},
        "error_y": {
            "type": "data",
            "array": drawing.rounded([span for _, _, span in bins]),
            "color": drawing.FIRST,
            "thickness": 1.5,
            "width": 3,
        },
    }
    return Figure(
        name=f"errors-{place}",
        title=f"{words.cut(found.column)}: mean error",
        caption=f"Prediction less truth for rows with similar {words.cut(found.column)}; away from "
        "0 the model is biased there. Bars: 95 % intervals of the mean truth.",
        data=(trace,),
        layout=drawing.layout(
            drawing.axis(words.cut(found.column), type="category"),
            drawing.axis("mean error", zeroline=True),
        ),
    )


def _thin(at: Sequence[object], values: tuple[float, ...]) -> drawing.Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": at,
        "y": drawing.rounded(values),
        "showlegend": False,
        "hoverinfo": "skip",
        "opacity": 0.5,
        "line": {"color": drawing.QUIET, "width": 1},
    }


def _counted_in(unit: Unit) -> str:
    return "the target's unit" if unit is Unit.VALUE else unit.value.replace("_", "-")
