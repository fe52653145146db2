"""Intervals hold the true figure as often as they claim.

A population is drawn once, and its figures are the truth; then 2,000 samples are drawn from it, and
each of their intervals holds the truth or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from brinery.evaluate import binary, continuous, multiclass
from brinery.evaluate.options import Options
from brinery.evaluate.ranking import rank
from brinery.evaluate.sample import Labelled
from brinery.evaluate.thresholds import thresholds
from brinery.records.estimate import Estimate
from brinery.records.threshold import Aim, Gains

pytestmark = pytest.mark.slow

OPTIONS = Options(gains=Gains(true_positive=5, false_positive=-1), draws=60)
DRAWS = 2000
POPULATION = 100_000
# An error that may be 0 cannot be below it, so its interval covers a little more.
CAUTIOUS = {"ece"}

Rows = npt.NDArray[np.intp]
Figures = dict[str, Estimate | str]


def weights_of(source: np.random.Generator, *, weighted: bool) -> Any:
    return source.choice([0.5, 1.0, 3.0], POPULATION) if weighted else None


def binary_figures(*, weighted: bool) -> Callable[[Rows], Figures]:
    source = np.random.default_rng(1)
    odds = source.normal(-1.5, 1.6, POPULATION)
    actual = (source.random(POPULATION) < 1 / (1 + np.exp(-odds))).astype(np.intp)
    chance = 1 / (1 + np.exp(-(0.7 * odds + source.normal(0.3, 0.7, POPULATION))))
    weights = weights_of(source, weighted=weighted)

    def figures(rows: Rows) -> Figures:
        given = chance[rows]
        labelled = Labelled(
            actual[rows],
            (given >= 0.5).astype(np.intp),
            np.column_stack([1 - given, given]),
            None if weights is None else weights[rows],
            (0, 1),
        )
        return binary.figures(binary.ranked(labelled), "not asked for", options=OPTIONS)

    return figures


def multiclass_figures(*, weighted: bool) -> Callable[[Rows], Figures]:
    source = np.random.default_rng(2)
    odds = source.normal([0.0, 0.5, -0.7], 1.3, (POPULATION, 3))
    true = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    actual = (source.random((POPULATION, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    guessed = np.exp(0.8 * odds + source.normal(0, 0.5, odds.shape))
    guessed /= guessed.sum(axis=1, keepdims=True)
    weights = weights_of(source, weighted=weighted)

    def figures(rows: Rows) -> Figures:
        given = guessed[rows]
        labelled = Labelled(
            actual[rows],
            given.argmax(axis=1),
            given,
            None if weights is None else weights[rows],
            (0, 1, 2),
        )
        return multiclass.figures(labelled, options=OPTIONS)[0]

    return figures


def regression_figures(*, weighted: bool) -> Callable[[Rows], Figures]:
    source = np.random.default_rng(3)
    about = source.normal(20, 3, POPULATION)
    actual = about + source.standard_t(12, POPULATION)
    weights = weights_of(source, weighted=weighted)

    def figures(rows: Rows) -> Figures:
        given = None if weights is None else weights[rows]
        return continuous.figures(
            continuous.Rows(actual[rows], 0.97 * about[rows] + 0.5, given), level=OPTIONS.level
        )

    return figures


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("family", "n_rows"),
    [(binary_figures, 800), (multiclass_figures, 800), (regression_figures, 1000)],
    ids=["binary", "multiclass", "regression"],
)
def test_intervals_cover(family: Any, n_rows: int, weighted: bool) -> None:  # noqa: FBT001
    """Every interval of every family holds the true figure in 93 to 97 of 100 samples.

    These are samples of some hundred rows; smaller ones, and errors with heavier tails, cover less.
    """
    figures = family(weighted=weighted)
    truth = figures(np.arange(POPULATION))
    source = np.random.default_rng(4)
    held: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for _ in range(DRAWS):
        for name, found in figures(source.integers(0, POPULATION, n_rows)).items():
            if isinstance(found, str) or found.interval is None:
                continue
            seen[name] += 1
            held[name] += found.interval.low <= truth[name].value <= found.interval.high
    shares = {name: held[name] / seen[name] for name in seen}
    assert set(shares) == {name for name, found in truth.items() if told(found)}
    limits = {name: (0.93, 0.99 if name in CAUTIOUS else 0.97) for name in shares}
    wrong = {n: s for n, s in shares.items() if not limits[n][0] <= s <= limits[n][1]}
    assert wrong == {}


def told(found: Estimate | str) -> bool:
    return not isinstance(found, str) and found.interval is not None


@pytest.mark.parametrize("aim", [Aim.F1, Aim.MCC])
def test_corrected_figure_of_a_threshold_covers(aim: Aim) -> None:
    """The interval of the corrected figure holds what the chosen cut gives new rows."""
    source = np.random.default_rng(5)
    odds = source.normal(-1, 1.5, POPULATION)
    actual = source.random(POPULATION) < 1 / (1 + np.exp(-odds))
    chance = 1 / (1 + np.exp(-odds))
    order = np.argsort(chance)
    above = np.cumsum(actual[order][::-1])[::-1], np.cumsum(~actual[order][::-1])[::-1]
    held = 0
    options = Options(draws=60)
    for _ in range(DRAWS):
        rows = source.integers(0, POPULATION, 400)
        (found,) = thresholds(rank(actual[rows], chance[rows]), (aim,), rows=400, options=options)
        place = np.searchsorted(chance[order], found.threshold)
        hits, alarms = float(above[0][place]), float(above[1][place])
        positives, negatives = float(actual.sum()), float((~actual).sum())
        if aim is Aim.F1:
            true = 2 * hits / (positives + hits + alarms)
        else:
            apart = hits * (negatives - alarms) - alarms * (positives - hits)
            caught = hits + alarms
            spread = positives * negatives * caught * (POPULATION - caught)
            true = apart / spread**0.5
        inner = found.corrected.interval
        assert inner is not None
        held += inner.low <= true <= inner.high
    assert 0.93 <= held / DRAWS <= 0.97
