from __future__ import annotations

from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.pipeline import early_termination
from brinery.records.plan import Stopping

VALUES = st.floats(-100, 100)
HISTORIES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(VALUES, min_size=3, max_size=6), min_size=1
)
POLICIES = st.one_of(
    st.builds(lambda x: Stopping(kind="bandit", slack_factor=x), st.floats(0, 2)),
    st.builds(lambda x: Stopping(kind="bandit", slack_amount=x), st.floats(0, 50)),
    st.just(Stopping(kind="median_stopping")),
    st.builds(lambda x: Stopping(kind="truncation_selection", percentage=x), st.integers(1, 99)),
)
GOALS = st.sampled_from(["minimize", "maximize"])


@pytest.mark.parametrize(
    ("interval", "delay", "looked"),
    [(1, 0, [1, 2, 3, 4, 5, 6, 7]), (2, 0, [2, 4, 6]), (2, 5, [6]), (3, 3, [3, 6]), (1, 9, [])],
)
def test_due(interval: int, delay: int, looked: list[int]) -> None:
    """A trial is looked at each multiple of the interval that is not before the delay, once."""
    stopping = Stopping(kind="bandit", interval=interval, delay=delay)
    assert list(early_termination.due(stopping, seen=0, logged=7)) == looked
    steps = [early_termination.due(stopping, seen=at, logged=at + 1) for at in range(7)]
    assert [each for step in steps for each in step] == looked
    assert early_termination.due(Stopping(), seen=0, logged=7) == ()


@pytest.mark.parametrize(
    ("goal", "best", "factor", "bound"),
    [
        ("maximize", 0.8, 0.2, 0.8 / 1.2),
        ("minimize", 0.8, 0.2, 0.8 * 1.2),
        ("maximize", -10.0, 0.2, -12.0),
        ("minimize", -12.0, 0.2, -10.0),
    ],
)
def test_bandit(goal: str, best: float, factor: float, bound: float) -> None:
    """A bandit ends what is beyond the best by its factor, on the worse side whatever the sign."""
    stopping = Stopping(kind="bandit", slack_factor=factor)
    worse = -1e-6 if goal == "maximize" else 1e-6
    for own, ended in ((bound - worse, False), (bound + worse, True), (best, False)):
        histories = {"best": [best], "own": [own]}
        why = early_termination.verdict(stopping, "own", goal=goal, histories=histories, at=1)
        assert bool(why) is ended


def test_bandit_amount() -> None:
    """An amount is a distance from the best."""
    stopping = Stopping(kind="bandit", slack_amount=0.2)
    histories = {"best": [0.8], "near": [0.61], "far": [0.59]}
    told = {
        name: early_termination.verdict(stopping, name, goal="maximize", histories=histories, at=1)
        for name in histories
    }
    assert [name for name, why in told.items() if why] == ["far"]


@given(st.lists(VALUES, min_size=1, max_size=5), HISTORIES, GOALS)
def test_median(own: list[float], others: dict[str, list[float]], goal: str) -> None:
    """A trial is ended where its best is worse than the median of all running averages."""
    at = len(own)
    histories = {"own": own, **others}
    middle = median(fmean(each[:at]) for each in histories.values())
    worse = max(own) < middle if goal == "maximize" else min(own) > middle
    stopping = Stopping(kind="median_stopping")
    why = early_termination.verdict(stopping, "own", goal=goal, histories=histories, at=at)
    assert bool(why) is worse


@given(HISTORIES, st.integers(1, 99), GOALS)
def test_truncation(histories: dict[str, list[float]], percentage: int, goal: str) -> None:
    """As many are ended as the percentage says, rounded down; none is better than one kept."""
    stopping = Stopping(kind="truncation_selection", percentage=percentage)
    ended = {
        name
        for name in histories
        if early_termination.verdict(stopping, name, goal=goal, histories=histories, at=3)
    }
    assert len(ended) == len(histories) * percentage // 100
    sign = 1 if goal == "maximize" else -1
    figures = {name: max(sign * each for each in own[:3]) for name, own in histories.items()}
    kept = [figures[name] for name in histories if name not in ended]
    assert all(figures[name] <= min(kept) for name in ended)


@given(HISTORIES, POLICIES, GOALS)
def test_the_best_goes_on(histories: dict[str, list[float]], stopping: Stopping, goal: str) -> None:
    """No policy ends the best of several trials."""
    pick = max if goal == "maximize" else min
    best = pick(histories, key=lambda name: pick(histories[name][:3]))
    assert not early_termination.verdict(stopping, best, goal=goal, histories=histories, at=3)


@given(HISTORIES, POLICIES, GOALS)
def test_no_number(histories: dict[str, list[float]], stopping: Stopping, goal: str) -> None:
    """A trial whose metric is not a number is worse than any that has one, and never the best."""
    told = {"lost": [float("nan")] * 3, **histories}
    why = early_termination.verdict(stopping, "lost", goal=goal, histories=told, at=3)
    share = len(told) * stopping.percentage // 100
    assert bool(why) is (stopping.kind != "truncation_selection" or share > 0)
    for name in histories:
        alone = early_termination.verdict(stopping, name, goal=goal, histories=told, at=3)
        assert "nan" not in alone
