from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.errors import PredictionRefused
from brinery.evaluate import sampling
from brinery.evaluate.observed import Floats
from brinery.evaluate.response import Response
from brinery.evaluate.sampling import Sampler
from brinery.records.contributions import Contributions, Unit
from brinery.records.scores import Scores

VALUE = Response(unit=Unit.VALUE)
CHANCE = Response(unit=Unit.PROBABILITY, model_classes=("no", "yes"), places=(1,))
CLASSES = Response(unit=Unit.PROBABILITY, model_classes=("a", "b", "c"), places=(0, 1, 2))


def rows(count: int, *, columns: int = 4, seed: int = 0, levels: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    shape = (count, columns)
    values = random.integers(0, levels, shape) if levels else random.normal(size=shape)
    return pa.table({f"c{place}": values[:, place].astype(float) for place in range(columns)})


def matrix(table: pa.Table) -> Floats:
    return np.column_stack([column.to_numpy() for column in table.columns])


def crooked(values: Floats) -> Floats:
    """Interactions of two and three columns, and one that is not smooth."""
    found = values[:, 0] * values[:, 1] + 2 * values[:, 1] - (values[:, 2] > 0) * values[:, 0]
    return np.asarray(found + values.prod(axis=1))


def regression(table: pa.Table) -> Scores:
    return Scores(crooked(matrix(table)))


def binary(table: pa.Table) -> Scores:
    chance = 1 / (1 + np.exp(-crooked(matrix(table))))
    return Scores(np.where(chance > 0.5, "yes", "no"), np.column_stack([1 - chance, chance]))


def three(table: pa.Table) -> Scores:
    values = matrix(table)
    raw = np.exp(np.column_stack([crooked(values), values[:, 0], values[:, 1] * 2]))
    chances = raw / raw.sum(axis=1, keepdims=True)
    return Scores(np.array(["a", "b", "c"])[chances.argmax(axis=1)], chances)


def brute_force(
    response: Response,
    predict: Callable[[pa.Table], Scores],
    table: pa.Table,
    *,
    background: pa.Table,
) -> Floats:
    """Return the Shapley values by their definition: every coalition of columns."""
    names = table.column_names

    def worth(row: int, coalition: tuple[str, ...]) -> Floats:
        mixed = background
        for name in coalition:
            value = table[name][row].as_py()
            place = mixed.column_names.index(name)
            mixed = mixed.set_column(place, name, pa.array([value] * len(background)))
        return np.asarray(response.of(predict(mixed)).mean(axis=0))

    found = np.zeros((len(table), len(names), len(response.places) or 1))
    for row in range(len(table)):
        for place, name in enumerate(names):
            others = [other for other in names if other != name]
            for size in range(len(names)):
                share = factorial(size) * factorial(len(names) - size - 1) / factorial(len(names))
                for some in combinations(others, size):
                    gain = worth(row, (*some, name)) - worth(row, some)
                    found[row, place] += share * gain
    return found


MODELS: dict[str, tuple[Response, Callable[[pa.Table], Scores]]] = {
    "value": (VALUE, regression),
    "probability": (CHANCE, binary),
    "log-odds": (CHANCE.in_log_odds(), binary),
    "classes": (CLASSES, three),
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("levels", [0, 2], ids=["numbers", "levels"])
def test_agrees_with_brute_force(kind: str, levels: int) -> None:
    """With many walks they are the Shapley values, as near as the standard errors say."""
    response, predict = MODELS[kind]
    table, background = rows(5, seed=1, levels=levels), rows(8, levels=levels)
    sampler = Sampler(predictor=predict, background=background, response=response, walks=400)
    found = sampler(table)
    exact = brute_force(response, predict, table, background=background)
    assert found.standard_errors is not None
    off = np.abs(found.values - exact)
    assert np.all(off <= 4.5 * found.standard_errors + 1e-12)
    assert off.max() < 0.05 * np.abs(exact).max()


@given(
    count=st.integers(1, 6),
    columns=st.integers(1, 6),
    background=st.integers(1, 7),
    walks=st.integers(1, 3),
    levels=st.sampled_from([0, 1, 2, 3]),
    kind=st.sampled_from(["value", "probability", "log-odds"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_adds_up(*, count: int, columns: int, background: int, seed: int, **drawn: Any) -> None:
    """Base and contributions are the answer, however few walks; rows that agree have none."""
    response, _ = MODELS[drawn["kind"]]
    scale = np.random.default_rng(seed).normal(size=columns)

    def predict(table: pa.Table) -> Scores:
        raw = np.sin(matrix(table) @ scale) + matrix(table).prod(axis=1)
        chance = 1 / (1 + np.exp(-raw))
        return Scores(raw, np.column_stack([1 - chance, chance]))

    table = rows(count, columns=columns, seed=seed, levels=drawn["levels"])
    others = rows(background, columns=columns, seed=seed + 1, levels=drawn["levels"])
    found = Sampler(
        predictor=predict, background=others, response=response, seed=seed, walks=drawn["walks"]
    )(table)
    answers = response.of(predict(table))
    assert found.values.shape == (count, columns, 1)
    assert np.allclose(found.base + found.values.sum(axis=1), answers, rtol=0, atol=1e-9)
    assert found.gap < 1e-9
    assert np.allclose(found.answers, answers, rtol=0, atol=0)
    assert np.allclose(found.base, response.of(predict(others)).mean(axis=0))
    same = (matrix(table)[:, np.newaxis] == matrix(others)).all(axis=1)
    assert np.all(found.values[same] == 0)


def test_of_a_sum_is_exact() -> None:
    """Of a linear model the contributions are the slope times the distance from the mean."""
    slopes = np.array([1.0, -2.0, 0.5, 0.0])
    table, background = rows(20, seed=3), rows(30)
    found = Sampler(
        predictor=lambda asked: Scores(matrix(asked) @ slopes),
        background=background,
        response=VALUE,
    )(table)
    exact = slopes * (matrix(table) - matrix(background).mean(axis=0))
    assert np.allclose(found.values[:, :, 0], exact)


def test_standard_errors_are_honest() -> None:
    """Over many seeds the values differ about as much as, and no more than, they say."""
    table, background = rows(3, seed=1), rows(10)
    found = [
        Sampler(predictor=regression, background=background, response=VALUE, seed=seed)(table)
        for seed in range(200)
    ]
    spread = np.std([one.values for one in found], axis=0)
    said = np.mean(
        [one.standard_errors for one in found if one.standard_errors is not None], axis=0
    )
    assert np.all(spread <= said * 1.1)
    assert np.all(said > 0)


def test_is_the_same_for_a_seed() -> None:
    """The same seed gives the same values; whatever comes after a row does not matter."""
    table, background = rows(9, seed=1), rows(20)

    def explained(asked: pa.Table, seed: int = 0) -> Contributions:
        return Sampler(predictor=regression, background=background, response=VALUE, seed=seed)(
            asked
        )

    whole = explained(table)
    assert np.array_equal(whole.values, explained(table).values)
    assert np.array_equal(whole.values[:4], explained(table.slice(0, 4)).values)
    assert not np.array_equal(whole.values, explained(table, 1).values)


def test_cost_is_known_before() -> None:
    """No more rows are scored than was said; fewer where rows agree; never too many at once."""
    calls: list[int] = []

    def counted(table: pa.Table) -> Scores:
        calls.append(table.num_rows)
        return regression(table)

    background = rows(40, columns=6)
    Sampler(predictor=counted, background=background, response=VALUE)(rows(300, columns=6, seed=1))
    most = sampling.cost(300, columns=6, background_rows=40)
    assert sum(calls) == most == 300 * (1 + 40 * 2 * 5) + 40
    assert max(calls) <= sampling.BLOCK_ROWS
    calls.clear()
    background = rows(40, columns=6, levels=2)
    Sampler(predictor=counted, background=background, response=VALUE)(
        rows(300, columns=6, seed=1, levels=2)
    )
    assert sum(calls) < most / 2


def test_wide_tables_are_asked_in_parts() -> None:
    """Of many columns few rows are asked at a time, and the sum still is the answer."""
    cells: list[int] = []

    def predict(table: pa.Table) -> Scores:
        cells.append(table.num_rows * table.num_columns)
        return Scores(matrix(table).sum(axis=1))

    table, background = rows(2, columns=300, seed=1), rows(30, columns=300)
    found = Sampler(predictor=predict, background=background, response=VALUE)(table)
    assert max(cells) <= sampling.BLOCK_CELLS
    assert found.gap < 1e-9


def test_any_type_of_column() -> None:
    """Text, categories, dates, truth values and gaps are asked about as they are."""
    table = pa.table(
        {
            "text": ["a", "b", None, "a"],
            "category": pa.array(["x", "y", "x", "y"]).dictionary_encode(),
            "flag": [True, None, False, True],
            "day": pa.array([1, 2, 3, None], pa.timestamp("us")),
            "list": [[1], [2], [1], None],
            "number": [1, 2, None, 4],
        }
    )

    def predict(asked: pa.Table) -> Scores:
        assert asked.schema.equals(table.schema)
        return Scores(
            np.array([crc32(str(row).encode()) % 97 for row in asked.to_pylist()], np.float64)
        )

    found = Sampler(predictor=predict, background=table, response=VALUE)(table)
    assert found.gap < 1e-9
    assert found.columns == tuple(table.column_names)


def test_no_rows_and_one_column() -> None:
    """Nothing to explain has no contributions; a single column has all of the difference."""
    background = rows(5, columns=1)
    sampler = Sampler(
        predictor=lambda asked: Scores(matrix(asked)[:, 0] ** 2),
        background=background,
        response=VALUE,
    )
    assert len(sampler(rows(0, columns=1))) == 0
    table = rows(3, columns=1, seed=1)
    found = sampler(table)
    assert np.allclose(found.values[:, 0, 0], found.answers[:, 0] - found.base)


def test_refused_rows_are_the_models_word() -> None:
    """Where the model answers with no number for a mixed row, that is said."""

    def predict(asked: pa.Table) -> Scores:
        return Scores(np.where(asked.num_rows > 5, np.nan, 1.0) * np.ones(asked.num_rows))

    with pytest.raises(PredictionRefused, match="rows with no number"):
        Sampler(predictor=predict, background=rows(5), response=VALUE)(rows(5, seed=1))
