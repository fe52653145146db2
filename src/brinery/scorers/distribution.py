"""Columns bent towards a distribution: `PowerTransformer` and `QuantileTransformer`."""

from __future__ import annotations

import math
import sys
from functools import cached_property, partial
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers import kernel
from brinery.scorers.blocks import in_blocks
from brinery.scorers.composition import Chain
from brinery.scorers.data import Array, Data, Declined, Sparse, doubles, unbounded
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.normal import quantiles
from brinery.scorers.origin import Origins

_EPSILON = float(np.finfo(np.float64).eps)
# Below this size, SciPy takes the power of a Box-Cox transform for 0.
_FLAT = 1e-19
# From here on e^x is infinite, and versions of SciPy differ.
_LARGEST = 709.78
# As near to its ends, scikit-learn takes a value for an end of the distribution.
_NEAR = 1e-7
# What scikit-learn keeps normal values within: `norm.ppf` of about _NEAR, and of 1 less that.
_LOWEST, _HIGHEST = -5.199337582605575, 5.19933758270342


class Method(TextEnum):
    """A family of power transforms."""

    BOX_COX = "box-cox"
    YEO_JOHNSON = "yeo-johnson"


class Distribution(TextEnum):
    """What values are distributed like, once transformed."""

    UNIFORM = "uniform"
    NORMAL = "normal"


class Power(Struct, Step, frozen=True, kw_only=True, tag=True):
    """A power of each value, shifted and scaled so that powers near 0 become the logarithm.

    Attributes:
        lambdas: (n_features,) float64, the powers.
        method: how values become positive.
        stable: whether powers are made of `expm1` and `log1p`, as newer versions of SciPy do.
    """

    lambdas: np.ndarray
    method: Method
    stable: bool

    def __post_init__(self) -> None:
        """Check the shape."""
        require(self.lambdas.ndim == 1, "powers that are no row")

    def transform(self, data: Data) -> Data:
        """Return the powers; a missing value stays so."""
        if isinstance(data, Sparse):
            raise Declined("a sparse table")
        table = unbounded(doubles(data))
        require(table.shape[1] == len(self.lambdas), "powers of other columns")
        with np.errstate(all="ignore"):
            box_cox = self.method is Method.BOX_COX
            return unbounded(in_blocks(self._box_cox if box_cox else self._yeo_johnson, table))

    def _box_cox(self, table: Array) -> Array:
        if (table <= 0).any():
            raise Declined("a value that is not above 0")
        logarithms = kernel.logarithms(table)
        exponents = self.lambdas * logarithms
        if (exponents >= _LARGEST).any():
            raise Declined("a power that is too large")
        found = kernel.expm1(exponents) / self.lambdas
        flat = np.abs(self.lambdas) < _FLAT
        return np.where(flat, logarithms, found) if flat.any() else found

    def _yeo_johnson(self, table: Array) -> Array:
        positive = table >= 0
        sizes = np.abs(table)
        # What is below 0 is mirrored, and so is its power.
        powers = np.where(positive, self.lambdas, 2 - self.lambdas)
        if self.stable:
            found = np.expm1(powers * np.log1p(sizes)) / powers
        else:
            found = (np.power(sizes + 1, powers) - 1) / powers
        flat = np.where(
            positive, np.abs(self.lambdas) < _EPSILON, np.abs(self.lambdas - 2) <= _EPSILON
        )
        if flat.any():
            found = np.where(flat, np.log1p(sizes), found)
        return np.where(positive, found, -found)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, taken back to before the power."""
        if origins is None:
            return None
        back = _box_cox_back if self.method is Method.BOX_COX else _yeo_johnson_back
        return [
            one and one.behind(partial(back, power))
            for one, power in zip(origins, self.lambdas.tolist())
        ]


def _box_cox_back(power: float, values: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.exp(values) if abs(power) < _FLAT else np.power(values * power + 1, 1 / power)


def _yeo_johnson_back(power: float, values: Array) -> Array:
    found = np.array(values, dtype=np.float64)
    for sign, exponent in ((1, power), (-1, 2 - power)):
        chosen = found > 0 if sign > 0 else found < 0
        sizes = np.abs(values[chosen])
        found[chosen] = sign * (
            np.expm1(sizes) if abs(exponent) <= _EPSILON else _box_cox_back(exponent, sizes) - 1
        )
    return found


class Quantiles(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """The share of values that lie below each value, or what a normal distribution has there.

    Attributes:
        quantiles: (n_quantiles, n_features) float64, rising.
        references: (n_quantiles,) float64, the share that lies below each.
        distribution: of the result.
        takes_negative: whether a sparse table may hold negative values.
    """

    quantiles: np.ndarray
    references: np.ndarray
    distribution: Distribution
    takes_negative: bool

    def __post_init__(self) -> None:
        """Check the shapes."""
        shaped = self.quantiles.ndim == 2 and self.references.ndim == 1  # noqa: PLR2004
        require(shaped and 0 < len(self.references) == len(self.quantiles), "no quantiles")

    @cached_property
    def _rising(self) -> tuple[Array, ...]:
        return tuple(np.ascontiguousarray(self.quantiles.T))

    @cached_property
    def _falling(self) -> tuple[Array, ...]:
        """Return the quantiles from the other side, negated to rise."""
        return tuple(np.ascontiguousarray(-self.quantiles[::-1].T))

    @cached_property
    def _mirrored(self) -> Array:
        return -self.references[::-1]

    def transform(self, data: Data) -> Data:
        """Return the shares, or the normal values; a missing value stays so."""
        if isinstance(data, Sparse):
            return self._sparse(data)
        table = unbounded(doubles(data))
        require(table.shape[1] == len(self._rising), "quantiles of other columns")
        found = np.empty_like(table)
        for place in range(table.shape[1]):
            found[:, place] = self._shares(table[:, place], place)
        return self._distributed(table, found, ends=(self.quantiles[0], self.quantiles[-1]))

    def _shares(self, column: Array, place: int) -> Array:
        """Return the share below each value, between that from one side and from the other."""
        upper = np.interp(column, self._rising[place], self.references)
        shares = 0.5 * (upper - np.interp(-column, self._falling[place], self._mirrored))
        # Of one quantile, numpy takes a missing value for equal to it.
        return shares if len(self.references) > 1 else np.where(np.isnan(column), np.nan, shares)

    def _distributed(self, values: Array, shares: Array, *, ends: tuple[Array, Array]) -> Array:
        """Return the shares as they are distributed, those at the ends set to 0 and 1."""
        lowest, highest = ends
        if self.distribution is Distribution.UNIFORM:
            shares[values == highest] = 1.0
            shares[values == lowest] = 0.0
            return shares
        shares[values + _NEAR > highest] = 1.0
        shares[values - _NEAR < lowest] = 0.0
        return np.minimum(np.maximum(in_blocks(quantiles, shares), _LOWEST), _HIGHEST)

    def _sparse(self, table: Sparse) -> Sparse:
        values = unbounded(doubles(table.values))
        require(table.width == len(self._rising), "quantiles of other columns")
        if not self.takes_negative and (values < 0).any():
            raise Declined("a sparse table of negative values")
        found = np.empty(values.shape)
        for place in np.unique(table.columns).tolist():
            chosen = table.columns == place
            found[chosen] = self._shares(values[chosen], place)
        ends = self.quantiles[0, table.columns], self.quantiles[-1, table.columns]
        found = self._distributed(values, found, ends=ends)
        return Sparse(table.starts, table.columns, found, width=table.width)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, taken back by their quantiles."""
        if origins is None:
            return None
        return [
            one and one.behind(partial(self._back, column))
            for one, column in zip(origins, self._rising)
        ]

    def _back(self, column: Array, values: Array) -> Array:
        if self.distribution is Distribution.NORMAL:
            flat = np.asarray(values, dtype=np.float64).ravel().tolist()
            values = np.array([0.5 * math.erfc(-one / math.sqrt(2)) for one in flat])
        return np.interp(values, self.references, column)


def read_power_transformer(transformer: Any, reader: Reader) -> Step:
    """Return the node of a fitted `PowerTransformer`."""
    method = Method(transformer.method)
    lambdas = floats(transformer.lambdas_)
    if not np.isfinite(lambdas).all():
        raise Unsupported("PowerTransformer of a column without a power")
    step = Power(
        lambdas=lambdas,
        method=method,
        stable=method is Method.YEO_JOHNSON and _is_stable(transformer),
    )
    scaler = transformer._scaler if transformer.standardize else None
    return Chain((step, reader.step(scaler))) if scaler is not None else step


def _is_stable(transformer: Any) -> bool:
    """Return whether a power keeps the digits of a tiny value."""
    made = getattr(transformer, "_yeo_johnson_transform", None)
    # Newer versions of scikit-learn call SciPy for it, which is loaded with them.
    made = sys.modules["scipy.stats"].yeojohnson if made is None else made
    return bool(made(np.array([1e-17]), 0.5)[0] > 0)


def read_quantile_transformer(transformer: Any, _: Reader) -> Step:
    """Return the node of a fitted `QuantileTransformer`."""
    return Quantiles(
        quantiles=floats(transformer.quantiles_),
        references=floats(transformer.references_),
        distribution=Distribution(transformer.output_distribution),
        takes_negative=bool(transformer.ignore_implicit_zeros),
    )


NODES = (Power, Quantiles)
READERS = {
    "sklearn.PowerTransformer": read_power_transformer,
    "sklearn.QuantileTransformer": read_quantile_transformer,
}
