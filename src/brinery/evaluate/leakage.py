"""Columns that alone nearly tell the target: what a model could not know when it is asked.

Each column is cut into groups, and it is told how much of the target the groups explain: the share
of a regression's variance, or of a classifier's entropy. What chance alone would explain with as
many groups is taken off. A number is also taken as a score of a binary target, for no cut of it
tells a single threshold exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.continuous import Rows
from brinery.evaluate.grouping import Grouping, floats, group, plain
from brinery.evaluate.placements import areas, by_score
from brinery.evaluate.row_hashes import held
from brinery.evaluate.rowwise import Ranked
from brinery.evaluate.sample import Labelled

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer[Any]]

LEAST_ROWS: Final = 30

_MOST_GROUPS: Final = 100
# Fewer rows in a group than this tell nothing of it.
_ROWS_PER_GROUP: Final = 10
_HALF: Final = 0.5
_TWO: Final = 2


class Power(NamedTuple):
    """How much of the target one column tells.

    Attributes:
        column: its name.
        measure: what is measured: `ROC AUC`, `Theil's U` or `R2`.
        value: 0 to 1; of an area, how far it is from a half, as the larger of it and its mirror.
    """

    column: str
    measure: str
    value: float


def powers(table: pa.Table, rows: Labelled | Rows) -> Iterator[Power]:
    """Yield how much of the target each column tells, by each measure that it has.

    Args:
        table: (n_rows,) the inputs.
        rows: the same rows, of a classifier or a regression; nothing is told of fewer than 30.
    """
    total = table.num_rows
    if total < LEAST_ROWS:
        return
    groups = max(_TWO, min(_MOST_GROUPS, total // _ROWS_PER_GROUP))
    for column in table.column_names:
        cut = group(table, column, bins=groups, levels=groups)
        if isinstance(cut, Grouping):
            yield _of_groups(cut, rows)
            area = _of_order(table, column, rows)
            if area is not None:
                yield area


def _of_groups(cut: Grouping, rows: Labelled | Rows) -> Power:
    (column,), n_groups = cut.columns, len(cut.groups)
    if isinstance(rows, Labelled):
        value = uncertainty(cut.codes, rows.codes, n_groups=n_groups, n_classes=len(rows.classes))
        return Power(column, "Theil's U", value)
    return Power(column, "R2", explained(cut.codes, rows.actual, n_groups=n_groups))


def uncertainty(
    codes: Codes, classes: npt.NDArray[np.integer], *, n_groups: int, n_classes: int
) -> float:
    """Return the share of the classes' entropy that the groups tell, 0 to 1.

    Args:
        codes: (n_rows,) the group of each row.
        classes: (n_rows,) its class.
        n_groups: how many groups there are.
        n_classes: how many classes there are.

    Source: Theil 1970; less what chance alone tells, Miller 1955.
    """
    pairs = np.bincount(codes * n_classes + classes, minlength=n_groups * n_classes)
    table = pairs.reshape(n_groups, n_classes) / classes.size
    whole = _entropy(table.sum(axis=0))
    if whole <= 0:
        return 0.0
    told = whole + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    met = int(np.count_nonzero(table.sum(axis=0))) - 1, int(np.count_nonzero(table.sum(axis=1))) - 1
    by_chance = met[0] * met[1] / (2 * classes.size)
    return float(np.clip((told - by_chance) / whole, 0.0, 1.0))


def explained(codes: Codes, actual: Floats, *, n_groups: int) -> float:
    """Return the share of the target's variance between the groups, 0 to 1.

    Args:
        codes: (n_rows,) the group of each row.
        actual: (n_rows,) finite.
        n_groups: how many there are, fewer than rows.

    Source: Pearson's correlation ratio, less what chance alone tells: epsilon squared, Kelley 1935.
    """
    centred = actual - actual.mean()
    whole = float(centred @ centred)
    if whole <= 0:
        return 0.0
    counts = np.bincount(codes, minlength=n_groups)
    sums = np.bincount(codes, weights=centred, minlength=n_groups)
    between = float((sums[counts > 0] ** 2 / counts[counts > 0]).sum())
    left = (whole - between) / max(codes.size - n_groups, 1) * (codes.size - 1) / whole
    return float(np.clip(1 - left, 0.0, 1.0))


def _of_order(table: pa.Table, column: str, rows: Labelled | Rows) -> Power | None:
    """Return how well the numbers of a column rank the rows of a binary target, if they do."""
    if not isinstance(rows, Labelled) or len(rows.classes) != _TWO:
        return None
    values = plain(table.column(column))
    if held(values.type) != "numbers":
        return None
    numbers = floats(values)
    there = ~np.isnan(numbers)
    if np.count_nonzero(there) < max(LEAST_ROWS, _HALF * there.size):
        return None
    ranked = Ranked(rows.codes[there] == 1, numbers[there])
    ones = np.ones(ranked.score.size)
    found = areas(by_score(ranked, weights=ones), np.zeros(ones.size, np.intp), n_groups=1)
    area = float(found.value[0])
    return None if np.isnan(area) else Power(column, "ROC AUC", max(area, 1 - area))


def _entropy(shares: Floats) -> float:
    there = shares[shares > 0]
    return float(-(there * np.log(there)).sum())
