"""Overview: a workspace at a glance. What lists show is read, whatever else there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import DangerousModel, NotTrusted
from brinery.evaluate.comparison import HEADLINES
from brinery.records.audit import AuditPage, AuditQuery
from brinery.records.overview import Concern, InProduction, Need, Overview
from brinery.records.traffic import Served
from brinery.records.version import Alias, Version
from brinery.registry.interface import Entry
from brinery.store.environments import Environments
from brinery.store.imports import Imports
from brinery.store.jobs import Jobs

_CARDS: Final = 12
_NEEDS: Final = 5
_NEWS: Final = 12
_RECENT: Final = timedelta(days=7)


def overview(*, workspace: Folder | None = None) -> Overview:
    """Return a workspace at a glance.

    Args:
        workspace: its folder; the nearest upwards when None.
    """
    return overview_in(open_rooms(workspace))


def overview_in(rooms: Rooms, *, served: Sequence[Served] = ()) -> Overview:
    """Return the workspace of these rooms at a glance.

    Args:
        rooms: of the workspace.
        served: what a server says of its models; none where none runs.
    """
    if not (rooms.workspace.exists or rooms.places.shared):
        return Overview()
    entries = rooms.registry.entries()
    champions = {one.name: one.number for one in entries if Alias.CHAMPION.value in one.aliases}
    production = _production(rooms, champions)
    return Overview(
        production=production,
        champions=len(champions),
        registered=len({one.name for one in entries}),
        needs=(
            *_unserved(served),
            *_gone(rooms, [one.version for one in production]),
            *_failed(rooms),
            *_refused(rooms, champions),
            *_stopped(rooms),
            *_unchecked(entries),
        ),
        news=rooms.audit.page(AuditQuery(most=_NEWS)).entries,
    )


def trail(rooms: Rooms, asked: AuditQuery) -> AuditPage:
    """Return some entries of the audit trail of all models."""
    if not (rooms.workspace.exists or rooms.places.shared):
        return AuditPage()
    return rooms.audit.page(asked)


def _production(rooms: Rooms, champions: dict[str, int]) -> tuple[InProduction, ...]:
    """Return some champions, those that moved last first."""
    moves = {
        entry.subject: entry
        for entry in rooms.audit.last_moves(Alias.CHAMPION.value, most=_CARDS)
        if entry.subject in champions
    }
    shown = list(dict.fromkeys([*moves, *sorted(champions)]))[:_CARDS]
    found = rooms.registry.some([(name, champions[name]) for name in shown])
    versions = sorted(found, key=lambda version: shown.index(version.name))
    decisions = rooms.decisions.latest(shown)
    return tuple(
        InProduction(
            version=version,
            metric=_metric(version),
            since=moves.get(version.name),
            decision=decisions.get(version.name),
        )
        for version in versions
    )


def _metric(version: Version) -> str:
    """Return the figure that a version is known by; empty where it has none."""
    evaluation = version.candidate.evaluation if version.candidate else None
    if evaluation is None:
        return ""
    chosen = HEADLINES.get(evaluation.type, "")
    return chosen if chosen in evaluation.metrics else next(iter(evaluation.metrics), "")


def _unserved(served: Sequence[Served]) -> Iterator[Need]:
    for one in [one for one in served if one.fault][:_NEEDS]:
        yield Need(
            concern=Concern.NOT_SERVED,
            subject=one.name,
            message=f"{one.name}@{one.version} is not served as it should be: {one.fault}",
            hint=f"brinery model show {one.name}",
        )


def _gone(rooms: Rooms, shown: Sequence[Version]) -> Iterator[Need]:
    environments = Environments(rooms.workspace.environments)
    for version in shown:
        if version.candidate and not environments.has(version.candidate.environment):
            yield Need(
                concern=Concern.ENVIRONMENT,
                subject=version.name,
                message=f"the environment of {version.reference} is gone from this machine; it is "
                "built again when the version is asked",
                hint=f"brinery predict {version.reference} FILE",
            )


def _failed(rooms: Rooms) -> Iterator[Need]:
    for turn in rooms.turns.failed()[:_NEEDS]:
        yield Need(
            concern=Concern.FAILED_TURN,
            subject=turn.loop,
            message=f"turn {turn.number} of the loop {turn.loop} failed: {turn.error}",
            hint=f"brinery loop history {turn.loop}",
            at=turn.ended or turn.started,
        )
    since = datetime.now(UTC) - _RECENT
    for job in Jobs(rooms.workspace.jobs).failed(since=since, most=_NEEDS):
        yield Need(
            concern=Concern.FAILED_JOB,
            subject=job.name,
            message=f"the job '{job.name}' failed" + (f": {job.error}" if job.error else ""),
            hint=f"brinery job resume {job.name}",
            at=job.ended or job.created,
        )


def _refused(rooms: Rooms, champions: dict[str, int]) -> Iterator[Need]:
    """Yield the versions that a gate refused last; one that is the champion by now is none."""
    for kept in rooms.decisions.refused(most=_NEEDS):
        decision = kept.decision
        if decision.reference == f"{decision.model}@{champions.get(decision.model)}":
            continue
        yield Need(
            concern=Concern.REFUSED,
            subject=decision.reference,
            message=f"{decision.reference} was not promoted: {decision.verdict}",
            hint=f"brinery history {decision.model}",
            at=decision.created,
        )


def _stopped(rooms: Rooms) -> Iterator[Need]:
    """Yield the imports that stopped because nobody vouched for what they ask for."""
    codes = {NotTrusted.code, DangerousModel.code}
    for one in Imports(rooms.workspace.imports).recent(_NEEDS):
        outcome = one.outcome
        if outcome is not None and outcome.code in codes:
            yield Need(
                concern=Concern.STOPPED_IMPORT,
                subject=one.asked.key,
                message=f"the import of {one.asked.called} waits for your word: {outcome.message}",
                at=outcome.at,
            )


def _unchecked(entries: Sequence[Entry]) -> Iterator[Need]:
    found = [one for one in entries if not one.imported]
    for one in sorted(found, key=lambda one: one.created, reverse=True)[:_NEEDS]:
        yield Need(
            concern=Concern.UNCHECKED,
            subject=one.reference,
            message=f"{one.reference} was registered by another program: nothing of it is checked, "
            "and it is not served",
            hint=f"brinery import models:/{one.name}/{one.number} --name {one.name} --data FILE",
            at=one.created,
        )
    if len(found) > _NEEDS:
        yield Need(
            concern=Concern.UNCHECKED,
            subject="",
            message=f"{len(found) - _NEEDS:,} more versions were registered by other programs and "
            "are not checked",
            hint="brinery model list",
        )
