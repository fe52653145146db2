"""What is doubtful about some data, or about the figures that were computed on it."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class Severity(TextEnum):
    """How much a finding matters, worst first."""

    WARNING = "warning"
    NOTE = "note"


class FindingCode(TextEnum):
    """What was found; programs match on it."""

    LEAKAGE = "leakage"
    OVERLAP = "overlap"
    DUPLICATES = "duplicates"
    PERFECT_SCORE = "perfect-score"
    TOO_FEW_ROWS = "too-few-rows"
    CLASS_IMBALANCE = "class-imbalance"
    CLASS_ABSENT = "class-absent"
    LABELS_MISSING = "labels-missing"
    CONSTANT_PREDICTIONS = "constant-predictions"
    CONSTANT_COLUMN = "constant-column"
    MOSTLY_MISSING = "mostly-missing"
    IDENTIFIER = "identifier"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is doubtful.

    Attributes:
        code: what.
        severity: a warning casts doubt on the figures; a note is worth knowing.
        message: one plain sentence.
        column: that it is about; empty where it is about the rows, the labels or the figures.
        figures: name to value, the numbers that the message rests on.
        hint: what to do about it.
    """

    code: FindingCode
    severity: Severity
    message: str
    column: str = ""
    figures: dict[str, float] = {}
    hint: str = ""


class Diagnostics(Struct, frozen=True, kw_only=True):
    """Everything that was looked for.

    Attributes:
        rows: how many were looked at.
        findings: warnings first, then notes.
        not_checked: what could not be looked for, to the reason.
    """

    rows: int
    findings: tuple[Finding, ...] = ()
    not_checked: dict[FindingCode, str] = {}
