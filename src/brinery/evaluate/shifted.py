"""Whether a figure, or the difference of two on the same rows, is above a bound: one-sided tests.

The hypothesis that is to be refuted is that the true value is the bound; the p-value says how often
chance alone would then show as much as was measured. The same machinery answers "better", "better
by so much" (a bound above 0) and "not much worse" (a bound below 0). Shares of rows are tested by
score or exactly, everything else by how each row moves it, with Student's t for few rows. The
module must not know metrics, versions or levels of a gate.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, binom, norm
from scipy.stats import t as student

from brinery.evaluate import delong, margins, paired
from brinery.evaluate.moves import Moved
from brinery.records.estimate import Estimate, Interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

_TANGO: Final = "Tango"
_EXACT: Final = "exact binomial"
_STUDENT: Final = "paired jackknife, Student's t"
_ROUNDING: Final = 1e-12
_NO_VARIANCE: Final = 1e-14
# How far a weight is moved to see how a figure moves, as a share of all weights.
_NUDGE: Final = 1e-6


class Shifted(NamedTuple):
    """A value that was tested against a bound.

    Attributes:
        estimate: with an interval whose end is the one-sided bound at the level that was asked for.
        p_value: that the true value is above the bound by chance, 0 to 1; None where it cannot be
            told.
        test: what it is called.
    """

    estimate: Estimate
    p_value: float | None = None
    test: str = ""


def shares(base: Bools, other: Bools, *, above: float, level: float) -> Shifted:
    """Return whether the difference of two shares of the same rows is above a bound.

    Args:
        base: (n_rows,) which rows one has right.
        other: (n_rows,) which rows the other has right.
        above: the bound of `other - base`.
        level: one-sided, of the interval's ends.

    Source: Tango 1998; McNemar 1947 with the mid-p of Lancaster 1961 where the bound is 0.
    """
    found = paired.mcnemar(base, other, level=_two_sided(level))
    if not above:
        return Shifted(found.difference, found.p_above, found.test)
    won = int(np.count_nonzero(other & ~base))
    lost = int(np.count_nonzero(base & ~other))
    z = _tango_score(won, lost, rows=base.size, true=above)
    return Shifted(found.difference, float(norm.sf(z)), _TANGO)


def share(right: Bools, *, above: float, level: float) -> Shifted:
    """Return whether a share of rows is above a bound.

    Args:
        right: (n_rows,) which rows count.
        above: the bound.
        level: one-sided, of the interval's ends.

    Source: Clopper & Pearson 1934.
    """
    rows, count = right.size, int(np.count_nonzero(right))
    low = float(beta.ppf(1 - level, count, rows - count + 1)) if count else 0.0
    high = float(beta.ppf(level, count + 1, rows - count)) if count < rows else 1.0
    interval = Interval(low=low, high=high, level=_two_sided(level), method=_EXACT)
    p_value = float(binom.sf(count - 1, rows, min(max(above, 0.0), 1.0)))
    return Shifted(Estimate(value=count / rows, interval=interval), p_value, _EXACT)


def areas(positive: Bools, *, base: Floats, other: Floats, above: float, level: float) -> Shifted:
    """Return whether the difference of two areas under the ROC curve is above a bound.

    Args:
        positive: (n_rows,) both kinds are there.
        base: (n_rows,) scores of one.
        other: (n_rows,) scores of the other.
        above: the bound of `other - base`.
        level: one-sided, of the interval's ends.

    Source: DeLong et al. 1988.
    """
    found = delong.areas(positive, [base, other])
    parts = np.array([-1.0, 1.0])
    difference = float(parts @ found.values)
    variance = float(parts @ found.covariance @ parts)
    few = int(min(np.count_nonzero(positive), np.count_nonzero(~positive)))
    if not np.isfinite(variance):
        reason = "a class has a single row, which does not tell how far chance moves it"
        return Shifted(Estimate(value=difference, reason=reason))
    none = variance <= _NO_VARIANCE * np.trace(found.covariance)
    deviation = 0.0 if none else float(np.sqrt(variance))
    return normal(difference, deviation, rows=few, above=above, level=level, test="DeLong")


def moved(
    base: Moved | None, other: Moved, *, above: float, level: float, rows: int | None = None
) -> Shifted:
    """Return whether a figure, or the difference of two, is above a bound, by how rows move it.

    Args:
        base: the figure that is taken off; None where the other is tested by itself.
        other: the figure; slopes by (n_rows,) of weight 1 each.
        above: the bound.
        level: one-sided, of the interval's ends.
        rows: how many tell how far chance moves it; those that move it when None.

    Source: Davison & Hinkley 1997, section 2.7.2.
    """
    slope = other.slope if base is None else other.slope - base.slope
    value = other.value - (0.0 if base is None else base.value)
    count = slope.size
    telling = (other.slope != 0) if base is None else (other.slope != 0) | (base.slope != 0)
    few = int(np.count_nonzero(telling)) if rows is None else rows
    deviation = float(np.sqrt(slope @ slope * count / max(count - 1, 1)))
    return normal(value, deviation, rows=few, above=above, level=level, test=_STUDENT)


def normal(
    value: float, deviation: float, *, rows: int, above: float, level: float, test: str
) -> Shifted:
    """Return whether a value that is normal around the true one is above a bound.

    Args:
        value: as measured.
        deviation: its standard deviation, estimated.
        rows: that it was estimated from; a single one does not tell.
        above: the bound.
        level: one-sided, of the interval's ends.
        test: what it is called.
    """
    if deviation <= _ROUNDING * max(1.0, abs(value)):
        return _alike(value, rows=rows, above=above, test=test)
    if rows < 2:  # noqa: PLR2004 - a variance needs two
        reason = "one row does not tell how far chance moves it"
        return Shifted(Estimate(value=value, reason=reason))
    half = float(student.isf(1 - level, rows - 1)) * deviation
    interval = Interval(low=value - half, high=value + half, level=_two_sided(level), method=test)
    p_value = float(student.sf((value - above) / deviation, rows - 1))
    return Shifted(Estimate(value=value, interval=interval), p_value, test)


def by_labels(actual: Codes, predicted: Codes, *, n_classes: int, figure: margins.Figure) -> Moved:
    """Return a figure of labels with how each row moves it: each kind of row is nudged.

    Args:
        actual: (n_rows,) codes.
        predicted: (n_rows,) codes.
        n_classes: how many there are, present or not.
        figure: of the counts of each class.
    """
    kinds, place = np.unique(actual * n_classes + predicted, return_inverse=True)
    told, said = kinds // n_classes, kinds % n_classes
    one = np.eye(n_classes)
    nudge = _NUDGE * actual.size
    counts = margins.tally(actual, predicted, weights=np.ones(actual.size), n_classes=n_classes)
    by_kind = (one[told] * (told == said)[:, np.newaxis], one[told], one[said])
    up, down = (
        figure(
            margins.Margins(
                *(each + sign * nudge * own for each, own in zip(counts, by_kind, strict=True))
            )
        )
        for sign in (1, -1)
    )
    slope = ((up - down) / (2 * nudge))[place]
    return Moved(float(figure(counts)), slope - slope.mean())


def _alike(value: float, *, rows: int, above: float, test: str) -> Shifted:
    """Return whether a value is above a bound that no draw of the rows would change.

    Where it is, every row speaks for it: were that as likely as not, all of them would by chance
    once in two to the power of their number.
    """
    if abs(value - above) <= _ROUNDING or value < above:
        reason = paired.SAME_ANSWERS if abs(value) <= _ROUNDING else "every row moves it alike"
        return Shifted(Estimate(value=value, reason=reason), 1.0, test)
    if abs(value) <= _ROUNDING:
        return Shifted(Estimate(value=value, reason=paired.SAME_ANSWERS), 0.0, test)
    reason = "every row moves it alike"
    return Shifted(Estimate(value=value, reason=reason), 0.5**rows, "sign test")


def _tango_score(won: int, lost: int, *, rows: int, true: float) -> float:
    """Return how many deviations a difference of shares is above a true one.

    Source: Tango 1998.
    """
    slope = -won - lost + (2 * rows - won + lost) * true
    root = np.sqrt(max(0.0, slope**2 + 8 * rows * lost * true * (1 - true)))
    lost_share = (root - slope) / (4 * rows)
    spread = rows * (2 * lost_share + true * (1 - true))
    gap = won - lost - rows * true
    if spread <= 0:
        return float(np.copysign(np.inf, gap)) if gap else 0.0
    return float(gap / np.sqrt(spread))


def _two_sided(level: float) -> float:
    """Return the level of the interval whose ends are one-sided bounds of a level."""
    return 2 * level - 1
