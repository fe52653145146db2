"""The area under the ROC curve in each group of rows, and how far it is from that of all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from brinery.evaluate import chance
from brinery.evaluate.chance import Moments
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
        codes = np.zeros(self.weights.size, np.intp)
        if math.isnan(self._all.value[0]):
            return GroupFigure(reason=_ONE_CLASS)
        variance = self._variance(self._all, codes)[0]
        return GroupFigure(figure=self._figure(float(self._all.value[0]), float(variance)))

    def of_groups(self, codes: Codes, n_groups: int) -> tuple[GroupFigure, ...]:
        """Return the area of each group.

        Args:
            codes: (n_rows,) the group of each row.
            n_groups: how many there are, more than one; each has a row.
        """
        if math.isnan(self._all.value[0]):
            return (GroupFigure(reason=_ONE_CLASS),) * n_groups
        found = areas(self._sorted, codes, n_groups=n_groups)
        variance, gap = self._variance(found, codes), found.value - self._all.value[0]
        half = normal(self.asked.level) * np.sqrt(self._of_gap(found, codes, variance))
        # Where the group's rows do not differ, they do not tell how sure its area is.
        half[variance <= 0] = np.nan
        moments = self._under_chance(found, codes)
        p_values = chance.two_sided(gap, moments)
        why = self._untested(codes, n_groups)
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
    def _all(self) -> Areas:
        return areas(self._sorted, np.zeros(self.weights.size, np.intp), n_groups=1)

    def _moved(self, found: Areas, codes: Codes) -> Floats:
        """Return how much each row moves the area of its group: (n_rows,)."""
        positive = self.ranked.positive
        total = np.where(positive, found.positives[codes], found.negatives[codes])
        moved: Floats = self.weights * (found.placements - found.value[codes]) / total
        return moved

    def _variance(self, found: Areas, codes: Codes) -> Floats:
        """Return the variance of each group's area. Source: DeLong et al. 1988."""
        groups = found.value.size
        moved = np.square(self._moved(found, codes))
        variance = np.zeros(groups)
        for rows in (self.ranked.positive, ~self.ranked.positive):
            own = codes[rows]
            weight = self.weights[rows]
            sums = np.bincount(own, weights=moved[rows], minlength=groups)
            total = np.bincount(own, weights=weight, minlength=groups)
            squares = np.bincount(own, weights=weight**2, minlength=groups)
            with np.errstate(divide="ignore", invalid="ignore"):
                variance += sums / (1 - squares / total**2)
        return variance

    def _of_gap(self, found: Areas, codes: Codes, variance: Floats) -> Floats:
        """Return the variance of each area less that of all rows, to which its rows belong too."""
        every = np.zeros(codes.size, np.intp)
        both = self._moved(found, codes) * self._moved(self._all, every)
        shared = np.bincount(codes, weights=both, minlength=variance.size)
        whole = self._variance(self._all, every)[0]
        return np.asarray(np.maximum(variance + whole - 2 * shared, 0.0))

    def _under_chance(self, found: Areas, codes: Codes) -> Moments:
        """Return the moments of each area less that of all rows, were its rows drawn by lot."""
        moments = Moments(np.zeros(found.value.size), np.zeros(found.value.size))
        moved = self.weights * (self._all.placements - self._all.value[0])
        for rows, total in (
            (self.ranked.positive, found.positives),
            (~self.ranked.positive, found.negatives),
        ):
            sizes = np.bincount(codes[rows], minlength=total.size).astype(np.float64)
            with np.errstate(divide="ignore"):
                share = np.where(total > 0, 1 / total, 0.0)
            moments = moments.plus(chance.of_draws(moved[rows], sizes).scaled(share))
        return moments

    def _untested(self, codes: Codes, n_groups: int) -> list[str]:
        """Return for each group why it is not tested, or an empty text."""
        counts = [
            np.bincount(codes[rows], minlength=n_groups)
            for rows in (self.ranked.positive, ~self.ranked.positive)
        ]
        rows, fewest = counts[0] + counts[1], np.minimum(*counts)
        others = np.minimum(*(count.sum() - count for count in counts))
        few_rows = [
            too_few(one, codes.size - one, least=self.asked.min_rows) for one in rows.tolist()
        ]
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
