"""Figures that are a ratio of two sums over rows, in each group of rows.

Everything is a sum over the rows of a group, so that a column costs one pass, however many groups
it has. The difference from the whole is that from the rest, times the share of the rest, for the
whole is made of the two; so it is tested as that from the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from brinery.evaluate import chance
from brinery.evaluate.group_figures import Asked, GroupFigure, span, tested, too_few
from brinery.evaluate.intervals import FEW, Bounds, Scale, around, estimate, shifted, wilson
from brinery.evaluate.rowwise import Ratio
from brinery.records.estimate import Estimate, Interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

_NO_ROWS = "no row counts for this metric"


class _Sums(NamedTuple):
    """The sums of each group, or of what each leaves; all (n_groups,) but `middle`.

    Attributes:
        middle: the ratio of all rows; the tops are less that times the bottoms, so that nothing
            is lost where the rows differ little.
        rows: how many count.
        top: weighted sum.
        bottom: weighted sum.
        squares: sums of the squares of the weighted tops, of tops times bottoms, of bottoms.
    """

    middle: float
    rows: Floats
    top: Floats
    bottom: Floats
    squares: tuple[Floats, Floats, Floats]

    def rest(self) -> _Sums:
        """Return the sums of all the other groups."""
        one, two, three = (each.sum() - each for each in self.squares)
        rows, top, bottom = (each.sum() - each for each in (self.rows, self.top, self.bottom))
        return _Sums(self.middle, rows, top, bottom, (one, two, three))

    @property
    def value(self) -> Floats:
        """Return the ratios."""
        return self.middle + self.top / self.bottom

    @property
    def variance(self) -> Floats:
        """Return those of the ratios. Source: Cochran 1977, section 2.11."""
        moved = self.top / self.bottom
        tops, both, bottoms = self.squares
        left = np.maximum(tops - 2 * moved * both + moved**2 * bottoms, 0.0)
        return left / self.bottom**2 * self.effective / (self.effective - 1)

    @property
    def effective(self) -> Floats:
        """Return how many rows that count the same would tell as much. Source: Kish 1965."""
        return self.bottom**2 / self.squares[2]


class _Parts(NamedTuple):
    """What is summed up over the rows of a group; all (n_rows,) but `middle` and `population`.

    Attributes:
        middle: the ratio of all rows.
        top: weighted, less the middle times the bottom.
        bottom: weighted; None where each row counts 1.
        counted: which rows count; None where all do.
        squares: the squares of the tops, tops times bottoms, the squares of the bottoms; the first
            alone where each row counts 1.
        population: the tops of the rows that count.
    """

    middle: float
    top: Floats
    bottom: Floats | None
    counted: npt.NDArray[np.bool_] | None
    squares: tuple[Floats, ...]
    population: chance.Population

    @classmethod
    def of(cls, ratio: Ratio, weights: Floats) -> _Parts:
        """Return the parts of rows that have weights above 0."""
        bottom = weights * ratio.bottom
        top = weights * ratio.top
        middle = float(top.sum() / bottom.sum()) if bottom.any() else 0.0
        top -= middle * bottom
        counted = bottom > 0
        every = bool(counted.all())
        population = chance.Population.of(top if every else top[counted])
        if every and bool((bottom == 1).all()):
            return cls(middle, top, None, None, (top**2,), population)
        squares = (top**2, top * bottom, bottom**2)
        return cls(middle, top, bottom, None if every else counted, squares, population)


@dataclass(frozen=True, eq=False)
class RatioFigure:
    """A figure that is a ratio of two sums over rows.

    Attributes:
        ratio: (n_rows,) the parts of the rows.
        weights: (n_rows,) above 0.
        asked: of every group.
    """

    ratio: Ratio
    weights: Floats
    asked: Asked

    def whole(self) -> GroupFigure:
        """Return the figure of all rows; it is not tested."""
        sums = self._sums(np.zeros(self.weights.size, np.intp), 1)
        if not sums.bottom[0]:
            return GroupFigure(reason=_NO_ROWS)
        return GroupFigure(figure=self._figures(sums)[0])

    def of_groups(self, codes: Codes, n_groups: int) -> tuple[GroupFigure, ...]:
        """Return the figure of each group.

        Args:
            codes: (n_rows,) the group of each row.
            n_groups: how many there are, more than one; each has a row.
        """
        sums = self._sums(codes, n_groups)
        rest = sums.rest()
        with np.errstate(divide="ignore", invalid="ignore"):
            differences = self._shares(sums, rest) if self.ratio.share else self._means(sums, rest)
            p_values = self._p_values(sums, rest).tolist()
        counted = "rows" if self._parts.counted is None else "rows that count for the metric"
        return tuple(
            GroupFigure(reason=_NO_ROWS)
            if figure is None
            else tested(
                figure,
                difference,
                p_value=p_value,
                untested=too_few(rows, others, least=self.asked.min_rows, of=counted),
            )
            for figure, difference, p_value, rows, others in zip(
                self._figures(sums), differences, p_values, sums.rows, rest.rows, strict=True
            )
        )

    @cached_property
    def _parts(self) -> _Parts:
        return _Parts.of(self.ratio, self.weights)

    def _sums(self, codes: Codes, n_groups: int) -> _Sums:
        parts = self._parts

        def total(values: npt.NDArray[np.generic] | None) -> Floats:
            sums = np.bincount(codes, weights=values, minlength=n_groups)
            return sums.astype(np.float64, copy=False)

        top, rows = total(parts.top), total(parts.counted)
        if parts.bottom is None:
            return _Sums(parts.middle, rows, top, rows, (total(parts.squares[0]), top, rows))
        one, two, three = map(total, parts.squares)
        return _Sums(parts.middle, rows, top, total(parts.bottom), (one, two, three))

    def _figures(self, sums: _Sums) -> list[Estimate | None]:
        """Return each group's figure with its interval; None where no row counts."""
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = zip(sums.value, sums.variance, sums.effective, strict=True)
        return [
            None if math.isnan(value) else self._figure(float(value), float(variance), float(rows))
            for value, variance, rows in parts
        ]

    def _figure(self, value: float, variance: float, rows: float) -> Estimate:
        level = self.asked.level
        bounds: Bounds
        if self.ratio.share:
            # A sum of floats may be a share by a hair more than 1.
            value = min(max(value, 0.0), 1.0)
            bounds = wilson(value, rows, level=level)
        elif rows <= 1:
            bounds = FEW
        else:
            bounds = around(
                value,
                variance,
                scale=self.ratio.scale if value > 0 else Scale.PLAIN,
                level=level,
                method="Student's t",
                freedom=max(rows - 1, 1.0),
            )
        if self.ratio.root:
            return estimate(math.sqrt(max(value, 0.0)), shifted(bounds, "sqrt"))
        return estimate(value, bounds)

    def _p_values(self, sums: _Sums, rest: _Sums) -> Floats:
        if self.ratio.scale is Scale.PLAIN:
            # Noise may differ from group to group where its mean is none.
            sizes = (sums.effective, rest.effective)
            variances = (sums.variance, rest.variance)
            return chance.welch(sums.value - rest.value, variances=variances, sizes=sizes)
        return chance.two_sided(sums.top, chance.of_draws(self._parts.population, sums.rows))

    def _shares(self, sums: _Sums, rest: _Sums) -> list[Estimate]:
        """Return the differences of shares from the whole. Source: Newcombe 1998, method 10."""
        left = rest.bottom / (sums.bottom + rest.bottom)
        groups = zip(sums.value.tolist(), sums.effective.tolist(), strict=True)
        others = zip(rest.value.tolist(), rest.effective.tolist(), strict=True)
        return [
            self._share(one, other, share)
            for one, other, share in zip(groups, others, left.tolist(), strict=True)
        ]

    def _share(
        self, group: tuple[float, float], rest: tuple[float, float], left: float
    ) -> Estimate:
        """Return the difference of one share from the whole.

        Args:
            group: its share, and of how many rows that is.
            rest: the same of all others.
            left: which part of the whole the others are.
        """
        if not (group[1] > 0 and rest[1] > 0):
            return Estimate(value=0.0, reason=FEW)
        value, other = (min(max(each[0], 0.0), 1.0) for each in (group, rest))
        level = self.asked.level
        one, two = wilson(value, group[1], level=level), wilson(other, rest[1], level=level)
        low = math.hypot(value - one.low, two.high - other)
        high = math.hypot(one.high - value, other - two.low)
        gap = value - other
        interval = Interval(
            low=(gap - low) * left, high=(gap + high) * left, level=level, method="Newcombe"
        )
        return Estimate(value=gap * left, interval=interval)

    def _means(self, sums: _Sums, rest: _Sums) -> list[Estimate]:
        """Return the differences of means, or of their roots, from the whole.

        Source: Welch 1947; for roots, the delta method.
        """
        left = rest.bottom / (sums.bottom + rest.bottom)
        value, slopes = (sums.value - rest.value) * left, (left, left)
        if self.ratio.root:
            own, whole = np.sqrt(np.maximum(sums.value, 0.0)), math.sqrt(max(sums.middle, 0.0))
            value = own - whole
            slopes = ((1 / own - (1 - left) / whole) / 2, left / whole / 2)
        variances = (sums.variance * slopes[0] ** 2, rest.variance * slopes[1] ** 2)
        freedom = chance.freedom(variances, sizes=(sums.effective, rest.effective))
        level = self.asked.level
        half = stdtrit(freedom, (1 + level) / 2) * np.sqrt(variances[0] + variances[1])
        return [
            span(float(one), float(wide), level=level, method="Welch")
            for one, wide in zip(np.nan_to_num(value), half, strict=True)
        ]
