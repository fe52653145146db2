"""Rows where a walk might go the other way: at and next to each threshold, and odd values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brinery.scorers.scorer import Scorer
from brinery.scorers.trees import COLUMN, plain

ODD = (np.nan, 0.0, -0.0, 1e-36, -1e-36, 1.0000000180025095e-35, -1.0000000180025095e-35, 1e30)


def edges(scorer: Scorer, frame: pd.DataFrame, *, most: int = 100) -> pd.DataFrame:
    """Return rows of a frame, each with one value changed.

    Args:
        scorer: of a bare model: its trees' columns are those of the frame.
        frame: (n_rows, n_features) of numbers.
        most: how many thresholds are tried.
    """
    rng = np.random.default_rng(7)
    places: list[int] = []
    values: list[float] = []
    for splits in scorer.splits():
        table = splits.trees.table
        asking = [(int(f) & COLUMN, t) for t, f, _ in table.tolist() if plain(f)]
        for feature, threshold in asking[:: len(asking) // most + 1]:
            near = [value for value in _near(threshold) if np.isfinite(value)]
            places.extend([feature] * len(near))
            values.extend(near)
    for place in range(frame.shape[1]):
        places.extend([place] * len(ODD))
        values.extend(ODD)
    rows = frame.to_numpy(dtype=np.float64)[rng.integers(len(frame), size=len(places))]
    rows[np.arange(len(rows)), places] = values
    return pd.DataFrame(rows, columns=frame.columns)


def _near(threshold: float) -> list[Any]:
    """Return a threshold, and the float64 and float32 next to it, and what lies between those."""
    with np.errstate(over="ignore"):
        single = np.float32(threshold)
        lower, upper = np.nextafter(single, np.array([-np.inf, np.inf], np.float32))
        below, above = np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)
    return [
        threshold,
        below,
        above,
        float(lower),
        float(single),
        float(upper),
        (float(lower) + float(single)) / 2,
        (float(upper) + float(single)) / 2,
    ]
