"""What a model answers for a table: arrays, one entry or row per row of the table."""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brinery.records.signature import Scalar


class Scores(Struct, frozen=True, eq=False):
    """The answers of a model.

    Attributes:
        predictions: (n_rows,) what `predict` returned: labels of any scalar type, or float64.
        probabilities: (n_rows, n_classes) float64 in the order of the classes, or None where the
            model gives none.
        classes: (n_classes,) in the model's order; empty where it has none. Probabilities without
            classes are of classes that nobody named, and predictions are then their indices.

    As an array (`np.asarray(scores)`) it is its predictions.
    """

    predictions: npt.NDArray[np.generic]
    probabilities: Optional[npt.NDArray[np.float64]] = None
    classes: tuple[Scalar, ...] = ()

    def __len__(self) -> int:
        return len(self.predictions)

    def __array__(
        self, dtype: npt.DTypeLike | None = None, *, copy: bool | None = None
    ) -> npt.NDArray[np.generic]:
        return np.array(self.predictions, dtype=dtype, copy=copy)
