"""The figures that a model is given, and in plain words why one of them is absent.

Everything between the arrays and the record is a value or, in its place, the reason there is none:
a `str`. The record sorts the two apart at the end. The arithmetic is in the siblings; this module
must not do any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, assert_never

import numpy as np
import numpy.typing as npt

from brinery.evaluate import binary, continuous, multiclass
from brinery.evaluate.binary import Binary
from brinery.evaluate.continuous import Rows
from brinery.evaluate.curves import curves_of, cuts, every
from brinery.evaluate.options import Options
from brinery.evaluate.prepared import Prepared, prepare
from brinery.evaluate.sample import Labelled
from brinery.records.curves import Curves
from brinery.records.estimate import Estimate
from brinery.records.evaluation import ClassFigures, Confusion, Evaluation, PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.records.threshold import Aim, Threshold

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
        "balanced_accuracy",
        "specificity",
        "f2",
        "mcc",
        "kappa",
        "ece",
        "ks",
        "lift_10",
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
        "mcc",
        "kappa",
        "precision_micro",
        "recall_micro",
        "f1_micro",
        "average_precision_macro",
        "average_precision_weighted",
        "roc_auc_micro",
        "average_precision_micro",
        "brier",
        "ece",
    ),
    PredictionType.REGRESSION: (
        "mae",
        "rmse",
        "r2",
        "mape",
        "mse",
        "rmsle",
        "explained_variance",
        "pearson",
        "spearman",
        "pinball_10",
        "pinball_50",
        "pinball_90",
        "median_ae",
        "error_p05",
        "error_p25",
        "error_p50",
        "error_p75",
        "error_p95",
    ),
    PredictionType.OTHER: (),
}

_Figures = dict[str, Estimate | str]


class _Scored(NamedTuple):
    """What there is to say of rows beside how many they are."""

    figures: _Figures
    confusion: tuple[Confusion, ...] = ()
    per_class: tuple[ClassFigures, ...] = ()


def run(
    type: PredictionType,  # noqa: A002 - the record's own word for it
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...] = (),
    weights: npt.NDArray[np.generic] | None = None,
    options: Options | None = None,
) -> Evaluation:
    """Return how good the answers are, over the rows that have a label.

    Args:
        type: which family of figures.
        actual: (n_rows,) of any type; None and NaN are missing.
        scores: the model's answers for the same rows.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) what each row counts, from 0 up; None where each counts once.
        options: how the figures are made; the defaults where None.

    Raises:
        UnseenClass: a label is none of the classes.
        ValueError: a binary model without exactly two classes, or weights that are no numbers
            from 0 up.
    """
    chosen = options or Options()
    given = prepare(type, actual, scores=scores, classes=classes, weights=weights)
    aims = (Aim.F1,) if chosen.aim is Aim.F1 else (Aim.F1, chosen.aim)
    return _evaluation(given, cuts(given, aims, options=chosen), options=chosen)


def complete(
    type: PredictionType,  # noqa: A002 - the record's own word for it
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    classes: tuple[Scalar, ...] = (),
    weights: npt.NDArray[np.generic] | None = None,
    options: Options | None = None,
) -> tuple[Evaluation, Curves]:
    """Return the figures of `run`, and what is drawn of them, from one sort of the rows.

    Args:
        type: which family of figures.
        actual: (n_rows,) of any type; None and NaN are missing.
        scores: the model's answers for the same rows.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) what each row counts, from 0 up; None where each counts once.
        options: how the figures are made; the defaults where None.

    Raises:
        UnseenClass: a label is none of the classes.
        ValueError: a binary model without exactly two classes, or weights that are no numbers
            from 0 up.
    """
    chosen = options or Options()
    given = prepare(type, actual, scores=scores, classes=classes, weights=weights)
    found = cuts(given, every(chosen), options=chosen)
    return (
        _evaluation(given, found, options=chosen),
        curves_of(given, thresholds=found, options=chosen),
    )


def _evaluation(
    given: Prepared, cuts: tuple[Threshold, ...] | str, *, options: Options
) -> Evaluation:
    scored = _scored(given, cuts, options=options)
    told = {n: value for n, value in scored.figures.items() if not isinstance(value, str)}
    classes = given.sample.classes
    chosen = () if isinstance(cuts, str) else cuts
    return Evaluation(
        type=given.type,
        rows=len(given.sample.actual),
        rows_left_out=given.sample.left_out,
        metrics={name: value.value for name, value in told.items()},
        intervals={n: value.interval for n, value in told.items() if value.interval is not None},
        no_interval={name: value.reason for name, value in told.items() if value.reason},
        not_computed={n: why for n, why in scored.figures.items() if isinstance(why, str)},
        classes=() if given.type is PredictionType.REGRESSION else classes,
        positive=classes[1] if given.type is PredictionType.BINARY else None,
        confusion=scored.confusion,
        per_class=scored.per_class,
        threshold=next((cut for cut in chosen if cut.aim is options.aim), None),
        weighted=given.sample.weights is not None,
    )


def _scored(given: Prepared, cuts: tuple[Threshold, ...] | str, *, options: Options) -> _Scored:
    rows = given.rows
    match rows:
        case str():
            return _Scored(_absent(given.type, rows))
        case Binary():
            best = chosen = cuts if isinstance(cuts, str) else cuts[0]
            if not isinstance(cuts, str):
                chosen = next((cut for cut in cuts if cut.aim is options.aim), cuts[0])
            return _Scored(
                binary.figures(rows, best, options=options), binary.confusions(rows, chosen)
            )
        case Labelled():
            figures, per_class, confusion = multiclass.figures(rows, options=options)
            return _Scored(figures, confusion, per_class)
        case Rows():
            return _Scored(continuous.figures(rows, level=options.level))
        case _:
            assert_never(rows)


def _absent(family: PredictionType, why: str) -> _Figures:
    """Return the reason for every figure of a family, or once for a family without figures."""
    return dict.fromkeys(METRICS[family] or ("metrics",), why)
