"""The area under the ROC curve in each group of rows, and how far it is from that of all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate import chance
from brinery.evaluate.chance import Moments, Population
from brinery.evaluate.group_figures import Asked, GroupFigure, span, tested, too_few
from brinery.evaluate.intervals import Scale, around, estimate, normal
from brinery.evaluate.placements import Areas, Sorted, areas, by_score
from brinery.evaluate.rowwise import Ranked
from brinery.records.estimate import Estimate

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

# Fewer rows of a class than this make too few pairs to test an area.
LEAST_OF_CLASS: Final = 10

_ONE_CLASS: Final = "every row is of one class"


class _All(NamedTuple):
    """What is known of all rows.

    Attributes:
        areas: with one group.
        moved: (n_rows,) how much each row moves the area.
        variance: of the area; NaN where a class has a single row.
        draws: what draws of negative rows depend on, and of positive ones.
    """

    areas: Areas
    moved: Floats
    variance: float
    draws: tuple[Population, Population]


@dataclass(frozen=True, eq=False)
class AreaFigure:
    """The area under a ROC curve.

    Attributes:
        ranked: (n_rows,) classes and scores.
        weights: (n_rows,) above 0.
        asked: of every group.
    """

    ranked: Ranked
    weights: Floats
    asked: Asked

    def whole(self) -> GroupFigure:
        """Return the area of all rows; it is not tested."""
        value = float(self._all.areas.value[0])
        if math.isnan(value):
            return GroupFigure(reason=_ONE_CLASS)
        return GroupFigure(figure=self._figure(value, self._all.variance))

    def of_groups(self, codes: Codes, n_groups: int) -> tuple[GroupFigure, ...]:
        """Return the area of each group.

        Args:
            codes: (n_rows,) the group of each row.
            n_groups: how many there are, more than one; each has a row.
        """
        whole = self._all
        if math.isnan(whole.areas.value[0]):
            return (GroupFigure(reason=_ONE_CLASS),) * n_groups
        found = areas(self._sorted, codes, n_groups=n_groups)
        # By group and class: the positive rows of a group come after its negative ones.
        cells = codes * 2 + self.ranked.positive
        counts = np.bincount(cells, minlength=2 * n_groups).reshape(n_groups, 2)
        totals = np.column_stack([found.negatives, found.positives])
        moved = self._moved(found, cells, totals)
        variance = self._variance(moved, cells, totals)
        gap = found.value - whole.areas.value[0]
        # The rows of a group are also some of all rows.
        shared = np.bincount(codes, weights=moved * whole.moved, minlength=n_groups)
        spread = np.maximum(variance + whole.variance - 2 * shared, 0.0)
        half = normal(self.asked.level) * np.sqrt(spread)
        # Where the group's rows do not differ, they do not tell how sure its area is.
        half[variance <= 0] = np.nan
        p_values = chance.two_sided(gap, self._under_chance(counts, totals))
        why = self._untested(counts)
        return tuple(
            GroupFigure(reason=_ONE_CLASS)
            if math.isnan(found.value[group])
            else tested(
                self._figure(float(found.value[group]), float(variance[group])),
                self._span(float(gap[group]), float(half[group])),
                p_value=float(p_values[group]),
                untested=why[group],
            )
            for group in range(n_groups)
        )

    @cached_property
    def _sorted(self) -> Sorted:
        return by_score(self.ranked, weights=self.weights)

    @cached_property
    def _squares(self) -> Floats:
        return np.square(self.weights)

    @cached_property
    def _all(self) -> _All:
        cells = self.ranked.positive.astype(np.intp)
        found = areas(self._sorted, np.zeros(cells.size, np.intp), n_groups=1)
        totals = np.column_stack([found.negatives, found.positives])
        moved = self._moved(found, cells, totals)
        centred = self.weights * (found.placements - found.value[0])
        draws = [Population.of(centred[cells == each]) for each in (0, 1)]
        variance = float(self._variance(moved, cells, totals)[0])
        return _All(found, moved, variance, (draws[0], draws[1]))

    def _moved(self, found: Areas, cells: Codes, totals: Floats) -> Floats:
        """Return how much each row moves the area of its group: (n_rows,)."""
        moved: Floats = found.placements - found.value[cells >> 1]
        moved *= self.weights
        moved /= totals.ravel()[cells]
        return moved

    def _variance(self, moved: Floats, cells: Codes, totals: Floats) -> Floats:
        """Return the variance of each group's area. Source: DeLong et al. 1988."""
        sums = np.bincount(cells, weights=np.square(moved), minlength=totals.size)
        squares = np.bincount(cells, weights=self._squares, minlength=totals.size)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = sums.reshape(totals.shape) / (1 - squares.reshape(totals.shape) / totals**2)
        return np.asarray(parts.sum(axis=1))

    def _under_chance(self, counts: Codes, totals: Floats) -> Moments:
        """Return the moments of each area less that of all rows, were its rows drawn by lot.

        Args:
            counts: (n_groups, 2) rows of each class.
            totals: (n_groups, 2) their weight.
        """
        moments = Moments(np.zeros(len(counts)), np.zeros(len(counts)))
        for each, population in enumerate(self._all.draws):
            drawn = chance.of_draws(population, counts[:, each].astype(np.float64))
            share = 1 / np.where(totals[:, each] > 0, totals[:, each], np.inf)
            moments = moments.plus(drawn.scaled(share))
        return moments

    def _untested(self, counts: Codes) -> list[str]:
        """Return for each group why it is not tested, or an empty text."""
        rows = counts.sum(axis=1)
        fewest, others = counts.min(axis=1), (counts.sum(axis=0) - counts).min(axis=1)
        least = self.asked.min_rows
        few_rows = [too_few(one, rows.sum() - one, least=least) for one in rows.tolist()]
        few_of_class = [
            too_few(one, other, least=LEAST_OF_CLASS, of="rows of each class")
            for one, other in zip(fewest.tolist(), others.tolist(), strict=True)
        ]
        return [one or other for one, other in zip(few_rows, few_of_class, strict=True)]

    def _figure(self, value: float, variance: float) -> Estimate:
        level = self.asked.level
        bounds = around(value, variance, scale=Scale.LOGIT, level=level, method="DeLong, logit")
        return estimate(value, bounds)

    def _span(self, value: float, half: float) -> Estimate:
        return span(value, half, level=self.asked.level, method="DeLong")
