"""Functions that a pickle looks names up with, and when that is no worse than the names.

numpy before 1.20 writes a function of its own, such as `numpy.log1p`, as a call that imports any
name: dangerous, unless every use of it is a call whose arguments are text that names what is known
safe. So each time that it gets onto the stack is counted, and each such call takes one off again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brinery.pickles.policy import listed
from brinery.records.scan import Global

GETTERS = frozenset(
    {Global("numpy.core", "_ufunc_reconstruct"), Global("numpy._core", "_ufunc_reconstruct")}
)
_PAIR = 2


def looked_up(asked: Any, given: Any) -> Global | None:
    """Return the safe name that a call looks up; None where it may be anything else."""
    if not is_getter(asked) or type(given) is not tuple or len(given) != _PAIR:
        return None
    if any(type(part) is not str for part in given):
        return None
    name = Global(*given)
    return name if listed(name) is not None else None


def is_getter(value: Any) -> bool:
    """Return whether a value of a pickle is such a function."""
    return type(value) is Global and value in GETTERS


class CountingMemo(dict[int, Any]):
    """A memo that tells when such a function is taken out of it.

    Args:
        memo: what is in it.
        taken: is told.
    """

    def __init__(self, memo: Mapping[int, Any], taken: Callable[[Global], None]) -> None:
        super().__init__(memo)
        self._taken = taken

    def __getitem__(self, index: int) -> Any:
        value = super().__getitem__(index)
        if is_getter(value):
            self._taken(value)
        return value
