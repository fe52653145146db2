"""Rows that a version answered: what an evaluation of it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.actions.answering import Answering
from brinery.actions.evaluation_data import EvaluationData
from brinery.evaluate.observed import Observed
from brinery.records.description import Description
from brinery.records.scores import Scores


@dataclass(frozen=True, eq=False)
class ScoredData:
    """The rows, and the answers.

    Attributes:
        data: as it was read.
        description: of the model.
        columns: that the model reads.
        table: (n_rows,) these columns, as the model takes them.
        scores: (n_rows,) the answers.
        weights_name: of the column with the rows' weights; empty for none.
    """

    data: EvaluationData
    description: Description
    columns: tuple[str, ...]
    table: pa.Table
    scores: Scores
    weights_name: str = ""

    @classmethod
    def of(cls, answering: Answering, data: EvaluationData, *, weights_name: str) -> ScoredData:
        """Return the data with the answers of a version.

        Raises:
            UserError: the data does not fit the model, or the model refuses it.
        """
        candidate = answering.candidate
        fitting = answering.fit(data.inputs)
        read = [one.name for one in candidate.signature.columns if one.required]
        columns = tuple(name for name in read if name in fitting.column_names)
        scores = answering.score(fitting)
        return cls(
            data, candidate.description, columns, fitting.select(columns), scores, weights_name
        )

    @property
    def actual(self) -> npt.NDArray[Any] | None:
        """Return (n_rows,) what is true; None where no target was named."""
        target = self.data.fingerprint.target
        return None if target is None else self.data.frame[target].to_numpy()

    @property
    def weights(self) -> npt.NDArray[np.float64] | None:
        """Return (n_rows,) what each row counts; None where all count alike."""
        name = self.weights_name
        return self.data.frame[name].to_numpy(np.float64) if name else None

    @cached_property
    def observed(self) -> Observed:
        """Return the same as an explanation takes it."""
        return Observed(
            table=self.table,
            scores=self.scores,
            type=self.description.type,
            actual=self.actual,
            classes=self.description.classes,
            weights=self.weights,
        )
