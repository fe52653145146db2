"""The gate: each rule is held against what was measured of a version, and the rules are joined.

A rule passes, fails, or is not decidable, and only a gate whose every rule passes lets a version
through: what cannot be told never promotes. Every rule must pass, so that each may be tested at the
whole level: the chance that all pass by mistake is no larger than that of one. The module reads no
data and asks no model; actions bring it the facts.

Source: Berger 1982 for rules that must all pass; Holm 1979 for groups of which none may fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, assert_never

import msgspec
import numpy as np

from brinery.evaluate import corrections, spending
from brinery.evaluate.duel import Asked, Duel, Tested
from brinery.evaluate.latency import Latency
from brinery.records.decision import (
    Decision,
    DecisionData,
    Outcome,
    RuleResult,
    SchemaChange,
)
from brinery.specs.gate_rules import CONFIDENCE, Rule, RuleKind
from brinery.specs.gates import Gate, Requirement

# Of all groups of a rule together: how often one that is no worse is taken for one that is.
_FALSE_ALARM: Final = 0.05
_LISTED: Final = 3
_ROUNDING: Final = 1e-12


class Found(NamedTuple):
    """What was found out about a requirement.

    Attributes:
        outcome: whether it is met.
        why: in plain words.
        changes: of the schema.
    """

    outcome: Outcome
    why: str
    changes: tuple[SchemaChange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was gathered of a version.

    Attributes:
        reference: of the version.
        champion: the version it is held against; None where there is no champion.
        created: when they were gathered.
        data: which rows it is judged on; None where it is judged on none.
        duel: the rows and the answers; or why there are none.
        latency: how long single rows take; or why that is not known.
        requirements: what was found out about each that the gate requires.
        look: which look at the rows it is, from 1.
        question: digest of what is asked.
        alone: why there is no champion to hold it against.
    """

    reference: str
    champion: str | None
    created: datetime
    data: DecisionData | None
    duel: Duel | str
    latency: Latency | str
    requirements: Mapping[Requirement, Found]
    look: int = 1
    question: str = ""
    alone: str = "there is no champion yet"


def judge(gate: Gate, facts: Facts) -> Decision:
    """Return whether a version may take the champion's place.

    Args:
        gate: what is asked for.
        facts: what was measured.
    """
    required = [_required(each, facts) for each in gate.require]
    rules = (*required, *(_judged(rule, facts) for rule in gate.rule))
    tested = [rule.level for rule in rules if rule.level is not None]
    look = facts.look if tested else 0
    worn = ""
    if facts.data is not None:
        worn = spending.wear(facts.data, look, confidence=gate.confidence or CONFIDENCE)
    return Decision(
        reference=facts.reference,
        champion=facts.champion,
        gate=gate.name,
        created=facts.created,
        data=facts.data,
        rules=rules,
        outcome=_joined(rule.outcome for rule in rules),
        looks=look,
        level=min(tested, default=None),
        wear=worn,
        question=facts.question,
    )


def needs_rows(gate: Gate, *, champion: bool) -> bool:
    """Return whether a gate asks for anything that takes rows to tell.

    Args:
        gate: what is asked for.
        champion: whether there is one.
    """
    return any(champion or not _is_relative(rule) for rule in gate.rule)


def needs_latency(gate: Gate) -> bool:
    """Return whether a gate asks for how long answers take."""
    return any(rule.kind is RuleKind.LATENCY for rule in gate.rule)


def schema_found(changes: Iterable[SchemaChange], gate: Gate) -> Found:
    """Return whether changes of the schema are allowed, each marked with whether it is.

    Args:
        changes: between the champion and the version.
        gate: which allows some.
    """
    marked = tuple(
        msgspec.structs.replace(each, allowed=gate.allows(each.kind, each.name)) for each in changes
    )
    blocking = [each for each in marked if each.breaks and not each.allowed]
    if blocking:
        kinds = dict.fromkeys(each.kind for each in blocking)
        alike = [[each for each in blocking if each.kind is kind] for kind in kinds]
        named = ", ".join(f'"{one}"' for each in alike for one in _allowed_as(each))
        told = "; ".join(_shortened(each) for each in alike)
        return Found(Outcome.FAILS, f"{told}; where that is meant: allow = [{named}]", marked)
    allowed = [f"{each.kind} {each.name}" for each in marked if each.breaks]
    others = [each.why for each in marked if not each.breaks]
    first = [f"allowed: {', '.join(allowed)}"] if allowed else []
    said = "; ".join((*first, *others)) or "columns, classes and answers are those of the champion"
    return Found(Outcome.PASSES, said, marked)


def _shortened(alike: list[SchemaChange]) -> str:
    """Return why changes of one kind break a caller, the first of them in full."""
    first, *others = alike
    if len(others) < _LISTED:
        return "; ".join(each.why for each in alike)
    names = ", ".join(each.name for each in others[:_LISTED])
    more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    return f"{first.why}; so it is with {names}{more}"


def _allowed_as(alike: list[SchemaChange]) -> list[str]:
    """Return what `allow` has to say for changes of one kind."""
    if len(alike) > _LISTED:
        return [f"{alike[0].kind} *"]
    return [f"{each.kind} {each.name}" for each in alike]


def _is_relative(rule: Rule) -> bool:
    """Return whether a rule asks for nothing where there is no champion."""
    match rule.kind:
        case RuleKind.VERSUS | RuleKind.SUBPOPULATIONS:
            return True
        case RuleKind.LATENCY:
            return rule.latency_p99_ms is None
        case RuleKind.ABSOLUTE:
            return False
        case _:
            assert_never(rule.kind)


def _joined(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    for worst in (Outcome.FAILS, Outcome.NOT_DECIDABLE):
        if worst in found:
            return worst
    return Outcome.PASSES


def _required(requirement: Requirement, facts: Facts) -> RuleResult:
    found = facts.requirements.get(requirement)
    if found is None:
        found = Found(Outcome.NOT_DECIDABLE, "nobody looked")
    return RuleResult(
        rule=requirement.value, outcome=found.outcome, why=found.why, changes=found.changes
    )


def _judged(rule: Rule, facts: Facts) -> RuleResult:
    if facts.champion is None and _is_relative(rule):
        return RuleResult(rule=rule.title, outcome=Outcome.PASSES, why=facts.alone)
    if rule.kind is RuleKind.LATENCY:
        return _timed(rule, facts)
    if isinstance(facts.duel, str) or facts.duel.fault:
        why = facts.duel if isinstance(facts.duel, str) else facts.duel.fault
        return _undecided(rule, why)
    if rule.kind is RuleKind.SUBPOPULATIONS:
        return _grouped(rule, facts.duel, look=facts.look)
    return _measured(rule, facts.duel, look=facts.look)


def _undecided(rule: Rule, why: str, *, rows: int | None = None) -> RuleResult:
    return RuleResult(rule=rule.title, outcome=Outcome.NOT_DECIDABLE, why=why, rows=rows)


def _level(rule: Rule, look: int) -> float | None:
    return None if rule.sure is None else spending.level(rule.sure, look)


def _measured(rule: Rule, duel: Duel, *, look: int) -> RuleResult:
    """Return what became of a rule about one figure."""
    rows = duel.chosen(rule.filter) if rule.where else None
    if isinstance(rows, str):
        return _undecided(rule, rows)
    count = duel.rows if rows is None else int(np.count_nonzero(rows))
    if count < rule.min_rows:
        why = f"{count:,} rows are too few to tell: it takes {rule.min_rows:,}"
        return _undecided(rule, why, rows=count)
    asked = Asked(rule.metric, rule.at_threshold, rows)
    level = _level(rule, look)
    if rule.kind is RuleKind.VERSUS:
        assert level is not None  # noqa: S101 - such a rule always has one
        return _compared(rule, duel, asked, level=level)
    return _bounded(rule, duel, asked, level=level)


def _compared(rule: Rule, duel: Duel, asked: Asked, *, level: float) -> RuleResult:
    """Return what became of a rule that holds a version against the champion."""
    margin = rule.better_by or 0.0 if rule.non_inferiority is None else -rule.non_inferiority
    found = duel.tested(asked, above=margin, level=level)
    if isinstance(found, str):
        return _undecided(rule, found)
    figure, test = found
    result = RuleResult(
        rule=rule.title,
        outcome=Outcome.NOT_DECIDABLE,
        why=test.estimate.reason,
        champion=figure.champion,
        candidate=figure.candidate,
        difference=test.estimate,
        bound=margin if figure.higher else -margin,
        p_value=test.p_value,
        test=test.test,
        level=level,
        rows=figure.rows,
    )
    if test.p_value is None:
        return result
    passes = test.p_value <= 1 - level
    return msgspec.structs.replace(
        result,
        outcome=Outcome.PASSES if passes else Outcome.FAILS,
        why=_told(rule, found, passes=passes, level=level),
    )


def _told(rule: Rule, found: Tested, *, passes: bool, level: float) -> str:
    """Return what a test against the champion came to, in plain words."""
    figure, test = found
    value, interval = test.estimate.value, test.estimate.interval
    champion = figure.champion or 0.0
    gain = value if figure.higher else -value
    change = f"{figure.metric} {champion:.4g} → {figure.candidate:.4g} ({value:+.4g})"
    if interval is None:
        said = f"{change}: {test.estimate.reason}"
    else:
        between = f"{interval.low:+.4g} and {interval.high:+.4g}"
        said = f"{change}, between {between}, on {figure.rows:,} rows"
    chance = f"p {_chance(test.p_value)} by {test.test}, and it takes {1 - level:.2g}"
    if passes:
        return f"{said}; {chance}"
    if rule.non_inferiority is not None:
        far = gain > -rule.non_inferiority
        what = "not sure enough that it is not worse by that" if far else "it is worse by that"
    elif gain < 0:
        what = "it is worse"
    elif gain <= (rule.better_by or 0.0):
        what = "it is no better" if not rule.better_by else "it is not better by that"
    else:
        what = "it may be better, and chance may have done it"
    return f"{said}: {what}; {chance}"


def _bounded(rule: Rule, duel: Duel, asked: Asked, *, level: float | None) -> RuleResult:
    """Return what became of a rule that holds a figure to numbers."""
    measured = duel.figure(asked)
    if isinstance(measured, str):
        return _undecided(rule, measured)
    bounds = [(rule.at_least, True), (rule.at_most, False)]
    asked_for = [(bound, above) for bound, above in bounds if bound is not None]
    parts = [
        _held(duel, asked, bound=bound, above=above, level=level) for bound, above in asked_for
    ]
    held = [part for part, _ in parts]
    worst = _joined(part.outcome for part in held)
    first = next(part for part in held if part.outcome is worst)
    test = next(test for part, test in parts if part is first)
    return RuleResult(
        rule=rule.title,
        outcome=worst,
        why=first.why,
        candidate=measured.candidate,
        champion=measured.champion,
        difference=None,
        bound=asked_for[held.index(first)][0],
        p_value=None if test is None else test.estimate.p_value,
        test="" if test is None else test.estimate.test,
        level=None if test is None else level,
        rows=measured.rows,
    )


def _held(
    duel: Duel, asked: Asked, *, bound: float, above: bool, level: float | None
) -> tuple[Found, Tested | None]:
    """Return whether a figure is above or below a bound, and the test of it, where one was made."""
    if level is None:
        measured = duel.figure(asked)
        assert not isinstance(measured, str)  # noqa: S101 - it was measured before
        value = measured.candidate
        gap = value - bound if above else bound - value
        fits = gap >= -_ROUNDING
        side = "below" if above else "above"
        why = f"{measured.metric} {value:.4g} on {measured.rows:,} rows"
        why = why if fits else f"{why} is {side} {bound:g}"
        return Found(Outcome.PASSES if fits else Outcome.FAILS, why), None
    found = duel.held(asked, bound=bound, above=above, level=level)
    if isinstance(found, str):
        return Found(Outcome.NOT_DECIDABLE, found), None
    figure, test = found
    if test.p_value is None:
        return Found(Outcome.NOT_DECIDABLE, test.estimate.reason), found
    fits = test.p_value <= 1 - level
    interval = test.estimate.interval
    end = "" if interval is None else f", sure to be {_end(interval.low, interval.high, above)}"
    why = f"{figure.metric} {figure.candidate:.4g}{end}, on {figure.rows:,} rows"
    return Found(Outcome.PASSES if fits else Outcome.FAILS, why), found


def _end(low: float, high: float, above: bool) -> str:  # noqa: FBT001 - said in one place
    return f"at least {low:.4g}" if above else f"at most {high:.4g}"


class _Group(NamedTuple):
    """A group of rows in which the version was held against the champion."""

    name: str
    tested: Tested

    @property
    def drop(self) -> float:
        """Return how much worse the version is, as measured."""
        value = self.tested.estimate.estimate.value
        return -value if self.tested.figure.higher else value


def _grouped(rule: Rule, duel: Duel, *, look: int) -> RuleResult:
    """Return what became of a rule about groups of rows."""
    level = _level(rule, look)
    allowed = rule.max_drop or 0.0
    groups: list[_Group] = []
    left_out: list[str] = []
    for column in rule.subpopulations:
        found = duel.groups(column)
        if isinstance(found, str):
            return _undecided(rule, found)
        for name, rows in found:
            tested = _in_group(rule, duel, rows, level=level)
            if isinstance(tested, str):
                left_out.append(f"{name} ({tested})")
            else:
                groups.append(_Group(name, tested))
    if not groups:
        said = "; ".join(left_out[:_LISTED])
        return _undecided(rule, f"there is no group that is large enough to tell: {said}")
    if level is None:
        failed, doubtful = _harmed(groups, allowed=allowed)
    else:
        failed = [each for each in groups if (each.tested.estimate.p_value or 0.0) > 1 - level]
        doubtful = []
    worst = max(failed or groups, key=lambda each: each.drop)
    figure, test = worst.tested
    return RuleResult(
        rule=rule.title,
        outcome=Outcome.FAILS if failed else Outcome.PASSES,
        why="; ".join(_of_groups(groups, failed, doubtful, left_out=left_out)),
        champion=figure.champion,
        candidate=figure.candidate,
        difference=test.estimate,
        bound=-allowed if figure.higher else allowed,
        p_value=test.p_value,
        test=test.test,
        level=level,
        rows=figure.rows,
    )


def _in_group(rule: Rule, duel: Duel, rows: np.ndarray, *, level: float | None) -> Tested | str:
    """Return how a version does in a group: that it is not much worse, or whether it is worse.

    With a level it must be told that it is not worse by more than is allowed, without one whether
    it is worse at all.
    """
    count = int(np.count_nonzero(rows))
    if count < rule.min_rows:
        return f"{count:,} rows"
    asked = Asked(rule.metric, rule.at_threshold, rows)
    if level is None:
        tested = duel.worse(asked, level=CONFIDENCE)
    else:
        tested = duel.tested(asked, above=-(rule.max_drop or 0.0), level=level)
    if isinstance(tested, str):
        return tested
    return tested if tested.estimate.p_value is not None else tested.estimate.estimate.reason


def _harmed(groups: list[_Group], *, allowed: float) -> tuple[list[_Group], list[_Group]]:
    """Return the groups that became worse by more than is allowed, and where chance may be it."""
    worse = np.array([each.tested.estimate.p_value for each in groups], np.float64)
    certain = corrections.holm(worse) < _FALSE_ALARM
    over = [each.drop > allowed + _ROUNDING for each in groups]
    marked = list(zip(groups, over, certain.tolist(), strict=True))
    failed = [each for each, above, sure in marked if above and sure]
    return failed, [each for each, above, sure in marked if above and not sure]


def _of_groups(
    groups: list[_Group],
    failed: list[_Group],
    doubtful: list[_Group],
    *,
    left_out: list[str],
) -> Iterator[str]:
    """Yield what became of groups, in plain words."""
    for each in sorted(failed, key=lambda one: -one.drop)[:_LISTED]:
        figure = each.tested.figure
        yield (
            f"{each.name}: {figure.metric} {figure.champion or 0.0:.4g} → {figure.candidate:.4g} "
            f"on {figure.rows:,} rows"
        )
    if len(failed) > _LISTED:
        yield f"and {len(failed) - _LISTED} more groups"
    if not failed:
        worst = max(groups, key=lambda one: one.drop)
        yield f"{len(groups)} groups, the worst is {worst.name} with {0.0 - worst.drop:+.4g}"
    if doubtful:
        told = ", ".join(f"{each.name} ({0.0 - each.drop:+.4g})" for each in doubtful[:_LISTED])
        more = f" and {len(doubtful) - _LISTED} more" if len(doubtful) > _LISTED else ""
        yield f"chance may explain {told}{more}"
    if left_out:
        more = f" and {len(left_out) - _LISTED} more" if len(left_out) > _LISTED else ""
        yield f"too few rows to tell: {', '.join(left_out[:_LISTED])}{more}"


def _timed(rule: Rule, facts: Facts) -> RuleResult:
    """Return what became of a rule about latency."""
    found = facts.latency
    if isinstance(found, str):
        return _undecided(rule, found)
    compared = facts.champion is not None and rule.max_ratio is not None
    if compared and found.ratio is None:
        return _undecided(rule, "the champion was not timed")
    said = [f"p99 {found.candidate:.3g} ms"]
    over = []
    if rule.latency_p99_ms is not None and found.candidate > rule.latency_p99_ms:
        over.append(f"above {rule.latency_p99_ms:g} ms")
    if compared and found.ratio is not None and rule.max_ratio is not None:
        said.append(f"{found.ratio:.3g} times the champion's {found.champion or 0.0:.3g} ms")
        if found.ratio > rule.max_ratio:
            over.append(f"above {rule.max_ratio:g} times")
    if rule.max_ratio is not None and facts.champion is None:
        said.append(facts.alone)
    told = f"{', '.join(said)} ({found.rows:,} single rows, {found.rounds} rounds)"
    return RuleResult(
        rule=rule.title,
        outcome=Outcome.FAILS if over else Outcome.PASSES,
        why=f"{told}: {' and '.join(over)}" if over else told,
        champion=found.champion,
        candidate=found.candidate,
        bound=rule.latency_p99_ms if rule.latency_p99_ms is not None else rule.max_ratio,
        rows=found.rows,
    )


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return "unknown"
    return "below 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"  # noqa: PLR2004 - said so
