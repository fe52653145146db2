"""Several values for a row, each by a regressor of its own, or one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.tree import DecisionTreeRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled
from tests.scorers.samples import Fixed, classes, fitted, node_of, numbers, values

from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.multioutput import InTurn, SideBySide

DATA = np.zeros((2, 1))
REGRESSORS = (
    LinearRegression(),
    Ridge(),
    DecisionTreeRegressor(max_depth=4, random_state=0),
    DummyRegressor(),
)


@pytest.mark.parametrize("regressor", REGRESSORS, ids=stable)
@pytest.mark.parametrize("count", [2, 3])
def test_each_regressor_gives_a_column(count: int, regressor: Any) -> None:
    """All are given the same columns."""
    agrees(fitted(MultiOutputRegressor(regressor), values(count)), numbers())


@pytest.mark.parametrize("regressor", REGRESSORS[:3], ids=stable)
@pytest.mark.parametrize("order", [None, [0, 1, 2], [2, 0, 1], [1, 2, 0]], ids=stable)
def test_a_chain_gives_the_columns_in_their_order(order: Any, regressor: Any) -> None:
    """Each is given the values of those before it."""
    agrees(fitted(RegressorChain(regressor, order=order), values(3)), numbers())


@pytest.mark.parametrize("kind", [MultiOutputRegressor, RegressorChain])
def test_a_sparse_table_is_taken(kind: Any) -> None:
    """In a chain, the values before stand behind it."""
    bins = KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")
    model = make_pipeline(bins, kind(DecisionTreeRegressor(max_depth=4)))
    agrees(fitted(model, values(3)), numbers())


@pytest.mark.parametrize("kind", [MultiOutputRegressor, RegressorChain])
def test_the_trees_of_every_regressor_are_told(kind: Any) -> None:
    """With what leads from the columns of the data to theirs."""
    model = fitted(kind(DecisionTreeRegressor(max_depth=4)), values(3))
    scorer = compiled(model, numbers())
    found = scorer.splits()
    assert len(found) == 3
    given = scorer.read(columns_of(numbers()))
    for place, one in enumerate(found):
        assert one.origins is not None
        assert len(one.origins) == one.trees.n_features
        sums = one.trees.sums(one.prepare(given), 0.0)[:, 0]
        np.testing.assert_array_equal(sums, model.predict(numbers())[:, place])


@pytest.mark.parametrize("kind", [MultiOutputRegressor, RegressorChain])
def test_a_missing_value_is_for_the_library_to_refuse(kind: Any) -> None:
    """Also where a regressor within would take it: a chain takes none."""
    regressor = Ridge() if kind is MultiOutputRegressor else DecisionTreeRegressor(max_depth=2)
    model = fitted(kind(regressor), values(2))
    rows = numbers()[:2].copy()
    rows.iloc[0, 1] = np.nan
    scorer = compiled(model, numbers())
    with pytest.raises(Declined):
        scorer.score(columns_of(rows))


def test_a_regressor_of_several_values_is_declined() -> None:
    """There is a column for each."""
    member = (Fixed(Answer(values=np.zeros((2, 2)))),)
    for node in (
        SideBySide(members=member),
        InTurn(members=member, order=np.array([0]), n_features=1),
    ):
        with pytest.raises(Declined, match="no single value"):
            node.answer(DATA)


def test_classifiers_of_several_outputs_are_not_compiled() -> None:
    """Neither side by side nor in a chain."""
    several = np.column_stack([classes(2) == "so", classes(3) == "so"]).astype(int)
    model = fitted(MultiOutputClassifier(LogisticRegression()), several)
    with pytest.raises(Unsupported):
        compile_model(model, ())
    with pytest.raises(Unsupported):
        compile_model(fitted(ClassifierChain(LogisticRegression()), several), ())


def test_a_chain_of_another_method_is_not_read() -> None:
    """Its regressors predict."""
    model = fitted(RegressorChain(Ridge()), values(2))
    model.chain_method_ = "predict_proba"
    with pytest.raises(Unsupported, match="another method"):
        node_of(model)


def test_forged_regressors_are_refused() -> None:
    """There is one for each column, and all columns are there."""
    for order in (np.array([1]), np.array([0, 0]), np.array([-1]), np.array([0.0])):
        with pytest.raises(ValueError, match="order"):
            InTurn(members=(Fixed(),), order=order, n_features=1)
    for kind in (
        lambda: SideBySide(members=()),
        lambda: InTurn(members=(), order=np.zeros(0, np.int64), n_features=1),
    ):
        with pytest.raises(ValueError, match="nothing"):
            kind()
    with pytest.raises(ValueError, match="other columns"):
        InTurn(members=(Fixed(),), order=np.array([0]), n_features=2).answer(DATA)
