"""The figures that a model is given, and in plain words why one of them is absent.

Everything between the arrays and the record is a value or, in its place, the reason there is none:
a `str`. `_given` carries a reason past the figures that would have needed the value, and the record
sorts the two apart at the end. The arithmetic is in the siblings; this module must not do any.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, assert_never

import numpy as np
import numpy.typing as npt

from brinery.evaluate import classification as cls
from brinery.evaluate import regression as reg
from brinery.evaluate.labels import NO_CLASS, codes, missing, refuse_unseen
from brinery.records.evaluation import Confusion, Evaluation, PredictionType
from brinery.records.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brinery.records.signature import Scalar

METRICS: Final[Mapping[PredictionType, tuple[str, ...]]] = {
    PredictionType.BINARY: (
        "accuracy",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "precision",
        "recall",
        "f1",
        "f1_best",
        "f1_best_threshold",
    ),
    PredictionType.MULTICLASS: (
        "accuracy",
        "balanced_accuracy",
        "precision_macro",
        "recall_macro",
        "f1_macro",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
        "roc_auc_macro",
        "roc_auc_weighted",
        "log_loss",
    ),
    PredictionType.REGRESSION: ("mae", "rmse", "r2", "mape"),
    PredictionType.OTHER: (),
}

# A softmax in float32 may come out this far beyond 0 or 1.
_ROUNDING: Final = 1e-6
_SUM_ROUNDING: Final = 1e-3
_HALF: Final = 0.5

_NO_ROWS: Final = "no row of the data has a label"
_CONSTANT: Final = "the target has the same value in every row"
_ZERO: Final = "the target is 0 in some rows, and no error is a share of 0"
_TOO_LARGE: Final = "the errors are too large or too small for a floating-point number"

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")
_Figures = dict[str, float | str]
_Scored = tuple[_Figures, tuple[Confusion, ...]]


def run(
    type: PredictionType,  # noqa: A002 - the record's own word for it
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...] = (),
) -> Evaluation:
    """Return how good the answers are, over the rows that have a label.

    Args:
        type: which family of figures.
        actual: (n_rows,) of any type; None and NaN are missing.
        scores: the model's answers for the same rows.
        classes: in the order of the probabilities; two where binary, the second is positive.

    Raises:
        UnseenClass: a label is none of the classes.
        ValueError: a binary model without exactly two classes.
    """
    labelled = ~missing(actual)
    kept = Scores(
        predictions=scores.predictions[labelled],
        probabilities=None if scores.probabilities is None else scores.probabilities[labelled],
    )
    # The record goes to JSON, which knows no numpy scalars.
    classes = tuple(c.item() if isinstance(c, np.generic) else c for c in classes)
    positive: Scalar | None = None
    if type is PredictionType.BINARY:
        _, positive = classes
    if type in {PredictionType.BINARY, PredictionType.MULTICLASS}:
        refuse_unseen(actual, classes)
    figures, confusion = _scored(type, actual[labelled], scores=kept, classes=classes)
    return Evaluation(
        type=type,
        rows=int(np.count_nonzero(labelled)),
        rows_left_out=int(np.count_nonzero(~labelled)),
        metrics={name: value for name, value in figures.items() if not isinstance(value, str)},
        not_computed={name: why for name, why in figures.items() if isinstance(why, str)},
        classes=() if type is PredictionType.REGRESSION else classes,
        positive=positive,
        confusion=confusion,
    )


def _scored(
    family: PredictionType,
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...],
) -> _Scored:
    if not actual.size and family is not PredictionType.OTHER:
        return dict.fromkeys(METRICS[family], _NO_ROWS), ()
    match family:
        case PredictionType.BINARY:
            return _binary(codes(actual, classes), scores, classes=classes)
        case PredictionType.MULTICLASS:
            return _multiclass(codes(actual, classes), scores, classes=classes)
        case PredictionType.REGRESSION:
            return _regression(actual, scores.predictions), ()
        case PredictionType.OTHER:
            return {"metrics": _no_family(scores)}, ()
        case _:
            assert_never(family)


def _no_family(scores: Scores) -> str:
    """Return why there is no figure for a model that is neither classifier nor regression."""
    if scores.predictions.ndim > 1:
        count = scores.predictions.shape[1]
        return f"the model answers each row with {count:,} values, and a target has one"
    return "the model is neither a classifier nor a regression"


def _binary(actual: cls.Codes, scores: Scores, *, classes: tuple[Scalar, ...]) -> _Scored:
    positive = actual == 1
    own = _own_counts(actual, scores.predictions, classes=classes)
    probabilities = _probabilities(scores, len(classes))
    score = _given(probabilities, lambda columns: columns[:, 1])
    ranked = _one_class(actual, classes) or score
    half = _given(score, partial(cls.confusion_at, positive, threshold=_HALF))
    best = _given(ranked, partial(cls.best_f1, positive))
    counts = own if isinstance(half, str) else half
    if not positive.any():
        counts = f"no row of the data is of the positive class {classes[1]!r}"
    figures: _Figures = {
        "accuracy": _given(own, cls.accuracy),
        "roc_auc": _given(ranked, partial(cls.roc_auc, positive)),
        "average_precision": _given(ranked, partial(cls.average_precision, positive)),
        "log_loss": _given(_sums_to_one(probabilities), partial(cls.log_loss, actual)),
        "brier": _given(score, partial(cls.brier, positive)),
        "precision": _given(counts, partial(cls.binary, cls.precision)),
        "recall": _given(counts, partial(cls.binary, cls.recall)),
        "f1": _given(counts, partial(cls.binary, cls.f1)),
        "f1_best": _given(best, lambda cut: cut.f1),
        "f1_best_threshold": _given(best, lambda cut: cut.threshold),
    }
    at_own = _given(own, partial(_confusion, classes))
    at_half = _given(half, partial(_confusion, classes, threshold=_HALF))
    at_best = _given(best, lambda cut: _confusion(classes, cut.counts, threshold=cut.threshold))
    return figures, tuple(c for c in (at_own, at_half, at_best) if not isinstance(c, str))


def _multiclass(actual: cls.Codes, scores: Scores, *, classes: tuple[Scalar, ...]) -> _Scored:
    own = _own_counts(actual, scores.predictions, classes=classes)
    probabilities = _probabilities(scores, len(classes))
    ranked = _one_class(actual, classes) or probabilities
    areas = _given(ranked, partial(cls.roc_auc_per_class, actual))
    figures: _Figures = {
        "accuracy": _given(own, cls.accuracy),
        "balanced_accuracy": _given(own, cls.balanced_accuracy),
        "precision_macro": _given(own, partial(cls.macro, cls.precision)),
        "recall_macro": _given(own, partial(cls.macro, cls.recall)),
        "f1_macro": _given(own, partial(cls.macro, cls.f1)),
        "precision_weighted": _given(own, partial(cls.weighted, cls.precision)),
        "recall_weighted": _given(own, partial(cls.weighted, cls.recall)),
        "f1_weighted": _given(own, partial(cls.weighted, cls.f1)),
        "roc_auc_macro": _given(areas, lambda each: _absent(actual, classes) or float(each.mean())),
        "roc_auc_weighted": _given(areas, lambda each: cls.roc_auc_weighted(each, actual)),
        "log_loss": _given(_sums_to_one(probabilities), partial(cls.log_loss, actual)),
    }
    return figures, () if isinstance(own, str) else (_confusion(classes, own),)


def _regression(
    actual: npt.NDArray[np.generic],
    predictions: npt.NDArray[np.generic],
) -> _Figures:
    target, predicted = _finite(actual, "target"), _finite(predictions, "model's predictions")
    if isinstance(target, str):
        return dict.fromkeys(METRICS[PredictionType.REGRESSION], target)
    if isinstance(predicted, str):
        return dict.fromkeys(METRICS[PredictionType.REGRESSION], predicted)
    constant = _CONSTANT if target.min() == target.max() else ""
    zero = "" if target.all() else _ZERO
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        figures: _Figures = {
            "mae": reg.mae(target, predicted),
            "rmse": reg.rmse(target, predicted),
            "r2": constant or reg.r2(target, predicted),
            "mape": zero or reg.mape(target, predicted),
        }
    return {
        name: value if isinstance(value, str) or math.isfinite(value) else _TOO_LARGE
        for name, value in figures.items()
    }


def _given(value: _Given | str, figure: Callable[[_Given], _Result]) -> _Result | str:
    """Return the figure of a value, or the reason why there is no value."""
    return value if isinstance(value, str) else figure(value)


def _own_counts(
    actual: cls.Codes,
    predictions: npt.NDArray[np.generic],
    *,
    classes: tuple[Scalar, ...],
) -> cls.Counts | str:
    predicted = codes(predictions, classes)
    if (predicted == NO_CLASS).any():
        return "the model predicts labels that are not among its classes"
    return cls.confusion_matrix(actual, predicted, n_classes=len(classes))


def _probabilities(scores: Scores, n_classes: int) -> cls.Floats | str:
    given = scores.probabilities
    if given is None:
        return "the model gives no probabilities"
    if given.shape[1] != n_classes:
        return f"the model gives {given.shape[1]} probabilities for {n_classes} classes"
    if not ((given >= -_ROUNDING) & (given <= 1 + _ROUNDING)).all():
        return "some of the model's probabilities are not between 0 and 1"
    return given.clip(0, 1)


def _sums_to_one(probabilities: cls.Floats | str) -> cls.Floats | str:
    """Return probabilities of which each row's sum to 1, or the reason why they are none."""
    if isinstance(probabilities, str):
        return probabilities
    off = int(np.count_nonzero(abs(probabilities.sum(axis=1) - 1) > _SUM_ROUNDING))
    if not off:
        return probabilities
    return f"the probabilities of {off:,} of {len(probabilities):,} rows do not sum to 1"


def _one_class(actual: cls.Codes, classes: tuple[Scalar, ...]) -> str:
    """Return why nothing can be told apart, or an empty text where two classes are present."""
    only = classes[actual[0]]
    return "" if (actual != actual[0]).any() else f"every row of the data is of class {only!r}"


def _absent(actual: cls.Codes, classes: tuple[Scalar, ...]) -> str:
    """Return that a class has no row, or an empty text where each has one."""
    absent = np.flatnonzero(np.bincount(actual, minlength=len(classes)) == 0)
    return f"no row of the data is of class {classes[absent[0]]!r}" if absent.size else ""


def _finite(values: npt.NDArray[np.generic], what: str) -> reg.Floats | str:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        return f"not every value of the {what} is a number"
    finite = np.isfinite(numbers)
    if finite.all():
        return numbers
    off = int(np.count_nonzero(~finite))
    return f"{off:,} of the {numbers.size:,} values of the {what} are not finite"


def _confusion(
    classes: tuple[Scalar, ...],
    counts: cls.Counts,
    *,
    threshold: float | None = None,
) -> Confusion:
    return Confusion(labels=classes, counts=tuple(map(tuple, counts.tolist())), threshold=threshold)
