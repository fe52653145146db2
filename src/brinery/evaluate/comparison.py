"""Versions on the same rows: each beside a base, metric by metric and row by row.

What cannot be compared is told, with its reason. This module joins what its siblings compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.records.comparison import Comparison
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """How versions are compared.

    Attributes:
        level: of the intervals, 0 to 1.
        seed: of what is drawn.
        draws: of a bootstrap.
        metric: that the leaderboard is ranked by; the first of its type when None.
        data: what the rows are called.
    """

    level: float = 0.95
    seed: int = 0
    draws: int = 2000
    metric: str | None = None
    data: str = ""


def compare(  # noqa: PLR0913 - the data, in its parts
    actual: npt.NDArray[np.generic],
    scores: Mapping[str, Scores],
    *,
    type: PredictionType,  # noqa: A002 - the record's own word for it
    classes: Mapping[str, tuple[Scalar, ...]],
    inputs: pa.Table | None = None,
    weights: npt.NDArray[np.float64] | None = None,
    options: ComparisonOptions = ComparisonOptions(),
) -> Comparison:
    """Return how versions differ that answered the same rows; the first is the base.

    Args:
        actual: (n_rows,) of any type; None and NaN are missing, and are left out.
        scores: name of a version to its answers, (n_rows,) each.
        type: what they predict.
        classes: name of a version to its classes, in the order of its probabilities; two where
            binary, of which the base's second is positive. Unused for a regression.
        inputs: (n_rows, n_features) what subpopulations and rules are told by; neither when None.
        weights: (n_rows,) finite, 0 and up; every row counts 1 when None.
        options: how.

    Raises:
        UnseenClass: a label is none of the base's classes.
    """
    raise AssertionError
