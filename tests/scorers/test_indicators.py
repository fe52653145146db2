"""Indicators of missing values: every setting, dense, sparse and of text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.impute import MissingIndicator
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.indicators import Indicate
from brinery.scorers.interface import Unsupported


@pytest.mark.parametrize("features", ["all", "missing-only"])
@pytest.mark.parametrize("wanted", ["auto", True, False])
@pytest.mark.parametrize("missing", [np.nan, 7.0, 3])
def test_missing_values_are_told(features: str, wanted: Any, missing: float) -> None:
    """Whatever stands for one."""
    frame = numbers()
    if np.isnan(missing):
        frame = frame.mask(frame < 0)
    made = MissingIndicator(features=features, sparse=wanted, missing_values=missing)
    transforms(fitted(made, frame), frame, tolerance=0)


@pytest.mark.parametrize("features", ["all", "missing-only"])
@pytest.mark.parametrize("wanted", ["auto", True, False])
def test_missing_values_of_a_sparse_table_are_told(features: str, wanted: Any) -> None:
    """Its zeros are not missing."""
    table = zeros().toarray()
    table[table > 0.7] = np.nan
    rows = sparse.csr_matrix(table)
    transforms(fitted(MissingIndicator(features=features, sparse=wanted), rows), rows, tolerance=0)


def test_missing_text_is_told() -> None:
    """Beside numbers."""
    frame = pd.DataFrame({"a": ["x", np.nan] * 10, "b": [1.0, 2.0] * 10}, dtype=object)
    transforms(fitted(MissingIndicator(features="all"), frame), frame, tolerance=0)


def test_a_value_missing_where_none_was_is_declined() -> None:
    """Unless the library was told to take it."""
    frame = numbers()
    holed = frame.mask(frame < 0)
    fit = frame.assign(a=holed["a"])
    declines(fitted(MissingIndicator(), fit), holed)
    transforms(fitted(MissingIndicator(error_on_new=False), fit), holed, tolerance=0)


def test_missing_values_beside_those_that_stand_for_them_are_declined() -> None:
    """As the library refuses them."""
    declines(fitted(MissingIndicator(missing_values=7.0), numbers()), numbers().mask(numbers() < 0))


def test_text_that_stands_for_missing_values_is_left_to_the_library() -> None:
    """No node looks for it."""
    frame = pd.DataFrame({"a": ["x", ""] * 10}, dtype=object)
    with pytest.raises(Unsupported, match="no numbers"):
        step_of(fitted(MissingIndicator(missing_values=""), frame))


@pytest.mark.parametrize("places", [np.array([5]), np.array([-1])])
def test_forged_places_are_refused(places: np.ndarray) -> None:
    """None lies outside of the columns."""
    with pytest.raises(ValueError, match="not there"):
        Indicate(places=places, of=5, strict=False)
