"""How much each input column moved each answer of a model: arrays, one row per row of a table."""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


class Unit(TextEnum):
    """In what an explained answer is counted."""

    VALUE = "value"
    PROBABILITY = "probability"
    LOG_ODDS = "log_odds"
    MARGIN = "margin"
    LABEL = "label"
    LOGARITHM = "logarithm"


class Contributions(Struct, frozen=True, eq=False, kw_only=True):
    """What each input column added to each answer.

    The contributions to an answer and its base add up to the answer; `gap` says how nearly.

    Attributes:
        columns: (n_columns,) names of the input columns.
        values: (n_rows, n_columns, n_outputs) float64, in the unit.
        base: (n_outputs,) float64, the answer before anything is known of a row.
        answers: (n_rows, n_outputs) float64, what the model answers, in the unit.
        unit: of values, base and answers. A margin is the raw score of a class, of which the
            softmax is its probability; log-odds are the natural logarithm of p / (1 - p), a
            logarithm is that of a value; of a label it is 1 where the model says the class and 0
            where not.
        classes: (n_outputs,) the classes that are explained: the positive one alone where the
            model is binary; empty for a regression, which has one output.
        method: how they were found, in a few words: `TreeSHAP`, `linear`, `sampling`.
        exact: whether they are the Shapley values themselves and not estimates of them.
        background_rows: with how many rows of other data a row was compared; 0 where the counts
            of rows that the model itself keeps were used.
        standard_errors: of the values, shaped as they are; None where they are exact.
    """

    columns: tuple[str, ...]
    values: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    answers: npt.NDArray[np.float64]
    unit: Unit
    method: str
    exact: bool
    classes: tuple[Scalar, ...] = ()
    background_rows: int = 0
    standard_errors: Optional[npt.NDArray[np.float64]] = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gap(self) -> float:
        """Return how far base and contributions are at most from an answer, 0 and up."""
        made = self.base + self.values.sum(axis=1)
        return float(np.abs(made - self.answers).max(initial=0.0))
