from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from brinery.pipeline import search_space
from brinery.records.plan import Dimension

PLACES = st.floats(0, 1, exclude_max=True)
# Each continuous kind beside SciPy's distribution of the same definition.
CONTINUOUS: dict[str, tuple[Dimension, Callable[[], Any]]] = {
    "uniform": (Dimension(kind="uniform", low=-2, high=5), lambda: stats.uniform(-2, 7)),
    "loguniform": (
        Dimension(kind="loguniform", low=-3, high=1),
        lambda: stats.loguniform(math.exp(-3), math.e),
    ),
    "normal": (Dimension(kind="normal", mu=3, sigma=2), lambda: stats.norm(3, 2)),
    "lognormal": (
        Dimension(kind="lognormal", mu=1, sigma=0.5),
        lambda: stats.lognorm(0.5, scale=math.e),
    ),
}


@pytest.mark.parametrize("kind", sorted(CONTINUOUS))
def test_quantiles(kind: str) -> None:
    """The value at a place is SciPy's quantile of the same distribution."""
    dimension, distribution = CONTINUOUS[kind]
    quantiles = distribution().ppf
    for at in range(1, 100):
        place = at / 100
        assert search_space.number(dimension, place) == pytest.approx(float(quantiles(place)))
        assert float(search_space.text(dimension, place)) == search_space.number(dimension, place)


@given(PLACES, st.sampled_from(sorted(CONTINUOUS)), st.sampled_from([0.1, 0.25, 1.0, 5.0, 3e-4]))
def test_rounded_kinds(place: float, kind: str, q: float) -> None:
    """A kind with q is the other kind's value rounded to a multiple of q, nought included."""
    plain, _ = CONTINUOUS[kind]
    dimension = Dimension(
        kind=f"q{kind}", low=plain.low, high=plain.high, mu=plain.mu, sigma=plain.sigma, q=q
    )
    told = search_space.text(dimension, place)
    value = search_space.number(plain, place)
    assert float(told) == pytest.approx(round(value / q) * q, rel=1e-12)
    assert Decimal(told) % Decimal(str(q)) == 0
    assert abs(float(told) - value) <= q / 2 * (1 + 1e-9)
    # A program that takes whole numbers takes multiples of a whole one.
    assert ("." in told or "e" in told) != q.is_integer()


@given(PLACES, st.integers(1, 40))
def test_choices(place: float, count: int) -> None:
    """A choice is one of its values as it was declared; a whole number is below its bound."""
    values = tuple(f"{at}.0" for at in range(count))
    told = search_space.text(Dimension(kind="choice", values=values), place)
    assert told == values[int(place * count)]
    assert 0 <= int(search_space.text(Dimension(kind="randint", high=count), place)) < count


@pytest.mark.parametrize("kind", ["choice", "randint"])
def test_choices_are_equally_likely(kind: str) -> None:
    """Each value of a choice has the same share of places."""
    dimension = Dimension(kind=kind, values=("0", "1", "2", "3", "4"), high=5)
    told = [search_space.text(dimension, at / 1000) for at in range(1000)]
    assert [told.count(str(each)) for each in range(5)] == [200] * 5
    assert search_space.count(dimension) == 5


def test_logbase() -> None:
    """Another base of logarithms is that of the logarithmic kinds, and of no other."""
    dimension = Dimension(kind="loguniform", low=-4, high=0)
    assert search_space.text(dimension, 0.5, logbase=10) == "0.01"
    uniform = Dimension(kind="uniform", low=-4, high=0)
    assert search_space.text(uniform, 0.5, logbase=10) == "-2.0"


@pytest.mark.parametrize("place", [0.0, 1.0])
@pytest.mark.parametrize("kind", sorted(CONTINUOUS))
def test_ends(kind: str, place: float) -> None:
    """The ends of a range are numbers too."""
    assert math.isfinite(search_space.number(CONTINUOUS[kind][0], place))
