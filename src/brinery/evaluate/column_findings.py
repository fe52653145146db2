"""What is doubtful about the columns of some data: they say nothing, or they name the row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from brinery.evaluate.grouping import is_text, plain
from brinery.records.finding import Finding, FindingCode, Severity

_LEAST_ROWS: Final = 20
_MOSTLY: Final = 0.5
_NEARLY_ALL: Final = 0.95
# Text of more words than this on average is no name of a row.
_WORDS: Final = 3.0
# Whole numbers of which so many of those between the least and the greatest occur are a count.
_DENSE: Final = 0.5


def of_columns(table: pa.Table) -> Iterator[Finding]:
    """Yield what is doubtful about each column.

    Args:
        table: (n_rows,) the inputs; nothing is said of no rows.
    """
    if not table.num_rows:
        return
    for name in table.column_names:
        values = plain(table.column(name))
        if pa.types.is_nested(values.type):
            continue
        gaps = int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)
        distinct = len(pc.unique(_filled(values)))
        found = _empty(name, gaps, table.num_rows) or _constant(name, distinct, gaps)
        found = found or _identifier(name, values, distinct=distinct, rows=table.num_rows)
        if found is not None:
            yield found


def _filled(values: pa.Array) -> pa.Array:
    kept = values.drop_null()
    return kept.filter(pc.invert(pc.is_nan(kept))) if pa.types.is_floating(kept.type) else kept


def _empty(name: str, gaps: int, rows: int) -> Finding | None:
    share = gaps / rows
    if share <= _MOSTLY:
        return None
    told = "no value" if gaps == rows else f"no value in {share:.0%} of the rows"
    return Finding(
        code=FindingCode.MOSTLY_MISSING,
        severity=Severity.WARNING if share > _NEARLY_ALL else Severity.NOTE,
        message=f"column '{name}' has {told}",
        column=name,
        figures={"rows_missing": gaps, "share_missing": share},
        hint="check that it was joined and read as it should be",
    )


def _constant(name: str, distinct: int, gaps: int) -> Finding | None:
    if distinct > 1 or gaps:
        return None
    return Finding(
        code=FindingCode.CONSTANT_COLUMN,
        severity=Severity.NOTE,
        message=f"column '{name}' has the same value in every row",
        column=name,
        figures={"distinct": distinct},
        hint="nothing is known of how the model answers for other values of it",
    )


def _identifier(name: str, values: pa.Array, *, distinct: int, rows: int) -> Finding | None:
    """Return that each row has a value of its own, where that is no matter of course."""
    if distinct < rows or rows < _LEAST_ROWS:
        return None
    if is_text(values.type):
        words = pc.mean(pc.count_substring_regex(values, r"\S+")).as_py()
        if words > _WORDS:
            return None
    elif not (pa.types.is_integer(values.type) and _counts(values)):
        return None
    return Finding(
        code=FindingCode.IDENTIFIER,
        severity=Severity.NOTE,
        message=f"column '{name}' has a value of its own in each of the {rows:,} rows, as a name "
        "or a number of the row has",
        column=name,
        figures={"distinct": distinct},
        hint="what a model learns from it holds for no other row; train without it",
    )


def _counts(values: pa.Array) -> bool:
    """Return whether whole numbers that all differ count the rows: they rise, or leave few out."""
    numbers = values.to_numpy(zero_copy_only=False)
    steps = np.diff(numbers.astype(np.float64))
    span = float(numbers.max()) - float(numbers.min()) + 1
    return bool((steps > 0).all() or (steps < 0).all() or len(numbers) > _DENSE * span)
