"""What two arrays that contradict each other are refused with, and the questions asked of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from brinery.errors import CorruptModel


class Corrupt(Exception):
    """Arrays contradict each other; the text says which."""


class Cut(Corrupt):
    """A file ends before its end; the text says where."""


def refused(file: str, part: str, *, error: Exception) -> CorruptModel:
    """Return the error for a part of a file whose arrays contradict each other."""
    if isinstance(error, Cut):
        return CorruptModel(
            f"{file} is cut off: {error}",
            hint="copy it again in whole, or save the model again where it was made",
        )
    return CorruptModel(
        f"{file} is corrupt: {part}: {error}",
        hint="pickle the fitted model again where it was made; if this file came from elsewhere, "
        "do not use it",
    )


def require(fits: object, what: str) -> None:
    """Return only where a condition holds, which may be numpy's.

    Raises:
        Corrupt: it does not.
    """
    if not fits:
        raise Corrupt(what)


def within(values: Any, start: int, *, stop: int, what: str) -> None:
    """Return only where every whole number lies from `start` to before `stop`.

    Raises:
        Corrupt: one does not, or is no whole number.
    """
    array = np.asarray(values)
    if not array.size:
        return
    require(array.dtype.kind in "iu", f"{what} are no whole numbers")
    low, high = int(array.min()), int(array.max())
    require(
        start <= low and high < stop,
        f"{what} reach from {low} to {high}, and {start} to {stop - 1} are there",
    )


def table(values: Any, what: str) -> npt.NDArray[Any]:
    """Return an array of two dimensions.

    Raises:
        Corrupt: it is none.
    """
    require(isinstance(values, np.ndarray) and values.ndim == 2, f"{what} is no table")  # noqa: PLR2004 - rows and columns
    return np.asarray(values)


def width(values: Any) -> int | None:
    """Return how many columns a table has, dense or sparse; None where it is no table."""
    shape = getattr(values, "shape", None)
    return int(shape[1]) if isinstance(shape, tuple) and len(shape) == 2 else None  # noqa: PLR2004 - rows and columns
