"""Which trials do so badly that they are ended before their time.

Each value of the metric that a trial logs is one interval. A policy looks at a trial at each
multiple of its interval that is not before its delay, and compares it with what others had come to
by the same interval: a trial is never ended for being younger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from brinery.records.plan import Stopping


def due(stopping: Stopping, *, seen: int, logged: int) -> tuple[int, ...]:
    """Return the intervals at which a trial is looked at, of those that it has passed since.

    Args:
        stopping: the policy.
        seen: how many values it had logged when it was looked at last.
        logged: how many it has now.
    """
    if not stopping.kind:
        return ()
    every = max(1, stopping.interval)
    first = max(seen + 1, stopping.delay, 1)
    return tuple(range(-(-first // every) * every, logged + 1, every))


def verdict(
    stopping: Stopping,
    trial: str,
    *,
    goal: str,
    histories: Mapping[str, Sequence[float]],
    at: int,
) -> str:
    """Return why a trial is ended, one line; empty where it goes on.

    Args:
        stopping: the policy.
        trial: its name among the histories.
        goal: `minimize` or `maximize`.
        histories: name of each trial, whether it goes on or has ended, to what it logged in order.
        at: the interval at which it is looked at; it has logged as many values.
    """
    if not stopping.kind:
        return ""
    own = _best(histories[trial][:at], goal)
    if stopping.kind == "bandit":
        return _bandit(stopping, own, goal=goal, histories=histories, at=at)
    if stopping.kind == "median_stopping":
        return _median(own, goal=goal, histories=histories, at=at)
    return _truncation(stopping, trial, goal=goal, histories=histories, at=at)


def _bandit(
    stopping: Stopping,
    own: float,
    *,
    goal: str,
    histories: Mapping[str, Sequence[float]],
    at: int,
) -> str:
    bests = [_best(history[:at], goal) for history in histories.values()]
    leader = _best(bests, goal)
    bound = _slack(stopping, leader, goal)
    if not _worse(own, bound, goal):
        return ""
    return f"bandit: its best at interval {at}, {own:g}, is beyond {bound:g} (best: {leader:g})"


def _slack(stopping: Stopping, leader: float, goal: str) -> float:
    """Return the bound of a bandit: on the worse side of the leader, whatever the leader's sign."""
    down = goal == "maximize"
    if stopping.slack_amount is not None:
        return leader - stopping.slack_amount if down else leader + stopping.slack_amount
    factor = 1 + (stopping.slack_factor or 0.0)
    # Of a positive figure, less is the quotient; of a negative one, less is the product.
    return leader / factor if down == (leader > 0) else leader * factor


def _median(own: float, *, goal: str, histories: Mapping[str, Sequence[float]], at: int) -> str:
    averages = [fmean(known) for each in histories.values() if (known := _known(each[:at]))]
    if not averages:
        return ""
    middle = median(averages)
    if not _worse(own, middle, goal):
        return ""
    return (
        f"median stopping: its best at interval {at}, {own:g}, is worse than the median {middle:g}"
    )


def _truncation(
    stopping: Stopping,
    trial: str,
    *,
    goal: str,
    histories: Mapping[str, Sequence[float]],
    at: int,
) -> str:
    sign = 1 if goal == "maximize" else -1
    figures = {
        name: sign * _best(history[:at], goal)
        for name, history in histories.items()
        if len(history) >= at
    }
    order = tuple(figures)
    cut = len(figures) * stopping.percentage // 100
    # What is not a number is worst of all; of equals, the later one is.
    worst = sorted(
        figures,
        key=lambda name: (not math.isnan(figures[name]), figures[name], -order.index(name)),
    )
    if trial not in worst[:cut]:
        return ""
    return (
        f"truncation selection: at interval {at} it is among the worst {stopping.percentage} % "
        f"of {len(figures)} trials"
    )


def _known(values: Sequence[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def _best(values: Sequence[float], goal: str) -> float:
    """Return the best of some figures; not a number where there is none."""
    known = _known(values)
    if not known:
        return math.nan
    return max(known) if goal == "maximize" else min(known)


def _worse(own: float, bound: float, goal: str) -> bool:
    if math.isnan(bound):
        return False
    return math.isnan(own) or (own < bound if goal == "maximize" else own > bound)
