"""Figures of each row are what numpy's own are, to the last bit, however they are come by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brinery.scorers import across

ROWS = [1, 7, 1023, 1024, 4096]
WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 130]


def table(n_rows: int, width: int, dtype: str) -> np.ndarray:
    """Return numbers of many magnitudes, so that the order in which they are added shows."""
    rng = np.random.default_rng(n_rows * 1000 + width)
    return (rng.normal(size=(n_rows, width)) * 10.0 ** rng.integers(-6, 6, width)).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n_rows", ROWS)
def test_totals_and_largest_values_are_those_of_numpy(n_rows: int, width: int, dtype: str) -> None:
    """To the last bit: numpy adds up short rows one number after the other, as is done here."""
    x = table(n_rows, width, dtype)
    assert np.array_equal(across.total(x), x.sum(axis=1, keepdims=True))
    assert np.array_equal(across.largest(x), x.max(axis=1, keepdims=True))
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    assert np.array_equal(across.softmax(x), powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("width", [*range(1, 34), 63, 64, 100, 128])
def test_columns_are_added_up_as_numpy_adds_up_rows(width: int) -> None:
    """To the last bit: eight sums side by side, from eight numbers on."""
    x = table(1025, width, "f8")
    assert np.array_equal(across.added(x.T.copy()), x.sum(axis=1))


@pytest.mark.parametrize("laid", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n_rows", ROWS)
def test_the_first_of_equal_ones_is_likeliest(n_rows: int, width: int, laid: Any) -> None:
    """With many ties, and of any layout."""
    x = laid(np.round(table(n_rows, width, "f8") % 1.0, 1))
    assert np.array_equal(across.likeliest(x), x.argmax(axis=1))


def test_ties_are_those_of_the_largest_two() -> None:
    """In parts of the largest, where that is above 1; what is no number is tied with nothing."""
    x = [[0.5, 0.5 - 1e-10], [0.5, 0.5 - 1e-8], [-2e9, -2e9 - 1], [-2e9, -2e9 - 9], [np.nan, 1.0]]
    assert across.tied(np.array(x), within=1e-9).tolist() == [True, False, True, False, False]
    assert not across.tied(np.array([[1.0], [2.0]]), within=1e-9).any()
    assert across.tied(np.array([[0.0, 3.0, 1.0, 3.0]]), within=1e-12).all()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_what_is_no_number_counts_as_the_largest(width: int) -> None:
    """As for numpy, and so for the library: the first of them."""
    x = table(4096, width, "f8")
    x[np.random.default_rng(0).random(x.shape) < 0.3] = np.nan
    assert np.array_equal(across.likeliest(x), x.argmax(axis=1))


def test_whole_numbers_are_compared_as_they_are() -> None:
    """Votes are counts."""
    votes = np.random.default_rng(0).integers(0, 3, (2000, 3))
    assert np.array_equal(across.likeliest(votes), votes.argmax(axis=1))
