"""scikit-learn's quadratic discriminant analysis: a Gaussian for each class."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.across import added, likeliest, softmax, told_apart, total
from brinery.scorers.data import Array, Data, Declined, Sparse, complete, finite
from brinery.scorers.interface import Answer, Model, Reader, floats, require

# Dimensions of a table, and classes of which there is one decision.
_TWO = 2
# Up to so many axes, columns that lie one after the other stay so.
_NARROW = 32


class Quadratic(Struct, Model, frozen=True, kw_only=True, tag=True, dict=True):
    """Gaussians with an own covariance each.

    Attributes:
        means: (n_classes, n_features) float64.
        axes: of each class (n_features, n_axes) float64, scaled so that its variance is 1.
        volumes: (n_classes,) float64, logarithms of the determinants.
        priors: (n_classes,) float64, logarithms.
    """

    means: np.ndarray
    axes: tuple[np.ndarray, ...]
    volumes: np.ndarray
    priors: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        count = len(self.axes)
        require(
            count > 1 and self.means.ndim == _TWO and len(self.means) == count,
            "classes without means",
        )
        require(self.volumes.shape == self.priors.shape == (count,), "classes without figures")
        width = self.means.shape[1]
        require(
            all(one.ndim == _TWO and len(one) == width for one in self.axes),
            "axes of other columns",
        )

    @cached_property
    def _parts(self) -> tuple[tuple[Array, Array], ...]:
        return tuple(zip(self.means, self.axes))

    def answer(self, data: Data) -> Answer:
        """Return the likeliest class, and how likely each is."""
        likelihoods = told_apart(self._likelihoods(data))
        with np.errstate(all="ignore"):
            return Answer(labels=likeliest(likelihoods), probabilities=softmax(likelihoods))

    def decision(self, data: Data) -> Array:
        """Return the logarithms of the likelihoods, or of two classes their difference."""
        likelihoods = self._likelihoods(data)
        if likelihoods.shape[1] == _TWO:
            return likelihoods[:, 1] - likelihoods[:, 0]
        return likelihoods

    def _likelihoods(self, data: Data) -> Array:
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = complete(data)
        require(table.shape[1] == self.means.shape[1], "means of other columns")
        # Class by class, which all that follows is sooner with.
        distances = np.empty((len(self.axes), len(table))).T
        with np.errstate(all="ignore"):
            for place, (mean, axes) in enumerate(self._parts):
                distances[:, place] = _distances(table - mean, axes)
            return finite(-0.5 * (distances + self.volumes) + self.priors)


def _distances(away: Array, axes: Array) -> Array:
    """Return the squared distances from a mean, along axes of a variance of 1: (n_rows,).

    Args:
        away: (n_rows, n_features).
        axes: (n_features, n_axes).
    """
    if away.flags.f_contiguous and axes.shape[1] <= _NARROW:
        columns = np.dot(axes.T, away.T)
        columns *= columns
        return added(columns)
    along = np.dot(away, axes)
    along *= along
    return total(along)[:, 0]


def read_quadratic_discriminant_analysis(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `QuadraticDiscriminantAnalysis`."""
    pairs = zip(model.rotations_, model.scalings_)
    return Quadratic(
        means=floats(model.means_),
        axes=tuple(floats(rotation * (scaling ** (-0.5))) for rotation, scaling in pairs),
        volumes=floats([np.sum(np.log(scaling)) for scaling in model.scalings_]),
        priors=floats(np.log(model.priors_)),
    )


NODES = (Quadratic,)
READERS = {"sklearn.QuadraticDiscriminantAnalysis": read_quadratic_discriminant_analysis}
