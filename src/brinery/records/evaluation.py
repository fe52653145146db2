"""How good a model is on some data: figures, and why a figure is absent."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Interval
from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum
from brinery.records.threshold import Threshold


class PredictionType(TextEnum):
    """What a model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    OTHER = "other"


class Confusion(Struct, frozen=True, kw_only=True):
    """A confusion matrix.

    Attributes:
        labels: (k,) the classes, in the model's order.
        counts: (k, k) rows by actual class, columns by predicted class; each row of the data is
            counted once, also where rows have weights.
        threshold: for a binary model, the probability of the positive class at and above which
            a row counts as positive; None where the predicted label itself was counted.
    """

    labels: tuple[Scalar, ...]
    counts: tuple[tuple[int, ...], ...]
    threshold: Optional[float] = None


class ClassFigures(Struct, frozen=True, kw_only=True):
    """The figures of one class of several against all others.

    Attributes:
        label: the class.
        rows: how many rows of the data are of it.
        metrics: name to finite value: precision, recall, F1, ROC AUC, average precision, Brier.
        intervals: name of a figure to its interval, as far as there is one.
        not_computed: name of a figure to the reason it is absent.
    """

    label: Scalar
    rows: int
    metrics: dict[str, float] = {}
    intervals: dict[str, Interval] = {}
    not_computed: dict[str, str] = {}


class Evaluation(Struct, frozen=True, kw_only=True):
    """The figures of one model on one set of data.

    Attributes:
        type: which family of figures this is.
        rows: how many rows were scored and counted.
        rows_left_out: rows whose label was missing.
        metrics: name to finite value, in the order they are shown.
        intervals: name of a figure to its interval, as far as there is one.
        no_interval: name of a figure that has a value but no interval, to the reason.
        not_computed: name of a figure to the reason it is absent.
        classes: the model's classes, in its order; empty for a regression.
        positive: the class that counts as positive; None unless binary.
        confusion: at the model's own labels, at threshold 0.5 and at the best threshold,
            as far as they exist.
        per_class: each class against the rest, in the model's order; empty unless multiclass.
        threshold: of a binary model, the best cut for the chosen figure, and how much of that
            figure is optimism; None where there is none.
        weighted: whether rows counted by a weight; all figures then do, but for counts of rows.
    """

    type: PredictionType
    rows: int
    rows_left_out: int = 0
    metrics: dict[str, float] = {}
    intervals: dict[str, Interval] = {}
    no_interval: dict[str, str] = {}
    not_computed: dict[str, str] = {}
    classes: tuple[Scalar, ...] = ()
    positive: Optional[Scalar] = None
    confusion: tuple[Confusion, ...] = ()
    per_class: tuple[ClassFigures, ...] = ()
    threshold: Optional[Threshold] = None
    weighted: bool = False
