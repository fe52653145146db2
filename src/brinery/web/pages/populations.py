"""Groups of rows: the figure in each, sorted and searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from brinery.charts import report, subpopulations, words
from brinery.records.appraisal import Appraisal
from brinery.records.estimate import Estimate
from brinery.records.subpopulation import Subpopulation
from brinery.web.pages import grids
from brinery.web.pages.frame import figures
from brinery.web.pages.grids import Cell, Column, Grid, Made, as_csv, asked_of, count, wants_csv

_SURELY: Final = 0.05


def _columns(metric: str) -> tuple[Column, ...]:
    """Return the columns of the table of groups."""
    return (
        Column(name="group", title="Group"),
        Column(name="rows", title="Rows", number=True),
        Column(name="figure", title=words.called(metric), number=True),
        Column(name="difference", title="Difference", number=True),
        Column(name="p", title="Corrected p", number=True),
        Column(name="remark", title="", sortable=False),
    )


def _row(one: Subpopulation) -> list[Cell]:
    """Return a row of the table."""
    sure = one.p_corrected is not None and one.p_corrected <= _SURELY
    return [
        Cell(text=subpopulations.named(one), title=one.group.where),
        count(one.rows),
        Cell(text=words.estimated(one.figure)),
        Cell(text=words.estimated(one.difference)),
        Cell(text=words.p_value(one.p_corrected), kind="warning" if sure else ""),
        Cell(text="differs surely" if sure else one.reason, kind="warning" if sure else "quiet"),
    ]


def _groups(appraisal: Appraisal) -> list[Subpopulation]:
    """Return all groups of an evaluation, in the order of the data."""
    found = appraisal.subpopulations
    slicings = () if found is None else found.slicings
    return [one for slicing in slicings for one in slicing.subpopulations]


def _grid(request: Request, appraisal: Appraisal) -> Grid | None:
    """Return the table of groups that a URL asks for; None where there are no groups."""
    found = appraisal.subpopulations
    if found is None:
        return None
    columns = _columns(found.metric)
    asked = asked_of(request, columns, sort="p", others=("tab",))
    sought = asked.search.lower()
    groups = [one for one in _groups(appraisal) if sought in subpopulations.named(one).lower()]
    keys: dict[str, Callable[[Subpopulation], Any]] = {
        "group": lambda one: subpopulations.named(one).lower(),
        "rows": lambda one: one.rows,
        "figure": lambda one: _value(one.figure),
        "difference": lambda one: _value(one.difference),
        "p": lambda one: one.p_corrected,
    }
    return Grid(
        name="groups",
        columns=columns,
        rows=Made(grids.shown(groups, asked, keys=keys), lambda some: map(_row, some)),
        total=len(groups),
        asked=asked,
        empty="There are no groups.",
    )


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def shown(request: Request, appraisal: Appraisal) -> dict[str, Any] | Response:
    """Return what the tab of the groups shows, or its table as a file."""
    grid = _grid(request, appraisal)
    if grid is not None and wants_csv(request):
        return as_csv(grid)
    section = report.places(appraisal)
    return {"part": section, "drawn": figures(section.figures), "grid": grid}
