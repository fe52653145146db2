from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from brinery.pipeline import bayesian, sampling, search_space, sobol
from brinery.records.plan import Dimension

SPACE = {
    "rate": Dimension(kind="loguniform", low=-6, high=0),
    "depth": Dimension(kind="choice", values=("a", "b", "c")),
    "trees": Dimension(kind="randint", high=4),
}
CHOICES = {name: SPACE[name] for name in ("depth", "trees")}


@given(st.integers(0, 2**31), st.integers(0, 30), st.integers(0, 30))
def test_a_longer_draw_begins_the_same(seed: int, short: int, more: int) -> None:
    """A seed draws the same trials, however many are asked for."""
    longer = sampling.drawn(SPACE, count=short + more, seed=seed)
    assert sampling.drawn(SPACE, count=short, seed=seed) == longer[:short]


@given(st.integers(0, 2**31))
def test_few_values_are_not_drawn_twice(seed: int) -> None:
    """Where there are twelve trials only, twelve are different, and the next twelve are again."""
    drawn = [
        tuple(search_space.texts(CHOICES, place).values())
        for place in sampling.drawn(CHOICES, count=24, seed=seed)
    ]
    assert len({*drawn[:12]}) == len({*drawn[12:]}) == 12
    assert sampling.combinations(CHOICES) == 12
    assert sampling.combinations(SPACE) is None


def test_chance_is_even() -> None:
    """Places drawn by chance are uniform in each dimension, and independent of each other."""
    drawn = sampling.drawn(SPACE, count=2000, seed=5)
    for column in zip(*drawn, strict=True):
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    assert abs(stats.pearsonr(*list(zip(*drawn, strict=True))[:2]).statistic) < 0.08


def test_grid() -> None:
    """A grid is each combination of choices once, in the order in which they are declared."""
    space = {
        "one": Dimension(kind="choice", values=("1", "2")),
        "two": Dimension(kind="choice", values=("x", "y", "z")),
    }
    places = sampling.grid(space, count=100)
    told = [tuple(search_space.texts(space, place).values()) for place in places]
    assert told == list(itertools.product(("1", "2"), ("x", "y", "z")))
    assert sampling.grid(space, count=4) == places[:4]


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.integers(1, 40))
def test_sobol(seed: int, count: int) -> None:
    """A Sobol sequence begins the same however long it is, and leaves no half of a range out."""
    places = sobol.places(dimensions=3, count=count, seed=seed)
    assert len(places) == count
    assert sobol.places(dimensions=3, count=count + 7, seed=seed)[:count] == places
    for column in zip(*sobol.places(dimensions=3, count=16, seed=seed), strict=True):
        assert sorted(int(place * 16) for place in column) == list(range(16))


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_bayesian_learns(goal: str) -> None:
    """Trials that are chosen by those before come nearer to the best than those drawn by chance."""
    space = {name: Dimension(kind="uniform", low=0, high=1) for name in ("x", "y")}
    sign = 1 if goal == "minimize" else -1

    def _loss(place: sampling.Places) -> float:
        return sign * sum((each - 0.3) ** 2 for each in place)

    seen: list[bayesian.Seen] = []
    for _ in range(40):
        place = bayesian.place(space, seen, goal=goal, seed=1)
        seen.append(bayesian.Seen(place, _loss(place)))
    chosen = [sign * each.metric for each in seen[-15:] if each.metric is not None]
    chance = [sign * _loss(place) for place in sampling.drawn(space, count=200, seed=1)]
    assert sum(chosen) / len(chosen) < sum(chance) / len(chance) / 2


def test_bayesian_kinds() -> None:
    """Every kind of hyperparameter can be chosen, also while trials go on without a figure."""
    seen = [bayesian.Seen((0.5, 0.9, 0.1), None), bayesian.Seen((0.2, 0.5, 0.9), 3.0)]
    first = bayesian.place(SPACE, seen, goal="minimize", seed=3)
    assert first == bayesian.place(SPACE, seen, goal="minimize", seed=3)
    assert all(0 <= each <= 1 for each in first)
    assert search_space.texts(SPACE, first)["depth"] in SPACE["depth"].values


def test_chance_needs_no_library() -> None:
    """Chance and grids import neither Optuna, nor SciPy, nor numpy."""
    script = (
        "import sys; from brinery.pipeline import sampling, early_termination; "
        "print({'optuna', 'scipy', 'numpy', 'pydantic'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout.strip() == b"set()"
