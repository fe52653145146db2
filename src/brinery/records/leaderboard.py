"""Versions and runs in the order of a metric, and which of them cannot be told from the first."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Estimate


class Standing(Struct, frozen=True, kw_only=True):
    """A version or a run, and where it stands.

    Attributes:
        rank: from 1; equal values have the same rank.
        name: such as `bank@3`, or the id of a run.
        value: of the metric, with its interval where there is one.
        alike: whether it cannot be told from the first, at the level of the intervals; None where
            that is unknown. The first is like itself.
        p_value: two-sided, that it is as good as the first; None where that is unknown.
        reason: why that is unknown; empty where it is known.
        metrics: name to value of all its figures.
        aliases: of a version, such as `champion`.
        source: `version` or `run`.
        data: name of what it was evaluated on; empty where that is not known.
        rows: of that data; 0 where that is not known.
    """

    rank: int
    name: str
    value: Estimate
    alike: Optional[bool] = None
    p_value: Optional[float] = None
    reason: str = ""
    metrics: dict[str, float] = {}
    aliases: tuple[str, ...] = ()
    source: str = "version"
    data: str = ""
    rows: int = 0


class Leaderboard(Struct, frozen=True, kw_only=True):
    """Versions and runs, the best first.

    Attributes:
        metric: that they are ranked by.
        higher_is_better: whether a higher value is the better one.
        standings: the best first; of equal values, in the order they were given.
        not_ranked: name to the reason why it has no rank.
        paired: whether all were scored on the same rows, so that differences are of pairs.
    """

    metric: str
    higher_is_better: bool
    standings: tuple[Standing, ...] = ()
    not_ranked: dict[str, str] = {}
    paired: bool = False
