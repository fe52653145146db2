"""Columns mixed into fewer: scikit-learn's PCA, truncated SVD, discriminants and least squares."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.data import Array, Data, Declined, Sparse, doubles, finite
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.origin import Origins, together


class Project(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """((x - center) / spread @ weights - shift) / scale, each part where there is one.

    Attributes:
        weights: (n_features, n_components) float64; the other way around if `turned`.
        turned: whether the weights of a component lie side by side, which decides on the order in
            which products are added.
        center: (n_features,) float64; of PCA in older versions.
        spread: (n_features,) float64.
        shift: (n_components,) float64, the projected center; of newer versions.
        scale: (n_components,) float64.
        fills: whether a sparse table is made a dense one first.
    """

    weights: np.ndarray
    turned: bool
    center: Optional[np.ndarray] = None
    spread: Optional[np.ndarray] = None
    shift: Optional[np.ndarray] = None
    scale: Optional[np.ndarray] = None
    fills: bool = False

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.weights.ndim == 2, "components without features")  # noqa: PLR2004
        width, count = self._matrix.shape
        for part in (self.center, self.spread):
            require(part is None or part.shape == (width,), "a center elsewhere")
        for part in (self.shift, self.scale):
            require(part is None or part.shape == (count,), "components that are not there")

    @property
    def _matrix(self) -> Array:
        return self.weights.T if self.turned else self.weights

    @cached_property
    def _lying(self) -> Array:
        return np.ascontiguousarray(self._matrix)

    def transform(self, data: Data) -> Data:
        """Return the projections: (n_rows, n_components) float64."""
        found = (
            self._sparse(data) if isinstance(data, Sparse) and not self.fills else self._dense(data)
        )
        if self.shift is not None:
            found -= self.shift
        if self.scale is not None:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                found /= self.scale
        return found

    def _dense(self, data: Data) -> Array:
        table = finite(doubles(data))
        require(table.shape[1] == len(self._matrix), "components of other columns")
        with np.errstate(over="ignore", invalid="ignore"):
            if self.center is not None:
                table = table - self.center
            if self.spread is not None:
                table = table / self.spread
            return table @ self._matrix

    def _sparse(self, table: Sparse) -> Array:
        if self.center is not None or self.spread is not None:
            raise Declined("a sparse table cannot be shifted")
        finite(doubles(table.values))
        require(table.width == len(self._matrix), "components of other columns")
        return table.dot(self._lying)

    def trace(self, origins: Origins) -> Origins:
        """Return that each output is made of all columns."""
        return None if origins is None else [together(origins)] * self._matrix.shape[1]


def read_pca(pca: Any, _: Reader) -> Step:
    """Return the node of a fitted `PCA` or `IncrementalPCA`."""
    # Since this method is there, the center is subtracted from the projections.
    later = hasattr(pca, "_transform")
    mean = pca.mean_
    return Project(
        weights=_weights(pca),
        turned=_is_turned(pca),
        center=None if later or mean is None else floats(mean),
        shift=floats((np.reshape(mean, (1, -1)) @ pca.components_.T)[0]) if later else None,
        scale=_scale(pca, later=later) if pca.whiten else None,
        fills=type(pca).__name__ == "IncrementalPCA",
    )


def _scale(pca: Any, *, later: bool) -> Array:
    """Return what whitening divides by: (n_components,)."""
    scale = np.sqrt(pca.explained_variance_)
    if later:
        least = np.finfo(scale.dtype).eps
        scale[scale < least] = least
    return floats(scale)


def _is_turned(estimator: Any) -> bool:
    components = estimator.components_
    return bool(components.strides[0] != components.itemsize)


def _weights(estimator: Any) -> Array:
    components = estimator.components_
    return floats(components if _is_turned(estimator) else components.T)


def read_truncated_svd(svd: Any, _: Reader) -> Step:
    """Return the node of a fitted `TruncatedSVD`."""
    return Project(weights=_weights(svd), turned=_is_turned(svd))


def read_discriminants(model: Any, _: Reader) -> Step:
    """Return the node of a fitted `LinearDiscriminantAnalysis` that projects."""
    if model.solver not in ("svd", "eigen"):
        raise Unsupported(f"LinearDiscriminantAnalysis with solver {model.solver} as a transformer")
    center = floats(model.xbar_) if model.solver == "svd" else None
    weights = floats(model.scalings_[:, : model._max_components])
    return Project(weights=weights, turned=False, center=center)


def read_partial_least_squares(model: Any, _: Reader) -> Step:
    """Return the node of a fitted partial least squares that projects."""
    weights = model.x_rotations_ if hasattr(model, "x_rotations_") else model.x_weights_
    center, spread = floats(model._x_mean), floats(model._x_std)
    return Project(weights=floats(weights), turned=False, center=center, spread=spread)


NODES = (Project,)
READERS = {
    **{
        f"sklearn.{name}.transform": read_partial_least_squares
        for name in ("CCA", "PLSCanonical", "PLSRegression")
    },
    "sklearn.LinearDiscriminantAnalysis.transform": read_discriminants,
    "sklearn.PLSSVD": read_partial_least_squares,
    "sklearn.IncrementalPCA": read_pca,
    "sklearn.PCA": read_pca,
    "sklearn.TruncatedSVD": read_truncated_svd,
}
