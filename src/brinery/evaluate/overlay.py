"""The curves of a version that are drawn over those of others: only what several can share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from brinery.evaluate.binary import ranked
from brinery.evaluate.contender import Answers, Truth
from brinery.evaluate.continuous import Rows
from brinery.evaluate.curves import curves_of
from brinery.evaluate.options import Options
from brinery.evaluate.prepared import Prepared
from brinery.evaluate.sample import Labelled, Sample
from brinery.records.curves import Curves
from brinery.records.evaluation import PredictionType

_NO_THRESHOLD = "a comparison chooses no threshold"


def drawn(
    truth: Truth, said: Answers, *, places: npt.NDArray[np.intp], seed: int = 0
) -> Curves | None:
    """Return the curves of a version without its per-cut tables; None where there is none.

    Args:
        truth: the rows.
        said: what the version says to them.
        places: (n_rows,) of the rows in the data, from 0.
        seed: of the sample of a scatter.
    """
    weights = truth.weights if truth.weighted else None
    rows: Labelled | Rows | str
    if truth.type is PredictionType.REGRESSION:
        actual: npt.NDArray[np.generic] = truth.values
        values = said.values
        rows = values if isinstance(values, str) else Rows(truth.values, values, weights)
    else:
        actual = truth.codes
        rows = Labelled(truth.codes, said.labels, said.probabilities, weights, truth.classes)
    given = Prepared(
        truth.type,
        Sample(actual, actual, None, weights, places, 0, truth.classes),
        ranked(rows)
        if isinstance(rows, Labelled) and truth.type is PredictionType.BINARY
        else rows,
    )
    found = curves_of(given, thresholds=_NO_THRESHOLD, options=Options(seed=seed))
    classes = [replace(each, cuts=None, deciles=None, thresholds=()) for each in found.classes]
    if not classes and found.regression is None:
        return None
    return replace(found, classes=tuple(classes))
