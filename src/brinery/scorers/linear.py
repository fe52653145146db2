"""Linear models: a weight for each column, and what the sums mean."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.scorers import across, kernel, rows
from brinery.scorers.additive import Additive, Weights, check_single
from brinery.scorers.composition import Piped
from brinery.scorers.data import Array, Data, Declined, Sparse, complete, finite
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Unsupported,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.rows import Link
from brinery.scorers.scaling import Scale

_TABLE = 2
_TOLERANCE = 1e-12
_TWICE = 2.0
# Of a row by itself: how large a sum may be.
_LARGE = 300.0
_TINY = 1e-300


class Sums(Struct, frozen=True, kw_only=True, dict=True):
    """Weighted sums of the columns.

    Attributes:
        weights: (n_sums, n_features) float64.
        intercepts: (n_sums,) float64.
    """

    weights: np.ndarray
    intercepts: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.weights.ndim == _TABLE and len(self.weights), "weights that are no table")
        require(self.intercepts.shape == self.weights.shape[:1], "weights without intercepts")

    @cached_property
    def _columns(self) -> Array:
        return np.ascontiguousarray(self.weights.T)

    def of(self, data: Data) -> Array:
        """Return the sums of each row: (n_rows, n_sums) float64.

        Raises:
            Declined: a value is missing or infinite, or they are float32 numbers, which the
                library might add up as such.
        """
        width = self.weights.shape[1]
        if isinstance(data, Sparse):
            require(data.width == width, "weights of other columns")
            double(finite(data.values))
            found: Array = data.dot(self._columns) + self.intercepts
            return found
        table = double(complete(data))
        require(table.shape[1] == width, "weights of other columns")
        return np.add(table @ self.weights.T, self.intercepts)

    def row(self) -> Optional[rows.Weighted]:
        """Return what gives the sums of a single row: of a few columns, and within bounds.

        Those are such that what the order of a sum changes is far below what anyone compares, and
        that no exponential of a sum is too large for a float64.
        """
        if not 0 < self.weights.size <= kernel.NARROW or np.abs(self.intercepts).max() > _LARGE:
            return None
        largest = _LARGE / max(_TINY, float(np.abs(self.weights).sum(axis=1).max()))
        return rows.Weighted(self.weights.tolist(), self.intercepts.tolist(), largest)

    def part(self, origins: Origins, factor: float = 1.0) -> Weights:
        """Return the weighted columns, without what they are added to."""
        return Weights(self.weights * factor, origins, _checked)


def _checked(data: Data) -> Data:
    if isinstance(data, Sparse):
        double(finite(data.values))
        return data
    return double(complete(data))


class LinearClassifier(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A sum for the second of two classes, or for each class.

    Attributes:
        sums: of the columns.
        link: to the probabilities.
    """

    sums: Sums
    link: Link

    def answer(self, data: Data) -> Answer:
        """Return the class of the largest sum, or of whether the one sum is above 0."""
        with np.errstate(all="ignore"):
            sums = self.sums.of(data)
            one = sums.shape[1] == 1
            labels = (sums[:, 0] > 0).astype(np.int64) if one else across.likeliest(sums)
            return Answer(labels=labels, probabilities=probabilities(sums, self.link))

    def row(self) -> Optional[rows.Model]:
        """Return what answers a single row, unless two classes are as good as tied."""
        sums = self.sums.row()
        if sums is None or self.link is Link.HUBER:
            return None
        return rows.Classified(sums, self.link)

    def decision(self, data: Data) -> Array:
        """Return the sums."""
        with np.errstate(all="ignore"):
            sums = self.sums.of(data)
        return sums[:, 0] if sums.shape[1] == 1 else sums

    def additive(self, origins: Origins) -> Additive:
        """Return the sums: log-odds where the link makes a probability of one by itself."""
        one = len(self.sums.weights) == 1
        # The softmax of -x and x is the logistic function of 2 x.
        factor = _TWICE if one and self.link is Link.SOFTMAX else 1.0
        logistic = one and self.link in (Link.LOGISTIC, Link.SOFTMAX)
        return Additive(
            (self.sums.part(origins, factor),),
            lambda data: self.sums.of(data) * factor,
            Unit.LOG_ODDS if logistic else Unit.MARGIN,
        )


class LinearRegressor(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A weighted sum.

    Attributes:
        sums: of the columns.
        flat: whether there is one number for each row, not a row of numbers.
        exponential: whether the sums are logarithms of the predictions.
    """

    sums: Sums
    flat: bool
    exponential: bool = False

    def answer(self, data: Data) -> Answer:
        """Return the sums, or what they are the logarithms of."""
        with np.errstate(all="ignore"):
            sums = self.sums.of(data)
            values = np.exp(sums) if self.exponential else sums
        return Answer(values=values[:, 0] if self.flat else values)

    def row(self) -> Optional[rows.Model]:
        """Return what answers a single row."""
        sums = self.sums.row()
        return None if sums is None else rows.Regressed(sums, self.flat, self.exponential)

    def additive(self, origins: Origins) -> Additive:
        """Return the weighted sum."""
        check_single(len(self.sums.weights))
        unit = Unit.LOGARITHM if self.exponential else Unit.VALUE
        return Additive((self.sums.part(origins),), self.sums.of, unit)


class LinearDetector(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A sum that is negative for an outlier.

    Attributes:
        sums: one, of the columns.
    """

    sums: Sums

    def answer(self, data: Data) -> Answer:
        """Return 1 for an inlier, -1 for an outlier."""
        return Answer(values=np.where(self.decision(data) >= 0, 1, -1))

    def decision(self, data: Data) -> Array:
        """Return the sum."""
        with np.errstate(all="ignore"):
            return self.sums.of(data)[:, 0]


def double(table: Array) -> Array:
    """Return a table of float64 numbers.

    Raises:
        Declined: they are float32 numbers, which the library might add up as such.
    """
    if table.dtype == np.float32:
        raise Declined("numbers of less than float64")
    return table


def probabilities(sums: Array, link: Link) -> Optional[Array]:
    """Return the probabilities of each class that sums mean: (n_rows, n_classes); None for none."""
    if link is Link.NONE:
        return None
    if link is Link.SOFTMAX:
        return across.softmax(sums if sums.shape[1] > 1 else np.hstack([-sums, sums]))
    chances = logistic(sums) if link is Link.LOGISTIC else (np.clip(sums, -1, 1) + 1.0) / 2.0
    if chances.shape[1] == 1:
        both = np.empty((len(chances), 2))
        np.subtract(1, chances, out=both[:, :1])
        both[:, 1:] = chances
        return both
    total = across.total(chances)
    if not total.all():
        if link is Link.LOGISTIC:
            raise Declined("no class is likely, which versions of the library tell in two ways")
        none = total[:, 0] == 0
        chances[none], total[none] = 1, chances.shape[1]
    shares: Array = chances / total
    return shares


def logistic(x: Array) -> Array:
    """Return 1 / (1 + e^-x) of each value, as scipy has it."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def sums_of(model: Any) -> Sums:
    """Return the weights and intercepts of a fitted linear model, of any shape.

    There is an intercept for each output, also where the model has one 0 for all.
    """
    weights = np.atleast_2d(plain(model.coef_))
    intercepts = np.broadcast_to(np.ravel(model.intercept_), (len(weights),))
    return Sums(weights=floats(weights), intercepts=floats(intercepts))


def plain(table: Any) -> Array:
    """Return a table of figures with its zeros, also where the library keeps it without them."""
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table)


def ask(method: Any, rows: Array) -> Array:
    """Return what a method of a fitted estimator answers rows that were made up."""
    with warnings.catch_warnings():
        # That it was fitted on named columns is no matter here.
        warnings.simplefilter("ignore")
        return np.asarray(method(rows))


def read_classifier(model: Any, _: Reader) -> Model:
    """Return the node of a fitted linear classifier without probabilities."""
    return _classifier(model, Link.NONE)


def read_logistic_regression(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `LogisticRegression`, with the link that its version has."""
    sums = sums_of(model)
    rows = sums.weights / np.maximum(np.abs(sums.weights).max(axis=1, keepdims=True), 1e-300)
    rows = np.vstack([np.zeros_like(rows[:1]), rows, -rows])
    found = ask(model.predict_proba, rows)
    for link in (Link.LOGISTIC, Link.SOFTMAX):
        if np.allclose(_told(sums, link, rows), found, rtol=0, atol=_TOLERANCE):
            return _classifier(model, link)
    raise Unsupported("LogisticRegression with probabilities of another kind")


def _told(sums: Sums, link: Link, rows: Array) -> Any:
    with np.errstate(all="ignore"):
        return probabilities(sums.of(rows), link)


def read_sgd_classifier(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `SGDClassifier`."""
    links = {"log": Link.LOGISTIC, "log_loss": Link.LOGISTIC, "modified_huber": Link.HUBER}
    return _classifier(model, links.get(model.loss, Link.NONE))


def read_discriminant_analysis(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `LinearDiscriminantAnalysis`."""
    return _classifier(model, Link.LOGISTIC if len(model.classes_) == _TABLE else Link.SOFTMAX)


def _classifier(model: Any, link: Link) -> LinearClassifier:
    binarizer = getattr(model, "_label_binarizer", None)
    if str(getattr(binarizer, "y_type_", "")).startswith("multilabel"):
        raise Unsupported(f"{type(model).__name__} of several labels")
    return LinearClassifier(sums=sums_of(model), link=link)


def read_regressor(model: Any, _: Reader) -> Model:
    """Return the node of a fitted linear regression."""
    return LinearRegressor(sums=sums_of(model), flat=plain(model.coef_).ndim < _TABLE)


def read_exponential(model: Any, _: Reader) -> Model:
    """Return the node of a fitted regression of logarithms."""
    return LinearRegressor(sums=sums_of(model), flat=True, exponential=True)


def read_tweedie(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `TweedieRegressor`."""
    exponential = model.power > 0 if model.link == "auto" else model.link == "log"
    return LinearRegressor(sums=sums_of(model), flat=True, exponential=bool(exponential))


def read_ransac(model: Any, reader: Reader) -> Model:
    """Return the node of the regressor that a fitted `RANSACRegressor` settled on."""
    return reader.model(model.estimator_)


def read_one_class(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `SGDOneClassSVM`."""
    weights = np.atleast_2d(plain(model.coef_))
    return LinearDetector(
        sums=Sums(weights=floats(weights), intercepts=floats(-np.ravel(model.offset_)))
    )


def read_partial_least_squares(model: Any, _: Reader) -> Model:
    """Return the node of a fitted `PLSRegression`: versions differ in what is scaled when."""
    shift, scale = floats(model._x_mean), floats(model._x_std)
    weights = plain(getattr(model, "_coef_", model.coef_))
    if weights.shape[1] != len(shift) or not hasattr(model, "intercept_"):
        weights = weights.T
    means = model._y_mean
    intercepts = np.ravel(getattr(model, "intercept_", means))
    sums = Sums(weights=floats(weights), intercepts=floats(intercepts))
    rows = shift + scale * np.vstack([np.zeros_like(shift), np.eye(len(shift))])
    found = ask(model.predict, rows)
    regressor = LinearRegressor(sums=sums, flat=found.ndim == 1)
    for divisor in (None, scale):
        node = Piped(Scale(shift=shift, scale=divisor), regressor)
        values = np.asarray(node.answer(rows).values)
        if np.allclose(values, found, rtol=1e-9, atol=0):
            return node
    raise Unsupported("PLSRegression of another kind")


NODES = (LinearClassifier, LinearRegressor, LinearDetector)
_CLASSIFIERS = (
    "LinearSVC",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "RidgeClassifier",
    "RidgeClassifierCV",
)
_REGRESSORS = (
    *("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars"),
    *("LarsCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression"),
    *("LinearSVR", "MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso"),
    *("MultiTaskLassoCV", "OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV"),
    *("PassiveAggressiveRegressor", "QuantileRegressor", "Ridge", "RidgeCV", "SGDRegressor"),
    "TheilSenRegressor",
)
READERS = {
    **{f"sklearn.{name}": read_classifier for name in _CLASSIFIERS},
    **{f"sklearn.{name}": read_regressor for name in _REGRESSORS},
    "sklearn.GammaRegressor": read_exponential,
    "sklearn.LinearDiscriminantAnalysis": read_discriminant_analysis,
    "sklearn.LogisticRegression": read_logistic_regression,
    "sklearn.LogisticRegressionCV": read_logistic_regression,
    "sklearn.PLSRegression": read_partial_least_squares,
    "sklearn.PoissonRegressor": read_exponential,
    "sklearn.RANSACRegressor": read_ransac,
    "sklearn.SGDClassifier": read_sgd_classifier,
    "sklearn.SGDOneClassSVM": read_one_class,
    "sklearn.TweedieRegressor": read_tweedie,
}
