"""Whether two figures on the same rows differ: an interval of the difference, and p-values.

Three ways, by what is known of the figure: from the moves of each row (`by_moves`), from the
rows that only one of two got right (`mcnemar`), and from draws (`by_draws`). A difference is always
`other - base`; which direction is better, others know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import binom, norm

from brinery.evaluate.moves import Moved
from brinery.records.estimate import Estimate, Interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SAME_ANSWERS = "both give the same figure whichever rows are drawn"
_ONE_ROW = "one row does not tell how far chance moves a difference"


class Tested(NamedTuple):
    """A difference, and what chance has to do with it.

    Attributes:
        difference: with its interval, or the reason why it has none.
        p_value: two-sided, 0 to 1; None where it cannot be told.
        p_above: how often chance alone makes such a difference or a higher one.
        p_below: how often chance alone makes such a difference or a lower one.
        test: what it is called.
    """

    difference: Estimate
    p_value: float | None = None
    p_above: float | None = None
    p_below: float | None = None
    test: str = ""


def by_moves(
    base: Moved, other: Moved, *, weights: Floats, level: float = 0.95, test: str = ""
) -> Tested:
    """Return the difference of two figures, by how each row moves them.

    Args:
        base: one figure and its slopes.
        other: the other one, over the same rows.
        weights: (n_rows,) above 0.
        level: of the interval.
        test: what it is called; `paired infinitesimal jackknife` when empty.

    Source: Davison & Hinkley 1997, section 2.7.2; for two areas under a ROC curve, DeLong et al.
        1988.
    """
    rows = weights.size
    difference = other.value - base.value
    if rows < 2:  # noqa: PLR2004 - a variance needs two
        return Tested(Estimate(value=difference, reason=_ONE_ROW))
    moves = weights * (other.slope - base.slope)
    deviation = float(np.sqrt(moves @ moves * rows / (rows - 1)))
    return by_deviation(
        difference, deviation, level=level, test=test or "paired infinitesimal jackknife"
    )


def by_deviation(
    difference: float, deviation: float, *, level: float = 0.95, test: str = ""
) -> Tested:
    """Return a difference that is normal around the true one.

    Args:
        difference: as measured.
        deviation: its standard deviation.
        level: of the interval.
        test: what it is called.
    """
    # What is left of a difference that is none, in floating-point numbers.
    if deviation <= 1e-12 * max(1.0, abs(difference)):
        return _certain(difference, test)
    z = difference / deviation
    half = norm.isf((1 - level) / 2) * deviation
    interval = _interval(difference - half, difference + half, level=level, method=test)
    return Tested(
        Estimate(value=difference, interval=interval),
        p_value=float(2 * norm.sf(abs(z))),
        p_above=float(norm.sf(z)),
        p_below=float(norm.cdf(z)),
        test=test,
    )


def mcnemar(base: Bools, other: Bools, *, level: float = 0.95) -> Tested:
    """Return the difference of two shares of rows that are right, which all count the same.

    The p-values are exact under the binomial of the rows that only one has right, and half of the
    observed outcome's own probability is left out of them (mid-p), so that they are not too large.
    The interval is Tango's, of the score test.

    Args:
        base: (n_rows,) which rows one has right.
        other: (n_rows,) which rows the other has right.
        level: of the interval.

    Source: McNemar 1947; Lancaster 1961 and Fagerland et al. 2013 for mid-p; Tango 1998.
    """
    rows = base.size
    lost = int(np.count_nonzero(base & ~other))
    won = int(np.count_nonzero(other & ~base))
    low, high = tango(won, lost, rows=rows, level=level)
    interval = _interval(low, high, level=level, method="Tango")
    own = binom.pmf(won, won + lost, 0.5) / 2
    above = float(min(1.0, binom.sf(won, won + lost, 0.5) + own))
    below = float(min(1.0, binom.sf(lost, won + lost, 0.5) + own))
    return Tested(
        Estimate(value=(won - lost) / rows, interval=interval),
        p_value=min(1.0, 2 * min(above, below)),
        p_above=above,
        p_below=below,
        test="McNemar, mid-p",
    )


def tango(won: int, lost: int, *, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the difference of two shares of the same rows, -1 to 1.

    Args:
        won: rows that only the second has.
        lost: rows that only the first has.
        rows: all.
        level: of the interval.

    Source: Tango 1998.
    """
    z = float(norm.isf((1 - level) / 2))
    value = (won - lost) / rows

    def score(true: float) -> float:
        # The likeliest share of the lost, were the true difference this one.
        slope = -won - lost + (2 * rows - won + lost) * true
        root = np.sqrt(max(0.0, slope**2 + 8 * rows * lost * true * (1 - true)))
        share = (root - slope) / (4 * rows)
        spread = rows * (2 * share + true * (1 - true))
        gap = won - lost - rows * true
        if spread <= 0:
            return np.copysign(np.inf, gap) if gap else 0.0
        return float(gap / np.sqrt(spread))

    edge = 1e-12
    return (
        _root(lambda true: score(true) - z, -1 + edge, value, at_edge=-1.0),
        _root(lambda true: score(true) + z, value, 1 - edge, at_edge=1.0),
    )


def by_draws(
    difference: float, draws: Floats, *, level: float = 0.95, test: str = "paired bootstrap"
) -> Tested:
    """Return a difference whose spread is that of draws of it.

    The p-values invert the interval, and are never below one in the number of draws.

    Args:
        difference: as measured.
        draws: (n_draws,) of the difference, around the one that was measured.
        level: of the interval.
        test: what it is called.

    Source: Efron & Tibshirani 1993, chapters 13 and 16; Davison & Hinkley 1997, section 4.4.
    """
    if draws.size == 0 or np.ptp(draws) == 0:
        return _certain(difference, test)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, (tail, 1 - tail))
    above = float((1 + np.count_nonzero(draws <= 0)) / (1 + draws.size))
    below = float((1 + np.count_nonzero(draws >= 0)) / (1 + draws.size))
    return Tested(
        Estimate(
            value=difference,
            interval=_interval(low, high, level=level, method=f"{draws.size:,} paired draws"),
        ),
        p_value=min(1.0, 2 * min(above, below)),
        p_above=min(1.0, above),
        p_below=min(1.0, below),
        test=test,
    )


def _certain(difference: float, test: str) -> Tested:
    """Return a difference that no draw of rows would change."""
    if abs(difference) > 1e-12:  # noqa: PLR2004 - the rounding of a sum
        reason = "every row is moved alike, so that chance does not tell"
        return Tested(Estimate(value=difference, reason=reason))
    return Tested(Estimate(value=difference, reason=SAME_ANSWERS), 1.0, 1.0, 1.0, test)


def _interval(low: float, high: float, *, level: float, method: str) -> Interval:
    return Interval(low=float(low), high=float(high), level=level, method=method)


def _root(function: Callable[[float], float], low: float, high: float, *, at_edge: float) -> float:
    """Return where a falling function crosses 0; the edge where it does not."""
    if low >= high or function(low) < 0 or function(high) > 0:
        return at_edge
    return float(brentq(function, low, high, xtol=1e-12))
