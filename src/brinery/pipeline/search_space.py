"""What a hyperparameter may be: from a place between 0 and 1 to the text that a command is told.

A place is a quantile, so that each kind has one definition, whoever chooses the place: chance, a
sequence of low discrepancy, or a model of the trials before. The kinds are those of the job YAML:
`loguniform` lies between `exp(low)` and `exp(high)`, the kinds with q are rounded to
`round(x / q) * q` and may so leave their range by half a q, and `randint` never is its bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import Final

from brinery.records.plan import Dimension

# The least step between two numbers that chance draws: a normal kind has no value at 0 or 1.
_LEAST: Final = 2.0**-53
_LOGARITHMIC: Final = frozenset({"loguniform", "qloguniform", "lognormal", "qlognormal"})


def texts(
    space: Mapping[str, Dimension], places: Sequence[float], *, logbase: float | None = None
) -> dict[str, str]:
    """Return what a command is told: the name of each hyperparameter and its text.

    Args:
        space: name to what it may be.
        places: from 0 to 1, one for each, in the order of the space.
        logbase: of the logarithmic kinds; None for e.
    """
    return {
        name: text(dimension, place, logbase=logbase)
        for (name, dimension), place in zip(space.items(), places, strict=True)
    }


def text(dimension: Dimension, place: float, *, logbase: float | None = None) -> str:
    """Return the text at a place of one hyperparameter's range.

    Args:
        dimension: what it may be.
        place: from 0, inclusive, to 1.
        logbase: of the logarithmic kinds; None for e.
    """
    if dimension.kind == "choice":
        return dimension.values[_index(place, len(dimension.values))]
    if dimension.kind == "randint":
        return str(_index(place, int(dimension.high)))
    value = number(dimension, place, logbase=logbase)
    return rounded(value, dimension.q) if dimension.kind.startswith("q") else str(value)


def number(dimension: Dimension, place: float, *, logbase: float | None = None) -> float:
    """Return the number at a place of a continuous range, before it is rounded to a q.

    Raises:
        OverflowError: of a logarithmic kind, where no number is that large.
    """
    inner = _inner(dimension, place)
    if dimension.kind not in _LOGARITHMIC:
        return inner
    return math.exp(inner) if logbase is None else math.pow(logbase, inner)


def rounded(value: float, q: float) -> str:
    """Return `round(value / q) * q` as text: `3` where q is whole, else `0.3` without a tail."""
    product = round(value / q) * Decimal(str(q))
    return str(int(product)) if float(q).is_integer() else str(float(product))


def count(dimension: Dimension) -> int | None:
    """Return how many values a hyperparameter has; None where they are not to be counted."""
    if dimension.kind == "choice":
        return len(dimension.values)
    return int(dimension.high) if dimension.kind == "randint" else None


def _inner(dimension: Dimension, place: float) -> float:
    if dimension.kind.endswith("uniform"):
        return dimension.low + place * (dimension.high - dimension.low)
    inside = min(max(place, _LEAST), 1 - _LEAST)
    return NormalDist(dimension.mu, dimension.sigma).inv_cdf(inside)


def _index(place: float, count: int) -> int:
    return min(int(place * count), count - 1)
