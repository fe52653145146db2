"""Single rows: those whose answer was explained, chosen by what surprises or by number."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from brinery.charts import explanations, words
from brinery.records.appraisal import Appraisal
from brinery.records.explanation import RowExplanation
from brinery.web.pages.frame import figures


def shown(request: Request, appraisal: Appraisal) -> dict[str, Any]:
    """Return what the tab of single rows shows: all that were explained, and one of them."""
    found = () if appraisal.explanation is None else appraisal.explanation.rows
    asked = request.query_params.get("row", "").replace(",", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else None  # noqa: PLR2004 - no data has so many rows
    chosen = next((one for one in found if one.row + 1 == number), found[0] if found else None)
    drawn = () if chosen is None else (explanations.row(chosen, 0),)
    return {
        "rows": [_told(one) for one in found],
        "chosen": None if chosen is None else chosen.row + 1,
        "missing": number if number and chosen is not None and chosen.row + 1 != number else None,
        "charts": drawn,
        "drawn": figures(drawn),
        "details": () if chosen is None else _details(chosen),
    }


def _told(one: RowExplanation) -> dict[str, Any]:
    return {
        "number": one.row + 1,
        "chosen": str(one.chosen),
        "predicted": words.cut(one.predicted),
        "actual": "" if one.actual is None else words.cut(one.actual),
        "answer": words.number(one.answer),
    }


def _details(one: RowExplanation) -> list[tuple[str, str, str]]:
    """Return column, value and contribution of each column that is listed."""
    return [
        (
            each.column,
            words.cut(each.value),
            f"{each.amount:+.4g}"
            + (f" ± {each.standard_error:.2g}" if each.standard_error is not None else ""),
        )
        for each in one.contributions
    ]
