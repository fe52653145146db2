"""NumPy's functions of single numbers: scikit-learn's `FunctionTransformer`."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.composition import Passthrough
from brinery.scorers.data import Array, Data, Declined, Sparse, doubles, finite
from brinery.scorers.interface import Reader, Step, Unsupported, require
from brinery.scorers.origin import Origins, lost

# The identity, which is no function of NumPy's.
_IDENTITY = "identity"
# The square of a whole number above this is not exact, and not that of an integer.
_ROOT = 2.0**26.5
_EXACT = 2.0**53

# Those that give floats of float64 and are functions of the value alone, whole or not.
_FUNCTIONS: MappingProxyType[str, Any] = MappingProxyType(
    {
        _IDENTITY: np.positive,
        **{
            name: getattr(np, name)
            for name in (
                *("absolute", "fabs", "negative", "sign", "square", "sqrt", "cbrt"),
                *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p"),
                *("sin", "cos", "tan", "arcsin", "arccos", "arctan"),
                *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
                *("deg2rad", "rad2deg", "degrees", "radians", "rint", "floor", "ceil", "trunc"),
            )
        },
    }
)
# Those that a sparse table takes, and keeps its zeros.
_SPARSE = frozenset(
    {
        *(_IDENTITY, "absolute", "negative", "sqrt", "expm1", "log1p", "rint"),
        *("sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh"),
        *("deg2rad", "rad2deg"),
    }
)
# Of those that rise or fall all along: the way back.
_INVERSES: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {
        _IDENTITY: np.positive,
        "negative": np.negative,
        "sqrt": np.square,
        "cbrt": lambda values: values**3,
        "exp": np.log,
        "exp2": np.log2,
        "expm1": np.log1p,
        "log": np.exp,
        "log2": np.exp2,
        "log10": lambda values: np.power(10.0, values),
        "log1p": np.expm1,
        "arcsin": np.sin,
        "arccos": np.cos,
        "arctan": np.tan,
        "sinh": np.arcsinh,
        "tanh": np.arctanh,
        "arcsinh": np.sinh,
        "arccosh": np.cosh,
        "arctanh": np.tanh,
        "deg2rad": np.rad2deg,
        "rad2deg": np.deg2rad,
        "degrees": np.radians,
        "radians": np.degrees,
    }
)


class Apply(Struct, Step, frozen=True, kw_only=True, tag=True):
    """A function of each value.

    Attributes:
        function: its name in NumPy, or `identity`.
        checked: whether no value may be missing or infinite.
        takes_sparse: whether a sparse table is taken.
    """

    function: str
    checked: bool
    takes_sparse: bool

    def __post_init__(self) -> None:
        """Check the name."""
        require(self.function in _FUNCTIONS, "a function that is not known")

    def transform(self, data: Data) -> Data:
        """Return the function of each value: missing or infinite where it has none."""
        if isinstance(data, Sparse):
            if not self.takes_sparse or self.function not in _SPARSE:
                raise Declined("a sparse table")
            return Sparse(data.starts, data.columns, self._apply(data.values), width=data.width)
        return self._apply(data)

    def _apply(self, data: Data) -> Array:
        table = doubles(data)
        if self.checked:
            finite(table)
        with np.errstate(all="ignore"):
            if self.function == "square":
                _exact(table)
            found: Array = _FUNCTIONS[self.function](table)
        return found

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, taken back where the function rises or falls all along."""
        inverse = _INVERSES.get(self.function)
        if origins is None:
            return None
        return [one and one.behind(inverse) for one in origins] if inverse else lost(origins)


def _exact(table: Array) -> None:
    """Check that squares are the same of integers and of floats.

    Raises:
        Declined: one is a large whole number; that of an integer might overflow.
    """
    sizes = np.abs(table)
    large = (sizes > _ROOT) & (sizes <= _EXACT)
    if large.any() and (table[large] == np.floor(table[large])).any():
        raise Declined("the square of a large whole number")


def read_function_transformer(transformer: Any, _: Reader) -> Step:
    """Return the node of a fitted `FunctionTransformer`."""
    function, accepted = transformer.func, transformer.accept_sparse
    if function is None and not transformer.validate:
        return Passthrough()
    name = _IDENTITY if function is None else getattr(function, "__name__", "")
    known = function is None or (name != _IDENTITY and _FUNCTIONS.get(name) is function)
    if not known:
        raise Unsupported(f"FunctionTransformer with {name or type(function).__name__}")
    if transformer.kw_args and function is not None:
        raise Unsupported("FunctionTransformer with keyword arguments")
    return Apply(
        function=name,
        checked=bool(transformer.validate),
        takes_sparse=accepted is True or not transformer.validate,
    )


NODES = (Apply,)
READERS = {"sklearn.FunctionTransformer": read_function_transformer}
