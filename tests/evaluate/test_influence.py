"""Influence functions are derivatives: each is checked against a step of the figure itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brinery.evaluate import classification as cls
from brinery.evaluate import delong, influence
from brinery.evaluate import ranking as rk
from brinery.evaluate.ranking import Floats, rank

STEP = 1e-6
COUNTS = np.array([[30.0, 5.0, 2.0], [4.0, 20.0, 6.0], [1.0, 3.0, 12.0]])
ONE = np.array([0.0, 1.0, 0.0])
THIRD = np.full(3, 1 / 3)

Figure = Callable[[Any], float]


def shares(counts: Floats) -> Floats:
    return np.asarray(counts.sum(axis=1) / counts.sum())


CASES: dict[str, tuple[Figure, Callable[[Any], Floats]]] = {
    "precision": (
        lambda c: float(cls.precision(c)[1]),
        lambda c: influence.precision(c, ONE),
    ),
    "recall": (lambda c: float(cls.recall(c)[1]), lambda c: influence.recall(c, ONE)),
    "f_beta": (
        lambda c: float(cls.f_beta(c, 2.0)[1]),
        lambda c: influence.f_beta(c, ONE, beta=2.0),
    ),
    "f1_macro": (
        lambda c: cls.macro(cls.f1, c),
        lambda c: influence.f_beta(c, THIRD, beta=1.0),
    ),
    "f1_weighted": (
        lambda c: cls.weighted(cls.f1, c),
        lambda c: influence.f_beta(c, shares(c), beta=1.0) + influence.support(c, cls.f1(c)),
    ),
    "precision_weighted": (
        lambda c: cls.weighted(cls.precision, c),
        lambda c: influence.precision(c, shares(c)) + influence.support(c, cls.precision(c)),
    ),
    "kappa": (cls.kappa, influence.kappa),
    "matthews": (cls.matthews, influence.matthews),
}


@pytest.mark.parametrize("name", CASES)
def test_of_a_confusion_matrix(name: str) -> None:
    """The influence of a cell is how the figure moves when the cell's share grows."""
    figure, influence_of = CASES[name]
    moved = influence_of(COUNTS)
    whole = COUNTS / COUNTS.sum()
    for place in np.ndindex(*COUNTS.shape):
        more = (1 - STEP) * whole
        more[place] += STEP
        less = (1 + STEP) * whole
        less[place] -= STEP
        step = (figure(more) - figure(less)) / (2 * STEP)
        assert moved[place] == pytest.approx(step, abs=1e-6), place


@pytest.mark.parametrize(
    ("figure", "influence_of"),
    [(rk.area, influence.area), (rk.average_precision, influence.average_precision)],
    ids=["area", "average_precision"],
)
def test_of_a_ranking(figure: Any, influence_of: Any) -> None:
    """The influence of a row with a score is how the figure moves when such rows grow."""
    source = np.random.default_rng(0)
    positive = source.random(80) < 0.4
    score = np.asarray(np.round(source.random(80) + 0.5 * positive, 1), np.float64)
    ranking = rank(positive, score)
    moved = influence_of(ranking)
    whole = [weights / positive.size for weights in (ranking.positives, ranking.negatives)]
    for side, values in enumerate((moved.positives, moved.negatives)):
        for place in range(ranking.score.size):
            step = []
            for sign in (1, -1):
                shifted = [weights * (1 - sign * STEP) for weights in whole]
                shifted[side][place] += sign * STEP
                step.append(figure(ranking._replace(positives=shifted[0], negatives=shifted[1])))
            expected = (step[0] - step[1]) / (2 * STEP)
            assert values[place] == pytest.approx(expected, abs=1e-6), (side, place)


def test_variance_of_an_area_is_delongs() -> None:
    """The influence function and DeLong give an area the same variance, but for n / (n - 1)."""
    source = np.random.default_rng(1)
    positive = source.random(5000) < 0.3
    ranking = rank(positive, np.asarray(source.random(5000) + 0.3 * positive, np.float64))
    found = influence.area(ranking).variance(ranking)
    assert found == pytest.approx(delong.area(ranking).variance, rel=1e-3)
