"""Scores that are made probabilities: scikit-learn's `CalibratedClassifierCV`."""

from __future__ import annotations

from typing import Any, Optional, Union

import numpy as np
from msgspec import Struct

from brinery.scorers.across import likeliest, softmax, total
from brinery.scorers.data import Array, Data, Declined, finite
from brinery.scorers.interface import (
    MOST_CLASSES,
    Answer,
    Model,
    Reader,
    Splits,
    Unsupported,
    floats,
    require,
)
from brinery.scorers.linear import ask, logistic
from brinery.scorers.origin import Origins
from brinery.scorers.responses import Response, are_exact, chances, shared, splits_of, tied

_TWO = 2
# What scikit-learn takes for a probability that was rounded above 1.
_ROUNDED = 1.0 + 1e-5
# How far scores may be off, beside and times their size.
_ROUNDING = 1e-12
# What it adds to a probability before it takes the logarithm.
_LEAST = 1e-12


class Sigmoid(Struct, frozen=True, kw_only=True, tag=True):
    """The probability is a logistic function of the score.

    Attributes:
        slope: what the score is multiplied with.
        offset: what is added.
        widens: whether scores of float32 are calculated with in float64.
    """

    slope: float
    offset: float
    widens: bool

    def of(self, scores: Array) -> Array:
        """Return the probabilities: (n_rows,) float64.

        Raises:
            Declined: they would be calculated in float32.
        """
        if scores.dtype != np.float64 and not self.widens:
            raise Declined("scores of less precision")
        return logistic(-(self.slope * scores.astype(np.float64, copy=False) + self.offset))


class Isotonic(Struct, frozen=True, kw_only=True, tag=True):
    """The probability rises with the score, on straight lines between points.

    Attributes:
        scores: (n_points,) float64, rising.
        chances: (n_points,) float64, the probability at each.
    """

    scores: np.ndarray
    chances: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.scores.ndim == 1 and len(self.scores) > 0, "a curve without points")
        require(self.scores.shape == self.chances.shape, "a curve of points without heights")

    def of(self, scores: Array) -> Array:
        """Return the probabilities: (n_rows,) float64."""
        return np.interp(scores, self.scores, self.chances)


class Calibrated(Struct, frozen=True, kw_only=True):
    """A classifier with what makes its scores probabilities.

    Attributes:
        model: the classifier.
        response: its decision function or probabilities.
        curves: for each of its classes, of two for the second; empty where there is a temperature.
        places: (n_curves,) int64, the places of their classes among all.
        temperature: what logits are multiplied with instead.
        n_classes: how many classes there are.
    """

    model: Model
    response: Response
    curves: tuple[Union[Sigmoid, Isotonic], ...]
    places: np.ndarray
    temperature: Optional[float]
    n_classes: int

    def __post_init__(self) -> None:
        """Check that every curve has its class."""
        several = 1 < self.n_classes <= MOST_CLASSES
        require(several, "a calibration of one class, or of too many")
        require(self.places.shape == (len(self.curves),), "curves without classes")
        within = ((self.places >= 0) & (self.places < self.n_classes)).all()
        require(self.places.dtype == np.int64 and within, "a curve of a class that is not there")

    def of(self, scores: Array) -> Array:
        """Return the probabilities: (n_rows, n_classes) float64.

        Args:
            scores: (n_rows, n_scores).

        Raises:
            Declined: they are not of the classes, or of less precision.
        """
        shares = (
            self._by_curves(scores)
            if self.temperature is None
            else self._cooled(scores, self.temperature)
        )
        if shares.max(initial=0.0) > 1.0:
            shares[(shares > 1.0) & (shares <= _ROUNDED)] = 1.0
        return shares

    def scores(self, data: Data) -> Array:
        """Return the scores of each class, of two of the second: (n_rows, n_scores).

        Raises:
            Declined: one is missing or infinite.
        """
        if self.response is Response.DECISION:
            found = self.model.decision(data)
            return finite(found.reshape(-1, 1) if found.ndim == 1 else found)
        told = chances(self.model.answer(data))
        return finite(told[:, 1:] if told.shape[1] == _TWO else told)

    def _by_curves(self, scores: Array) -> Array:
        if scores.shape[1] != len(self.curves):
            raise Declined("scores that are not of the classes")
        shares = np.zeros((len(scores), self.n_classes))
        with np.errstate(all="ignore"):
            columns = zip(self.places.tolist(), scores.T, self.curves)
            for place, column, curve in columns:
                shares[:, place] = curve.of(column)
        if self.n_classes == _TWO:
            shares[:, 0] = 1.0 - shares[:, 1]
            return shares
        sums = total(shares)
        same = np.full_like(shares, 1 / self.n_classes)
        return np.divide(shares, sums, out=same, where=sums != 0)

    def _cooled(self, scores: Array, temperature: float) -> Array:
        if scores.dtype != np.float64:
            raise Declined("scores of less precision")
        if scores.shape[1] == 1 and self.response is Response.DECISION:
            return softmax(temperature * np.hstack([-scores, scores]))
        if scores.shape[1] == 1:
            scores = np.hstack([1 - scores, scores])
        shares = ((scores >= 0) & (scores <= 1)).all()
        if shares and np.isclose(scores.sum(axis=1), 1.0).all():
            scores = np.log(scores + _LEAST)
        return softmax(temperature * scores)


class Calibration(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Calibrated classifiers whose probabilities are averaged.

    Attributes:
        members: the classifiers.
        n_classes: how many classes there are.
    """

    members: tuple[Calibrated, ...]
    n_classes: int

    def __post_init__(self) -> None:
        """Check that all are of the same classes."""
        require(len(self.members) > 0, "a calibration of nothing")
        same = all(one.n_classes == self.n_classes for one in self.members)
        require(same, "a calibration of different classes")

    def answer(self, data: Data) -> Answer:
        """Return the average; the class is the first of the likeliest."""
        data = shared(data, [one.model for one in self.members])
        scores = [one.scores(data) for one in self.members]
        shares = self._mean(scores)
        close = tied(shares)
        if close.any() and not are_exact(one.model for one in self.members):
            self._check_ties([one[close] for one in scores], shares[close])
        return Answer(labels=likeliest(shares), probabilities=shares)

    def _mean(self, scores: list[Array]) -> Array:
        """Return the average of the probabilities: (n_rows, n_classes)."""
        sums = np.zeros((len(scores[0]), self.n_classes))
        for one, given in zip(self.members, scores):
            sums += one.of(given)
        sums /= len(self.members)
        return sums

    def _check_ties(self, scores: list[Array], shares: Array) -> None:
        """Check that classes are as likely whichever way the scores were rounded.

        Raises:
            Declined: they are not.
        """
        for sign in (-_ROUNDING, _ROUNDING):
            moved = [given + sign * (1 + np.abs(given)) for given in scores]
            if not np.array_equal(self._mean(moved), shares):
                raise Declined("two classes are as good as tied")

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of((one.model for one in self.members), origins)


def read_calibration(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `CalibratedClassifierCV`."""
    members = tuple(_read(one, model.classes_, reader) for one in model.calibrated_classifiers_)
    return Calibration(members=members, n_classes=len(model.classes_))


def _read(calibrated: Any, classes: Array, reader: Reader) -> Calibrated:
    # Older versions have another name for it.
    estimator = (
        calibrated.estimator if hasattr(calibrated, "estimator") else calibrated.base_estimator
    )
    places = np.searchsorted(classes, estimator.classes_)
    few = min(len(classes), len(places))
    if few < _TWO or (few == _TWO and len(classes) != len(places)):
        raise Unsupported("CalibratedClassifierCV of a member that knows some of the classes only")
    if not np.array_equal(classes, calibrated.classes):
        raise Unsupported("CalibratedClassifierCV of members with different classes")
    decides = hasattr(estimator, Response.DECISION.value)
    calibrators = list(calibrated.calibrators)
    cooled = [one for one in calibrators if type(one).__name__ == "_TemperatureScaling"]
    if not cooled and len(calibrators) != (1 if few == _TWO else len(places)):
        raise Unsupported("CalibratedClassifierCV with calibrators that are not of the classes")
    return Calibrated(
        model=reader.model(estimator),
        response=Response.DECISION if decides else Response.PROBABILITIES,
        curves=() if cooled else tuple(_curve(one) for one in calibrators),
        places=_places(places, two=few == _TWO) if not cooled else np.zeros(0, dtype=np.int64),
        temperature=float(cooled[0].beta_) if cooled else None,
        n_classes=len(classes),
    )


def _places(places: Array, *, two: bool) -> Array:
    """Return the classes of the calibrators: of two classes, there is one of the second."""
    return (places[1:] if two else places).astype(np.int64)


def _curve(calibrator: Any) -> Union[Sigmoid, Isotonic]:
    kind = type(calibrator).__name__
    if kind == "_SigmoidCalibration":
        found = ask(calibrator.predict, np.zeros(1, dtype=np.float32))
        return Sigmoid(
            slope=float(calibrator.a_),
            offset=float(calibrator.b_),
            widens=found.dtype == np.float64,
        )
    if kind != "IsotonicRegression" or calibrator.out_of_bounds != "clip":
        raise Unsupported(f"CalibratedClassifierCV with {kind}")
    if calibrator.X_thresholds_.dtype != np.float64:
        raise Unsupported("CalibratedClassifierCV with scores of less precision")
    return Isotonic(
        scores=floats(calibrator.X_thresholds_), chances=floats(calibrator.y_thresholds_)
    )


NODES = (Calibration,)
READERS = {"sklearn.CalibratedClassifierCV": read_calibration}
