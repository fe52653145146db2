"""A saved model: a registered model as scripts written for another platform know it.

Its versions are those of the registry, under ids that scripts choose. One that was handed over
without any data waits: parity and figures need rows to ask it about.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from brinery.records.evaluation import PredictionType
from brinery.records.text_enum import TextEnum
from brinery.records.threshold import Aim


class SavedType(TextEnum):
    """What a saved model predicts, in the words of scripts."""

    BINARY_CLASSIFICATION = "BINARY_CLASSIFICATION"
    MULTICLASS = "MULTICLASS"
    REGRESSION = "REGRESSION"
    OTHER = "OTHER"

    @property
    def predicts(self) -> PredictionType:
        """Return the same in our words."""
        return {
            SavedType.BINARY_CLASSIFICATION: PredictionType.BINARY,
            SavedType.MULTICLASS: PredictionType.MULTICLASS,
            SavedType.REGRESSION: PredictionType.REGRESSION,
            SavedType.OTHER: PredictionType.OTHER,
        }[self]

    @property
    def classifies(self) -> bool:
        """Return whether it has classes."""
        return self in (SavedType.BINARY_CLASSIFICATION, SavedType.MULTICLASS)


class SavedModel(Struct, frozen=True, kw_only=True):
    """A saved model.

    Attributes:
        id: 8 characters.
        name: of the registered model that it is.
        title: as it was given.
        project: key of its project.
        type: what it predicts; `OTHER` where nothing was stated.
        created: with time zone.
        aim: the figure that thresholds are chosen for.
        superseded: numbers of registered versions whose id another version took.
        settings: what scripts keep there that means nothing to us.
    """

    id: str
    name: str
    title: str
    project: str
    type: SavedType
    created: datetime
    aim: Aim = Aim.F1
    superseded: tuple[int, ...] = ()
    settings: dict[str, Any] = {}


class SavedVersion(Struct, frozen=True, kw_only=True):
    """A version of a saved model, and what scripts said of it.

    Attributes:
        id: as it was chosen.
        created: with time zone.
        number: of the registered version; None while it waits for data.
        active: whether it is to be the champion as soon as it is registered.
        threshold: the probability at and above which a row counts as positive; 0 to 1.
        target: the column with the truth; empty where none was stated.
        classes: the labels that were stated, in the model's order.
        features: name and type of each, as stated or found.
        environment: the code environment that was named; it is on record alone.
        run_id: of the run that logged it; empty where it came from a folder.
        experiment_id: of that run.
        origin: where the model was taken from.
        word: who vouches for what its file asks for.
        evaluated: name of the dataset that it was evaluated on; empty where it was not.
        rows: of that dataset that were used.
        file: with these rows.
        data: SHA-256 of these rows, which tells this evaluation from those of evaluation stores.
        user_meta: what scripts keep of it: name, description, labels.
    """

    id: str
    created: datetime
    number: int | None = None
    active: bool = True
    threshold: float = 0.5
    target: str = ""
    classes: tuple[str, ...] = ()
    features: tuple[dict[str, str], ...] = ()
    environment: str = ""
    run_id: str = ""
    experiment_id: str = ""
    origin: str = ""
    word: str = ""
    evaluated: str = ""
    rows: int = 0
    file: str = ""
    data: str = ""
    user_meta: dict[str, Any] = {}
