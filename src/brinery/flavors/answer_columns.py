"""Answers as columns for a reader, called the same in every file and every form of a request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from brinery.flavors import outputs
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

PREDICTION = "prediction"
_PROBABILITY = "probability_"


def names(classes: tuple[Scalar, ...], several: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return what the columns are called.

    Args:
        classes: that have probabilities.
        several: the names of the several values of a row; empty where each row has one.
    """
    return several or (PREDICTION, *(f"{_PROBABILITY}{label}" for label in classes))


def columns(scores: Scores) -> dict[str, pa.Array]:
    """Return name to column: (n_rows,) each; what is missing or NaN is null.

    `prediction` and a `probability_<class>` for each class; of several values for each row one
    column for each, by its own name.
    """
    if scores.outputs:
        each = outputs.unstacked(scores.predictions)
        return dict(zip(names((), scores.outputs), map(_column, each)))
    made = [_column(scores.predictions)]
    classes: tuple[Scalar, ...] = ()
    if scores.probabilities is not None:
        classes = scores.classes or tuple(range(scores.probabilities.shape[1]))
        made += [pa.array(np.ascontiguousarray(one)) for one in scores.probabilities.T]
    return dict(zip(names(classes), made))


def _column(values: Any) -> pa.Array:
    return pa.array(np.ascontiguousarray(values), from_pandas=True)
