"""An evaluation beside its peers, in one process, each part by its name.

`metrics`: all figures, intervals, curves, thresholds and the per-cut table of a binary model on a
million rows that are scored already, beside one `roc_curve`, one `precision_recall_curve` and one
`calibration_curve` of scikit-learn on the same rows. Equality first: the areas are scikit-learn's,
the points of the curves lie on its curves, the bins are its bins. Then both are run in turn, by the
time of the process; the figure is the median of the ratios. Goals: 3 times its time at most, and 4
times the inputs' memory at most.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from brinery.evaluate.options import Options
from brinery.evaluate.run import complete
from brinery.records.curves import Curves
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.scores import Scores
from brinery.records.threshold import Gains

ROWS = 1_000_000
RUNS = 9
MOST_TIME, MOST_MEMORY = 3.0, 4.0


def rows() -> tuple[Any, Any]:
    """Return labels and probabilities, no two of them alike: (n_rows,)."""
    source = np.random.default_rng(0)
    odds = source.normal(-2, 1.5, ROWS)
    chance = 1 / (1 + np.exp(-odds))
    return (source.random(ROWS) < chance).astype(np.int64), chance


def theirs(actual: Any, chance: Any) -> tuple[Any, Any, Any]:
    """Return scikit-learn's three curves."""
    return (
        roc_curve(actual, chance),
        precision_recall_curve(actual, chance),
        calibration_curve(actual, chance, n_bins=10),
    )


def check(found: tuple[Evaluation, Curves], actual: Any, chance: Any) -> None:
    """Stop unless the figures and the points are scikit-learn's."""
    evaluation, curves = found
    drawn = curves.classes[0]
    if drawn.roc is None or drawn.precision_recall is None or drawn.calibration is None:
        sys.exit("a curve is missing")
    for name, value in (
        ("roc_auc", roc_auc_score(actual, chance)),
        ("average_precision", average_precision_score(actual, chance)),
    ):
        if abs(evaluation.metrics[name] - value) > 1e-12:  # noqa: PLR2004 - rounding
            sys.exit(f"{name} is {evaluation.metrics[name]}, and scikit-learn's {value}")
    (alarms, hits, cuts), (precision, _, at), (observed, _) = theirs_whole(actual, chance)
    places = np.searchsorted(-cuts[1:], -np.array(drawn.roc.threshold[1:])) + 1
    same = np.allclose(alarms[places], drawn.roc.x[1:]) and np.allclose(
        hits[places], drawn.roc.y[1:]
    )
    places = np.searchsorted(at, drawn.precision_recall.threshold)
    same &= np.allclose(precision[places], drawn.precision_recall.y)
    same &= np.allclose(observed, drawn.calibration.observed)
    if not same:
        sys.exit("a curve is not scikit-learn's")


def theirs_whole(actual: Any, chance: Any) -> tuple[Any, Any, Any]:
    """Return scikit-learn's curves with every point."""
    return (
        roc_curve(actual, chance, drop_intermediate=False),
        precision_recall_curve(actual, chance),
        calibration_curve(actual, chance, n_bins=10),
    )


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of processor that a call takes."""
    began = time.process_time()
    call()
    return time.process_time() - began


def peak(call: Callable[[], object]) -> int:
    """Return how many bytes a call has at most, beside what there was before."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def metrics() -> bool:
    """Print the part `metrics`, and return whether its goals are met."""
    actual, chance = rows()
    scores = Scores(
        predictions=(chance >= 0.5).astype(np.int64),  # noqa: PLR2004 - what a model does
        probabilities=np.column_stack([1 - chance, chance]),
    )
    options = Options(gains=Gains(true_positive=5, false_positive=-1))

    def ours() -> tuple[Evaluation, Curves]:
        return complete(
            PredictionType.BINARY, actual, scores=scores, classes=(0, 1), options=options
        )

    found = ours()
    check(found, actual, chance)
    theirs(actual, chance)
    times = [(timed(ours), timed(lambda: theirs(actual, chance))) for _ in range(RUNS)]
    ratio = median(a / b for a, b in times)
    inputs = actual.nbytes + scores.predictions.nbytes + scores.probabilities.nbytes  # type: ignore[union-attr]
    memory, other = peak(ours) / inputs, peak(lambda: theirs(actual, chance)) / inputs
    evaluation, curves = found
    print(f"{len(evaluation.metrics)} figures, {len(evaluation.intervals)} intervals, ", end="")
    print(f"{len(curves.classes[0].thresholds)} thresholds, all curves; {ROWS:,} rows\n")
    print("| | A: ours | B: three curves of scikit-learn | A/B | goal |\n|---|--:|--:|--:|--:|")
    mine, peers = (median(pair[side] for pair in times) for side in (0, 1))
    print(f"| seconds of processor | {mine:.3f} | {peers:.3f} | {ratio:.2f} | {MOST_TIME:g} |")
    print(f"| memory, by that of the inputs | {memory:.2f} | {other:.2f} | | {MOST_MEMORY:g} |")
    return ratio <= MOST_TIME and memory <= MOST_MEMORY


PARTS: dict[str, Callable[[], bool]] = {"metrics": metrics}


if __name__ == "__main__":
    versions = f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}"
    print(f"{versions}, numpy {np.__version__}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}\n")
    asked = sys.argv[1:] or list(PARTS)
    met = [PARTS[name]() for name in asked]
    sys.exit(0 if all(met) else "a goal is missed")
