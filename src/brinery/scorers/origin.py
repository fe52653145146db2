"""Where a column within a scorer comes from: which input, and how to get back to its values.

Whoever wants to try the values at a tree's threshold needs to know what to send for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from brinery.scorers.data import Array


@dataclass(frozen=True)
class Origin:
    """An input column that a column is a rising or falling function of.

    Attributes:
        column: its place among the inputs.
        back: from values of the column to about those that become them, one step after the other.
    """

    column: int
    back: tuple[Callable[[Array], Array], ...] = ()

    def behind(self, inverse: Callable[[Array], Array]) -> Origin:
        """Return the origin of a column that a step makes of this one."""
        return Origin(self.column, (inverse, *self.back))

    def inputs(self, values: Array) -> Array:
        """Return the values of the input that become some values, but for rounding."""
        for step in self.back:
            values = step(values)
        return values


Origins = Optional[list[Optional[Origin]]]
