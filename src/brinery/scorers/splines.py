"""Columns spread over smooth bumps: scikit-learn's `SplineTransformer`.

The bumps, B-splines, are evaluated by the algorithm of de Boor in the order of SciPy's additions:
far outside of the knots they grow large and cancel each other, and any other order would show.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers.blocks import in_blocks
from brinery.scorers.data import (
    Array,
    Data,
    Declined,
    Sparse,
    dense,
    doubles,
    finite,
    sparse,
    unbounded,
)
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.origin import Origins, lost

# Up to so many comparisons, all at once are quicker than one after the other.
_AT_ONCE = 1 << 14
# Of this degree nobody makes splines; a forged one could fill the memory.
_HIGHEST = 64
_NONE = np.zeros(0, dtype=bool)


class Extrapolation(TextEnum):
    """What lies outside of the knots."""

    CONTINUE = "continue"
    CONSTANT = "constant"
    LINEAR = "linear"
    PERIODIC = "periodic"
    ERROR = "error"


class Splines(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """B-splines of each column.

    Attributes:
        knots: (n_features, n_knots) float64, each row rising.
        degree: of the splines.
        extrapolation: what lies outside of the knots, but for the outer `degree` on each side.
        last: whether the last spline of each column is kept.
        missing: whether the splines of a missing value are 0; else none may be missing.
        sparse: whether the result is a sparse table.
        limits: (2, n_features) float64, below and above which constant and linear ones go on.
        ends: (2, n_features, n_splines), the values from which they do.
        slopes: likewise, their slopes from there.
    """

    knots: np.ndarray
    degree: int
    extrapolation: Extrapolation
    last: bool
    missing: bool
    sparse: bool
    limits: np.ndarray
    ends: np.ndarray
    slopes: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes, and that there is a knot on each side of every interval."""
        shaped = self.knots.ndim == 2 and 0 <= self.degree <= _HIGHEST  # noqa: PLR2004
        require(shaped, "splines without knots")
        count, n_knots = self.knots.shape
        require(n_knots >= 2 * (self.degree + 1), "splines of too few knots")
        require(not np.isnan(self.knots).any(), "knots that are no numbers")
        require(self.limits.shape == (2, count), "splines without limits")
        for figures in (self.ends, self.slopes):
            require(figures.shape == (2, count, self._n_splines), "splines without ends")
        require(self._n_splines > 0, "no splines")

    @property
    def _n_splines(self) -> int:
        periodic = self.extrapolation is Extrapolation.PERIODIC
        n_splines = self.knots.shape[1] - self.degree - 1
        return n_splines - self.degree if periodic else n_splines

    @cached_property
    def _first(self) -> Array:
        return np.ascontiguousarray(self.knots[:, self.degree])

    @cached_property
    def _final(self) -> Array:
        return np.ascontiguousarray(self.knots[:, -self.degree - 1])

    @cached_property
    def _inner(self) -> Array:
        """Return the knots between the intervals: (n_features, n_intervals - 1)."""
        return np.ascontiguousarray(self.knots[:, self.degree + 1 : -self.degree - 1])

    @cached_property
    def _bounds(self) -> Array:
        """Return the knots about each interval: (2 * degree, n_features * n_intervals).

        Of each, `degree` knots up to its beginning, and as many from its end.
        """
        windows = np.lib.stride_tricks.sliding_window_view(
            self.knots[:, 1:-1], 2 * self.degree, axis=1
        )
        count = windows.shape[0] * windows.shape[1]
        return np.ascontiguousarray(windows.reshape(count, 2 * self.degree).T)

    @cached_property
    def _offsets(self) -> Array:
        """Return where the intervals of each feature begin among all: (n_features,)."""
        count = self._inner.shape[1] + 1
        return np.arange(len(self.knots)) * count

    @cached_property
    def _kept(self) -> Array:
        count = self.knots.shape[0] * self._n_splines
        return np.flatnonzero(np.arange(1, count + 1) % self._n_splines)

    def transform(self, data: Data) -> Data:
        """Return the value of every spline."""
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = unbounded(doubles(data)) if self.missing else finite(doubles(data))
        require(table.shape[1] == len(self.knots), "splines of other columns")
        with np.errstate(all="ignore"):
            found = in_blocks(self._values, table).reshape(len(table), -1)
        if not self.last:
            found = found[:, self._kept]
        return sparse(found) if self.sparse else found

    def _values(self, table: Array) -> Array:
        """Return the splines: (n_rows, n_features, n_splines)."""
        x, holes = table, np.isnan(table) if self.missing else _NONE
        if holes.any():
            x = np.where(holes, self._first, table)
        if self.extrapolation is Extrapolation.PERIODIC:
            x = self._first + (x - self._first) % (self._final - self._first)
        elif self.extrapolation is Extrapolation.ERROR and self._leaves(x):
            raise Declined("a value outside of the knots")
        found = self._basis(x)
        if self.extrapolation in (Extrapolation.CONSTANT, Extrapolation.LINEAR):
            for side, beyond in enumerate((x < self.limits[0], x > self.limits[1])):
                if beyond.any():
                    rows, features = np.nonzero(beyond)
                    far = x[rows, features] - self.limits[side, features]
                    slopes = far[:, np.newaxis] * self.slopes[side, features]
                    found[rows, features] = self.ends[side, features] + slopes
        if holes.any():
            found[holes] = 0.0
        return found

    def _leaves(self, x: Array) -> bool:
        """Return whether a value lies outside of the knots."""
        return bool((x < self._first).any() or (x > self._final).any())

    def _basis(self, x: Array) -> Array:
        """Return the splines of values within the knots, or continued from there."""
        n_rows, n_features = x.shape
        intervals = self._intervals(x)
        # In front: the places among the values that are not 0.
        values = self._de_boor(x, self._bounds.take(intervals + self._offsets, axis=1))
        n_splines = self._n_splines
        found = np.zeros(n_rows * n_features * n_splines)
        starts = np.arange(0, found.size, n_splines).reshape(x.shape)
        if self.extrapolation is Extrapolation.PERIODIC:
            # The last splines are the first again.
            for place, value in enumerate(values):
                found[starts + (intervals + place) % n_splines] += value
        else:
            places = np.arange(len(values)).reshape(-1, 1, 1)
            found[starts + intervals + places] = values
        return found.reshape(n_rows, n_features, n_splines)

    def _intervals(self, x: Array) -> Array:
        """Return between which knots each value lies: (n_rows, n_features) int64."""
        if len(x) * self._inner.size <= _AT_ONCE:
            return np.count_nonzero(x[:, :, np.newaxis] >= self._inner, axis=2)
        found = np.zeros(x.shape, dtype=np.int64)
        for knots in self._inner.T:
            found += x >= knots
        return found

    def _de_boor(self, x: Array, knots: Array) -> Array:
        """Return the values that are not 0: (degree + 1, n_rows, n_features).

        Args:
            x: (n_rows, n_features).
            knots: (2 * degree, n_rows, n_features), those about each value.
        """
        k = self.degree
        values = np.zeros((k + 1, *x.shape))
        values[0] = 1.0
        to_knots = knots - x
        for j in range(1, k + 1):
            upper, lower = slice(k, k + j), slice(k - j, k)
            gaps = knots[upper] - knots[lower]
            weights = values[:j] / gaps
            if self._has_ties:
                weights[gaps == 0.0] = 0.0
            values[1 : j + 1] = weights * -to_knots[lower]
            values[0] = 0.0
            values[:j] += weights * to_knots[upper]
        return values

    @cached_property
    def _has_ties(self) -> bool:
        return bool((np.diff(self.knots, axis=1) == 0.0).any())

    def trace(self, origins: Origins) -> Origins:
        """Return which column each spline is of; none tells its value."""
        if origins is None:
            return None
        places = np.arange(self.knots.shape[0] * self._n_splines) if self.last else self._kept
        made = lost(origins)
        return [made[place] for place in (places // self._n_splines).tolist()]


def read_spline_transformer(transformer: Any, _: Reader) -> Step:
    """Return the node of a fitted `SplineTransformer`."""
    extrapolation, degree = Extrapolation(transformer.extrapolation), int(transformer.degree)
    if degree > _HIGHEST:
        raise Unsupported(f"SplineTransformer of degree {degree}")
    knots = floats([spline.t for spline in transformer.bsplines_])
    if not (knots[:, degree] < knots[:, -degree - 1]).all() or (np.diff(knots) < 0).any():
        raise Unsupported("SplineTransformer of a column with one value")
    if extrapolation is Extrapolation.CONSTANT and not degree:
        raise Unsupported("SplineTransformer of degree 0 with constant extrapolation")
    found = _splines(transformer, knots, [degree] * len(knots))
    if extrapolation is not Extrapolation.LINEAR or degree > 1 or _agrees(found, transformer):
        return found
    # Versions up to 1.9 at least raise a low degree at each feature, for those after it, too.
    found = _splines(transformer, knots, [min(degree + place, 2) for place in range(len(knots))])
    if _agrees(found, transformer):
        return found
    raise Unsupported(f"SplineTransformer of degree {degree} with linear extrapolation")


def _splines(transformer: Any, knots: Array, degrees: list[int]) -> Splines:
    """Return the node, given the degree that each feature is extrapolated with."""
    extrapolation, splines = Extrapolation(transformer.extrapolation), transformer.bsplines_
    ends = np.zeros((2, len(splines), splines[0].c.shape[1]))
    slopes, limits = np.zeros(ends.shape), np.zeros(ends.shape[:2])
    if extrapolation in (Extrapolation.CONSTANT, Extrapolation.LINEAR):
        linear = extrapolation is Extrapolation.LINEAR
        for feature, (spline, degree) in enumerate(zip(splines, degrees)):
            # So many splines on either side go on; of a low degree, one more.
            count = degree + 1 if linear and degree <= 1 else degree
            for side, part in enumerate((slice(count), slice(-count, None))):
                limit = spline.t[-degree - 1] if side else spline.t[degree]
                limits[side, feature] = limit
                ends[side, feature, part] = spline(limit)[part]
                if linear:
                    slopes[side, feature, part] = spline(limit, nu=1)[part]
    return Splines(
        knots=knots,
        degree=int(transformer.degree),
        extrapolation=extrapolation,
        last=bool(transformer.include_bias),
        missing=getattr(transformer, "handle_missing", "error") == "zeros",
        sparse=bool(getattr(transformer, "sparse_output", False)),
        limits=limits,
        ends=ends,
        slopes=slopes,
    )


def _agrees(step: Splines, transformer: Any) -> bool:
    """Return whether a node answers as its transformer does, all around its knots."""
    knots = step.knots.T
    steps = np.diff(knots, axis=0)
    rows = np.vstack(
        [knots[:1] - steps[:1], knots, knots[:-1] + steps / 2, knots[-1:] + steps[-1:]]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = transformer.transform(rows)
    wanted = wanted.toarray() if hasattr(wanted, "toarray") else np.asarray(wanted)
    found = step.transform(rows)
    return bool(np.array_equal(dense(found), wanted))


NODES = (Splines,)
READERS = {"sklearn.SplineTransformer": read_spline_transformer}
