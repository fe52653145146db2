"""A figure, and how far chance may have moved it."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct


class Interval(Struct, frozen=True, kw_only=True):
    """A confidence interval.

    Attributes:
        low: its lower end, in the unit of the figure.
        high: its upper end.
        level: how often such intervals hold the true figure, 0 to 1.
        method: how it was found, in a word: `Wilson`, `DeLong`, `bootstrap`.
    """

    low: float
    high: float
    level: float = 0.95
    method: str


class Estimate(Struct, frozen=True, kw_only=True):
    """A figure with its interval.

    Attributes:
        value: finite.
        interval: None where none can be given.
        reason: why there is no interval; empty where there is one.
    """

    value: float
    interval: Optional[Interval] = None
    reason: str = ""
