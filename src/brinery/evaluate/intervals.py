"""How far chance may have moved a figure: intervals from variances, shares and ranks.

Each is a closed form, on the scale on which the figure is most nearly normal. Where the rows
do not tell, the reason stands in its place. The module knows no figure by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from statistics import NormalDist
from typing import Final

from brinery.evaluate.ranking import Floats
from brinery.records.estimate import Estimate, Interval

Bounds = Interval | str

FEW: Final = "too few rows to tell how much they differ"
SAME: Final = "the rows do not differ, so they do not tell how far chance moved it"


class Scale(Enum):
    """Where a figure is most nearly normal: as it is, or through a function that unbinds it."""

    PLAIN = "plain"
    LOG = "log"
    LOGIT = "logit"
    FISHER = "fisher"


def normal(level: float) -> float:
    """Return how many standard deviations each side of an interval of this level has."""
    return NormalDist().inv_cdf((1 + level) / 2)


def student(level: float, *, freedom: float) -> float:
    """Return the same for Student's t.

    Args:
        level: 0 to 1.
        freedom: degrees of freedom, above 0.

    Source: Abramowitz & Stegun 1964, 26.7.5, an expansion in 1 / freedom: right to 0.2 %
        from 5 on.
    """
    z = normal(level)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def estimate(value: float, bounds: Bounds) -> Estimate:
    """Return a figure with its interval, or with the reason why it has none."""
    if isinstance(bounds, str):
        return Estimate(value=float(value), reason=bounds)
    return Estimate(value=float(value), interval=bounds)


def around(
    value: float,
    variance: float,
    *,
    scale: Scale = Scale.PLAIN,
    level: float,
    method: str = "delta",
    freedom: float = math.inf,
) -> Bounds:
    """Return the interval of a figure whose variance is known, made on a scale and taken back.

    Args:
        value: within the scale's range.
        variance: of the value; NaN where it is unknown.
        scale: `LOG` for figures above 0, `LOGIT` for shares, `FISHER` for correlations.
        level: 0 to 1.
        method: how the variance was found.
        freedom: degrees of freedom of the variance; infinite for a normal interval.

    Source: the delta method, Doob 1935; for Fisher's scale, Fisher 1921.
    """
    if not math.isfinite(variance):
        return FEW
    wide = student(level, freedom=freedom) if freedom < math.inf else normal(level)
    deviation = wide * math.sqrt(max(variance, 0.0))
    if deviation <= abs(value) * 1e-12:
        return SAME
    match scale:
        case Scale.PLAIN:
            low, high = value - deviation, value + deviation
        case Scale.LOG:
            factor = _exp(deviation / value) if value > 0 else math.inf
            low, high = value / factor, value * factor
        case Scale.LOGIT:
            if not 0 < value < 1:
                return SAME
            factor = _exp(deviation / (value * (1 - value)))
            low, high = (
                value / (value + (1 - value) * factor),
                1 - (1 - value) / (1 - value + value * factor),
            )
        case Scale.FISHER:
            if not -1 < value < 1:
                return SAME
            away = deviation / (1 - value**2)
            low, high = math.tanh(math.atanh(value) - away), math.tanh(math.atanh(value) + away)
    if not (math.isfinite(low) and math.isfinite(high)):
        return FEW
    return Interval(low=float(low), high=float(high), level=level, method=method)


def wilson(share: float, total: float, *, level: float) -> Interval:
    """Return the interval of a share of rows.

    Args:
        share: 0 to 1.
        total: how many rows it is a share of, above 0; with weights, the effective number.
        level: 0 to 1.

    Source: Wilson 1927; the effective number is Kish's, 1965.
    """
    z2 = normal(level) ** 2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = math.sqrt(max(share * (1 - share) / total + z2 / (4 * total**2), 0.0) * z2)
    spread /= 1 + z2 / total
    low = 0.0 if share <= 0 else max(middle - spread, 0.0)
    high = 1.0 if share >= 1 else min(middle + spread, 1.0)
    return Interval(low=float(low), high=float(high), level=level, method="Wilson")


def mean_of(shares: Sequence[float], intervals: Sequence[Interval]) -> Interval:
    """Return the interval of the mean of independent shares from the interval of each.

    Args:
        shares: (k,) at least one.
        intervals: (k,) of one level.

    Source: Zou & Donner 2008 (MOVER), which keeps the asymmetry of the parts.
    """
    middle = math.fsum(shares) / len(shares)
    pairs = list(zip(shares, intervals, strict=True))
    below = math.sqrt(math.fsum((share - each.low) ** 2 for share, each in pairs))
    above = math.sqrt(math.fsum((each.high - share) ** 2 for share, each in pairs))
    return Interval(
        low=middle - below / len(pairs),
        high=middle + above / len(pairs),
        level=intervals[0].level,
        method="Wilson, MOVER",
    )


def mean(
    values: Floats,
    *,
    weights: Floats | None,
    level: float,
    scale: Scale = Scale.PLAIN,
) -> Estimate:
    """Return the mean of values of rows, with its interval.

    Args:
        values: (n_rows,) at least one.
        weights: (n_rows,) above 0; None where each row counts once.
        level: 0 to 1.
        scale: `LOG` where values are above 0.

    Source: Student 1908; weighted, the linearised variance of a ratio, Cochran 1977.
    """
    if weights is None:
        middle = float(values.mean())
        variance = _spread(values, middle) / max(values.size - 1, 1)
        rows: float = values.size
    else:
        total = weights.sum()
        middle = float(values @ weights / total)
        rows = float(total**2 / (weights @ weights))
        moved = (values - middle) * weights
        variance = float(moved @ moved / total**2) * rows / max(rows - 1, 1e-9)
    if rows <= 1:
        return estimate(middle, FEW)
    bounds = around(
        middle,
        variance,
        scale=scale,
        level=level,
        method="Student's t",
        freedom=max(rows - 1, 1.0),
    )
    return estimate(middle, bounds)


def shifted(interval: Bounds, function: str) -> Bounds:
    """Return an interval under a function that rises: `sqrt`; or falls: `complement` (1 - x)."""
    if isinstance(interval, str):
        return interval
    low, high = interval.low, interval.high
    if function == "sqrt":
        low, high = math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0))
    else:
        low, high = 1 - high, 1 - low
    return Interval(low=low, high=high, level=interval.level, method=interval.method)


def _spread(values: Floats, middle: float) -> float:
    moved = values - middle
    return float(moved @ moved / values.size)


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < 700 else math.inf  # noqa: PLR2004 - the largest float
