"""Whether what the user asserts of a model's answers holds."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class Outcome(TextEnum):
    """What became of an assertion."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNDEFINED = "undefined"


class AssertionResult(Struct, frozen=True, kw_only=True):
    """One assertion, and how many rows bear it out.

    Attributes:
        name: as it was declared.
        where: the filter of its rows; empty for all rows.
        expected: of the answers, in plain words.
        min_ratio: the share of the rows that must be as expected, 0 to 1.
        outcome: undefined where no row matches, or the model has no such answer.
        rows: how many match the filter.
        valid: how many of them are as expected.
        ratio: valid of rows, 0 to 1; None where it is undefined.
        examples: index, from 0, of the first rows that are not as expected; at most ten.
        reason: why it is undefined; empty where it is not.
    """

    name: str
    where: str
    expected: str
    min_ratio: float
    outcome: Outcome
    rows: int = 0
    valid: int = 0
    ratio: Optional[float] = None
    examples: tuple[int, ...] = ()
    reason: str = ""
