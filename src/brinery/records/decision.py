"""What a gate decided of a version, rule by rule: kept for ever, whatever was done then."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Estimate
from brinery.records.text_enum import TextEnum
from brinery.specs.changes import ChangeKind


class Outcome(TextEnum):
    """What a gate, or one of its rules, says of a version.

    Only a gate that passes promotes: what is not decidable does not.
    """

    PASSES = "passes"
    FAILS = "fails"
    NOT_DECIDABLE = "not decidable"


class SchemaChange(Struct, frozen=True, kw_only=True):
    """One difference to the champion that a caller may notice.

    Attributes:
        kind: what kind.
        name: of the column, class or output.
        breaks: whether a caller of the champion can break on it, so that it blocks unless allowed.
        allowed: whether the gate's `allow` names it.
        why: in plain words.
    """

    kind: ChangeKind
    name: str
    breaks: bool
    why: str
    allowed: bool = False


class DecisionData(Struct, frozen=True, kw_only=True):
    """Which rows were judged on.

    Attributes:
        name: of the file, or `dataframe`.
        rows: count.
        sha256: of the content, the same whatever the file format.
        rows_sha256: of the same rows in whatever order, their columns too; empty where an older
            Brinery decided, or a column mixes types.
    """

    name: str
    rows: int
    sha256: str
    rows_sha256: str = ""

    def same_rows(self, other: DecisionData) -> bool:
        """Return whether others are the same rows, in whatever order."""
        if self.sha256 == other.sha256:
            return True
        return bool(self.rows_sha256) and self.rows_sha256 == other.rows_sha256


class RuleResult(Struct, frozen=True, kw_only=True):
    """One rule of a gate, and what became of it.

    Attributes:
        rule: in words.
        outcome: whether it passes.
        why: in plain words, with the figures.
        champion: the champion's figure; None where there is none.
        candidate: the version's figure; None where there is none.
        difference: `candidate - champion`, with its paired interval or why there is none.
        bound: what the difference, the figure or the ratio is held to.
        p_value: one-sided: how often chance alone shows as much, were the bound just missed; of
            groups without a level, how often it shows one that is so much worse, were none worse.
        test: what the p-value is of: `DeLong`, `Tango`, `paired bootstrap` and so on.
        level: how sure it had to be, 0 to 1, after what earlier looks took; None where nothing was
            tested.
        rows: how many the figures are of; None where they are of none.
        changes: of a rule about the schema, every difference.
    """

    rule: str
    outcome: Outcome
    why: str
    champion: Optional[float] = None
    candidate: Optional[float] = None
    difference: Optional[Estimate] = None
    bound: Optional[float] = None
    p_value: Optional[float] = None
    test: str = ""
    level: Optional[float] = None
    rows: Optional[int] = None
    changes: tuple[SchemaChange, ...] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """Whether a version may take the champion's place, and why.

    Attributes:
        reference: of the version, such as `bank@3`.
        champion: the version it was held against; None where there is no champion.
        gate: the gate's name.
        created: with time zone.
        data: which rows it was judged on; None where it was judged on none.
        rules: in the order of the gate, what it requires first.
        outcome: passes where every rule does; fails where one fails; else not decidable.
        looks: which look at these rows it was, from 1; 0 where nothing was tested on them.
        level: how sure the tests had to be, 0 to 1, after what earlier looks took; where rules ask
            for different levels, the lowest of them; None where nothing was tested.
        wear: how worn the rows are, in a sentence.
        question: digest of what was asked (versions, gate, rows): the same question asked again
            has the same answer, and is no further look.
        forced: whether the version was promoted against the outcome.
        reason: of who forced it.
    """

    reference: str
    champion: Optional[str]
    gate: str
    created: datetime
    data: Optional[DecisionData]
    rules: tuple[RuleResult, ...]
    outcome: Outcome
    looks: int = 0
    level: Optional[float] = None
    wear: str = ""
    question: str = ""
    forced: bool = False
    reason: str = ""

    @property
    def model(self) -> str:
        """Return the name of the model."""
        return self.reference.partition("@")[0]

    @property
    def passes(self) -> bool:
        """Return whether the version may be promoted."""
        return self.outcome is Outcome.PASSES

    @property
    def verdict(self) -> str:
        """Return the outcome in a sentence, with what it hangs on."""
        held = [each for each in self.rules if each.outcome is not Outcome.PASSES]
        if not held:
            against = f" against {self.champion}" if self.champion else ", with no champion yet"
            return f"passes {gate_called(self.gate)}{against}"
        said = "; ".join(f"{each.rule}: {each.why}" for each in held)
        verb = "fails" if self.outcome is Outcome.FAILS else "is not decidable by"
        return f"{verb} {gate_called(self.gate)}: {said}"


def gate_called(name: str) -> str:
    """Return what a gate is called in a sentence; one that is named `gate` is not named twice."""
    return "the gate" if name == "gate" else f"the gate {name}"
