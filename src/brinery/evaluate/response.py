"""The numbers of an answer that are explained: values, or the probabilities of classes.

A regression has one, its value; a binary model one, the probability of the positive class; any
other classifier one for each class, of which the most frequent are explained. A classifier that
gives no probabilities has 1 for the class it names and 0 for the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from brinery.errors import PredictionRefused
from brinery.evaluate.labels import codes
from brinery.evaluate.observed import Floats, Observed, finite
from brinery.records.contributions import Unit
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

MOST_CLASSES: Final = 10
LEAST_CHANCE: Final = 1e-9

_CLASSIFIERS: Final = (PredictionType.BINARY, PredictionType.MULTICLASS)


@dataclass(frozen=True, kw_only=True)
class Response:
    """What of each answer is explained.

    Attributes:
        unit: in what it is counted.
        model_classes: all of them, in the order of the probabilities; empty for a regression.
        places: (n_outputs,) of the explained classes among them; empty for a regression.
    """

    unit: Unit
    model_classes: tuple[Scalar, ...] = ()
    places: tuple[int, ...] = ()

    @property
    def classes(self) -> tuple[Scalar, ...]:
        """Return the classes that are explained."""
        return tuple(self.model_classes[place] for place in self.places)

    def of(self, scores: Scores) -> Floats:
        """Return what is explained of some answers: (n_rows, n_outputs), finite.

        Raises:
            PredictionRefused: an answer is no finite number.
        """
        values = self._of(scores)
        if np.isfinite(values).all():
            return values
        off = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
        raise PredictionRefused(f"the model answers {off:,} of {len(values):,} rows with no number")

    def truth(self, actual: npt.NDArray[np.generic]) -> Floats:
        """Return what is true in the same numbers: (n_rows, n_outputs), NaN where unknown.

        A class is 1 where it is true and 0 where it is not, whatever the unit.
        """
        if not self.model_classes:
            return finite(actual)[:, np.newaxis]
        found = codes(actual, self.model_classes)[:, np.newaxis]
        return np.where(found < 0, np.nan, found == np.array(self.places))

    def in_log_odds(self) -> Response:
        """Return the same in log-odds; unchanged where it is no probability."""
        return replace(self, unit=Unit.LOG_ODDS) if self.unit is Unit.PROBABILITY else self

    def _of(self, scores: Scores) -> Floats:
        if self.unit is Unit.VALUE:
            values: Floats = np.asarray(scores.flat().predictions, np.float64)
            return values.reshape(-1, 1)
        if self.unit is Unit.LABEL:
            named = codes(scores.predictions, self.model_classes)[:, np.newaxis]
            return np.asarray(named == np.array(self.places), np.float64)
        if scores.probabilities is None:
            raise PredictionRefused("the model gives no probabilities for some rows")
        chances: Floats = scores.probabilities[:, list(self.places)]
        return log_odds(chances) if self.unit is Unit.LOG_ODDS else chances


def response(observed: Observed) -> Response | str:
    """Return what of the answers is explained, or the reason why nothing can be."""
    if not len(observed):
        return "there are no rows"
    made = _response(observed)
    if isinstance(made, str):
        return made
    try:
        values = made.of(observed.scores)
    except PredictionRefused as refused:
        return refused.message
    except (TypeError, ValueError):
        return "not every prediction of the model is a number"
    if len(made.places) <= MOST_CLASSES:
        return made
    frequent = np.argsort(-values.mean(axis=0), kind="stable")[:MOST_CLASSES]
    return replace(made, places=tuple(sorted(made.places[place] for place in frequent.tolist())))


def log_odds(chances: Floats) -> Floats:
    """Return ln(p / (1 - p)) of probabilities of any shape.

    Those within 1e-9 of 0 or 1 are taken for that far from it: about 20.7 is the largest.
    """
    kept = np.clip(chances, LEAST_CHANCE, 1 - LEAST_CHANCE)
    return np.asarray(np.log(kept / (1 - kept)), np.float64)


def _response(observed: Observed) -> Response | str:
    scores = observed.scores
    if observed.type not in _CLASSIFIERS:
        if scores.flat().predictions.ndim > 1:
            count = scores.predictions.shape[1]
            return f"the model answers each row with {count:,} values"
        return Response(unit=Unit.VALUE)
    classes = tuple(c.item() if isinstance(c, np.generic) else c for c in observed.classes)
    places = (1,) if observed.type is PredictionType.BINARY else tuple(range(len(classes)))
    if scores.probabilities is None:
        return Response(unit=Unit.LABEL, model_classes=classes, places=places)
    given = scores.probabilities.shape[1]
    if given != len(classes):
        return f"the model gives {given} probabilities for {len(classes)} classes"
    return Response(unit=Unit.PROBABILITY, model_classes=classes, places=places)
