"""The columns that made single answers, as a client is told: the strongest of each row, by name."""

from __future__ import annotations

import numpy as np

from brinery.records.contributions import Contributions
from brinery.records.scores import Scores


def reasons(found: Contributions, scores: Scores, *, most: int) -> list[dict[str, float]]:
    """Return what moved the answer of each row most: (n_rows,) column to amount, greatest first.

    Of a binary model the amounts are those of the positive class, of several classes those of the
    class that the model finds likeliest.

    Args:
        found: for the rows, of one output or of every class.
        scores: of the rows.
        most: how many columns are told at most.
    """
    outputs = np.zeros(len(found), np.intp)
    if found.values.shape[2] > 1 and scores.probabilities is not None:
        outputs = scores.probabilities.argmax(axis=1)
    told = []
    for amounts in found.values[np.arange(len(found)), :, outputs]:
        order = np.argsort(-np.abs(amounts), kind="stable")[:most]
        told.append({found.columns[place]: float(amounts[place]) for place in order})
    return told
