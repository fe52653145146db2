"""What says which columns made an answer: exactly, of a scorer's trees, or by sampling."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from brinery.records.contributions import Contributions


class Explainer(Protocol):
    """A model's explanations, as an evaluation sees them: rows in, contributions out."""

    def __call__(self, table: pa.Table, /) -> Contributions:
        """Return what each column added to the answer of each row of a table: (n_rows,)."""
        ...
