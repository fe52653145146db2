"""The page of a comparison."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from msgspec.structs import replace
from tests.charts.conftest import CASES, ROWS, raised, table
from tests.charts.test_report import text_of

from brinery.charts import comparison
from brinery.evaluate.comparison import ComparisonOptions, compare
from brinery.records.comparison import Comparison, Footprint


@pytest.fixture(scope="session")
def compared() -> dict[str, Comparison]:
    """Two versions of each case, of which the second answers worse for those who are red."""
    made = {}
    for name, case in CASES.items():
        rows = table()
        noise = np.sin(np.arange(ROWS) * 12.9898) * 0.8
        truth = case.answer(raised(rows) + noise).predictions
        red = np.array([value == "red" for value in rows["colour"].to_pylist()], np.float64)
        worse = case.answer(raised(rows) - 2 * red)
        made[name] = compare(
            truth,
            {"shop@3": worse, "shop@2": case.answer(raised(rows))},
            type=case.type,
            classes={"shop@3": case.classes, "shop@2": case.classes},
            inputs=rows,
            options=ComparisonOptions(data="test.csv", draws=200),
        )
    return made


@pytest.mark.parametrize("name", list(CASES))
def test_who_is_better_is_said_first(compared: dict[str, Comparison], name: str) -> None:
    """The first sentence says which version is better and by which figures."""
    said = text_of(comparison.render(compared[name]))
    assert "shop@2 beside shop@3" in said
    assert re.search(r"shop@2 is better by .+ than shop@3\.", said)


def test_curves_lie_over_each_other(compared: dict[str, Comparison]) -> None:
    """Each version has a line in the ROC, precision-recall and calibration charts."""
    page = comparison.render(compared["binary"])
    found = re.search(r'id="data-of-figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    figures = {one["name"]: one for one in json.loads(found.group(1))}
    for name in ("roc", "precision-recall", "calibration"):
        named = [line["name"] for line in figures[name]["data"] if line.get("name")]
        assert named == ["shop@3", "shop@2"]


def test_where_they_differ_is_drawn(compared: dict[str, Comparison]) -> None:
    """The groups that gain are named, the one that was made worse among them."""
    assert "colour: red" in comparison.render(compared["binary"])


def test_costs_stand_beside_quality(compared: dict[str, Comparison]) -> None:
    """Latency and size of each version are in a table of their own."""
    cost = Footprint(
        size_bytes=7_200_000,
        answered_by="scorer",
        latency_s=0.000034,
        latency_rows=50,
        rows_per_s=81_000.0,
    )
    first, *others = compared["binary"].contenders
    priced = replace(compared["binary"], contenders=(replace(first, footprint=cost), *others))
    said = text_of(comparison.render(priced))
    assert "0.0340 ms" in said
    assert "7.20 MB" in said
    assert "What they cost" in said


def test_what_could_not_be_compared_is_told(compared: dict[str, Comparison]) -> None:
    """A version that could not be asked is a remark on the first screen."""
    lame = replace(compared["binary"], pairs=(), not_compared={"shop@1": "it has other classes"})
    assert "shop@1 is not compared: it has other classes" in text_of(comparison.render(lame))
