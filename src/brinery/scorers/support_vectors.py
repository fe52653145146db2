"""scikit-learn's support vector machines: rows are compared with those that a fit kept.

What is done, and in which order, is libsvm's.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel
from brinery.scorers.across import likeliest
from brinery.scorers.data import Array, Data, Declined, Sparse, complete, finite
from brinery.scorers.interface import Answer, Model, Reader, Unsupported, floats, require
from brinery.scorers.linear import plain

_TABLE = 2
_TWO = 2
_NEAREST_TO_ZERO = 1e-7
# Of vectors that were sparse, how many figures there may be with their zeros.
_MOST_FIGURES = 1 << 20
# How many classes there may be: each is compared with each, and each pair with each class.
_MOST_CLASSES = 256
# How many comparisons are held at once.
_MOST_COMPARISONS = 1 << 17


class Kernel(TextEnum):
    """How two rows are compared."""

    LINEAR = "linear"
    POLY = "poly"
    RBF = "rbf"
    SIGMOID = "sigmoid"


class Vectors(Struct, frozen=True, kw_only=True, dict=True):
    """Rows that were kept, and their weights.

    Attributes:
        rows: (n_vectors, n_features) float64.
        weights: (n_sums, n_vectors) float64.
        starts: (n_groups + 1,) int64, where each group of rows begins; the first with the first.
        kernel: how rows are compared.
        gamma: its factor.
        offset: what it adds.
        degree: its power.
        sparse: whether a sparse table may be compared.
    """

    rows: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    kernel: Kernel
    gamma: float
    offset: float
    degree: int
    sparse: bool

    def __post_init__(self) -> None:
        """Check the shapes, and that the groups hold all rows."""
        require(
            self.rows.ndim == _TABLE and self.rows.dtype == np.float64, "vectors that are no table"
        )
        require(
            self.weights.ndim == _TABLE and self.weights.shape[1] == len(self.rows),
            "vectors without weights",
        )
        starts = self.starts
        require(
            starts.ndim == 1 and len(starts) > 1 and starts.dtype == np.int64,
            "vectors without groups",
        )
        require(
            starts[0] == 0 and starts[-1] == len(self.rows) and (np.diff(starts) >= 0).all(),
            "strange groups",
        )
        require(self.degree >= 0, "a negative power")

    @cached_property
    def _columns(self) -> Array:
        return np.ascontiguousarray(self.rows.T)

    @cached_property
    def _groups(self) -> tuple[tuple[slice, Array], ...]:
        ends = self.starts.tolist()
        slices = [slice(start, end) for start, end in zip(ends, ends[1:])]  # noqa: RUF007 - not in Python 3.9
        return tuple((one, self.weights[:, one].T) for one in slices)

    def sums(self, data: Data) -> Array:
        """Return the weighted comparisons with each group: (n_rows, n_groups, n_sums).

        Raises:
            Declined: the library refuses the rows, or a sum is not finite.
        """
        if isinstance(data, Sparse) and not self.sparse:
            raise Declined("a sparse table, after a fit on a dense one")
        table = np.ascontiguousarray(complete(data), dtype=np.float64)
        require(table.shape[1] == self.rows.shape[1], "vectors of other columns")
        found = np.empty((len(table), len(self._groups), len(self.weights)))
        step = max(1, _MOST_COMPARISONS // max(1, len(self.rows)))
        with np.errstate(all="ignore"):
            for first in range(0, len(table), step):
                compared = self._compared(table[first : first + step])
                for place, (rows, weights) in enumerate(self._groups):
                    found[first : first + step, place] = compared[:, rows] @ weights
        return finite(found)

    def _compared(self, table: Array) -> Array:
        """Return the kernel of each row and each vector: (n_rows, n_vectors)."""
        if self.kernel is Kernel.RBF:
            distances = kernel.squared_distances(table, self._columns)
            distances *= -self.gamma
            return np.exp(distances, out=distances)
        products: Array = table @ self.rows.T
        if self.kernel is Kernel.LINEAR:
            return products
        products = self.gamma * products + self.offset
        return np.tanh(products) if self.kernel is Kernel.SIGMOID else _power(products, self.degree)


def _power(base: Array, times: int) -> Array:
    """Return whole powers by squaring."""
    found = np.ones_like(base)
    while times:
        if times % 2:
            found = found * base
        base, times = base * base, times // 2
    return found


class VectorClassifier(Struct, Model, frozen=True, kw_only=True, tag=True, dict=True):
    """Classes that are told apart in pairs, and voted for.

    Attributes:
        vectors: a group for each class, and a sum for each class but one.
        intercepts: (n_pairs,) float64, of 0 and 1, 0 and 2, and so on.
        slopes: (n_pairs,) float64, from sums to probabilities; None where there are none.
        shifts: (n_pairs,) float64, likewise.
        each: whether the decision function is of each class, not of each pair.
        breaks_ties: whether the label is the class of the largest decision.
    """

    vectors: Vectors
    intercepts: np.ndarray
    slopes: Optional[np.ndarray] = None
    shifts: Optional[np.ndarray] = None
    each: bool
    breaks_ties: bool

    def __post_init__(self) -> None:
        """Check that there is a figure for each pair."""
        count = self._count
        require(_TWO <= count <= _MOST_CLASSES, "one class, or too many")
        require(len(self.vectors.weights) == count - 1, "classes without sums")
        pairs = (count * (count - 1) // 2,)
        for figures in (self.intercepts, self.slopes, self.shifts):
            require(figures is None or figures.shape == pairs, "pairs without figures")
        require((self.slopes is None) == (self.shifts is None), "half of the probabilities")

    @property
    def _count(self) -> int:
        return len(self.vectors.starts) - 1

    @cached_property
    def _pairs(self) -> tuple[Array, Array]:
        return np.triu_indices(self._count, 1)

    @cached_property
    def _firsts(self) -> Array:
        """Return which class is a pair's first: (n_pairs, n_classes) of 1 and 0."""
        return np.eye(self._count)[self._pairs[0]]

    @cached_property
    def _seconds(self) -> Array:
        return np.eye(self._count)[self._pairs[1]]

    def answer(self, data: Data) -> Answer:
        """Return the class with the most votes."""
        sums = self._sums(data)
        return Answer(labels=self._labels(sums), probabilities=self._probabilities(sums))

    def decision(self, data: Data) -> Array:
        """Return how far the rows lie from what divides the classes, or each pair of them."""
        sums = self._sums(data)
        if self._count == _TWO:
            return -sums[:, 0]
        return self._decisions(sums) if self.each else sums

    def _sums(self, data: Data) -> Array:
        """Return the sum of each pair, above 0 for its first class: (n_rows, n_pairs)."""
        sums = self.vectors.sums(data)
        first, second = self._pairs
        found: Array = sums[:, first, second - 1] + sums[:, second, first]
        found += self.intercepts
        return found

    def _labels(self, sums: Array) -> Array:
        if self._count == _TWO:
            return (sums[:, 0] <= 0).astype(np.int64)
        counted = self._decisions(sums) if self.breaks_ties else self._votes(sums > 0)
        return likeliest(counted)

    def _votes(self, won: Array) -> Array:
        votes: Array = won @ self._firsts + ~won @ self._seconds
        return votes

    def _decisions(self, sums: Array) -> Array:
        sure = sums @ (self._firsts - self._seconds)
        found: Array = self._votes(sums >= 0) + sure / (3 * (np.abs(sure) + 1))
        return found

    def _probabilities(self, sums: Array) -> Optional[Array]:
        if self.slopes is None or self.shifts is None:
            return None
        powers = sums * self.slopes + self.shifts
        small = np.exp(-np.abs(powers))
        chances = np.where(powers >= 0, small, 1.0) / (1.0 + small)
        chances = np.clip(chances, _NEAREST_TO_ZERO, 1 - _NEAREST_TO_ZERO)
        first, second = self._pairs
        pairs = np.zeros((len(sums), self._count, self._count))
        pairs[:, first, second] = chances
        pairs[:, second, first] = 1 - chances
        return kernel.couple(pairs)


class VectorRegressor(Struct, Model, frozen=True, kw_only=True, tag=True):
    """One sum of all comparisons.

    Attributes:
        vectors: one group, and one sum.
        intercept: what is added.
        detects: whether it tells inliers from outliers.
    """

    vectors: Vectors
    intercept: float
    detects: bool

    def __post_init__(self) -> None:
        """Check that there is one sum."""
        require(len(self.vectors.starts) == _TWO and len(self.vectors.weights) == 1, "several sums")

    def answer(self, data: Data) -> Answer:
        """Return the sum, or whether it is above 0: 1 for an inlier, -1 for an outlier."""
        sums = self._sums(data)
        return Answer(values=np.where(sums > 0, 1, -1) if self.detects else sums)

    def decision(self, data: Data) -> Array:
        """Return the sum, of a detector."""
        return self._sums(data) if self.detects else super().decision(data)

    def _sums(self, data: Data) -> Array:
        return self.vectors.sums(data)[:, 0, 0] + self.intercept


def read_classifier(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `SVC` or `NuSVC`."""
    each = model.decision_function_shape == "ovr"
    if model.break_ties and not each:
        raise Unsupported(f"{type(model).__name__} that breaks ties of pairs")
    has = hasattr(model, "predict_proba")
    slopes, shifts = getattr(model, "_probA", None), getattr(model, "_probB", None)
    if has and (slopes is None or shifts is None or not len(slopes)):
        raise Unsupported(f"{type(model).__name__} whose probabilities were not fitted")
    return VectorClassifier(
        vectors=_vectors(model, [0, *np.cumsum(model.n_support_).tolist()]),
        intercepts=floats(model._intercept_),
        slopes=floats(slopes) if has else None,
        shifts=floats(shifts) if has else None,
        each=each,
        breaks_ties=bool(model.break_ties),
    )


def read_regressor(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `SVR` or `NuSVR`."""
    return _regressor(model, detects=False)


def read_one_class(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `OneClassSVM`."""
    return _regressor(model, detects=True)


def _regressor(model: Any, *, detects: bool) -> VectorRegressor:
    return VectorRegressor(
        vectors=_vectors(model, [0, model.support_vectors_.shape[0]]),
        intercept=float(np.ravel(model._intercept_)[0]),
        detects=detects,
    )


def _vectors(model: Any, starts: list[int]) -> Vectors:
    """Return the vectors of a fitted model, in groups that begin somewhere."""
    if callable(model.kernel) or model.kernel not in {one.value for one in Kernel}:
        raise Unsupported(
            f"{type(model).__name__} with a kernel that is precomputed, or a function"
        )
    if not kernel.available():
        raise Unsupported("support vectors, for which there is no kernel on this platform")
    kept = model.support_vectors_
    is_sparse, gamma = bool(model._sparse), float(model._gamma)
    if is_sparse and np.prod(kept.shape) > _MOST_FIGURES:
        raise Unsupported(f"{type(model).__name__} with too many sparse support vectors")
    return Vectors(
        rows=floats(plain(kept)),
        weights=floats(plain(model._dual_coef_)),
        starts=np.array(starts, dtype=np.int64),
        kernel=Kernel(model.kernel),
        gamma=gamma,
        offset=float(model.coef0),
        degree=int(model.degree),
        sparse=is_sparse,
    )


NODES = (VectorClassifier, VectorRegressor)
READERS = {
    "sklearn.NuSVC": read_classifier,
    "sklearn.NuSVR": read_regressor,
    "sklearn.OneClassSVM": read_one_class,
    "sklearn.SVC": read_classifier,
    "sklearn.SVR": read_regressor,
}
