"""Values that were bent before the fit, and are bent back: `TransformedTargetRegressor`."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.composition import Chain, Passthrough
from brinery.scorers.data import Array, Data, Declined, doubles, finite
from brinery.scorers.distribution import Distribution, Method
from brinery.scorers.functions import read_function_transformer
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Splits,
    Step,
    Unsupported,
    class_name,
    floats,
    require,
)
from brinery.scorers.origin import Origins
from brinery.scorers.scaling import Scale, Stretch

_EPSILON = float(np.finfo(np.float64).eps)


class Unpower(Struct, Step, frozen=True, kw_only=True, tag=True):
    """What a power transform made each value of.

    Attributes:
        lambdas: (n_columns,) float64, the powers.
        method: how values became positive.
        stable: whether SciPy undoes the Box-Cox transform, not scikit-learn.
    """

    lambdas: np.ndarray
    method: Method
    stable: bool

    def __post_init__(self) -> None:
        """Check the shape."""
        require(self.lambdas.ndim == 1, "powers that are no row")

    def transform(self, data: Data) -> Data:
        """Return the values before the power.

        Raises:
            Declined: there is none of which the power would be that value.
        """
        table = doubles(data)
        require(table.shape[1] == len(self.lambdas), "powers of other columns")
        found = np.empty(table.shape)
        with np.errstate(all="ignore"):
            for place, power in enumerate(self.lambdas.tolist()):
                values = table[:, place]
                if self.method is Method.YEO_JOHNSON:
                    found[:, place] = _yeo_johnson(values, power)
                elif self.stable:
                    found[:, place] = np.exp(np.log1p(power * values) / power if power else values)
                else:
                    found[:, place] = (
                        (values * power + 1) ** (1 / power) if power else np.exp(values)
                    )
        return finite(found)


def _yeo_johnson(values: Array, power: float) -> Array:
    if abs(power) < _EPSILON:
        above = np.exp(values) - 1
    else:
        above = np.power(values * power + 1, 1 / power) - 1
    if abs(power - 2) > _EPSILON:
        below = 1 - np.power(-(2 - power) * values + 1, 1 / (2 - power))
    else:
        below = 1 - np.exp(-values)
    return np.where(values >= 0, above, below)


class Unquantiles(Struct, Step, frozen=True, kw_only=True, tag=True, dict=True):
    """The value below which a share of values lies.

    Attributes:
        quantiles: (n_quantiles, n_columns) float64, rising.
        references: (n_quantiles,) float64, the share that lies below each.
    """

    quantiles: np.ndarray
    references: np.ndarray

    def __post_init__(self) -> None:
        """Check the shapes."""
        shaped = self.quantiles.ndim == 2 and self.references.ndim == 1  # noqa: PLR2004
        require(shaped and 0 < len(self.references) == len(self.quantiles), "no quantiles")

    def transform(self, data: Data) -> Data:
        """Return the values; below 0 the lowest, above 1 the highest."""
        table = finite(doubles(data))
        require(table.shape[1] == self.quantiles.shape[1], "quantiles of other columns")
        columns = zip(table.T, self.quantiles.T)
        return np.column_stack([np.interp(one, self.references, known) for one, known in columns])


class Target(Struct, Model, frozen=True, kw_only=True, tag=True):
    """A regressor whose values are bent back.

    Attributes:
        model: the regressor.
        inverse: what is done with its values, as a table.
        flat: whether there is one number for each row, not a row of numbers.
    """

    model: Model
    inverse: Step
    flat: bool

    def answer(self, data: Data) -> Answer:
        """Return the values, bent back."""
        values = self.model.answer(data).values
        if values is None:
            raise Declined("a model within has no values")
        table = doubles(values.reshape(-1, 1) if values.ndim == 1 else values)
        with np.errstate(all="ignore"):
            found = doubles(self.inverse.transform(table))
        return Answer(values=found[:, 0] if self.flat and found.shape[1] == 1 else found)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of the regressor."""
        return self.model.splits(origins)


def read_transformed_target(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `TransformedTargetRegressor`."""
    return Target(
        model=reader.model(model.regressor_),
        inverse=_inverse(model.transformer_, reader),
        flat=model._training_dim == 1,
    )


def _inverse(transformer: Any, reader: Reader) -> Step:
    """Return what undoes a fitted transformer."""
    invert = _INVERSES.get(class_name(transformer))
    if invert is None:
        raise Unsupported(f"TransformedTargetRegressor with {type(transformer).__name__}")
    return invert(transformer, reader)


def _of_pipeline(pipeline: Any, reader: Reader) -> Step:
    steps = [one for _, one in pipeline.steps if one is not None and one != "passthrough"]
    return (
        Chain(tuple(_inverse(one, reader) for one in reversed(steps))) if steps else Passthrough()
    )


def _of_function(transformer: Any, reader: Reader) -> Step:
    """Return the inverse function, read as if it were that of a transformer."""
    inverse = SimpleNamespace(
        func=transformer.inverse_func,
        validate=transformer.validate,
        accept_sparse=False,
        kw_args=transformer.inv_kw_args,
    )
    return read_function_transformer(inverse, reader)


def _of_standard_scaler(scaler: Any, _: Reader) -> Step:
    return _stretch(
        scaler.scale_ if scaler.with_std else None, scaler.mean_ if scaler.with_mean else None
    )


def _of_robust_scaler(scaler: Any, _: Reader) -> Step:
    return _stretch(
        scaler.scale_ if scaler.with_scaling else None,
        scaler.center_ if scaler.with_centering else None,
    )


def _of_max_abs_scaler(scaler: Any, _: Reader) -> Step:
    return _stretch(scaler.scale_, None)


def _stretch(factor: Any, shift: Any) -> Step:
    if factor is None and shift is None:
        return Passthrough()
    return Stretch(
        factor=floats(np.ones(len(shift)) if factor is None else factor),
        shift=floats(np.zeros(len(factor)) if shift is None else shift),
    )


def _of_min_max_scaler(scaler: Any, _: Reader) -> Step:
    return Scale(shift=floats(scaler.min_), scale=floats(scaler.scale_))


def _of_power_transformer(transformer: Any, reader: Reader) -> Step:
    step = Unpower(
        lambdas=floats(transformer.lambdas_),
        method=Method(transformer.method),
        # The name is the library's.
        stable=not hasattr(transformer, "_box_cox_inverse_tranform"),
    )
    if not transformer.standardize:
        return step
    scaler = transformer._scaler
    return Chain((_of_standard_scaler(scaler, reader), step))


def _of_quantile_transformer(transformer: Any, _: Reader) -> Step:
    if Distribution(transformer.output_distribution) is not Distribution.UNIFORM:
        raise Unsupported("TransformedTargetRegressor with normal quantiles")
    return Unquantiles(
        quantiles=floats(transformer.quantiles_), references=floats(transformer.references_)
    )


_INVERSES: MappingProxyType[str, Callable[[Any, Reader], Step]] = MappingProxyType(
    {
        "sklearn.Pipeline": _of_pipeline,
        "sklearn.FunctionTransformer": _of_function,
        "sklearn.StandardScaler": _of_standard_scaler,
        "sklearn.RobustScaler": _of_robust_scaler,
        "sklearn.MaxAbsScaler": _of_max_abs_scaler,
        "sklearn.MinMaxScaler": _of_min_max_scaler,
        "sklearn.PowerTransformer": _of_power_transformer,
        "sklearn.QuantileTransformer": _of_quantile_transformer,
    }
)
NODES = (Unpower, Unquantiles, Target)
READERS = {"sklearn.TransformedTargetRegressor": read_transformed_target}
