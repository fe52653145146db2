"""The story of a model's aliases: every move and every decision that moved none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from brinery.records.decision import Decision


class Deed(StrEnum):
    """What was done with an alias."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    NOT_PROMOTED = "not promoted"
    MOVED = "moved by another program"


class Chapter(Struct, frozen=True, kw_only=True):
    """One move of an alias, or a decision that moved none.

    Attributes:
        at: when, with time zone.
        who: the user's login name.
        deed: what was done.
        alias: which.
        before: the reference that had it; None where none had.
        after: the reference that has it since; of a decision that moved none, the one it was on.
        number: of the decision, as it is kept; None where no gate was asked.
        decision: what the gate had decided; None where no gate was asked.
        forced: whether it was done against the gate.
        why: the reason given; may be empty.
    """

    at: datetime
    who: str
    deed: Deed
    alias: str
    before: str | None
    after: str
    number: int | None = None
    decision: Decision | None = None
    forced: bool = False
    why: str = ""

    @property
    def verdict(self) -> str:
        """Return what the gate said, in words; empty where none was asked."""
        said = self.decision.verdict if self.decision else ""
        return f"FORCED: {said or 'no gate could be asked'}" if self.forced else said


class KeptDecision(Struct, frozen=True, kw_only=True):
    """A decision as it is kept.

    Attributes:
        number: by which the audit trail names it.
        who: asked for it.
        decision: as it was made.
    """

    number: int
    who: str
    decision: Decision
