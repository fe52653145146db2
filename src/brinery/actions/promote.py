"""Promote: give an alias to a version; the champion's, if the gate passes it.

The gate is asked first, which may take minutes and locks nobody out. Under the lock the champion
must still be the one that the version was judged against, and nobody else may have looked at the
same rows meanwhile. Then what is meant is written down, the alias moves, which is one row of the
registry, and what was written is settled: a killed process leaves the old champion or the new one,
and `history` tells which, and settles the rest.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import pandas as pd
from msgspec.structs import replace

from brinery.actions import history
from brinery.actions.gate import GateAsked, decide_steps
from brinery.actions.progress import Clock, result_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import (
    BrineryError,
    ChampionChanged,
    InvalidGate,
    NotFound,
    PromotionRefused,
    ReasonRequired,
    SettingsError,
)
from brinery.records.audit import AuditEntry, Change
from brinery.records.decision import Decision, Outcome
from brinery.records.event import Event, Step
from brinery.records.version import Alias, Promotion, Version
from brinery.registry.interface import resolve
from brinery.specs.reference import LATEST, Reference
from brinery.store.frames import Data, given

Steps = Generator[Event, None, Promotion]
_TIME = "%Y-%m-%d %H:%M"


class PromoteOptions(TypedDict, total=False):
    """What `brinery.promote` takes beside the version; all optional.

    Attributes:
        alias: `champion`, which is what is served, or `challenger`, which no gate is asked for.
        gate: the name of a gate of brinery.toml, a TOML file, or `FILE:NAME`; the default gate when
            absent.
        data: to judge on; what the version, or else the champion, was evaluated on when absent.
        target: the column with the truth; the one of the import when absent.
        sep: of a csv file; found in its first lines when absent.
        if_better: whether a version that the gate does not pass is told, and not raised.
        force: whether it is promoted whatever the gate says; that is shown for ever.
        why: the reason, kept in the audit trail; `force` needs one.
        workspace: its folder; the nearest upwards when absent.
    """

    alias: Alias | str
    gate: str | None
    data: Data | None
    target: str | None
    sep: str | None
    if_better: bool
    force: bool
    why: str
    workspace: Folder | None


@dataclass(frozen=True, kw_only=True)
class PromoteAsked:
    """What is to be promoted; see `PromoteOptions` for what is not said here."""

    reference: str
    alias: Alias = Alias.CHAMPION
    gate: str | None = None
    data: Path | pd.DataFrame | None = None
    target: str | None = None
    separator: str | None = None
    force: bool = False
    why: str = ""

    @classmethod
    def of(cls, reference: str, options: PromoteOptions) -> PromoteAsked:
        """Return what the arguments of `promote` ask for."""
        data = options.get("data")
        return cls(
            reference=reference,
            alias=Alias(options.get("alias", Alias.CHAMPION)),
            gate=options.get("gate"),
            data=None if data is None else given(data),
            target=options.get("target"),
            separator=options.get("sep"),
            force=options.get("force", False),
            why=options.get("why", ""),
        )


def promote(reference: str, **options: Unpack[PromoteOptions]) -> Promotion:
    """Return what was promoted, what it replaced, and what the gate decided.

    Args:
        reference: `bank@1`, `bank@latest`, `bank@challenger`; `bank` alone means its newest
            version.
        options: `gate`, `data`, `if_better`, `force`, `why` and so on; see `PromoteOptions`.

    Raises:
        PromotionRefused: the gate does not pass it, and `if_better` is not given.
        ChampionChanged: another version became the champion while this one was judged.
        ReasonRequired: it is forced without a reason.
        NotFound: there is no such version.
        RegistryFault: the registry failed; the audit trail says whether the alias had moved.
    """
    rooms = open_rooms(options.get("workspace"))
    return promote_in(
        rooms, PromoteAsked.of(reference, options), if_better=options.get("if_better", False)
    )


def promote_in(rooms: Rooms, asked: PromoteAsked, *, if_better: bool = False) -> Promotion:
    """Return what was promoted in these rooms.

    Raises:
        PromotionRefused: the gate does not pass it, and `if_better` is not given.
    """
    done = result_of(promote_steps(rooms, asked))
    if done.refused and not if_better:
        raise refusal(done)
    return done


def promote_steps(rooms: Rooms, asked: PromoteAsked) -> Steps:
    """Yield an event as each part is judged; return what became of it, a refusal too.

    Raises:
        ChampionChanged: another version became the champion while this one was judged.
        ReasonRequired: it is forced without a reason.
        NotFound: there is no such version.
    """
    if asked.force and not asked.why.strip():
        raise ReasonRequired(
            "a promotion against the gate needs a reason, which is shown for ever",
            hint=f'brinery promote {asked.reference} --force --reason "…"',
        )
    reference = Reference.parse(asked.reference)
    if reference.version is None and reference.alias is None:
        reference = Reference(reference.name, alias=LATEST)
    version = resolve(rooms.registry, reference)
    while True:
        before = history.holder(rooms.registry.versions(version.name), asked.alias)
        if asked.alias is not Alias.CHAMPION or (before and before.number == version.number):
            return _given(rooms, version, asked=asked)
        earlier = rooms.decisions.of(version.name)
        decision = yield from _decision(rooms, version, asked=asked, earlier=earlier)
        with rooms.lock():
            history.catch_up(rooms, version.name)
            since = rooms.decisions.of(version.name)[len(earlier) :]
            if decision is None or not overtaken(decision, since):
                against = before.reference if before else None
                return _concluded(rooms, version, asked=asked, decision=decision, against=against)


def refusal(done: Promotion) -> PromotionRefused:
    """Return the error for a version that the gate does not pass."""
    reference = done.version.reference
    decision = done.decision
    said = decision.verdict if decision else "was not judged"
    undecided = decision is not None and decision.outcome is Outcome.NOT_DECIDABLE
    judged = f"brinery promote {reference} --data FILE judges it on other rows; "
    return PromotionRefused(
        f"{reference} is not promoted: it {said}",
        hint=f'{judged if undecided else ""}brinery promote {reference} --force --reason "…" '
        "does it all the same, and is shown for ever",
    )


def changed_meanwhile(
    rooms: Rooms, now: Version | None, *, before: str | None, instead: str
) -> ChampionChanged:
    """Return the error for a champion that is another one than was looked at.

    Args:
        rooms: with the audit trail.
        now: the champion.
        before: the champion that was looked at.
        instead: what to type next.
    """
    was = before or "no version"
    if now is None:
        return ChampionChanged(f"{was} is the champion no more: nothing was changed", hint=instead)
    entry = history.last_move(rooms, now)
    who = (
        f" by {entry.who} at {_local(entry.at)}" if entry and entry.why != history.ELSEWHERE else ""
    )
    return ChampionChanged(
        f"{now.reference} was made the champion{who} meanwhile, in place of {was}: "
        "nothing else was changed",
        hint=instead,
    )


def activate(rooms: Rooms, version: Version, *, why: str) -> bool:
    """Return whether a version became the champion; not where it is.

    No gate is asked, because whoever calls says so: the reason is kept in the audit trail.

    Args:
        rooms: of the workspace.
        version: which.
        why: no gate is asked; shown for ever.
    """
    with rooms.lock():
        history.catch_up(rooms, version.name)
        before = history.holder(rooms.registry.versions(version.name), Alias.CHAMPION)
        if before is not None and before.number == version.number:
            rooms.registry.restage(version.name)
            return False
        asked = PromoteAsked(reference=version.reference, why=why)
        entry = _entry(rooms, version, before=before, asked=asked)
        move(rooms, version, alias=Alias.CHAMPION, entry=entry)
    return True


def overtaken(decision: Decision, since: Sequence[Decision]) -> bool:
    """Return whether others looked at the same rows since this decision's look was counted.

    Args:
        decision: that was made.
        since: the decisions that were kept meanwhile.
    """
    data = decision.data
    if data is None or not decision.looks:
        return False
    return any(
        one.looks and one.data and one.data.same_rows(data)
        for one in since
        if one.question != decision.question
    )


def move(rooms: Rooms, version: Version, *, alias: Alias, entry: AuditEntry) -> None:
    """Move an alias between the two halves of its audit entry: what is meant, and that it is done.

    The alias is one row of the registry, so a killed process leaves the old champion or the new
    one; the entry that it left open says who meant what, and is settled before the next change.
    """
    number = rooms.audit.begin(entry)
    try:
        rooms.registry.set_alias(version.name, version.number, alias=alias)
    except BrineryError:
        history.catch_up(rooms, version.name)
        raise
    rooms.audit.settle(number, done=True)
    history.keep_previous(rooms, version.name)


def _decision(
    rooms: Rooms, version: Version, *, asked: PromoteAsked, earlier: list[Decision]
) -> Generator[Event, None, Decision | None]:
    """Return what the gate decides; None where it cannot be asked and need not be."""
    judged = GateAsked(
        reference=version.reference,
        gate=asked.gate,
        data=asked.data,
        target=asked.target,
        separator=asked.separator,
    )
    try:
        return (yield from decide_steps(rooms, judged, earlier=earlier))
    except (InvalidGate, NotFound, SettingsError):
        raise
    except BrineryError as error:
        if not asked.force:
            raise
        said = f"the gate cannot be asked: {error.message}"
        yield Clock().event(Step.GATE, said, warning=True)
        return None


def _concluded(
    rooms: Rooms,
    version: Version,
    *,
    asked: PromoteAsked,
    decision: Decision | None,
    against: str | None,
) -> Promotion:
    """Return what became of a version that was judged. Call it under the lock."""
    version = resolve(rooms.registry, Reference(version.name, version=version.number))
    before = history.holder(rooms.registry.versions(version.name), Alias.CHAMPION)
    there = before is not None and before.number == version.number  # somebody else promoted it
    passes = decision is not None and decision.passes
    judged = decision.champion if decision else against
    stands = (before.reference if before else None) == judged
    forced = asked.force and not passes and stands and not there
    if decision is not None and forced:
        decision = replace(decision, forced=True, reason=asked.why)
    number = None if decision is None else rooms.keep(decision)
    if not there and not stands and (passes or asked.force):
        instead = (
            f"brinery promote {version.reference}, which is judged against the champion of now"
        )
        raise changed_meanwhile(rooms, before, before=judged, instead=instead)
    moves = not there and (passes or forced)
    if moves:
        entry = _entry(rooms, version, before=before, asked=asked)
        move(
            rooms,
            version,
            alias=Alias.CHAMPION,
            entry=replace(entry, decision=number, forced=forced),
        )
    return replace(
        _done(rooms, version, asked=asked, before=before),
        changed=moves,
        refused=not moves and not there,
        decision=decision,
        number=number,
        forced=forced,
    )


def _given(rooms: Rooms, version: Version, *, asked: PromoteAsked) -> Promotion:
    """Return that a version has an alias that no gate need be asked for."""
    with rooms.lock():
        history.catch_up(rooms, version.name)
        before = history.holder(rooms.registry.versions(version.name), asked.alias)
        changed = before is None or before.number != version.number
        if changed and asked.alias is Alias.CHAMPION:
            # It was the champion, and nobody has judged it against the one of now.
            instead = f"brinery promote {version.reference}"
            raise changed_meanwhile(rooms, before, before=version.reference, instead=instead)
        if changed:
            entry = _entry(rooms, version, before=before, asked=asked)
            move(rooms, version, alias=asked.alias, entry=entry)
        else:
            # The stage that older clients see may have been moved by one of them.
            rooms.registry.restage(version.name)
        return replace(_done(rooms, version, asked=asked, before=before), changed=changed)


def _entry(
    rooms: Rooms, version: Version, *, before: Version | None, asked: PromoteAsked
) -> AuditEntry:
    return rooms.entry(
        Change.PROMOTE,
        version.name,
        before=history.moved(before, asked.alias) if before else None,
        after=history.moved(version, asked.alias),
        why=asked.why,
    )


def _done(
    rooms: Rooms, version: Version, *, asked: PromoteAsked, before: Version | None
) -> Promotion:
    """Return a version as it is now, with what had the alias before."""
    return Promotion(
        version=resolve(rooms.registry, Reference(version.name, version=version.number)),
        alias=asked.alias,
        previous=before.number if before else None,
        changed=False,
        why=asked.why,
    )


def _local(at: datetime) -> str:
    return at.astimezone().strftime(_TIME)
