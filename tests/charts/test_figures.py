"""Every figure is something that Plotly can draw and that somebody can read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from brinery.charts import curves, drawing, explanations, subpopulations
from brinery.records.appraisal import Appraisal
from brinery.records.figure import Figure

PALETTE = {*drawing.SERIES, drawing.QUIET, drawing.WASH}


def figures(appraisal: Appraisal) -> list[Figure]:
    """Return all figures of an evaluation."""
    drawn: list[Figure | None] = []
    if appraisal.curves is not None:
        drawn += curves.figures(appraisal.curves)
    why = appraisal.explanation
    if why is not None:
        if why.importance is not None:
            drawn.append(explanations.importance(why.importance))
        if why.mean_contributions is not None:
            drawn.append(explanations.contributions(why.mean_contributions))
        drawn += explanations.effects(why, most=3)
        drawn += [explanations.row(one, place) for place, one in enumerate(why.rows)]
    if appraisal.subpopulations is not None:
        drawn.append(subpopulations.figure(appraisal.subpopulations))
    return [one for one in drawn if one is not None]


def numbers(value: Any) -> Iterator[float]:
    """Yield every number in a figure."""
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, float):
        yield value


def colours(value: Any) -> Iterator[str]:
    """Yield every colour of the palette that a figure names."""
    if isinstance(value, dict):
        for each in value.values():
            yield from colours(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from colours(each)
    elif isinstance(value, str) and value.startswith("@"):
        yield value


def test_every_figure_can_be_drawn(appraisal: Appraisal) -> None:
    """Names are unique, numbers finite, colours of the palette, and there is a caption."""
    drawn = figures(appraisal)
    assert len(drawn) >= 8
    assert len({one.name for one in drawn}) == len(drawn)
    for one in drawn:
        assert one.title
        assert one.caption.endswith(".")
        assert all(map(math.isfinite, numbers(one.data)))
        assert set(colours(one.data)) <= PALETTE
        assert msgspec.json.decode(msgspec.json.encode(one), type=Figure) == one


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "binary",
            ["roc", "precision-recall", "calibration", "scores", "cuts", "gain", "lift"],
        ),
        ("multiclass", ["roc", "precision-recall", "calibration"]),
        ("regression", ["predicted", "errors", "errors-by-prediction", "quantiles"]),
    ],
)
def test_the_curves_of_each_type(
    appraisals: dict[str, Appraisal], name: str, expected: list[str]
) -> None:
    """A model of each type has the charts that are made for it, in their order."""
    found = appraisals[name].curves
    assert found is not None
    assert [one.name for one in curves.figures(found)] == expected


def test_the_roc_chart_holds_the_curve(appraisals: dict[str, Appraisal]) -> None:
    """What is drawn is what was computed."""
    found = appraisals["binary"].curves
    assert found is not None
    roc = found.classes[0].roc
    assert roc is not None
    drawn = next(one for one in curves.figures(found) if one.name == "roc").data[-1]
    assert drawn["x"] == pytest.approx(list(roc.x), abs=1e-5)
    assert drawn["y"] == pytest.approx(list(roc.y), abs=1e-5)


def test_a_class_has_a_line_of_its_own(appraisals: dict[str, Appraisal]) -> None:
    """With several classes each has its name in the legend and a colour that no other has."""
    found = appraisals["multiclass"].curves
    assert found is not None
    lines = [one for one in curves.figures(found)[0].data if one["showlegend"]]
    assert [one["name"] for one in lines] == ["low", "mid", "high"]
    assert len({one["line"]["color"] for one in lines}) == 3


def test_a_row_adds_up(appraisals: dict[str, Appraisal]) -> None:
    """The bars of a row add up to its answer, the rest among them."""
    why = appraisals["regression"].explanation
    assert why is not None
    for one in why.rows:
        bars = explanations.row(one, 0).data[0]["x"]
        assert one.base + sum(bars) == pytest.approx(one.answer, abs=1e-4)


def test_what_is_not_finite_is_a_gap() -> None:
    """A line has a gap where a value is no number, and never an invalid number in JSON."""
    line = drawing.line([0.0, 1.0, 2.0], [1.0, float("nan"), float("inf")])
    assert line["y"] == [1.0, None, None]
