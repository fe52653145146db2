"""How good a model is on some data: figures, and why a figure is absent."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


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
        counts: (k, k) rows by actual class, columns by predicted class.
        threshold: for a binary model, the probability of the positive class at and above which
            a row counts as positive; None where the predicted label itself was counted.
    """

    labels: tuple[Scalar, ...]
    counts: tuple[tuple[int, ...], ...]
    threshold: Optional[float] = None


class Evaluation(Struct, frozen=True, kw_only=True):
    """The figures of one model on one set of data.

    Attributes:
        type: which family of figures this is.
        rows: how many rows were scored and counted.
        rows_left_out: rows whose label was missing.
        metrics: name to finite value, in the order they are shown.
        not_computed: name of a figure to the reason it is absent.
        classes: the model's classes, in its order; empty for a regression.
        positive: the class that counts as positive; None unless binary.
        confusion: at the model's own labels, at threshold 0.5 and at the best threshold,
            as far as they exist.
    """

    type: PredictionType
    rows: int
    rows_left_out: int = 0
    metrics: dict[str, float] = {}
    not_computed: dict[str, str] = {}
    classes: tuple[Scalar, ...] = ()
    positive: Optional[Scalar] = None
    confusion: tuple[Confusion, ...] = ()
