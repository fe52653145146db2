"""Products of columns: every degree and setting, dense and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.origin import Origin
from brinery.scorers.polynomials import Multiply


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, (0, 2), (1, 1), (2, 3), (3, 3), (0, 7)])
@pytest.mark.parametrize("interaction_only", [True, False])
@pytest.mark.parametrize("include_bias", [True, False])
def test_products_are_those_of_the_library(
    *, degree: int | tuple[int, int], interaction_only: bool, include_bias: bool
) -> None:
    """To the last bit, of a frame and of a sparse table."""
    if degree == 0 and not include_bias:
        pytest.skip("scikit-learn makes no columns then")
    settings: dict[str, Any] = {"interaction_only": interaction_only, "include_bias": include_bias}
    for rows in (numbers(40), zeros(40), numbers(20)[["a"]]):
        transforms(fitted(PolynomialFeatures(degree, **settings), rows), rows, tolerance=0)


def test_a_product_that_overflows_is_infinite() -> None:
    """And nothing is said of it."""
    rows = np.array([[1e200, -1e200, 1e-200]])
    transforms(fitted(PolynomialFeatures(3), rows), rows)


def test_a_missing_value_is_declined() -> None:
    """As the library refuses it."""
    declines(fitted(PolynomialFeatures(), np.ones((2, 2))), np.array([[1.0, np.nan]]))


def test_columns_that_stand_alone_are_traced() -> None:
    """A power hides its column's value; a product of two columns is of neither."""
    step = step_of(fitted(PolynomialFeatures(2, include_bias=False), np.ones((2, 2))))
    first, second = Origin(0), Origin(1)
    wanted = [first, second, first.lost(), None, second.lost()]
    assert step.trace([first, second]) == wanted


@pytest.mark.parametrize("places", [np.array([[2]]), np.array([[-1]]), np.array([0]), [[0] * 65]])
def test_forged_factors_are_refused(places: Any) -> None:
    """None lies outside of the columns, and there are not too many."""
    with pytest.raises(ValueError, match="products of columns"):
        Multiply(n_features=2, one=False, products=(np.array(places),))
