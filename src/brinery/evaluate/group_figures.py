"""A figure in each group of rows, how sure it is, and how far it is from that of all rows.

A figure's interval comes from the group's own rows. Its p-value asks another question: how likely
so large a difference is where the group is like the rest, that is, a draw by lot from all rows.
This module knows what both kinds of figures have in common; how each is computed is in
`group_ratios` and `group_areas`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from brinery.records.estimate import Estimate, Interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

ALIKE: Final = "not tested, because all rows count alike"


class Asked(NamedTuple):
    """What is asked of every group.

    Attributes:
        level: of the intervals, 0 to 1.
        min_rows: groups of fewer rows are not tested, nor those that leave fewer.
    """

    level: float
    min_rows: int


class GroupFigure(NamedTuple):
    """A figure in one group.

    Attributes:
        figure: None where it cannot be computed.
        difference: from that of all rows; None where there is no figure.
        p_value: None where it was not tested.
        reason: why there is no figure, or no test; else empty.
    """

    figure: Estimate | None = None
    difference: Estimate | None = None
    p_value: float | None = None
    reason: str = ""


class Figure(Protocol):
    """A figure of some rows, and of any groups of them."""

    def whole(self) -> GroupFigure:
        """Return the figure of all rows; it is not tested."""
        ...

    def of_groups(self, codes: Codes, n_groups: int) -> tuple[GroupFigure, ...]:
        """Return the figure of each group.

        Args:
            codes: (n_rows,) the group of each row.
            n_groups: how many there are, more than one; each has a row.
        """
        ...


def tested(
    figure: Estimate,
    difference: Estimate,
    *,
    p_value: float,
    untested: str,
) -> GroupFigure:
    """Return a figure with its p-value, or with the reason why it has none.

    Args:
        figure: of the group.
        difference: from that of all rows.
        p_value: NaN where nothing differs.
        untested: why it is not to be tested; empty where it is.
    """
    if untested or math.isnan(p_value):
        return GroupFigure(figure, difference, reason=untested or ALIKE)
    return GroupFigure(figure, difference, p_value=p_value)


def too_few(rows: float, rest: float, *, least: int, of: str = "rows") -> str:
    """Return why a group is too small to be tested, or an empty text.

    Args:
        rows: how many it has that count.
        rest: how many all others have.
        least: how many both must have.
        of: what is counted.
    """
    if rows < least:
        return f"not tested, because it has fewer than {least} {of}"
    return f"not tested, because all others have fewer than {least} {of}" if rest < least else ""


def span(value: float, half: float, *, level: float, method: str) -> Estimate:
    """Return a value with an interval to both sides of it.

    Args:
        value: finite.
        half: of the interval's width; none is given where that is 0 or no number.
        level: of the interval.
        method: how it was found.
    """
    if not (math.isfinite(half) and half > 0):
        return Estimate(value=value, reason="the rows do not tell how far chance moved it")
    return Estimate(
        value=value,
        interval=Interval(low=value - half, high=value + half, level=level, method=method),
    )
