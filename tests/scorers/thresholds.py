"""Rows at the thresholds of trees, where a comparison that is a little off shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

# How many thresholds are tried at most, evenly spread.
_MOST = 60


def rows_at(
    frame: pd.DataFrame, trees: Iterable[Any], *, features: Iterable[Any] | None = None
) -> pd.DataFrame:
    """Return rows in which a column lies at a threshold, or next to it in float32 or float64.

    Args:
        frame: (n_rows, n_features) what the other columns hold, in turn.
        trees: fitted decision trees of scikit-learn.
        features: of each tree, which columns it was given; all when None.
    """
    splits: list[tuple[int, float]] = []
    every = np.arange(frame.shape[1])
    for tree, places in zip(trees, features or repeat(every), strict=False):
        table = tree.tree_
        inner = np.flatnonzero(table.children_left >= 0)
        columns = np.asarray(places)[table.feature[inner]].tolist()
        splits.extend(zip(columns, table.threshold[inner].tolist(), strict=True))
    return rows_beside(frame, splits)


def rows_beside(frame: pd.DataFrame, splits: Iterable[tuple[int, float]]) -> pd.DataFrame:
    """Return rows in which a column lies at a threshold, or next to it in float32 or float64.

    Args:
        frame: (n_rows, n_features) what the other columns hold, in turn.
        splits: the place of a column and the threshold.
    """
    rows: list[Any] = []
    table = frame.to_numpy(dtype=np.float64)
    known = sorted(set(splits))
    for count, (place, threshold) in enumerate(known[:: 1 + len(known) // _MOST]):
        if not np.isfinite(threshold):
            continue
        for value in _near(threshold):
            rows.append(table[count % len(table)].copy())
            rows[-1][place] = value
    return pd.DataFrame(rows, columns=frame.columns)


def _near(threshold: float) -> list[float]:
    single = np.float32(threshold)
    singles = [float(np.nextafter(single, np.float32(to))) for to in (-np.inf, np.inf)]
    doubles = [float(np.nextafter(threshold, to)) for to in (-np.inf, np.inf)]
    halves = [(float(single) + one) / 2 for one in singles]
    return [threshold, float(single), *singles, *doubles, *halves]
