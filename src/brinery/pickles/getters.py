"""Functions that a pickle looks names up with, and when that is no worse than the names.

numpy before 1.20 writes a function of its own, such as `numpy.log1p`, as a call that imports any
name, and every pickle writes the method of an object as a call of `getattr`. Both are dangerous,
unless every use is a call whose arguments name what is known safe. So each time that such a
function gets onto the stack is counted, and each such call takes one off again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from brinery.pickles.inert import Inert
from brinery.pickles.policy import listed
from brinery.records.scan import Global

_GETATTR = Global("builtins", "getattr")
GETTERS = frozenset(
    {
        _GETATTR,
        Global("numpy.core", "_ufunc_reconstruct"),
        Global("numpy._core", "_ufunc_reconstruct"),
    }
)
_PAIR = 2

# Methods of text, which tokenizers are made of.
_TEXT = Global("builtins", "str")
_OF_TEXT = frozenset(
    {"casefold", "lower", "lstrip", "rstrip", "split", "splitlines", "strip", "swapcase"}
    | {"title", "upper"}
)

# How Python writes a time zone: by its name, which is looked up among those of the system.
_ZONE = Global("zoneinfo", "ZoneInfo._unpickle")

# Methods of their own that models keep.
_KEPT = re.compile(
    r"scipy\.stats\._discrete_distns\.\w+_gen\._entropy"
    r"|statsmodels\.distributions\.discrete\.\w+_gen\._entropy"
    r"|statsmodels\.discrete\.count_model\.\w+\._hessian_logit"
    r"|statsmodels\.tsa\.exponential_smoothing\.ets\.ETSModel\.loglike"
    r"|sklearn\.ensemble\._hist_gradient_boosting\.gradient_boosting"
    r"\.HistGradientBoosting(Classifier|Regressor)\._raw_predict"
)


def looked_up(asked: Any, given: Any) -> Global | Inert | None:
    """Return the safe name, or the safe method, that a call looks up; None where it is another."""
    if not is_getter(asked) or type(given) is not tuple or len(given) != _PAIR:
        return None
    held, name = given
    if type(name) is not str:
        return None
    if asked == _GETATTR:
        return _attribute(held, name)
    return _safe(Global(held, name)) if type(held) is str else None


def _attribute(held: Any, name: str) -> Global | Inert | None:
    """Return the safe attribute of a class, or of an object, that has such a name."""
    if isinstance(held, Global):
        dotted = Global(held.module, f"{held.name}.{name}")
        return dotted if is_method(dotted) else _safe(dotted)
    if isinstance(held, Inert) and _KEPT.fullmatch(f"{held.origin}.{name}"):
        return Inert(_GETATTR, (held, name))
    return None


def is_method(name: Global) -> bool:
    """Return whether a name is that of a method of text, or of a time zone."""
    kind, _, method = name.name.rpartition(".")
    return name == _ZONE or (Global(name.module, kind) == _TEXT and method in _OF_TEXT)


def _safe(name: Global) -> Global | None:
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
