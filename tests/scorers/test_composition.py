"""Pipelines, column transformers and unions: columns go where the library sends them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import agrees, inputs_of

from brinery.scorers.compiler import compile_model
from brinery.scorers.composition import Chain, Choice, Passthrough, Union
from brinery.scorers.data import Columns, Declined, Sparse, sparse_beside
from brinery.scorers.origin import Origin
from brinery.scorers.scorer import Scorer


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    return numbers.assign(
        color=rng.choice(["red", "green", "blue"], 300), size=rng.choice(["s", "m", "l"], 300)
    )


@pytest.fixture(scope="module")
def target(frame: pd.DataFrame) -> Any:
    return (frame["a"] - frame["d"] > 0).to_numpy()


def fitted(step: Any, frame: pd.DataFrame, target: Any) -> Any:
    return make_pipeline(step, LogisticRegression()).fit(frame, target)


@pytest.mark.parametrize(
    "columns",
    [["b", "a"], [3, 0], slice(1, 3), slice("b", "d"), [True, False, True, False, False, False]],
    ids=stable,
)
@pytest.mark.parametrize("remainder", ["drop", MinMaxScaler()], ids=stable)
def test_columns_are_chosen_by_any_name_for_them(
    frame: pd.DataFrame, target: Any, columns: Any, remainder: Any
) -> None:
    """By name, place, slice and mask, and what is left may be dropped or scaled."""
    numbers = frame[["a", "b", "c", "d"]]
    columns = columns[:4] if isinstance(columns, list) else columns
    step = ColumnTransformer([("scaled", StandardScaler(), columns)], remainder=remainder)
    agrees(fitted(step, numbers, target), numbers)


def test_columns_chosen_by_a_function_are_those_of_the_fit(
    frame: pd.DataFrame, target: Any
) -> None:
    """A selector was resolved when the transformer was fitted."""
    step = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
    )
    agrees(fitted(step, frame, target), frame)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("verbose", [True, False])
def test_sparse_and_dense_results(
    frame: pd.DataFrame, target: Any, threshold: float, *, verbose: bool
) -> None:
    """A result is sparse where the library found it so; how its columns are named is no matter."""
    step = ColumnTransformer(
        [
            ("kept", "passthrough", ["c", "a"]),
            ("gone", "drop", ["b"]),
            ("words", OneHotEncoder(), ["color", "size"]),
            ("none", StandardScaler(), []),
        ],
        sparse_threshold=threshold,
        verbose_feature_names_out=verbose,
    )
    agrees(fitted(step, frame, target), frame)


def test_frames_within_a_pipeline(frame: pd.DataFrame, target: Any) -> None:
    """A transformer that gives frames gives the same numbers, to one that chooses by name too."""
    first = make_column_transformer(
        (StandardScaler(), ["a", "b"]),
        remainder="drop",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    second = make_column_transformer((MinMaxScaler(), ["b"]), remainder="passthrough")
    agrees(make_pipeline(first, second, LogisticRegression()).fit(frame, target), frame)


def test_unions_with_weights(frame: pd.DataFrame, target: Any) -> None:
    """Each transformer is given all; its columns are weighted; one may be dropped or pass them."""
    numbers = frame[["a", "b", "c", "d"]]
    union = FeatureUnion(
        [
            ("scaled", StandardScaler()),
            ("ranged", make_pipeline("passthrough", MinMaxScaler())),
            ("kept", "passthrough"),
            ("gone", "drop"),
        ],
        transformer_weights={"ranged": 10.0, "kept": 0.5},
    )
    agrees(fitted(union, numbers, target), numbers)


def test_pipelines_within_pipelines(frame: pd.DataFrame, target: Any) -> None:
    """With steps that were left out by name or by None."""
    inner = Pipeline([("one", "passthrough"), ("two", StandardScaler()), ("three", None)])
    model = Pipeline(
        [
            ("choose", make_column_transformer((inner, ["a", "d"]))),
            ("nothing", None),
            ("answer", make_pipeline(MinMaxScaler(), LogisticRegression())),
        ]
    )
    agrees(model.fit(frame, target), frame)


def test_a_model_without_steps_before_it(frame: pd.DataFrame, target: Any) -> None:
    """A pipeline of one step, and an estimator by itself, fitted on names or on an array."""
    numbers = frame[["a", "b", "c", "d"]]
    agrees(make_pipeline(LogisticRegression()).fit(numbers, target), numbers)
    array = numbers.to_numpy()
    agrees(LogisticRegression().fit(array, target), numbers, given=array)


def test_data_of_another_width_is_refused() -> None:
    """A choice among other columns than those of the fit is no answer."""
    with pytest.raises(ValueError, match="3 columns, not 2"):
        Choice(np.array([0]), 2).transform(np.zeros((1, 3)))


def test_where_columns_come_from(frame: pd.DataFrame, target: Any) -> None:
    """Through choices, scalers and unions, back to the values of an input."""
    numbers = frame[["a", "b", "c", "d"]]
    union = FeatureUnion([("one", StandardScaler()), ("two", MinMaxScaler())])
    step = make_column_transformer((union, ["c", "a"]))
    scorer: Scorer = compile_model(fitted(step, numbers, target), inputs_of(numbers))
    model: Any = scorer.plan.model
    origins = model.step.trace([Origin(place) for place in range(4)])
    assert [origin.column for origin in origins] == [2, 0, 2, 0]
    given = scorer.read({str(name): numbers[name].to_numpy() for name in numbers})
    made = model.step.transform(given)
    for place, origin in enumerate(origins):
        back = origin.inputs(made[:, place])
        np.testing.assert_allclose(back, numbers.iloc[:, origin.column], rtol=1e-9, atol=1e-12)


def test_a_column_is_taken_of_a_sparse_table_as_often_as_it_is_asked_for() -> None:
    """Each time with its values."""
    table = Sparse(np.array([0, 2, 2, 3]), np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), width=3)
    found = table.select(np.array([2, 0, 2, 1]))
    np.testing.assert_array_equal(found.dense(), table.dense()[:, [2, 0, 2, 1]])


@pytest.mark.parametrize("n_rows", [1, 4])
def test_tables_side_by_side_are_one_sparse_table(n_rows: int) -> None:
    """Its values in the order of the parts; a zero of either sign is none; NaN stays."""
    dense = np.array([[1.0, -0.0], [0.0, np.nan], [2.0, 3.0], [-0.0, 0.0]])[:n_rows]
    part = Sparse(np.arange(n_rows + 1), np.full(n_rows, 2), np.full(n_rows, 5.0), width=3)
    joined = sparse_beside([part, sparse_beside([dense, part])])
    assert (joined.n_rows, joined.width) == (n_rows, 8)
    table = joined.dense()
    expected = np.hstack([part.dense(), dense + 0.0, part.dense()])
    np.testing.assert_array_equal(table, expected)
    assert not np.signbit(table).any()
    absent = joined.dense(absent=np.nan)
    np.testing.assert_array_equal(absent, np.where(expected == 0, np.nan, expected))
    whole = Sparse(joined.starts, joined.columns, joined.values, width=8)
    np.testing.assert_array_equal(whole.dense(), table)
    assert joined.starts[-1] == len(joined.values) == np.count_nonzero(table)
    np.testing.assert_array_equal(joined.column(2), table[:, 2])


def test_numbers_are_put_in_one_table_once() -> None:
    """All who are given the columns share it, so that nobody may change it."""
    columns = Columns(("a", "b", "c"), (np.arange(3.0), np.ones(3), ["x", "y", "z"]), 3)
    numbers = columns.select(np.array([1, 0]))
    assert numbers.dense() is numbers.dense()
    assert numbers.dense().tolist() == [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]
    with pytest.raises(ValueError, match="read-only"):
        numbers.dense()[0, 0] = 7.0
    with pytest.raises(Declined, match="text"):
        columns.dense()
    assert columns.column(2).tolist() == columns.listed()[2] == ["x", "y", "z"]


def test_a_table_that_widens_from_step_to_step_is_left_to_the_library() -> None:
    """A small file cannot fill the memory."""
    doubled = Chain((Union((Passthrough(), Passthrough())),) * 40)
    with pytest.raises(Declined, match="too large"):
        doubled.transform(np.zeros((1, 1)))
    assert doubled.trace([None]) is None


def test_a_sparse_table_that_does_not_fit_is_not_multiplied() -> None:
    """No value is read beside it."""
    starts, columns, values = np.array([0, 1]), np.array([3]), np.ones(1)
    for table in (
        Sparse(starts, columns, values, width=3),
        Sparse(starts, -columns, values, width=3),
        Sparse(starts, columns[:0], values, width=3),
        Sparse(starts, columns, values[:0], width=3),
    ):
        with pytest.raises(IndexError):
            table.dot(np.ones((3, 1)))
