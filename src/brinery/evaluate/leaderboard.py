"""Versions and runs in the order of a metric; which of them cannot be told from the first.

Two ways: of figures that are known with their intervals (`ranked`), where the difference is tested
as if the rows were not the same, and of versions on the same rows (`paired_ranks`), where it is
tested row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from scipy.stats import norm

from brinery.evaluate.contender import HIGHER_IS_BETTER
from brinery.evaluate.paired import Tested
from brinery.records.estimate import Estimate, Interval
from brinery.records.leaderboard import Leaderboard, Standing

OTHER_DATA: Final = "it was evaluated on other data than the first"
_NO_INTERVAL: Final = "how sure its figure is, or that of the first, is not known"


class Known(NamedTuple):
    """A version or a run whose figures are known.

    Attributes:
        standing: what is told of it; its rank is not looked at.
        intervals: name of a figure to its interval, as far as there is one.
        fingerprint: of the data; empty where that is not known.
    """

    standing: Standing
    intervals: Mapping[str, Interval]
    fingerprint: str = ""


def higher_is_better(metric: str) -> bool:
    """Return whether a higher value of a metric is the better one: so unless it is an error."""
    return HIGHER_IS_BETTER.get(metric, True)


def ranked(known: Sequence[Known], metric: str, *, level: float = 0.95) -> Leaderboard:
    """Return versions and runs in the order of one of their figures.

    Which cannot be told from the first is tested on the intervals: as if they were of different
    rows, so that two on the same rows may differ more surely than it says.

    Args:
        known: in any order.
        metric: that they are ranked by.
        level: at which they are told apart.
    """
    there = [each for each in known if metric in each.standing.metrics]
    absent = {each.standing.name: f"it has no {metric}" for each in known if each not in there}
    values = {each.standing.name: each.standing.metrics[metric] for each in there}
    order = sorted(there, key=lambda each: _key(values[each.standing.name], metric))
    standings: list[Standing] = []
    for each in order:
        one = _beside(each, order[0], metric=metric, level=level)
        standings.append(msgspec.structs.replace(one, rank=_rank(one, standings)))
    return Leaderboard(
        metric=metric,
        higher_is_better=higher_is_better(metric),
        standings=tuple(standings),
        not_ranked=absent,
    )


def paired_ranks(
    values: Mapping[str, Estimate | str],
    metric: str,
    *,
    tested: Callable[[str, str], Tested | str],
    level: float = 0.95,
) -> Leaderboard:
    """Return versions on the same rows in the order of one of their figures.

    Args:
        values: name of a version to its figure, or why it has none.
        metric: that they are ranked by.
        tested: gives the difference of two versions, by their names; or why there is none.
        level: at which they are told apart.
    """
    found = {name: each for name, each in values.items() if not isinstance(each, str)}
    order = sorted(found, key=lambda name: _key(found[name].value, metric))
    standings: list[Standing] = []
    for name in order:
        one = Standing(rank=0, name=name, value=found[name], alike=True, p_value=1.0)
        if standings:
            test = tested(order[0], name)
            reason = test if isinstance(test, str) else test.difference.reason
            p_value = None if isinstance(test, str) else test.p_value
            alike = None if p_value is None else p_value >= 1 - level
            one = msgspec.structs.replace(
                one, alike=alike, p_value=p_value, reason=reason if alike is None else ""
            )
        standings.append(msgspec.structs.replace(one, rank=_rank(one, standings)))
    return Leaderboard(
        metric=metric,
        higher_is_better=higher_is_better(metric),
        standings=tuple(standings),
        not_ranked={name: each for name, each in values.items() if isinstance(each, str)},
        paired=True,
    )


def _key(value: float, metric: str) -> float:
    return -value if higher_is_better(metric) else value


def _rank(one: Standing, before: Sequence[Standing]) -> int:
    """Return the rank of what comes next: that of the one before where the values are equal."""
    if before and before[-1].value.value == one.value.value:
        return before[-1].rank
    return len(before) + 1


def _beside(each: Known, first: Known, *, metric: str, level: float) -> Standing:
    """Return where one stands beside the first."""
    value, interval = each.standing.metrics[metric], each.intervals.get(metric)
    of_first = first.intervals.get(metric)
    estimate = Estimate(
        value=value, interval=interval, reason="" if interval else "none was recorded"
    )
    one = msgspec.structs.replace(each.standing, value=estimate)
    if each is first:
        return msgspec.structs.replace(one, alike=True, p_value=1.0, reason="")
    if each.fingerprint != first.fingerprint or not each.fingerprint:
        return msgspec.structs.replace(one, alike=None, p_value=None, reason=OTHER_DATA)
    if interval is None or of_first is None:
        return msgspec.structs.replace(one, alike=None, p_value=None, reason=_NO_INTERVAL)
    gap = abs(value - first.standing.metrics[metric])
    deviation = math.hypot(_deviation(interval), _deviation(of_first))
    p_value = float(2 * norm.sf(gap / deviation)) if deviation else float(gap == 0)
    return msgspec.structs.replace(one, alike=p_value >= 1 - level, p_value=p_value, reason="")


def _deviation(interval: Interval) -> float:
    """Return the standard deviation that an interval's width means."""
    return float((interval.high - interval.low) / 2 / norm.isf((1 - interval.level) / 2))
