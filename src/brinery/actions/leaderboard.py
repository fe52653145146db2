"""Leaderboard: a model's versions and runs in the order of a metric, as far as they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from brinery.actions.rooms import Folder, open_rooms
from brinery.errors import MetricUnknown
from brinery.evaluate.comparison import HEADLINES
from brinery.evaluate.leaderboard import Known, ranked
from brinery.records.estimate import Estimate
from brinery.records.leaderboard import Leaderboard, Standing
from brinery.records.run import Run
from brinery.records.version import Version
from brinery.registry.interface import Registry, resolve
from brinery.specs.names import nearest
from brinery.specs.reference import Reference

_LISTED: Final = 20
_NOTHING: Final = Estimate(value=0.0)
_FALLBACK: Final = "accuracy"


def leaderboard(
    name: str, *, metric: str | None = None, workspace: Folder | None = None
) -> Leaderboard:
    """Return the versions and runs of a model in the order of a metric.

    Versions have the figures of their import; runs those that your own programs logged in the
    experiment of the model's name. Who cannot be told from the first is tested where both were
    evaluated on the same data; `brinery compare` asks them the same rows, and is more certain.

    Args:
        name: of the model.
        metric: that they are ranked by; the headline of what the newest version predicts when None.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such model.
        MetricUnknown: no version and no run has that metric.
    """
    return ranked_of(open_rooms(workspace).registry, name, metric=metric)


def ranked_of(registry: Registry, name: str, *, metric: str | None) -> Leaderboard:
    """Return the versions and runs of a model in the order of a metric.

    Raises:
        NotFound: there is no such model.
        MetricUnknown: no version and no run has that metric.
    """
    resolve(registry, Reference(name))
    versions = registry.versions(name)
    known = [_version(each) for each in versions]
    known += [_run(each) for each in registry.runs(name)]
    names = list(dict.fromkeys(each for one in known for each in one.standing.metrics))
    chosen = metric or _headline(versions, names)
    if chosen not in names:
        raise _unknown(name, chosen, names)
    return ranked(known, chosen)


def _headline(versions: Sequence[Version], names: Sequence[str]) -> str:
    """Return the headline of what the newest version predicts, where anything has it."""
    for version in versions:
        if version.candidate is not None:
            headline = HEADLINES.get(version.candidate.description.type, _FALLBACK)
            if headline in names:
                return headline
    return _FALLBACK if _FALLBACK in names or not names else names[0]


def _version(version: Version) -> Known:
    candidate = version.candidate
    evaluation = None if candidate is None else candidate.evaluation
    data = None if candidate is None else candidate.data
    standing = Standing(
        rank=0,
        name=version.reference,
        value=_NOTHING,
        metrics={} if evaluation is None else evaluation.metrics,
        aliases=version.aliases,
        data="" if data is None else data.name,
        rows=0 if data is None else data.rows,
    )
    intervals = {} if evaluation is None else evaluation.intervals
    return Known(standing, intervals, "" if data is None else data.sha256)


def _run(run: Run) -> Known:
    standing = Standing(
        rank=0,
        name=f"{run.name} ({run.id[:8]})" if run.name else run.id,
        value=_NOTHING,
        metrics=run.metrics,
        source="run",
        data=run.data,
    )
    return Known(standing, {})


def _unknown(name: str, metric: str, names: Sequence[str]) -> MetricUnknown:
    if not names:
        return MetricUnknown(
            f"no version and no run of {name} has a figure",
            hint=f"brinery evaluate {name} --data FILE --target COLUMN",
        )
    near = nearest(metric, names)
    return MetricUnknown(
        f"no version and no run of {name} has the metric '{metric}'",
        hint=f"did you mean --metric {near}?"
        if near
        else f"they have {', '.join(names[:_LISTED])}",
    )
