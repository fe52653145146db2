"""P-values of many tests at once, raised so that chance alone does not make some of them small."""

from __future__ import annotations

from typing import assert_never

import numpy as np
import numpy.typing as npt

from brinery.records.subpopulation import Correction

Floats = npt.NDArray[np.float64]


def corrected(p_values: npt.ArrayLike, *, method: Correction) -> Floats:
    """Return p-values corrected for there being this many of them: (n_tests,), 0 to 1.

    Args:
        p_values: (n_tests,) 0 to 1.
        method: `BENJAMINI_HOCHBERG` bounds the share of false alarms among the alarms, `HOLM` the
            chance of a single one.
    """
    given = np.asarray(p_values, dtype=np.float64)
    match method:
        case Correction.BENJAMINI_HOCHBERG:
            return benjamini_hochberg(given)
        case Correction.HOLM:
            return holm(given)
        case Correction.NONE:
            return given
        case _:
            assert_never(method)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return for each test the least share of false alarms at which it is an alarm.

    Args:
        p_values: (n_tests,) 0 to 1; independent, or such that large ones come together.

    Source: Benjamini & Hochberg 1995; Benjamini & Yekutieli 2001 for tests that depend.
    """
    order = np.argsort(p_values, kind="stable")[::-1]
    steps = p_values[order] * p_values.size / np.arange(p_values.size, 0, -1)
    return _placed(np.minimum.accumulate(steps), order)


def holm(p_values: Floats) -> Floats:
    """Return for each test the least chance of a single false alarm at which it is an alarm.

    Args:
        p_values: (n_tests,) 0 to 1, however they depend.

    Source: Holm 1979.
    """
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(p_values.size, 0, -1)
    return _placed(np.maximum.accumulate(steps), order)


def _placed(values: Floats, order: npt.NDArray[np.intp]) -> Floats:
    found = np.empty_like(values)
    found[order] = np.minimum(values, 1.0)
    return found
