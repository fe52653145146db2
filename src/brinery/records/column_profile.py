"""What the values of a column are like: how many, how many are missing, and how they lie."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct


class ColumnProfile(Struct, frozen=True, kw_only=True):
    """A column of a table, in figures.

    Attributes:
        name: of the column.
        type: of its values, in the words of pandas.
        rows: that were looked at.
        missing: of them.
        distinct: different values; None where they cannot be compared.
        low: least value; None where it is no number or time.
        high: greatest value, likewise.
        mean: of numbers.
        std: sample standard deviation of numbers; None of fewer than two.
        median: of numbers.
        edges: of the bins of numbers or times, one more than counts.
        counts: of each bin, or of each of the most frequent values.
        values: the most frequent, as texts, where the column has no bins.
        times: whether the edges are seconds since 1970 UTC.
    """

    name: str
    type: str
    rows: int
    missing: int
    distinct: Optional[int] = None
    low: Optional[float] = None
    high: Optional[float] = None
    mean: Optional[float] = None
    std: Optional[float] = None
    median: Optional[float] = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    values: tuple[str, ...] = ()
    times: bool = False
