"""What a fitted model says of itself once it is loaded."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType, Scalar


class ColumnUse(Struct, frozen=True, kw_only=True):
    """What a model does with one input column, as far as it can be read from its steps.

    Attributes:
        used: whether any step reads it.
        categories: the values its encoder knows, or None.
        missing: whether a step stands before the encoder that fills missing values in, or the
            encoder knows the missing value itself.
        type: of its values, where the model says; the data tells it else.
    """

    used: bool = True
    categories: Optional[tuple[Scalar, ...]] = None
    missing: bool = False
    type: Optional[ColumnType] = None


class Unscored(Struct, frozen=True):
    """Why a model cannot be asked for predictions.

    Attributes:
        reason: as it reads after "it cannot be asked for predictions, because".
        instead: what to do for one that can; a hint.
    """

    reason: str
    instead: str


class Description(Struct, frozen=True, kw_only=True):
    """A loaded model.

    Attributes:
        framework: its name, such as `scikit-learn`; that of the flavor.
        framework_version: the version that is installed and loaded it.
        outline: its class, with those of its steps, on one line.
        type: what it predicts, as far as it can be told.
        classes: in the order of its probabilities; empty where it has none.
        gives_probabilities: whether it has `predict_proba`.
        transforms: whether it answers with `transform`, having no `predict`.
        feature_names: the columns it was fitted on, in order; None where it was fitted without.
        n_features: how many columns it takes; None where it does not say.
        columns: what it does with each of `feature_names`; a name that is absent is unknown.
        unscored: why it cannot be asked for predictions; None where it can.
    """

    framework: str
    framework_version: str
    outline: str
    type: PredictionType
    classes: tuple[Scalar, ...] = ()
    gives_probabilities: bool = False
    transforms: bool = False
    feature_names: Optional[tuple[str, ...]] = None
    n_features: Optional[int] = None
    columns: dict[str, ColumnUse] = {}
    unscored: Optional[Unscored] = None
