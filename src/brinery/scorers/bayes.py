"""scikit-learn's naive Bayes classifiers: each column tells of the class on its own."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers.across import largest, likeliest, told_apart, total
from brinery.scorers.data import Array, Data, Declined, Sparse, complete, finite
from brinery.scorers.interface import Answer, Model, Reader, floats, require
from brinery.scorers.linear import Sums

_TABLE = 2
# Up to this many rows are scored at once where each makes a table of its own.
_FEW = 64
_EXACT = 2.0**53


class GaussianBayes(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Columns that are normally distributed within each class.

    Attributes:
        means: (n_classes, n_features) float64.
        variances: (n_classes, n_features) float64.
        norms: (n_classes,) float64, logarithms of the densities' factors.
        priors: (n_classes,) float64, logarithms.
    """

    means: np.ndarray
    variances: np.ndarray
    norms: np.ndarray
    priors: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.means.ndim == _TABLE and len(self.means), "classes without means")
        require(self.variances.shape == self.means.shape, "means without variances")
        require(
            self.norms.shape == self.priors.shape == self.means.shape[:1], "classes without figures"
        )

    def answer(self, data: Data) -> Answer:
        """Return the likeliest class, and how likely each is."""
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = complete(data)
        require(table.shape[1] == self.means.shape[1], "means of other columns")
        with np.errstate(all="ignore"):
            if len(table) <= _FEW:
                away = (table[:, None, :] - self.means) ** 2 / self.variances
                sums = away.sum(axis=2)
            else:
                classes = zip(self.means, self.variances)
                # Class by class, which all that follows is sooner with.
                sums = np.array(
                    [((table - mean) ** 2 / var).sum(axis=1) for mean, var in classes]
                ).T
            return _answered(told_apart(self.priors + (self.norms - 0.5 * sums)))


class CountBayes(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Columns of counts, or of whether something is there.

    Attributes:
        sums: of the columns, one for each class: logarithms of the likelihoods.
        threshold: a value above it counts as 1, any other as 0; None where values are taken as
            they are.
    """

    sums: Sums
    threshold: Optional[float] = None

    def answer(self, data: Data) -> Answer:
        """Return the likeliest class, and how likely each is."""
        with np.errstate(all="ignore"):
            return _answered(self.sums.of(data if self.threshold is None else self._halved(data)))

    def _halved(self, data: Data) -> Data:
        if not isinstance(data, Sparse):
            return (complete(data) > self.threshold).astype(np.float64)
        if self.threshold is None or self.threshold < 0:
            raise Declined("a sparse table in which 0 would count as 1")
        values = (finite(data.values) > self.threshold).astype(np.float64)
        return Sparse(data.starts, data.columns, values, width=data.width)


class CategoryBayes(Struct, Model, frozen=True, kw_only=True, tag=True, dict=True):
    """Columns of categories, each a small whole number.

    Attributes:
        chances: of each column (n_classes, n_categories) float64, logarithms.
        priors: (n_classes,) float64, logarithms.
    """

    chances: tuple[np.ndarray, ...]
    priors: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.priors.ndim == 1 and len(self.priors) and self.chances, "no classes")
        for one in self.chances:
            require(
                one.ndim == _TABLE and len(one) == len(self.priors), "categories of other classes"
            )

    @cached_property
    def _counts(self) -> Array:
        return np.array([one.shape[1] for one in self.chances])

    @cached_property
    def _firsts(self) -> Array:
        return np.cumsum(self._counts) - self._counts

    @cached_property
    def _rows(self) -> Array:
        """Return the chances of every category of every column: (n_all, n_classes)."""
        return np.ascontiguousarray(np.concatenate(self.chances, axis=1).T)

    def answer(self, data: Data) -> Answer:
        """Return the likeliest class, and how likely each is."""
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = complete(data)
        require(table.shape[1] == len(self.chances), "categories of other columns")
        if (np.abs(table) >= _EXACT).any():
            raise Declined("a category that is too large")
        codes = table.astype(np.int64)
        if (codes < 0).any() or (codes >= self._counts).any():
            raise Declined("a category that was not there at the fit")
        codes += self._firsts
        with np.errstate(all="ignore"):
            if len(codes) <= _FEW:
                sums = self._rows[codes].sum(axis=1)
            else:
                sums = np.zeros((len(codes), len(self.priors)))
                for column in codes.T.copy():
                    sums += self._rows.take(column, axis=0)
            return _answered(sums + self.priors)


def _answered(likelihoods: Array) -> Answer:
    """Return the answer of classes whose likelihoods' logarithms are told: (n_rows, n_classes).

    Raises:
        Declined: one is impossible.
    """
    finite(likelihoods)
    most = largest(likelihoods)
    sums = np.log(total(np.exp(likelihoods - most))) + most
    return Answer(labels=likeliest(likelihoods), probabilities=np.exp(likelihoods - sums))


def read_gaussian(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `GaussianNB`."""
    # After a fit on float32 they are float32, and so is what the library makes of them alone.
    variances = model.var_ if hasattr(model, "var_") else model.sigma_
    with np.errstate(all="ignore"):
        priors = np.log(model.class_prior_)
        norms = [-0.5 * np.sum(np.log(2.0 * np.pi * one)) for one in variances]
    return GaussianBayes(
        means=floats(model.theta_),
        variances=floats(variances),
        norms=floats(norms),
        priors=floats(priors),
    )


def read_multinomial(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `MultinomialNB`."""
    return _counted(model.feature_log_prob_, model.class_log_prior_)


def read_complement(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `ComplementNB`, which asks how likely a class is only of one."""
    priors = model.class_log_prior_
    return _counted(model.feature_log_prob_, priors if len(priors) == 1 else np.zeros(len(priors)))


def read_bernoulli(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `BernoulliNB`."""
    present = floats(model.feature_log_prob_)
    with np.errstate(all="ignore"):
        absent = np.log(1 - np.exp(present))
        priors = model.class_log_prior_ + absent.sum(axis=1)
        weights = present - absent
    return _counted(weights, priors, None if model.binarize is None else float(model.binarize))


def _counted(weights: Any, priors: Any, threshold: Optional[float] = None) -> CountBayes:
    sums = Sums(weights=floats(weights), intercepts=floats(priors))
    return CountBayes(sums=sums, threshold=threshold)


def read_categorical(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `CategoricalNB`."""
    chances = tuple(floats(one) for one in model.feature_log_prob_)
    return CategoryBayes(chances=chances, priors=floats(model.class_log_prior_))


NODES = (GaussianBayes, CountBayes, CategoryBayes)
READERS = {
    "sklearn.BernoulliNB": read_bernoulli,
    "sklearn.CategoricalNB": read_categorical,
    "sklearn.ComplementNB": read_complement,
    "sklearn.GaussianNB": read_gaussian,
    "sklearn.MultinomialNB": read_multinomial,
}
