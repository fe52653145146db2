"""One version of a comparison: its answers in the classes of the base, and its figures.

A figure is known either by how each row moves it, or by the classes that were predicted; which
decides how its difference is tested. What a version does not answer is the reason why: a `str`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from brinery.evaluate import margins, moves
from brinery.evaluate.continuous import PINBALL
from brinery.evaluate.labels import NO_CLASS, canonical, codes
from brinery.evaluate.moves import Moved, Order
from brinery.evaluate.regression import ordered, pinball_parts
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

HIGHER_IS_BETTER: Final[Mapping[str, bool]] = {
    "log_loss": False,
    "brier": False,
    "ece": False,
    "mae": False,
    "mse": False,
    "rmse": False,
    "rmsle": False,
    "mape": False,
    "median_ae": False,
    "pinball_10": False,
    "pinball_50": False,
    "pinball_90": False,
}

_MIDDLE: Final = 0.5
_OF_BINARY: Final = ("roc_auc", "average_precision", "log_loss", "brier", "ks", "lift_10")
_TENTH: Final = 0.1
_OF_MULTICLASS: Final = (
    *("roc_auc_macro", "roc_auc_weighted", "average_precision_macro"),
    *("average_precision_weighted", "log_loss", "brier"),
)
_OF_REGRESSION: Final = (
    *("mae", "rmse", "r2", "mape", "mse", "rmsle", "explained_variance", "pearson", "spearman"),
    *("pinball_10", "pinball_50", "pinball_90", "median_ae"),
)
_ROUNDING: Final = 1e-6
_SUM_ROUNDING: Final = 1e-3
_LISTED: Final = 6


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The rows that are compared on.

    Attributes:
        type: what is predicted.
        codes: (n_rows,) the actual classes; empty for a regression.
        values: (n_rows,) the actual values; empty for a classifier.
        weights: (n_rows,) above 0.
        classes: of the base, in its order.
    """

    type: PredictionType
    codes: Codes
    values: Floats
    weights: Floats
    classes: tuple[Scalar, ...] = ()

    @property
    def rows(self) -> int:
        """Return how many there are."""
        return self.weights.size

    @property
    def weighted(self) -> bool:
        """Return whether some count more than others."""
        return bool(np.ptp(self.weights))


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a version says to the rows, in the base's classes.

    Attributes:
        labels: (n_rows,) codes of the classes it predicts; or why there are none.
        probabilities: (n_rows, n_classes) 0 to 1; or why there are none.
        values: (n_rows,) what a regression predicts, finite; or why there are none.
    """

    labels: Codes | str
    probabilities: Floats | str
    values: Floats | str


def answers(
    scores: Scores, truth: Truth, *, rows: npt.NDArray[np.bool_], classes: tuple[Scalar, ...]
) -> Answers | str:
    """Return what a version says to the rows; or why it cannot be compared.

    Args:
        scores: of all rows of the data.
        truth: of the rows that are compared on.
        rows: (n_rows of the data,) which those are.
        classes: the version's own, in the order of its probabilities.
    """
    if len(scores) != rows.size:
        return f"it answered {len(scores):,} rows, and the data has {rows.size:,}"
    if scores.predictions.ndim > 1:
        return f"it answers each row with {scores.predictions.shape[1]:,} values"
    if truth.type is PredictionType.REGRESSION:
        values = _finite(scores.predictions[rows])
        no = "a regression has no classes"
        return Answers(labels=no, probabilities=no, values=values)
    order = _order(classes, truth.classes)
    if isinstance(order, str):
        return order
    labels: Codes | str = codes(scores.predictions[rows], truth.classes)
    if not isinstance(labels, str) and (labels == NO_CLASS).any():
        labels = "it predicts labels that are not among its classes"
    given = scores.probabilities
    chances = _chances(None if given is None else given[rows], order)
    no = "a classifier answers with classes"
    return Answers(labels=labels, probabilities=chances, values=no)


def moved(truth: Truth, said: Answers) -> dict[str, Moved | str]:
    """Return the figures that are known by how each row moves them, in the order they are shown.

    Args:
        truth: the rows.
        said: what a version says to them.
    """
    match truth.type:
        case PredictionType.BINARY:
            return _binary(truth, said)
        case PredictionType.MULTICLASS:
            return _multiclass(truth, said)
        case PredictionType.REGRESSION:
            return _regression(truth, said)
        case _:
            return {}


def counted(truth: Truth, *, beta: float) -> Mapping[str, margins.Figure]:
    """Return the figures that are known by the classes that were predicted, by name."""
    match truth.type:
        case PredictionType.BINARY:
            return margins.binary_figures(beta=beta)
        case PredictionType.MULTICLASS:
            return margins.multiclass_figures()
        case _:
            return {}


def metrics(kind: PredictionType, *, beta: float = 2.0) -> tuple[str, ...]:
    """Return the names of the figures that versions are compared by, in the order they are shown.

    Args:
        kind: what they predict.
        beta: of F-beta.
    """
    match kind:
        case PredictionType.BINARY:
            return ("accuracy", *_OF_BINARY, *margins.binary_figures(beta=beta))
        case PredictionType.MULTICLASS:
            return ("accuracy", *_OF_MULTICLASS, *margins.multiclass_figures())
        case PredictionType.REGRESSION:
            return _OF_REGRESSION
        case _:
            return ()


def loss(truth: Truth, said: Answers) -> tuple[str, Floats] | str:
    """Return what a row costs, and what that is called; or why it is not known.

    The squared error of the probabilities where there are some: unlike the log loss, no single row
    decides it.

    Args:
        truth: the rows.
        said: what a version says to them.
    """
    if truth.type is PredictionType.REGRESSION:
        if isinstance(said.values, str):
            return said.values
        return "absolute error", np.abs(said.values - truth.values)
    if not isinstance(said.probabilities, str):
        return "Brier score", _brier(truth, said.probabilities)
    return error(truth, said)


def error(truth: Truth, said: Answers) -> tuple[str, Floats] | str:
    """Return whether a row is wrong, 0 or 1, and what that is called; or why it is not known."""
    if isinstance(said.labels, str):
        return said.labels
    return "error rate", (said.labels != truth.codes).astype(np.float64)


def _binary(truth: Truth, said: Answers) -> dict[str, Moved | str]:
    chances, weights = said.probabilities, truth.weights
    positive = truth.codes == 1
    found: dict[str, Moved | str] = {}
    if isinstance(chances, str):
        return dict.fromkeys(_OF_BINARY, chances)
    one_class = _one_class(truth)
    order = Order.of(chances[:, 1])
    found["roc_auc"] = one_class or moves.roc_auc(positive, order, weights=weights)
    found["average_precision"] = one_class or moves.average_precision(
        positive, order, weights=weights
    )
    found["log_loss"] = _log_loss(truth, chances)
    found["brier"] = moves.mean(_brier(truth, chances), weights)
    found["ks"] = one_class or moves.ks(positive, order, weights=weights)
    found["lift_10"] = one_class or moves.lift(positive, order, weights=weights, share=_TENTH)
    return found


def _multiclass(truth: Truth, said: Answers) -> dict[str, Moved | str]:
    chances, weights = said.probabilities, truth.weights
    names = ("roc_auc", "average_precision")
    if isinstance(chances, str):
        return dict.fromkeys(_OF_MULTICLASS, chances)
    one_class = _one_class(truth)
    support = np.bincount(truth.codes, minlength=len(truth.classes))
    there = np.flatnonzero([] if one_class else support)
    parts: dict[str, list[Moved]] = {name: [] for name in names}
    shares: list[Moved] = []
    for code in there:
        own, order = truth.codes == code, Order.of(chances[:, code])
        parts["roc_auc"].append(moves.roc_auc(own, order, weights=weights))
        precision = moves.average_precision(own, order, weights=weights)
        parts["average_precision"].append(precision)
        shares.append(moves.mean(own.astype(np.float64), weights))
    absent = np.flatnonzero(support == 0)
    missing = f"no row is of class {truth.classes[absent[0]]!r}" if absent.size else ""
    found: dict[str, Moved | str] = {}
    for name, each in parts.items():
        found[f"{name}_macro"] = one_class or missing or _mean(each)
        found[f"{name}_weighted"] = one_class or moves.weighted_mean_of(tuple(each), tuple(shares))
    found["log_loss"] = _log_loss(truth, chances)
    found["brier"] = moves.mean(_brier(truth, chances), weights)
    return found


def _regression(truth: Truth, said: Answers) -> dict[str, Moved | str]:
    actual, predicted, weights = truth.values, said.values, truth.weights
    if isinstance(predicted, str):
        return dict.fromkeys(_OF_REGRESSION, predicted)
    wrong = actual - predicted
    constant = "" if np.ptp(actual) else "the target has the same value in every row"
    flat = constant or ("" if np.ptp(predicted) else "every answer is the same")
    zero = "" if actual.all() else "the target is 0 in some rows, and no error is a share of 0"
    low = min(actual.min(), predicted.min())
    below = "" if low > -1 else "some values are -1 or below, which have no logarithm of 1 + value"
    with np.errstate(all="ignore"):
        found: dict[str, Moved | str] = {
            "mae": moves.mean(np.abs(wrong), weights),
            "rmse": moves.root_mean(np.square(wrong), weights),
            "r2": constant or moves.explained(actual, wrong, weights=weights, centred=False),
            "mape": zero or moves.mean(np.abs(wrong / actual), weights),
            "mse": moves.mean(np.square(wrong), weights),
            "rmsle": below
            or moves.root_mean(np.square(np.log1p(predicted) - np.log1p(actual)), weights),
            "explained_variance": constant
            or moves.explained(actual, wrong, weights=weights, centred=True),
            "pearson": flat or moves.pearson(actual, predicted, weights=weights),
            "spearman": flat or moves.spearman(actual, predicted, weights=weights),
        }
        for share in PINBALL:
            parts = pinball_parts(actual, predicted, share=share)
            found[f"pinball_{share * 100:.0f}"] = moves.mean(parts, weights)
        size = np.abs(wrong)
        middle = ordered(size, weights if truth.weighted else None).at(_MIDDLE)
        found["median_ae"] = moves.quantile(size, weights, share=_MIDDLE, at=middle)
    return {name: _sane(each) for name, each in found.items()}


def _sane(found: Moved | str) -> Moved | str:
    if isinstance(found, str) or (np.isfinite(found.value) and np.isfinite(found.slope).all()):
        return found
    return "the errors are too large or too small for a floating-point number"


def _mean(parts: list[Moved]) -> Moved:
    return Moved(
        float(np.mean([part.value for part in parts])),
        np.mean([part.slope for part in parts], axis=0),
    )


def _log_loss(truth: Truth, chances: Floats) -> Moved | str:
    off = int(np.count_nonzero(np.abs(chances.sum(axis=1) - 1) > _SUM_ROUNDING))
    if off:
        return f"the probabilities of {off:,} of {len(chances):,} rows do not sum to 1"
    eps = np.finfo(np.float64).eps
    own = np.take_along_axis(chances, truth.codes[:, np.newaxis], axis=1)[:, 0]
    return moves.mean(-np.log(own.clip(eps, 1 - eps)), truth.weights)


def _brier(truth: Truth, chances: Floats) -> Floats:
    """Return the squared error of the probabilities, (n_rows,): halved where there are two."""
    if truth.type is PredictionType.BINARY:
        return np.square(chances[:, 1] - truth.codes)
    own = np.take_along_axis(chances, truth.codes[:, np.newaxis], axis=1)[:, 0]
    total: Floats = np.square(chances).sum(axis=1) + 1 - 2 * own
    return total


def _one_class(truth: Truth) -> str:
    if (truth.codes != truth.codes[0]).any():
        return ""
    return f"every row of the data is of class {truth.classes[truth.codes[0]]!r}"


def _order(own: tuple[Scalar, ...], base: tuple[Scalar, ...]) -> list[int] | str:
    """Return for each class of the base its place in the version's own order; or why not."""
    places = {canonical(label): place for place, label in enumerate(own)}
    wanted = [canonical(label) for label in base]
    if set(wanted) != set(places):
        return f"it tells {_listed(places)} apart, and the base {_listed(wanted)}"
    return [places[label] for label in wanted]


def _listed(names: list[str] | dict[str, int]) -> str:
    shown = ", ".join(list(names)[:_LISTED])
    return shown + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


def _chances(given: Floats | None, order: list[int]) -> Floats | str:
    if given is None:
        return "it gives no probabilities"
    if given.shape[1] != len(order):
        return f"it gives {given.shape[1]} probabilities for {len(order)} classes"
    if not ((given >= -_ROUNDING) & (given <= 1 + _ROUNDING)).all():
        return "some of its probabilities are not between 0 and 1"
    chances = given if order == list(range(len(order))) else given[:, order]
    return chances.astype(np.float64, copy=False).clip(0, 1)


def _finite(values: npt.NDArray[np.generic]) -> Floats | str:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        return "not every answer is a number"
    off = int(np.count_nonzero(~np.isfinite(numbers)))
    return f"{off:,} of its {numbers.size:,} answers are not finite" if off else numbers
