"""What a model answers for a table: arrays, one entry or row per row of the table."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brinery.records.signature import Scalar


class Scores(Struct, frozen=True, eq=False):
    """The answers of a model.

    Attributes:
        predictions: (n_rows,) what `predict` returned: labels of any scalar type, or float64; or
            (n_rows, n_outputs) where each row has several values, of type object where some are
            numbers and some text.
        probabilities: (n_rows, n_classes) float64 in the order of the classes, or None where the
            model gives none.
        classes: (n_classes,) in the model's order; empty where it has none. Probabilities without
            classes are of classes that nobody named, and predictions are then their indices.
        outputs: (n_outputs,) what the several values of a row are called; empty where each row has
            one. Beside them there are neither probabilities nor classes.
        framed: whether the model answered with a frame, whose columns the outputs are.

    As an array (`np.asarray(scores)`) it is its predictions.
    """

    predictions: npt.NDArray[np.generic]
    probabilities: Optional[npt.NDArray[np.float64]] = None
    classes: tuple[Scalar, ...] = ()
    outputs: tuple[str, ...] = ()
    framed: bool = False

    def __len__(self) -> int:
        return len(self.predictions)

    def flat(self) -> Scores:
        """Return them with one value for each row where they are a table of one without a name."""
        shape = self.predictions.shape
        if len(shape) == 1 or shape[1] != 1 or self.outputs:
            return self
        return Scores(self.predictions[:, 0], self.probabilities, self.classes)

    def part(self, start: int, stop: int) -> Scores:
        """Return the answers of some rows that follow each other."""
        return self._chosen(slice(start, stop))

    def take(self, rows: npt.NDArray[np.int64]) -> Scores:
        """Return the answers of some rows, by their places: (n_taken,)."""
        return self._chosen(rows)

    def _chosen(self, rows: Any) -> Scores:
        chances = self.probabilities
        return Scores(
            predictions=self.predictions[rows],
            probabilities=None if chances is None else chances[rows],
            classes=self.classes,
            outputs=self.outputs,
            framed=self.framed,
        )

    def __array__(
        self, dtype: npt.DTypeLike | None = None, *, copy: bool | None = None
    ) -> npt.NDArray[np.generic]:
        return np.array(self.predictions, dtype=dtype, copy=copy)
