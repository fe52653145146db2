"""Multi-layer perceptrons: every activation, any number of layers and classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of

from brinery.scorers.catalog import READERS
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined, Sparse
from brinery.scorers.interface import Reader, Unsupported
from brinery.scorers.library import ask_library
from brinery.scorers.neural import Activation, Layer, Network

SIZES = ((5,), (6, 4), (7, 3, 2))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(120, 3)) * [1, 3, 0.2], columns=list("abc"))


def fitted(model: Any, x: Any, y: Any) -> Any:
    """Return a model that was fitted for a few rounds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.set_params(max_iter=30, random_state=0).fit(x, y)


@pytest.mark.parametrize("sizes", SIZES, ids=stable)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("count", [2, 3])
def test_a_network_tells_the_class(
    frame: pd.DataFrame, sizes: Any, activation: str, count: int
) -> None:
    """With two classes and with three, near and far."""
    target = np.array(["u", "v", "w"])[np.arange(len(frame)) % count]
    model = fitted(MLPClassifier(sizes, activation=activation), frame, target)
    scorer = agrees(model, frame)
    with np.errstate(over="ignore"):
        agrees(model, frame * 1e3, scorer=scorer)


@pytest.mark.parametrize("sizes", SIZES, ids=stable)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_network_gives_values(
    frame: pd.DataFrame, sizes: Any, activation: str, count: int
) -> None:
    """One for each row, or several."""
    target = np.column_stack([frame["a"] * 2, frame["b"]])[:, :count]
    agrees(
        fitted(
            MLPRegressor(hidden_layer_sizes=sizes, activation=activation), frame, target.squeeze()
        ),
        frame,
    )


def test_a_network_of_counts_gives_their_exponentials(frame: pd.DataFrame) -> None:
    """Its last layer tells logarithms."""
    agrees(
        fitted(MLPRegressor(hidden_layer_sizes=(4,), loss="poisson"), frame, np.exp(frame["a"])),
        frame,
    )


def test_a_network_takes_a_sparse_table(frame: pd.DataFrame) -> None:
    """The first layer adds it up in scipy's order."""
    table = csr_matrix(np.where(frame > 0.5, frame, 0.0))
    model = fitted(MLPClassifier((5,)), table, np.arange(len(frame)) % 3)
    given = Sparse(
        table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data, width=3
    )
    answer = Reader(READERS, ask_library).model(model).answer(given)
    np.testing.assert_array_equal(answer.labels, model.predict(table))
    np.testing.assert_allclose(
        np.asarray(answer.probabilities), model.predict_proba(table), rtol=0, atol=1e-12
    )


def test_a_missing_value_is_declined(frame: pd.DataFrame) -> None:
    """As the library refuses it; so are numbers that it would add up in float32."""
    model = fitted(MLPRegressor(hidden_layer_sizes=(4,)), frame, frame["a"])
    rows = frame.iloc[:3].copy()
    rows.iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(rows))
    with pytest.raises(Declined):
        Reader(READERS, ask_library).model(model).answer(frame.to_numpy(dtype=np.float32))


def test_several_labels_are_not_supported(frame: pd.DataFrame) -> None:
    """A row would have several answers."""
    target = np.column_stack([frame["a"] > 0, frame["b"] > 0]).astype(int)
    with pytest.raises(Unsupported):
        compile_model(fitted(MLPClassifier((3,)), frame, target), inputs_of(frame))


def test_layers_that_do_not_fit_are_refused() -> None:
    """A forged file leads outside of no array."""
    one = Layer(weights=np.zeros((2, 3)), intercepts=np.zeros(3))
    with pytest.raises(ValueError, match="do not fit"):
        Network(
            layers=(one, one), hidden=Activation.RELU, last=Activation.IDENTITY, classifies=False
        )
    with pytest.raises(ValueError, match="without layers"):
        Network(layers=(), hidden=Activation.RELU, last=Activation.IDENTITY, classifies=False)
    with pytest.raises(ValueError, match="without intercepts"):
        Layer(weights=np.zeros((2, 3)), intercepts=np.zeros(2))
    node = Network(
        layers=(one,), hidden=Activation.RELU, last=Activation.IDENTITY, classifies=False
    )
    wide = Sparse(np.array([0, 1]), np.array([8]), np.ones(1), width=9)
    for data in (wide, np.zeros((1, 9))):
        with pytest.raises(ValueError, match="other columns"):
            node.answer(data)
