"""Rows some at a time: as many, in the same order, as all at once."""

from __future__ import annotations

import numpy as np
import pytest

from brinery.scorers.blocks import in_blocks


@pytest.mark.parametrize("n_rows", [0, 1, 512, 513, 2000])
def test_blocks_are_put_together_again(n_rows: int) -> None:
    """Whatever the shape of a row's answer."""
    table = np.random.default_rng(0).random((n_rows, 3))
    found = in_blocks(lambda rows: rows[:, :, np.newaxis] * [1.0, 2.0], table)
    np.testing.assert_array_equal(found, table[:, :, np.newaxis] * [1.0, 2.0])
