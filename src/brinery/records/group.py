"""A group of rows that have something in common: a value, a range, a period, or a gap."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


class GroupKind(TextEnum):
    """What the rows of a group share."""

    VALUE = "value"
    RANGE = "range"
    PERIOD = "period"
    OTHER = "other"
    MISSING = "missing"
    CROSSED = "crossed"


class Group(Struct, frozen=True, kw_only=True):
    """A group of rows.

    Attributes:
        columns: that decide who is in it; two where groups of two columns are crossed.
        label: in plain words, without the name of the column: `30 to 39`, `retired`, `missing`.
        where: the same as a filter: `age >= 30 and age < 40`.
        kind: what its rows share.
        value: of a group of one value; else None.
        low: of a range, the least that is in it; None where it has no lower end.
        high: of a range, the least that is above it; None where it has no upper end.
    """

    columns: tuple[str, ...]
    label: str
    where: str
    kind: GroupKind
    value: Optional[Scalar] = None
    low: Optional[float] = None
    high: Optional[float] = None
