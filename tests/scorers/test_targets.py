"""Values bent back: by NumPy's functions, and by the inverse of every transformer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, compiled
from tests.scorers.samples import Fixed, fitted, frame, node_of, numbers, values

from brinery.scorers.composition import Passthrough
from brinery.scorers.data import Declined, dense
from brinery.scorers.distribution import Method
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.targets import Target, Unpower, Unquantiles

DATA = np.zeros((2, 1))
FUNCTIONS = [
    (None, None),
    (np.log, np.exp),
    (np.log1p, np.expm1),
    (np.sqrt, np.square),
    (np.exp, np.log),
    (np.square, np.sqrt),
    (np.arcsinh, np.sinh),
    (np.negative, np.negative),
]
SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    MinMaxScaler((-1, 3)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, quantile_range=(5, 95)),
    RobustScaler(with_scaling=False),
    make_pipeline(FunctionTransformer(np.log1p, np.expm1), StandardScaler()),
    make_pipeline("passthrough", MinMaxScaler()),
    make_pipeline("passthrough"),
]
BENDERS = [
    PowerTransformer(),
    PowerTransformer(standardize=False),
    PowerTransformer("box-cox"),
    PowerTransformer("box-cox", standardize=False),
    QuantileTransformer(n_quantiles=40),
    QuantileTransformer(n_quantiles=1),
]


def _target(regressor: Any, count: int = 1, **settings: Any) -> Any:
    return fitted(TransformedTargetRegressor(regressor, **settings), values(count))


@pytest.mark.parametrize("functions", FUNCTIONS, ids=stable)
def test_a_function_bends_values_back(functions: Any) -> None:
    """Where it gives a number."""
    model = _target(LinearRegression(), func=functions[0], inverse_func=functions[1])
    rows = frame()[list("abc")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = rows[np.isfinite(model.predict(rows))]
    assert len(rows) > 100
    agrees(model, rows)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("scaler", SCALERS, ids=stable)
def test_a_scaler_is_undone(scaler: Any, count: int) -> None:
    """Of one value for each row, and of several."""
    agrees(_target(Ridge(), count, transformer=scaler), numbers())


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("bender", BENDERS, ids=stable)
def test_a_distribution_is_undone(bender: Any, count: int) -> None:
    """Of one value for each row, and of several."""
    model = _target(DecisionTreeRegressor(max_depth=6), count, transformer=bender)
    agrees(model, numbers())
    model = _target(Ridge(), count, transformer=bender)
    rows = frame()[list("abc")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = rows[np.isfinite(model.predict(rows)).reshape(len(rows), -1).all(axis=1)]
    assert len(rows) > 100
    agrees(model, rows)


@pytest.mark.parametrize("power", [-0.7, -1e-8, 0.0, 1e-17, 1e-8, 0.5, 1.0, 2.0, 2.5])
@pytest.mark.parametrize("method", Method)
def test_every_power_is_undone(method: Method, power: float) -> None:
    """Those that are a logarithm, or next to it, too."""
    x = np.linspace(0.1, 5, 50).reshape(-1, 1)
    transformer = PowerTransformer(str(method), standardize=False).fit(x)
    transformer.lambdas_ = np.array([power])
    table = transformer.transform(x if method is Method.BOX_COX else np.vstack([x, -x]))
    node = Unpower(lambdas=transformer.lambdas_, method=method, stable=True)
    np.testing.assert_allclose(
        dense(node.transform(table)), transformer.inverse_transform(table), rtol=1e-12, atol=1e-14
    )


def test_a_power_of_an_older_version_is_undone_by_a_power() -> None:
    """Where scikit-learn undoes the Box-Cox transform itself."""
    table = np.linspace(0.1, 2, 20).reshape(-1, 1)
    for power in (-0.3, 0.0, 0.5):
        node = Unpower(lambdas=np.array([power]), method=Method.BOX_COX, stable=False)
        expected = np.exp(table) if not power else (table * power + 1) ** (1 / power)
        np.testing.assert_array_equal(node.transform(table), expected)


def test_a_value_that_cannot_be_bent_back_is_declined() -> None:
    """The library warns, or refuses it."""
    node = Unpower(lambdas=np.array([0.5]), method=Method.BOX_COX, stable=True)
    with pytest.raises(Declined):
        node.transform(np.array([[-3.0]]))
    with pytest.raises(Declined):
        _answer(np.array([np.inf]), _target(Ridge(), transformer=StandardScaler()))
    with pytest.raises(Declined):
        _answer(np.array([np.nan]), _target(Ridge(), func=np.log, inverse_func=np.exp))
    with pytest.raises(Declined, match="less precision"):
        _answer(np.ones(2, np.float32), _target(Ridge(), transformer=StandardScaler()))
    with pytest.raises(Declined, match="no values"):
        _answer(None, _target(Ridge()))


def _answer(told: Any, model: Any) -> Answer:
    node = node_of(model)
    assert isinstance(node, Target)
    answer = Fixed(Answer(values=told))
    return Target(model=answer, inverse=node.inverse, flat=True).answer(DATA)


def test_the_trees_of_the_regressor_are_told() -> None:
    """As it has them."""
    forest = RandomForestRegressor(3, random_state=0)
    assert len(compiled(_target(forest, func=np.log, inverse_func=np.exp), numbers()).splits()) == 1


def test_what_cannot_be_undone_is_not_read() -> None:
    """Functions and transformers that are not known, and normal quantiles."""
    model = _target(Ridge(), func=lambda y: y / 2, inverse_func=lambda y: y * 2)
    with pytest.raises(Unsupported, match="lambda"):
        node_of(model)
    normal = QuantileTransformer(n_quantiles=20, output_distribution="normal")
    model = _target(Ridge(), transformer=normal)
    with pytest.raises(Unsupported, match="normal quantiles"):
        node_of(model)
    model.transformer_ = Normalizer()
    with pytest.raises(Unsupported, match="Normalizer"):
        node_of(model)


def test_forged_inverses_are_refused() -> None:
    """They are of as many columns as there are."""
    with pytest.raises(ValueError, match="no row"):
        Unpower(lambdas=np.zeros((1, 1)), method=Method.BOX_COX, stable=True)
    with pytest.raises(ValueError, match="other columns"):
        Unpower(lambdas=np.zeros(2), method=Method.BOX_COX, stable=True).transform(DATA)
    for quantiles, references in (
        (np.zeros(2), np.zeros(2)),
        (np.zeros((0, 1)), np.zeros(0)),
        (np.zeros((2, 1)), np.zeros(3)),
    ):
        with pytest.raises(ValueError, match="no quantiles"):
            Unquantiles(quantiles=quantiles, references=references)
    with pytest.raises(ValueError, match="other columns"):
        Unquantiles(quantiles=np.zeros((2, 2)), references=np.zeros(2)).transform(DATA)
    assert Target(model=Fixed(), inverse=Passthrough(), flat=True).splits(None) == ()
