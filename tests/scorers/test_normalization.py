"""The normalizer: every norm, dense and sparse."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import Normalizer
from tests.scorers.steps import declines, fitted, numbers, transforms, zeros

from brinery.scorers.normalization import Normalize

NORMS = ("l1", "l2", "max")


@pytest.mark.parametrize("norm", NORMS)
def test_rows_are_divided_by_their_length(norm: str) -> None:
    """Dense ones."""
    frame = numbers()
    transforms(fitted(Normalizer(norm=norm), frame), frame)


@pytest.mark.parametrize("norm", NORMS)
def test_sparse_rows_are_divided_by_their_length(norm: str) -> None:
    """Some of them without any value."""
    transforms(fitted(Normalizer(norm=norm), zeros()), zeros())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-16, 2e-15, 3e-15, 1e200])
def test_rows_of_extreme_length_are_as_the_library_has_them(norm: str, size: float) -> None:
    """The shortest are left alone; the square of the longest is infinite."""
    rows = np.array([[size, -size / 2, 0.0], [size, 0.0, 0.0]])
    transforms(fitted(Normalizer(norm=norm), rows), rows)


def test_a_normalizer_that_works_in_place_is_read_as_any() -> None:
    """What it is asked with is not what it answers."""
    rows = np.array([[1e-16, 0.0], [3.0, 4.0]])
    step = transforms(fitted(Normalizer(copy=False), rows), rows)
    assert isinstance(step, Normalize)
    assert step.floor > 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_declined(value: float) -> None:
    """As the library refuses it."""
    rows = np.array([[1.0, value]])
    declines(fitted(Normalizer(), np.ones((2, 2))), rows)
