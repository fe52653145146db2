"""Where a column within a scorer comes from: which input, and how to get back to its values.

Whoever wants to try the values at a tree's threshold needs to know what to send for them; whoever
explains an answer, which input is behind a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Optional

from brinery.scorers.data import Array


@dataclass(frozen=True)
class Origin:
    """The one input column that a column is a function of.

    Attributes:
        column: its place among the inputs.
        back: from values of the column to about those that become them, one step after the other;
            None where there is no way back, for it does not rise or fall all along.
    """

    column: int
    back: Optional[tuple[Callable[[Array], Array], ...]] = ()

    def behind(self, inverse: Callable[[Array], Array]) -> Origin:
        """Return the origin of a column that a step makes of this one."""
        return self if self.back is None else Origin(self.column, (inverse, *self.back))

    def lost(self) -> Origin:
        """Return the origin of a column that does not tell the value of this one."""
        return Origin(self.column, None)

    def inputs(self, values: Array) -> Array:
        """Return the values of the input that become some values, but for rounding.

        There must be a way back.
        """
        for step in self.back or ():
            values = step(values)
        return values


Origins = Optional[list[Optional[Origin]]]


def lost(origins: list[Optional[Origin]]) -> list[Optional[Origin]]:
    """Return the origins of columns each made of one other whose value it hides."""
    return [one and one.lost() for one in origins]


def together(origins: Iterable[Optional[Origin]]) -> Optional[Origin]:
    """Return the origin of what is made of several columns: None unless one input is behind all."""
    found = list(origins)
    first = found[0] if found else None
    if first is None or any(one is None or one.column != first.column for one in found):
        return None
    return first.lost()
