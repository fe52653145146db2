"""The normal distribution's quantiles, as SciPy has them.

Source: Cephes Math Library, `ndtri`, by Stephen L. Moshier.
"""

from __future__ import annotations

import math

import numpy as np

from brinery.scorers import kernel
from brinery.scorers.data import Array

# In the middle, a ratio of polynomials; in the tails, one of 1 / sqrt(-2 log p).
_TAIL = math.exp(-2)
_ROOT = 2.50662827463100050242
# Cephes has another ratio below this; `quantiles` answers an infinity there.
_LEAST = math.exp(-32)
_MIDDLE = (
    (
        -5.99633501014107895267e1,
        9.80010754185999661536e1,
        -5.66762857469070293439e1,
        1.39312609387279679503e1,
        -1.23916583867381258016e0,
    ),
    (
        1.0,
        1.95448858338141759834e0,
        4.67627912898881538453e0,
        8.63602421390890590575e1,
        -2.25462687854119370527e2,
        2.00260212380060660359e2,
        -8.20372256168333339912e1,
        1.59056225126211695515e1,
        -1.18331621121330003142e0,
    ),
)
_OUTER = (
    (
        4.05544892305962419923e0,
        3.15251094599893866154e1,
        5.71628192246421288162e1,
        4.40805073893200834700e1,
        1.46849561928858024014e1,
        2.18663306850790267539e0,
        -1.40256079171354495875e-1,
        -3.50424626827848203418e-2,
        -8.57456785154685413611e-4,
    ),
    (
        1.0,
        1.57799883256466749731e1,
        4.53907635128879210584e1,
        4.13172038254672030440e1,
        1.50425385692907503408e1,
        2.50464946208309415979e0,
        -1.42182922854787788574e-1,
        -3.80806407691578277194e-2,
        -9.33259480895457427372e-4,
    ),
)


def quantiles(chances: Array) -> Array:
    """Return what a normal value lies below with some chances, each from 0 to 1.

    A chance below e^-32, or above 1 less that, gives an infinity; NaN gives NaN.
    """
    with np.errstate(all="ignore"):
        centered = chances - 0.5
        found = centered + centered * _part(_MIDDLE, centered * centered)
        found *= _ROOT
        upper = chances > 1 - _TAIL
        outside = upper | (chances <= _TAIL)
        if outside.any():
            above = upper[outside]
            tails = np.where(above, 1 - chances[outside], chances[outside])
            roots = np.sqrt(-2.0 * kernel.logarithms(tails))
            outer = roots - kernel.logarithms(roots) / roots - _part(_OUTER, 1.0 / roots)
            outer[tails <= _LEAST] = np.inf
            found[outside] = np.where(above, outer, -outer)
        return found


def _part(polynomials: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    """Return x times one polynomial of x, divided by another."""
    above, below = (_polynomial(coefficients, x) for coefficients in polynomials)
    return x * above / below


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return a polynomial of x; the coefficient of its highest power comes first."""
    total = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total
