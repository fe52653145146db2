"""A few rows of a narrow model: what the kernel answers, beside arrays and plain Python."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import compiled as scorer_of

from brinery.scorers import kernel
from brinery.scorers.composition import Chain, Passthrough, Piped
from brinery.scorers.imputation import Impute
from brinery.scorers.interface import Model, Step
from brinery.scorers.linear import LinearClassifier, LinearRegressor, Sums
from brinery.scorers.narrow import Narrow, compiled
from brinery.scorers.rows import Link
from brinery.scorers.scaling import Scale, Stretch

pytestmark = pytest.mark.skipif(not kernel.available(), reason="no kernel for this platform")

WEIGHTS = ((1.0, 2.0), (2.0, -1.0), (0.5, -0.25))
INTERCEPTS = (0.25, -1.0, 3.0)


def sums(count: int = 2, *, starts: bool = False) -> Sums:
    """Return so many sums of two columns."""
    intercepts = np.array(INTERCEPTS[:count]) if starts else np.zeros(count)
    return Sums(weights=np.array(WEIGHTS[:count]), intercepts=intercepts)


def linear(link: Link = Link.SOFTMAX, count: int = 2, *, starts: bool = False) -> LinearClassifier:
    """Return a classifier of two columns."""
    return LinearClassifier(sums=sums(count, starts=starts), link=link)


def narrowed(model: Model) -> Narrow | None:
    """Return what answers a few rows of a model; None where nothing does."""
    row = model.row()
    return None if row is None else compiled(row)


def of(model: Model) -> Narrow:
    """Return what answers a few rows of a narrow model."""
    found = narrowed(model)
    assert found is not None
    return found


def drawn(n_rows: int = 200) -> Any:
    """Return rows of two columns."""
    return np.random.default_rng(0).normal(size=(n_rows, 2)) * 10


STEPS: dict[str, Callable[[], Step]] = {
    "as it is": Passthrough,
    "shifted": lambda: Scale(shift=np.array([1.5, -0.1])),
    "divided": lambda: Scale(scale=np.array([3.0, 0.7])),
    "scaled": lambda: Scale(shift=np.array([1.5, -0.1]), scale=np.array([3.0, 0.7])),
    "stretched": lambda: Stretch(factor=np.array([0.3, 1.1]), shift=np.array([-2.0, 0.1])),
    "filled": lambda: Impute(fills=np.ones(2), indicators=np.zeros(0, np.int64), kept=np.arange(2)),
    "in turn": lambda: Chain(
        (
            Stretch(factor=np.array([0.3, 1.1]), shift=np.array([-2.0, 0.1])),
            Chain((Passthrough(), Scale(scale=np.array([3.0, 0.7])))),
        )
    ),
}


@pytest.mark.parametrize("link", [Link.NONE, Link.LOGISTIC, Link.SOFTMAX], ids=stable)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
def test_classes_are_those_of_the_arrays(link: Link, count: int, step: str) -> None:
    """The same labels, and probabilities that differ by a rounding at most."""
    model = Piped(STEPS[step](), linear(link, count, starts=True))
    table = drawn()
    found, expected = of(model).answer(table), model.answer(table)
    assert found is not None
    assert found.labels is not None
    assert expected.labels is not None
    assert found.labels.tolist() == expected.labels.tolist()
    assert (found.probabilities is None) == (link is Link.NONE)
    if expected.probabilities is not None and found.probabilities is not None:
        np.testing.assert_allclose(
            found.probabilities, expected.probabilities, rtol=0, atol=1e-14, strict=True
        )


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("exponential", [True, False])
def test_predictions_are_those_of_the_arrays(step: str, *, flat: bool, exponential: bool) -> None:
    """Numbers of the same shape, which differ by a rounding at most."""
    model = Piped(
        STEPS[step](),
        LinearRegressor(
            sums=sums(1 if flat else 3, starts=True), flat=flat, exponential=exponential
        ),
    )
    table = drawn() / 10
    found, expected = of(model).answer(table), model.answer(table)
    assert found is not None
    assert found.labels is None
    assert found.values is not None
    assert expected.values is not None
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-13, strict=True)


@pytest.mark.parametrize("link", [Link.LOGISTIC, Link.SOFTMAX], ids=stable)
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_what_a_package_answers_without_numpy(link: Link, count: int) -> None:
    """The same operations in the same order: no digit differs but for the sum of what is 1."""
    model = Piped(STEPS["in turn"](), linear(link, count, starts=True))
    row = model.row()
    assert row is not None
    plain, table = row.function(), drawn()
    found = of(model).answer(table)
    assert found is not None
    assert found.labels is not None
    assert found.probabilities is not None
    answers = [plain(values) for values in table.tolist()]
    assert [one and one.label for one in answers] == found.labels.tolist()
    chances = np.array([one.chances for one in answers if one is not None])
    np.testing.assert_allclose(found.probabilities, chances, rtol=1e-15)


@pytest.mark.parametrize(
    "row",
    [
        [3.0, 1.0],
        [3.0, 1.0 + 1e-12],
        [math.nan, 1.0],
        [1.0, math.nan],
        [1e200, 0.0],
        [2.0**53, 0.0],
        [math.inf, 1.0],
        [1.0, -math.inf],
    ],
    ids=(
        *("tied", "nearly tied", "missing", "missing at the end", "large", "not exact"),
        *("infinite", "infinite at the end"),
    ),
)
def test_what_rounding_might_decide_is_left_to_the_arrays(row: list[float]) -> None:
    """Two classes that are as good as tied, and what is missing or large; and who is beside."""
    assert of(linear()).answer(np.array([row])) is None
    assert of(linear()).answer(np.array([[1.0, 1.0], row, [2.0, 2.5]])) is None


def test_the_one_sum_of_two_classes_may_be_tied_with_none() -> None:
    """Of one sum, what is as good as 0 is left to the arrays."""
    model = of(linear(count=1))
    assert model.answer(np.array([[2.0, -1.0]])) is None
    found = model.answer(np.array([[2.0, -1.0 + 1e-6], [2.0, -1.0 - 1e-6]]))
    assert found is not None
    assert found.labels is not None
    assert found.labels.tolist() == [1, 0]


def test_rows_of_another_width_are_left_to_the_arrays() -> None:
    """They refuse them; so they do what is behind steps of another width."""
    assert of(linear()).answer(np.ones((1, 1))) is None
    for step in (
        Scale(shift=np.ones(3)),
        Stretch(factor=np.ones(3), shift=np.ones(3)),
        Impute(fills=np.ones(3), indicators=np.zeros(0, np.int64), kept=np.arange(3)),
    ):
        assert narrowed(Piped(Chain((Passthrough(), step)), linear())) is None


def test_many_weights_are_summed_by_arrays() -> None:
    """There is no other way for a row by itself; nor where a step has none."""
    wide = Sums(weights=np.ones((2, 40)), intercepts=np.zeros(2))
    assert narrowed(LinearClassifier(sums=wide, link=Link.SOFTMAX)) is None
    assert narrowed(Piped(Scale(scale=np.zeros(2)), linear())) is None
    assert narrowed(linear(Link.HUBER)) is None


def test_the_widest_that_it_takes() -> None:
    """As many weights as there may be: one long row of them, or many short ones."""
    for shape in ((1, kernel.NARROW), (kernel.NARROW, 1)):
        weights = np.random.default_rng(1).normal(size=shape)
        model = LinearClassifier(
            sums=Sums(weights=weights, intercepts=np.arange(shape[0]) * 0.5), link=Link.SOFTMAX
        )
        table = np.random.default_rng(2).normal(size=(50, shape[1]))
        found, expected = of(model).answer(table), model.answer(table)
        assert found is not None
        assert found.probabilities is not None
        assert expected.probabilities is not None
        np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=0, atol=1e-14)


def test_a_scorer_asks_it_for_few_rows_and_numpy_for_many() -> None:
    """One way or the other, the library's answers; by rows, by columns, and several threads."""
    data = load_iris(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    scorer = scorer_of(model, data.data)
    columns = {str(name): values.tolist() for name, values in data.data.items()}
    expected = model.predict_proba(data.data)
    listed = [tuple(row) for row in data.data.to_numpy().tolist()]
    for n_rows in (1, 2, 31, 150):
        by_rows = scorer.score_rows(listed[:n_rows], singly=True)
        by_columns = scorer.score({name: values[:n_rows] for name, values in columns.items()})
        for found in (by_rows, by_columns):
            assert found is not None
            assert found.probabilities is not None
            np.testing.assert_allclose(found.probabilities, expected[:n_rows], rtol=0, atol=1e-14)
    many = scorer.score_rows(listed * 10, singly=True)
    assert many is not None
    assert many.probabilities is not None
    np.testing.assert_allclose(many.probabilities, np.tile(expected, (10, 1)), atol=1e-14)
    alone, together = scorer.score_rows(listed[:1]), scorer.score_rows(listed[:9], singly=True)
    assert alone is not None
    assert together is not None
    assert alone.probabilities is not None
    assert together.probabilities is not None
    # No bit depends on who asks at the same time.
    assert alone.probabilities[0].tolist() == together.probabilities[0].tolist()
    with ThreadPoolExecutor(4) as pool:
        found_at_once = list(pool.map(lambda row: scorer.score_rows([row]), listed * 4))
    for one, chances in zip(found_at_once, np.tile(expected, (4, 1)), strict=True):
        assert one is not None
        assert one.probabilities is not None
        np.testing.assert_allclose(one.probabilities[0], chances, atol=1e-14)


def test_more_figures_than_it_is_good_for_are_numpys() -> None:
    """How many rows it takes depends on how many figures a row has."""
    assert of(linear(count=1)).most_rows > of(linear(count=3)).most_rows > 1


def turns_of_another_thread(narrow: Narrow, table: Any, *, calls: int) -> int:
    """Return how often a thread that waits for the interpreter's lock has it between some calls."""
    turns, ended = [0], threading.Event()

    def take_turns() -> None:
        while not ended.is_set():
            turns[0] += 1
            time.sleep(0)  # the lock is there for whoever waits

    interval = sys.getswitchinterval()
    other = threading.Thread(target=take_turns)
    sys.setswitchinterval(1000.0)  # nobody is asked to give it up
    try:
        other.start()
        narrow.answer(table)
        before = turns[0]
        for _ in range(calls):
            narrow.answer(table)
        return turns[0] - before
    finally:
        sys.setswitchinterval(interval)
        ended.set()
        other.join()


def test_another_thread_does_not_come_between_a_few_rows() -> None:
    """A call of microseconds keeps the lock: to have it back would take longer than the call."""
    assert turns_of_another_thread(of(linear()), drawn(5), calls=20_000) <= 1


def test_another_thread_comes_between_many_rows() -> None:
    """Of a model that is not so narrow: a call of a millisecond gives up the lock."""
    weights = np.random.default_rng(0).normal(size=(2, 32))
    wide = LinearClassifier(sums=Sums(weights=weights, intercepts=np.zeros(2)), link=Link.SOFTMAX)
    table = np.random.default_rng(1).normal(size=(500, 32))
    assert turns_of_another_thread(of(wide), table, calls=5_000) > 1
