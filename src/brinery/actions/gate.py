"""Gate: judge whether a version may take the champion's place, and explain what is asked of it.

What is measured is gathered here: both versions answer the same rows, single rows are timed in
turns, and what was recorded of both is read. The judging itself is `evaluate.gate`, which is pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import msgspec
import pandas as pd
from msgspec import Struct

from brinery.actions.answering import Answering
from brinery.actions.evaluation_data import EvaluationData, data_line, read_data
from brinery.actions.history import holder
from brinery.actions.kept_appraisals import newest
from brinery.actions.progress import Clock, result_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.stored_data import stored_data
from brinery.actions.timing import timed
from brinery.errors import BrineryError, DataUnreadable, TargetMissing
from brinery.evaluate import compatibility, row_hashes, spending
from brinery.evaluate.duel import Duel, Side
from brinery.evaluate.gate import (
    Facts,
    Found,
    judge,
    needs_latency,
    needs_rows,
    schema_found,
)
from brinery.evaluate.latency import Latency
from brinery.records.decision import Decision, DecisionData, Outcome, gate_called
from brinery.records.event import Event, Step
from brinery.records.scan import Verdict
from brinery.records.version import Alias, Candidate, Version
from brinery.registry.interface import askable, resolve
from brinery.specs import gates
from brinery.specs.gates import Gate, Requirement
from brinery.specs.reference import LATEST, Reference
from brinery.store import tables
from brinery.store.appraisals import Appraisals
from brinery.store.frames import Data, given

Steps = Generator[Event, None, Decision]

_ITSELF = "it is the champion itself"
_NO_CHAMPION = "there is no champion yet to hold it against"
_UNCHECKED = "another program registered it, and nothing of it was checked"


class GateOptions(TypedDict, total=False):
    """What `brinery.decide` takes beside the version; all optional.

    Attributes:
        gate: the name of a gate of brinery.toml, a TOML file, or `FILE:NAME`; the default gate when
            absent.
        data: a csv, Parquet or JSON lines file, or a data frame; what the version, or else the
            champion, was evaluated on when absent.
        target: the column with the truth; the one of the import when absent.
        sep: of a csv file; found in its first lines when absent.
        seed: of everything random; 0 when absent.
        workspace: its folder; the nearest upwards when absent.
    """

    gate: str | None
    data: Data | None
    target: str | None
    sep: str | None
    seed: int
    workspace: Folder | None


@dataclass(frozen=True, kw_only=True)
class GateAsked:
    """What is to be judged.

    Attributes:
        reference: which version, such as `bank@3`; the newest of a name alone.
        gate: the name of a gate of the settings, a TOML file, or `FILE:NAME`; the default gate
            when None.
        data: what to judge on; what the version, or else the champion, was evaluated on when None.
        target: the column with the truth; the one of the import when None.
        separator: of a csv file; found in its first lines when None.
        seed: of everything random.
    """

    reference: str
    gate: str | None = None
    data: Path | pd.DataFrame | None = None
    target: str | None = None
    separator: str | None = None
    seed: int = 0

    @classmethod
    def of(cls, reference: str, options: GateOptions) -> GateAsked:
        """Return what the arguments of `decide` ask for."""
        data = options.get("data")
        return cls(
            reference=reference,
            gate=options.get("gate"),
            data=None if data is None else given(data),
            target=options.get("target"),
            separator=options.get("sep"),
            seed=options.get("seed", 0),
        )


class Told(Struct, frozen=True, kw_only=True):
    """One thing that a gate asks for.

    Attributes:
        asks: in a line.
        explained: how that is told, in a few sentences.
    """

    asks: str
    explained: str


class GateExplained(Struct, frozen=True, kw_only=True):
    """A gate in words.

    Attributes:
        name: of the gate.
        built_in: whether nobody declared it.
        require: what must be known of a version.
        allow: changes of the schema that do not block.
        rules: what its figures must hold.
        looks: how often the same rows may be looked at.
    """

    name: str
    built_in: bool
    require: tuple[Told, ...]
    allow: tuple[str, ...]
    rules: tuple[Told, ...]
    looks: str = ""


@dataclass(frozen=True)
class _Contest:
    """Who is judged against whom.

    Attributes:
        version: that is judged.
        champion: None where there is none, and where the version is it.
        itself: whether the version is the champion.
    """

    version: Version
    champion: Version | None
    itself: bool

    @property
    def both(self) -> tuple[Version, ...]:
        """Return the version, and the champion where there is one."""
        return (self.version,) if self.champion is None else (self.version, self.champion)


@dataclass(frozen=True)
class _Measured:
    """What was measured on rows: each is the reason in words where it was not."""

    data: EvaluationData | None
    duel: Duel | str
    latency: Latency | str


def gate(name: str | None = None, *, workspace: Folder | None = None) -> GateExplained:
    """Return what a gate asks for, in words.

    Args:
        name: of a gate of brinery.toml, a TOML file, or `FILE:NAME`; the default gate when None.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such gate, or file.
        InvalidGate: the file declares none as it must.
    """
    return explained(gates.chosen(name, open_rooms(workspace).settings.gates))


def explained(found: Gate) -> GateExplained:
    """Return what a gate asks for, in words."""
    sure = found.confidence
    return GateExplained(
        name=found.name,
        built_in=found == gates.BUILT_IN,
        require=tuple(Told(asks=one.value, explained=one.explained) for one in found.require),
        allow=found.allow,
        rules=tuple(Told(asks=rule.title, explained=rule.explained) for rule in found.rule),
        looks=""
        if sure is None
        else f"The k-th look at the same rows may err with 6 / (pi k)^2 of the {1 - sure:.3g}: "
        + ", ".join(f"look {k} asks for {spending.level(sure, k):.4%}" for k in (1, 2, 5))
        + ", so that over all looks together the chance that one errs stays below it.",
    )


def decide(reference: str, **options: Unpack[GateOptions]) -> Decision:
    """Return what the gate says of a version, without promoting it; that is a look at the rows.

    Args:
        reference: which version, such as `bank@3`; the newest of a name alone.
        options: as `brinery gate check` has them.

    Raises:
        UserError: the subclass says what is wrong with the version, the gate or the data.
    """
    rooms = open_rooms(options.get("workspace"))
    return result_of(check_steps(rooms, GateAsked.of(reference, options)))


def check_steps(rooms: Rooms, asked: GateAsked) -> Steps:
    """Yield an event as each part is measured; return the decision, which is kept as a look.

    Raises:
        UserError: the subclass says what is wrong with the version, the gate or the data.
    """
    name = Reference.parse(asked.reference).name
    resolve(rooms.registry, Reference(name))
    while True:
        decision = yield from decide_steps(rooms, asked, earlier=rooms.decisions.of(name))
        with rooms.lock():
            # Somebody else may have looked at the same rows meanwhile.
            data, now = decision.data, rooms.decisions.of(name)
            look = decision.looks
            if data is not None and look:
                look = spending.look_at(data, decision.question, earlier=now)
            if look == decision.looks:
                rooms.keep(decision)
                return decision


def decide_steps(rooms: Rooms, asked: GateAsked, *, earlier: Sequence[Decision]) -> Steps:
    """Yield an event as each part is measured; return the decision, which nobody has kept yet.

    Args:
        rooms: of the workspace.
        asked: what is to be judged.
        earlier: every decision on this model that was kept, oldest first: they are looks.

    Raises:
        NotFound: there is no such version, gate or file.
        InvalidGate: the gate is not declared as it must be.
        DataError: the data that was named cannot be read, or has no target.
    """
    clock = Clock()
    chosen = gates.chosen(asked.gate, rooms.settings.gates)
    contest = _contest(rooms, asked)
    measured = yield from _measured(rooms, asked, contest, gate=chosen, clock=clock)
    data = None if measured.data is None else _fingerprint(measured.data)
    question = _question(contest, chosen, data=data, seed=asked.seed)
    champion = None if contest.champion is None else contest.champion.reference
    decision = judge(
        chosen,
        Facts(
            reference=contest.version.reference,
            champion=champion,
            created=datetime.now(UTC),
            data=data,
            duel=measured.duel,
            latency=measured.latency,
            requirements={
                each: _requirement(rooms, each, contest, gate=chosen) for each in chosen.require
            },
            look=1 if data is None else spending.look_at(data, question, earlier=earlier),
            question=question,
            alone=_ITSELF if contest.itself else _NO_CHAMPION,
        ),
    )
    yield clock.event(
        Step.GATE,
        f"{decision.reference} {decision.outcome} {gate_called(chosen.name)}"
        if decision.outcome is not Outcome.NOT_DECIDABLE
        else f"{decision.reference} is not decidable by {gate_called(chosen.name)}",
        warning=not decision.passes,
    )
    return decision


def _contest(rooms: Rooms, asked: GateAsked) -> _Contest:
    """Return who is judged against whom.

    Raises:
        NotFound: there is no such version.
    """
    reference = Reference.parse(asked.reference)
    if reference.version is None and reference.alias is None:
        reference = Reference(reference.name, alias=LATEST)
    version = resolve(rooms.registry, reference)
    champion = holder(rooms.registry.versions(version.name), Alias.CHAMPION)
    itself = champion is not None and champion.number == version.number
    return _Contest(version, None if itself else champion, itself)


def _measured(
    rooms: Rooms, asked: GateAsked, contest: _Contest, *, gate: Gate, clock: Clock
) -> Generator[Event, None, _Measured]:
    """Return what was measured on the rows that the gate asks about.

    Raises:
        DataError: the data that was named cannot be read, or has no target.
    """
    if not needs_rows(gate, champion=contest.champion is not None):
        return _Measured(None, "nothing was asked of any rows", "nothing was timed")
    for version in contest.both:
        try:
            askable(version)
        except BrineryError as error:
            return _Measured(None, error.message, error.message)
    data = _data(rooms, asked, contest)
    if isinstance(data, str):
        yield clock.event(Step.DATA, data, warning=True)
        return _Measured(None, data, data)
    yield clock.event(Step.DATA, data_line(data))
    with ExitStack() as stack:
        sides: list[Side] = []
        answering: list[Answering] = []
        for version in contest.both:
            try:
                one = stack.enter_context(Answering(rooms, version))
                scores = one.score(one.fit(data.inputs))
            except BrineryError as error:
                why = f"{version.reference}: {error.message}"
                yield clock.event(Step.COMPARE, why, warning=True)
                return _Measured(data, why, why)
            by = "library" if one.library_rows == len(scores) else "scorer"
            said = f"{version.reference}: {len(scores):,} rows answered by its {by}"
            yield clock.event(Step.COMPARE, said)
            sides.append(Side(name=version.reference, scores=scores, classes=_classes(version)))
            answering.append(one)
        duel = _duel(contest, data, sides, seed=asked.seed)
        latency: Latency | str = "no rule asks for it"
        if needs_latency(gate):
            latency = timed(answering, data.inputs)
            yield clock.event(Step.COMPARE, "single rows were timed in turns")
    return _Measured(data, duel, latency)


def _duel(
    contest: _Contest, data: EvaluationData, sides: Sequence[Side], *, seed: int
) -> Duel | str:
    kinds = [askable(version).description.type for version in contest.both]
    if len(set(kinds)) > 1:
        return f"it predicts {kinds[0]}, and the champion {kinds[1]}"
    return Duel(
        kinds[0],
        data.frame[str(data.fingerprint.target)].to_numpy(),
        candidate=sides[0],
        champion=sides[1] if len(sides) > 1 else None,
        inputs=tables.to_arrow(data.inputs),
        seed=seed,
    )


def _data(rooms: Rooms, asked: GateAsked, contest: _Contest) -> EvaluationData | str:
    """Return the rows to judge on; or why there are none.

    Raises:
        DataError: the data that was named cannot be read, or has no target.
    """
    targets = [
        version.candidate.data.target
        for version in contest.both
        if version.candidate is not None and version.candidate.data is not None
    ]
    target = asked.target or next((one for one in targets if one), None)
    if asked.data is not None:
        data = read_data(asked.data, target=target, separator=asked.separator)
        if target is None:
            raise TargetMissing(
                f"{contest.version.reference} was imported without a target, so that nobody knows "
                "what is right",
                hint=f"name the column with the truth: --target {data.frame.columns[-1]}",
            )
        return data
    if target is None:
        return "no version was imported with a target: name --data FILE and --target COLUMN"
    return stored_data(rooms, contest.both, target=target, separator=asked.separator)


def _fingerprint(data: EvaluationData) -> DecisionData:
    known = data.fingerprint
    try:
        content = row_hashes.digest(tables.to_arrow(data.frame))
    except DataUnreadable:
        content = ""
    return DecisionData(name=known.name, rows=known.rows, sha256=known.sha256, rows_sha256=content)


def _question(contest: _Contest, gate: Gate, *, data: DecisionData | None, seed: int) -> str:
    """Return the digest of what is asked: who against whom, which rules, on which rows."""
    asked = (
        *(version.reference for version in contest.both),
        *(rule.model_dump_json() for rule in gate.rule),
        "" if data is None else data.sha256,
        str(seed),
    )
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _requirement(rooms: Rooms, requirement: Requirement, contest: _Contest, *, gate: Gate) -> Found:
    """Return what is known of a requirement."""
    version = contest.version
    candidate = version.candidate
    if candidate is None:
        return Found(Outcome.NOT_DECIDABLE, _UNCHECKED)
    match requirement:
        case Requirement.PARITY:
            return _parity(version, candidate)
        case Requirement.NO_DANGEROUS_GLOBALS:
            return _scanned(candidate)
        case Requirement.REPORT:
            return _reported(rooms, version)
        case Requirement.SCHEMA_COMPATIBLE:
            return _compatible(contest, candidate, gate)


def _parity(version: Version, candidate: Candidate) -> Found:
    parity = version.parity
    if parity is not None:
        said = (
            f"answers as the file on {parity.rows:,} rows, largest difference "
            f"{parity.max_difference:g}"
        )
        return Found(Outcome.PASSES, said)
    if candidate.artifact.sha256 == candidate.origin.sha256:
        return Found(Outcome.PASSES, "the registered file is the same bytes")
    return Found(Outcome.NOT_DECIDABLE, "nobody compared it with the file")


def _scanned(candidate: Candidate) -> Found:
    match candidate.verdict:
        case Verdict.SAFE:
            return Found(Outcome.PASSES, "every name that the file asks for is known safe")
        case Verdict.NEEDS_TRUST:
            granted = candidate.trust.granted if candidate.trust else ()
            said = f"nothing dangerous; by a user's word: {', '.join(granted)}"
            return Found(Outcome.PASSES, said)
        case Verdict.DANGEROUS | Verdict.MALFORMED:
            return Found(Outcome.FAILS, f"the scan found the file {candidate.verdict}")


def _reported(rooms: Rooms, version: Version) -> Found:
    kept = Appraisals(rooms.workspace.evaluations)
    found = newest(rooms, version)
    if found is None or not kept.report(found, name=version.name, number=version.number).is_file():
        hint = f"brinery evaluate {version.reference} --data FILE writes it"
        return Found(Outcome.FAILS, f"there is no report of it: {hint}")
    return Found(Outcome.PASSES, f"written {found.created:%Y-%m-%d %H:%M} on {found.data.name}")


def _compatible(contest: _Contest, candidate: Candidate, gate: Gate) -> Found:
    if contest.champion is None:
        said = _ITSELF if contest.itself else "there is no champion yet that anybody calls"
        return Found(Outcome.PASSES, said)
    before = contest.champion.candidate
    if before is None:
        why = f"{contest.champion.reference}: {_UNCHECKED}"
        return Found(Outcome.NOT_DECIDABLE, why)
    return schema_found(compatibility.changes(before, candidate), gate)


def _classes(version: Version) -> tuple[str | int | float | bool, ...]:
    return () if version.candidate is None else version.candidate.description.classes
