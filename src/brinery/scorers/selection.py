"""Features that were found worth keeping: scikit-learn's selectors."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.data import Data, Sparse, complete, dense, finite, width_of
from brinery.scorers.interface import Reader, Step, require
from brinery.scorers.origin import Origins


class Keep(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """Some of the columns, all of them numbers.

    Attributes:
        places: (n_kept,) int64, which.
        of: how many there must be.
        missing: whether the library looks at no value; else none may be missing or infinite.
    """

    places: np.ndarray
    of: int
    missing: bool

    def __post_init__(self) -> None:
        """Check the places."""
        within = self.places.size == 0 or 0 <= self.places.min() <= self.places.max() < self.of
        require(self.places.ndim == 1 and within, "a selection of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return those columns."""
        require(width_of(data) == self.of, "a selection of other columns")
        if isinstance(data, Sparse):
            if not self.missing:
                finite(data.values)
            return data.select(self.places)
        table = dense(data) if self.missing else complete(data)
        return table if self._all else table[:, self.places]

    @cached_property
    def _all(self) -> bool:
        return np.array_equal(self.places, np.arange(self.of))

    def trace(self, origins: Origins) -> Origins:
        """Return where those columns come from."""
        return None if origins is None else [origins[place] for place in self.places.tolist()]


def read_selector(selector: Any, _: Reader) -> Step:
    """Return the node of a fitted selector: what says by `get_support` which features it keeps."""
    support = np.asarray(selector.get_support())
    return Keep(
        places=np.flatnonzero(support).astype(np.int64),
        of=len(support),
        missing=_takes_missing(selector, len(support)),
    )


def _takes_missing(selector: Any, n_features: int) -> bool:
    """Return whether a selector takes a row of nothing but missing values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            selector.transform(np.full((1, n_features), np.nan))
        except ValueError:
            return False
    return True


NODES = (Keep,)
READERS = {
    "sklearn.GenericUnivariateSelect": read_selector,
    "sklearn.RFE": read_selector,
    "sklearn.RFECV": read_selector,
    "sklearn.SelectFdr": read_selector,
    "sklearn.SelectFpr": read_selector,
    "sklearn.SelectFromModel": read_selector,
    "sklearn.SelectFwe": read_selector,
    "sklearn.SelectKBest": read_selector,
    "sklearn.SelectPercentile": read_selector,
    "sklearn.SequentialFeatureSelector": read_selector,
    "sklearn.VarianceThreshold": read_selector,
}
