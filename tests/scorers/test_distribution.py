"""Power and quantile transforms: every setting, missing values, beyond the fitted range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer, QuantileTransformer
from tests.conftest import stable
from tests.scorers.steps import data_of, declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.data import Declined
from brinery.scorers.distribution import Distribution, Method, Power, Quantiles
from brinery.scorers.origin import Origin


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("method", list(Method))
def test_powers_are_those_of_the_library(*, method: str, standardize: bool) -> None:
    """Of values outside of those fitted on too, and of none where one is missing."""
    frame = numbers()
    if method == Method.BOX_COX:
        frame = frame.drop(columns="e").abs() + 1e-3
    transformer = fitted(PowerTransformer(method, standardize=standardize), frame[:100])
    transforms(transformer, frame.mask(np.random.default_rng(2).random(frame.shape) < 0.1))


@pytest.mark.parametrize("power", [0.0, 1e-17, 2.0, 2.0 - 2.0**-52, 1.0, -3.0, 1e-5])
@pytest.mark.parametrize("method", list(Method))
def test_powers_next_to_the_logarithm_are_those_of_the_library(method: str, power: float) -> None:
    """Where the power is 0, or 2 of the values below 0."""
    rows = np.array([[1e-300], [1e-17], [0.5], [1.0], [30.0], [np.nan]])
    rows = rows if method == Method.BOX_COX else np.vstack([-rows, rows, [[0.0]]])
    transformer = fitted(PowerTransformer(method, standardize=False), np.array([[1.0], [2.0]]))
    transformer.lambdas_ = np.array([power])
    finite = rows if power >= 0 or method != Method.BOX_COX else rows[1:]
    transforms(transformer, finite)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_box_cox_transform_declines_what_is_not_above_0(value: float) -> None:
    """As the library refuses all rows for it."""
    frame = numbers()[["a", "b"]].abs() + 1
    transformer = fitted(PowerTransformer("box-cox"), frame)
    frame.iloc[3, 1] = value
    declines(transformer, frame)


def test_a_power_that_overflows_is_declined() -> None:
    """Versions of SciPy differ there."""
    step = Power(lambdas=np.array([3.0]), method=Method.BOX_COX, stable=False)
    with pytest.raises(Declined):
        step.transform(np.array([[1e200]]))


def test_powers_of_older_versions_are_made_of_powers() -> None:
    """A tiny value is lost in 1."""
    older = Power(lambdas=np.array([0.5]), method=Method.YEO_JOHNSON, stable=False)
    values = np.array([[1e-17], [-3.0], [8.0]])
    wanted = [0.0, -((4.0**1.5 - 1) / 1.5), (9.0**0.5 - 1) / 0.5]
    assert np.asarray(older.transform(values)).ravel().tolist() == wanted


@pytest.mark.parametrize("distribution", list(Distribution))
@pytest.mark.parametrize("n_quantiles", [1, 2, 50, 1000])
def test_shares_are_those_of_the_library(distribution: str, n_quantiles: int) -> None:
    """Between the quantiles and at them, beyond them, among ties, and where a value is missing."""
    frame = numbers()
    made = QuantileTransformer(n_quantiles=n_quantiles, output_distribution=str(distribution))
    transformer = fitted(made, frame[:100])
    frame.iloc[100:200] = transformer.quantiles_[np.arange(100) % len(transformer.quantiles_)]
    frame.iloc[150:200] += 5e-8
    transforms(transformer, frame.mask(np.random.default_rng(2).random(frame.shape) < 0.1))


@pytest.mark.parametrize("distribution", list(Distribution))
@pytest.mark.parametrize("ignores", [True, False])
def test_shares_of_a_sparse_table_are_those_of_the_library(
    *, distribution: str, ignores: bool
) -> None:
    """Of its values alone."""
    made = QuantileTransformer(
        n_quantiles=20, output_distribution=str(distribution), ignore_implicit_zeros=ignores
    )
    transforms(fitted(made, zeros()[:100]), zeros())


def test_negative_values_of_a_sparse_table_are_declined() -> None:
    """As the library refuses them."""
    declines(fitted(QuantileTransformer(n_quantiles=5), zeros()), -zeros())


@pytest.mark.parametrize(
    "transformer",
    [
        PowerTransformer(),
        PowerTransformer("box-cox", standardize=False),
        QuantileTransformer(n_quantiles=50),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    ],
    ids=stable,
)
def test_the_way_back_leads_to_the_inputs(transformer: Any) -> None:
    """So that the input of a threshold can be found."""
    rows = np.random.default_rng(3).normal(5, 1, size=(100, 1))
    step = step_of(fitted(transformer, rows))
    origins = step.trace([Origin(0)])
    assert origins is not None
    assert origins[0] is not None
    inner = rows[(rows > rows.min()) & (rows < rows.max())].reshape(-1, 1)
    back = origins[0].inputs(np.asarray(step.transform(data_of(inner)))[:, 0])
    np.testing.assert_allclose(back, inner[:, 0], rtol=1e-6)


def test_forged_quantiles_are_refused() -> None:
    """As many references as quantiles, and one at least."""
    for count, references in ((2, 3), (0, 0)):
        with pytest.raises(ValueError, match="no quantiles"):
            Quantiles(
                quantiles=np.zeros((count, 1)),
                references=np.zeros(references),
                distribution=Distribution.UNIFORM,
                takes_negative=False,
            )
