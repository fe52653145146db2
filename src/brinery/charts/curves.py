"""The charts of how good a model is: its curves, its calibration, its cuts, its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from brinery.charts import drawing, words
from brinery.records.curves import (
    Calibration,
    ClassCurves,
    Curve,
    Curves,
    Density,
    RegressionCurves,
)
from brinery.records.evaluation import PredictionType
from brinery.records.figure import Figure

_SHARE: Final = (0.0, 1.02)
_DRAWN_CUTS: Final = ("precision", "recall", "f1", "accuracy")
_SHOWN_CLASSES: Final = 12


def figures(curves: Curves) -> tuple[Figure, ...]:
    """Return the charts of an evaluation, the ones that matter most first."""
    if curves.regression is not None:
        return _regression(curves.regression)
    if curves.type is PredictionType.MULTICLASS:
        return _several(curves.classes[:_SHOWN_CLASSES])
    return tuple(figure for one in curves.classes for figure in _binary(one))


def _binary(curves: ClassCurves) -> tuple[Figure, ...]:
    drawn = (
        _roc((curves,)),
        _precision_recall((curves,)),
        _calibration(curves.calibration),
        _scores(curves.density, curves),
        _cuts(curves),
        _gain(curves),
        _lift(curves),
    )
    return tuple(figure for figure in drawn if figure is not None)


def _several(classes: tuple[ClassCurves, ...]) -> tuple[Figure, ...]:
    drawn = (_roc(classes), _precision_recall(classes), _calibrations(classes))
    return tuple(figure for figure in drawn if figure is not None)


def _roc(classes: tuple[ClassCurves, ...]) -> Figure | None:
    drawn = [(one, one.roc) for one in classes if one.roc is not None]
    if not drawn:
        return None
    several = len(classes) > 1
    return Figure(
        name="roc",
        title="ROC: found against false alarms",
        caption="The share of the class that is found, for each share of the others that is "
        "taken for it by mistake; chance is the dotted line.",
        data=(drawing.diagonal(), *_lines(drawn, named=several)),
        layout=drawing.layout(
            drawing.axis("false positive rate", span=(-0.01, 1.0)),
            drawing.axis("true positive rate", span=_SHARE),
        ),
    )


def _precision_recall(classes: tuple[ClassCurves, ...]) -> Figure | None:
    drawn = [(one, one.precision_recall) for one in classes if one.precision_recall is not None]
    if not drawn:
        return None
    several = len(classes) > 1
    first = classes[0]
    chance = first.positives / first.rows if first.rows else 0.0
    base = () if several else (drawing.level(0.0, 1.0, at=chance),)
    return Figure(
        name="precision-recall",
        title="Precision and recall",
        caption="How many of those that are named belong to the class, for each share of the "
        "class that is found"
        + ("." if several else f"; naming rows at random gives {words.percent(chance)}."),
        data=(*base, *_lines(drawn, named=several)),
        layout=drawing.layout(
            drawing.axis("recall", span=(0.0, 1.01)), drawing.axis("precision", span=_SHARE)
        ),
    )


def _lines(drawn: Sequence[tuple[ClassCurves, Curve]], *, named: bool) -> list[drawing.Trace]:
    """Return a line for each class, in the legend where they are named."""
    return [
        drawing.line(
            curve.x, curve.y, name=str(one.label) if named else "", shade=drawing.colour(place)
        )
        for place, (one, curve) in enumerate(drawn)
    ]


def _calibration(found: Calibration | None) -> Figure | None:
    if found is None or not found.rows:
        return None
    observed = drawing.points(found.predicted, found.observed, size=7, opacity=1.0)
    observed["mode"] = "lines+markers"
    observed["line"] = {"color": drawing.FIRST, "width": 2}
    observed["error_y"] = {
        "type": "data",
        "symmetric": False,
        "array": drawing.rounded(
            [high - at for at, high in zip(found.observed, found.high, strict=True)]
        ),
        "arrayminus": drawing.rounded(
            [at - low for at, low in zip(found.observed, found.low, strict=True)]
        ),
        "color": drawing.FIRST,
        "thickness": 1,
        "width": 2,
    }
    observed["customdata"] = list(found.rows)
    observed["hovertemplate"] = (
        "said %{x:.3f}, came true %{y:.3f}, %{customdata:,} rows<extra></extra>"
    )
    off = "" if found.error is None else f" They are off by {words.estimated(found.error)} a row."
    return Figure(
        name="calibration",
        title="Calibration: what was said, and what came true",
        caption="On the dotted line a probability means what it says; bars are 95 % intervals."
        + off,
        data=(drawing.diagonal(), observed),
        layout=drawing.layout(
            drawing.axis("predicted probability", span=(-0.01, 1.01)),
            drawing.axis("share that came true", span=_SHARE),
        ),
    )


def _calibrations(classes: tuple[ClassCurves, ...]) -> Figure | None:
    traces = [
        drawing.line(
            one.calibration.predicted,
            one.calibration.observed,
            name=str(one.label),
            shade=drawing.colour(place),
        )
        for place, one in enumerate(classes)
        if one.calibration is not None
    ]
    if not traces:
        return None
    return Figure(
        name="calibration",
        title="Calibration: what was said, and what came true",
        caption="Each class against all others; on the dotted line a probability means what it "
        "says.",
        data=(drawing.diagonal(), *traces),
        layout=drawing.layout(
            drawing.axis("predicted probability", span=(-0.01, 1.01)),
            drawing.axis("share that came true", span=_SHARE),
        ),
    )


def _scores(density: Density | None, curves: ClassCurves) -> Figure | None:
    if density is None:
        return None
    middles = [
        (low + high) / 2 for low, high in zip(density.edges[:-1], density.edges[1:], strict=True)
    ]
    traces = []
    for place, (name, heights) in enumerate(zip(density.names, density.density, strict=True)):
        drawn = drawing.line(
            middles, heights, name=str(name), shade=drawing.colour(place), shape="hvh"
        )
        traces.append({**drawn, "fill": "tozeroy"})
    return Figure(
        name="scores",
        title="Scores of each class",
        caption=f"How the score of {curves.label} is spread over the rows of each class: the "
        "less they overlap, the better the model tells them apart.",
        data=tuple(traces),
        layout=drawing.layout(drawing.axis("score"), drawing.axis("density", rangemode="tozero")),
    )


def _cuts(curves: ClassCurves) -> Figure | None:
    cuts = curves.cuts
    if cuts is None or not cuts.threshold:
        return None
    traces = [
        drawing.line(
            cuts.threshold,
            cuts.metrics[name],
            name=words.called(name),
            shade=drawing.colour(place),
        )
        for place, name in enumerate(name for name in _DRAWN_CUTS if name in cuts.metrics)
    ]
    return Figure(
        name="cuts",
        title="Decision chart: every figure at every threshold",
        caption="A row counts as positive where its probability is at or above the threshold.",
        data=tuple(traces),
        layout=drawing.layout(drawing.axis("threshold"), drawing.axis("", span=_SHARE)),
    )


def _gain(curves: ClassCurves) -> Figure | None:
    if curves.gain is None:
        return None
    return Figure(
        name="gain",
        title="Cumulative gain",
        caption="The share of the class that is among the rows with the highest scores.",
        data=(drawing.diagonal(), drawing.line(curves.gain.x, curves.gain.y)),
        layout=drawing.layout(
            drawing.axis("share of the rows", span=(0.0, 1.0)),
            drawing.axis("share of the class", span=_SHARE),
        ),
    )


def _lift(curves: ClassCurves) -> Figure | None:
    if curves.lift is None:
        return None
    return Figure(
        name="lift",
        title="Lift",
        caption="How many times more often a row is of the class among those with the highest "
        "scores than among all.",
        data=(
            drawing.level(0.0, 1.0, at=1.0),
            drawing.line(curves.lift.x, curves.lift.y),
        ),
        layout=drawing.layout(
            drawing.axis("share of the rows", span=(0.0, 1.0)),
            drawing.axis("lift", rangemode="tozero"),
        ),
    )


def _regression(found: RegressionCurves) -> tuple[Figure, ...]:
    scatter, errors, by = found.scatter, found.errors, found.by_prediction
    ends = (*scatter.actual, *scatter.predicted)
    middles = [
        (low + high) / 2 for low, high in zip(errors.edges[:-1], errors.edges[1:], strict=True)
    ]
    shown = words.counted(len(scatter.row), "row")
    return (
        Figure(
            name="predicted",
            title="Predicted against true",
            caption=f"{shown} of {scatter.of:,}; on the dotted line a prediction is exact.",
            data=(
                drawing.diagonal(min(ends), max(ends)),
                drawing.points(scatter.actual, scatter.predicted, opacity=0.35),
            ),
            layout=drawing.layout(drawing.axis("true value"), drawing.axis("prediction")),
        ),
        Figure(
            name="errors",
            title="Errors",
            caption="How the errors, prediction less truth, are spread; the end bins hold what "
            "is beyond.",
            data=(drawing.bars(drawing.rounded(middles), drawing.rounded(errors.density[0])),),
            layout=drawing.layout(drawing.axis("error"), drawing.axis("density"), bargap=0.02),
        ),
        Figure(
            name="errors-by-prediction",
            title="Error against prediction",
            caption="The mean error of rows with similar predictions, with its 95 % interval; "
            "away from 0 the model is biased there.",
            data=(
                drawing.level(min(by.x), max(by.x), at=0.0),
                *drawing.band(by.x, found.by_prediction_low, high=found.by_prediction_high),
                drawing.line(by.x, by.y),
            ),
            layout=drawing.layout(drawing.axis("prediction"), drawing.axis("mean error")),
        ),
        Figure(
            name="quantiles",
            title="Errors against a normal distribution",
            caption="Away from the dotted line there are more, or larger, extreme errors than a "
            "normal distribution has.",
            data=(
                drawing.diagonal(min(found.quantiles.x), max(found.quantiles.x)),
                drawing.points(found.quantiles.x, found.quantiles.y, opacity=0.8),
            ),
            layout=drawing.layout(
                drawing.axis("quantile of a normal distribution"), drawing.axis("error")
            ),
        ),
    )
