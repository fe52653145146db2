"""What answers for a table while a model is evaluated: its scorer, its process, or a fake."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from brinery.records.scores import Scores


class Predictor(Protocol):
    """A model, as an evaluation sees it: rows in, answers out, the same for the same rows."""

    def __call__(self, table: pa.Table, /) -> Scores:
        """Return the answers for the rows of a table: (n_rows,)."""
        ...
