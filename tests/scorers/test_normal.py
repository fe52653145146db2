"""The quantiles of the normal distribution, against SciPy's."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from brinery.scorers.normal import quantiles


def test_quantiles_are_those_of_scipy_to_the_last_bit() -> None:
    """In the middle, in the tails, and next to where one becomes the other."""
    tails = 10.0 ** -np.linspace(0.1, 13.5, 20_001)
    seam = np.exp(-2) + np.arange(-50, 51) * 2.0**-56
    chances = np.concatenate([np.linspace(0, 1, 20_001), tails, 1 - tails, seam, 1 - seam])
    np.testing.assert_array_equal(quantiles(chances), ndtri(chances))


def test_what_is_no_chance_has_no_quantile() -> None:
    """A missing chance stays missing."""
    assert np.isnan(quantiles(np.array([np.nan]))).all()
