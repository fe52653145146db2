"""Each column shifted and scaled: scikit-learn's scalers."""

from __future__ import annotations

from functools import partial
from typing import Any, Optional

import numpy as np
from msgspec import Struct

from brinery.scorers import rows
from brinery.scorers.data import Array, Data, Declined, Sparse, unbounded
from brinery.scorers.interface import Reader, Step, Unsupported, floats, require
from brinery.scorers.origin import Origins


class Scale(Struct, Step, frozen=True, kw_only=True, tag=True):
    """(x - shift) / scale, each part where there is one.

    Attributes:
        shift: (n_features,) float64.
        scale: (n_features,) float64, none of them 0.
    """

    shift: Optional[np.ndarray] = None
    scale: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        for figures in (self.shift, self.scale):
            require(figures is None or figures.ndim == 1, "a scale that is no row")

    def transform(self, data: Data) -> Data:
        """Return the scaled values; a missing one stays so."""
        if isinstance(data, Sparse):
            if self.shift is not None:
                raise Declined("a sparse table cannot be shifted")
            return data if self.scale is None else _scaled(data, 1.0 / self.scale)
        table = unbounded(data)
        if self.shift is not None:
            table = table - self.shift
        return table if self.scale is None else table / self.scale

    def row(self) -> Optional[rows.Step]:
        """Return what scales a single row."""
        shift = None if self.shift is None else self.shift.tolist()
        scale = None if self.scale is None else self.scale.tolist()
        if (scale is not None and 0.0 in scale) or not (shift or scale):
            return None
        return rows.Scaled(shift, scale)

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, scaled back."""
        if origins is None:
            return None
        shift = np.zeros(len(origins)) if self.shift is None else self.shift
        scale = np.ones(len(origins)) if self.scale is None else self.scale
        return [
            one and one.behind(partial(_stretched, factor=c, shift=s))
            for one, s, c in zip(origins, shift.tolist(), scale.tolist())
        ]


class Stretch(Struct, Step, frozen=True, kw_only=True, tag=True):
    """x * factor + shift, kept within bounds where there are some.

    Attributes:
        factor: (n_features,) float64.
        shift: (n_features,) float64.
        lowest: what no value falls below; None where any may.
        highest: what no value rises above.
    """

    factor: np.ndarray
    shift: np.ndarray
    lowest: Optional[float] = None
    highest: Optional[float] = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        require(self.factor.ndim == self.shift.ndim == 1, "a factor that is no row")

    def transform(self, data: Data) -> Data:
        """Return the stretched values; a missing one stays so."""
        table: Array = unbounded(data) * self.factor
        table += self.shift
        return table if self.lowest is None else np.clip(table, self.lowest, self.highest)

    def row(self) -> Optional[rows.Step]:
        """Return what stretches a single row."""
        if self.lowest is not None or len(self.factor) != len(self.shift):
            return None
        return rows.Stretched(self.factor.tolist(), self.shift.tolist())

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, stretched back; one that is flat does not tell its value."""
        if origins is None:
            return None
        return [
            one.behind(partial(_stretched, factor=1 / f, shift=-s / f))
            if one and f
            else one and one.lost()
            for one, f, s in zip(origins, self.factor.tolist(), self.shift.tolist())
        ]


def _stretched(values: Array, *, factor: float, shift: float) -> Array:
    stretched: Array = values * factor + shift
    return stretched


def _scaled(table: Sparse, factors: Array) -> Sparse:
    """Return a sparse table with each column times its factor, as scikit-learn scales one."""
    values = unbounded(table.values) * factors[table.columns]
    return Sparse(table.starts, table.columns, values, width=table.width)


def read_standard_scaler(scaler: Any, _: Reader) -> Step:
    """Return the node of a fitted `StandardScaler`."""
    return Scale(
        shift=floats(scaler.mean_) if scaler.with_mean else None,
        scale=floats(scaler.scale_) if scaler.with_std else None,
    )


def read_robust_scaler(scaler: Any, _: Reader) -> Step:
    """Return the node of a fitted `RobustScaler`."""
    return Scale(
        shift=floats(scaler.center_) if scaler.with_centering else None,
        scale=floats(scaler.scale_) if scaler.with_scaling else None,
    )


def read_max_abs_scaler(scaler: Any, _: Reader) -> Step:
    """Return the node of a fitted `MaxAbsScaler`."""
    if getattr(scaler, "clip", False):
        raise Unsupported("MaxAbsScaler with clip")
    return Scale(scale=floats(scaler.scale_))


def read_min_max_scaler(scaler: Any, _: Reader) -> Step:
    """Return the node of a fitted `MinMaxScaler`."""
    lowest, highest = scaler.feature_range
    clips = getattr(scaler, "clip", False)
    return Stretch(
        factor=floats(scaler.scale_),
        shift=floats(scaler.min_),
        lowest=float(lowest) if clips else None,
        highest=float(highest) if clips else None,
    )


NODES = (Scale, Stretch)
READERS = {
    "sklearn.StandardScaler": read_standard_scaler,
    "sklearn.RobustScaler": read_robust_scaler,
    "sklearn.MaxAbsScaler": read_max_abs_scaler,
    "sklearn.MinMaxScaler": read_min_max_scaler,
}
