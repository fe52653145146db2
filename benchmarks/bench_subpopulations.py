"""A metric in every group of rows, beside scikit-learn's called for each group.

45,211 rows of 16 columns, as the bank data has them: 7 of numbers, 9 of categories. A: groups,
figures, intervals, differences, p-values and their correction. B: the metric of scikit-learn on
each group's rows, which is given for nothing. Equality first: every figure is scikit-learn's. Then
both are run in turn, by the time of the process; the figure is the median of the ratios. Goal: less
than 1.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import sklearn
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from brinery.evaluate.filters import matching
from brinery.evaluate.subpopulations import Slices, subpopulations
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.subpopulation import Subpopulations
from brinery.specs.filters import Filter

ROWS, RUNS = 45_211, 9
PEERS: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": lambda actual, chance: accuracy_score(actual, chance >= 0.5),  # noqa: PLR2004 - a label is made there
    "log_loss": lambda actual, chance: log_loss(actual, chance, labels=[0, 1]),
    "roc_auc": roc_auc_score,
}


def data() -> tuple[pa.Table, Any, Any]:
    """Return inputs, labels and probabilities."""
    source = np.random.default_rng(0)
    columns: dict[str, Any] = {f"number_{each}": source.normal(size=ROWS) for each in range(7)}
    columns |= {f"category_{each}": source.choice(list("abcdefghij"), ROWS) for each in range(9)}
    chance = 1 / (1 + np.exp(-source.normal(-2, 1.5, ROWS)))
    return pa.table(columns), (source.random(ROWS) < chance).astype(np.int64), chance


def rows_of(found: Subpopulations, table: pa.Table) -> list[Any]:
    """Return which rows each group has."""
    filters = [one.group.where for each in found.slicings for one in each.subpopulations]
    return [matching(Filter.parse(one), table) for one in filters]


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of processor that a call takes."""
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> bool:
    """Print a line for each metric, and return whether the goal is met."""
    table, actual, chance = data()
    scores = Scores((chance >= 0.5).astype(np.int64), np.column_stack([1 - chance, chance]))  # noqa: PLR2004 - as above
    print(f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}\n")
    print("| metric | groups | A: ours, s | B: scikit-learn for each group, s | A/B |")
    print("|---|--:|--:|--:|--:|")
    met = True
    for name, peer in PEERS.items():
        slices = Slices(metric=name)

        def ours(slices: Slices = slices) -> Subpopulations:
            return subpopulations(
                table,
                actual,
                type=PredictionType.BINARY,
                scores=scores,
                classes=(0, 1),
                slices=slices,
            )

        found = ours()
        groups = rows_of(found, table)

        def theirs(peer: Callable[[Any, Any], float] = peer, groups: Any = groups) -> list[float]:
            return [peer(actual[rows], chance[rows]) for rows in groups]

        figures = [one.figure for each in found.slicings for one in each.subpopulations]
        if not np.allclose([one.value for one in figures if one], theirs()):
            sys.exit(f"{name} of a group is not scikit-learn's")
        times = [(timed(ours), timed(theirs)) for _ in range(RUNS)]
        ratio = median(a / b for a, b in times)
        mine, peers = (median(pair[side] for pair in times) for side in (0, 1))
        print(f"| {name} | {len(groups)} | {mine:.3f} | {peers:.3f} | {ratio:.2f} |")
        met &= ratio < 1
    return met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
