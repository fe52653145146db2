"""Many rows, some at a time: what is made on the way to an answer stays in the fast memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brinery.scorers.data import Array

_ROWS = 512


def in_blocks(function: Callable[[Array], Array], table: Array) -> Array:
    """Return what a function of rows makes of a table: (n_rows, ...).

    Args:
        function: answers each row whatever rows it is given with.
        table: (n_rows, n_features).
    """
    if len(table) <= _ROWS:
        return function(table)
    starts = range(0, len(table), _ROWS)
    return np.concatenate([function(table[start : start + _ROWS]) for start in starts])
