"""The figures of a regression, in numpy: each is one small function of two arrays.

Values agree with scikit-learn's functions, except that what is undefined raises here where
scikit-learn puts a number in its place. A value too large for a float64 comes out as infinity.
The module must not know which figures a model is given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def mae(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error, 0 and up, in the unit of the target.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.
    """
    return float(np.abs(actual - predicted).mean())


def rmse(actual: Floats, predicted: Floats) -> float:
    """Return the root of the mean squared error, 0 and up, in the unit of the target.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.
    """
    return float(np.sqrt(np.square(actual - predicted).mean()))


def r2(actual: Floats, predicted: Floats) -> float:
    """Return the share of the target's variance that is explained, 1 and down.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.

    Raises:
        ValueError: the target is constant, so there is no variance to explain.

    Source: Wright 1921, the coefficient of determination.
    """
    if actual.min() == actual.max():
        raise ValueError("undefined where the target is constant")
    unexplained = np.square(actual - predicted).sum()
    return float(1 - unexplained / np.square(actual - actual.mean()).sum())


def mape(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error relative to the target, 0 and up; 0.1 is ten percent.

    Args:
        actual: (n_rows,) finite, at least one.
        predicted: (n_rows,) finite.

    Raises:
        ValueError: a target is 0.

    Source: de Myttenaere et al. 2016.
    """
    if not actual.all():
        raise ValueError("undefined where a target is 0")
    return float(np.abs((actual - predicted) / actual).mean())
