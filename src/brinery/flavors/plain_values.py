"""The values that answers are made of: numbers, truth values or text, all of one kind.

What a model answers is seen here value by value, before it is packed: what cannot cross to another
process, or be written to a file, is refused in words that name it. It must not know what the
answers mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from brinery.errors import PredictionRefused

_NUMBER, _TRUTH, _TEXT = "a number", "a truth value", "text"
PLAIN_ARRAYS = "biufU"
_ONE_PER_ROW = "its predict must answer each row with one value"
_KINDS = f"{_ONE_PER_ROW}: a number, a text or a truth value"
_MOST_SHOWN = 40
_BASES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((str,), _TEXT),
    ((bool, np.bool_), _TRUTH),
    ((int, float, np.integer, np.floating), _NUMBER),
)


def plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return answers as they are, a missing one among objects being None.

    Args:
        values: (n_rows,) of any type.

    Raises:
        PredictionRefused: one is no plain value, or they are of several kinds.
    """
    if values.dtype.kind in PLAIN_ARRAYS:
        return values
    if values.dtype != object:
        values = np.array([*values, None], dtype=object)[:-1]
    kinds = {kind: _kind(kind) for kind in set(map(type, values.tolist()))}
    if len(set(kinds.values())) == 1 and "" not in kinds.values():
        return values
    import pandas as pd  # a server that needs it for no answer does without

    absent = np.asarray(pd.isna(values))
    there = values[~absent].tolist()
    found: dict[str, Any] = {}
    for value in there:
        kind = kinds.get(type(value)) or _kind(type(value))
        if not kind:
            raise _refused(value)
        found.setdefault(kind, value)
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise PredictionRefused(
            f"the model answers {one} ({_shown(first)}) for some rows and {other} "
            f"({_shown(second)}) for others",
            hint="its predict must answer every row with the same kind of value: str(…) makes "
            "text of each",
        )
    kept = values.copy()
    kept[absent] = None
    return kept


def no_vector(answer: Any, *, rows: int) -> PredictionRefused:
    """Return the error for one thing where a value per row is meant: a number, a generator, a dict.

    Args:
        answer: what the model returned.
        rows: how many were asked about.
    """
    if _kind(type(answer)):
        return PredictionRefused(
            f"the model answers one value ({_shown(answer)}) for {rows} rows", hint=_ONE_PER_ROW
        )
    said = f"the model answers {_called(type(answer))} for {rows} rows"
    if isinstance(answer, Iterator):
        return PredictionRefused(said, hint="its predict must return a list: list(…) makes one")
    if isinstance(answer, (Mapping, set, frozenset)):
        return PredictionRefused(
            said, hint="its predict must return a list or an array with one value for each row"
        )
    return PredictionRefused(said, hint=_KINDS)


def _kind(of: type) -> str:
    """Return what a type's values are called; empty where they are no plain values."""
    return next((called for bases, called in _BASES if issubclass(of, bases)), "")


def _refused(value: Any) -> PredictionRefused:
    hint = _KINDS
    if isinstance(value, (date, timedelta, np.datetime64, np.timedelta64)):
        hint = f"{_ONE_PER_ROW}: make text of it with str(…), or a number"
    elif isinstance(value, bytes):
        hint = "make text of it: value.decode()"
    elif isinstance(value, (Mapping, list, tuple, set, np.ndarray)):
        hint = f"{_KINDS}; take the one that is meant out of the {type(value).__name__}"
    return PredictionRefused(f"the model answers a row with {_called(type(value))}", hint=hint)


def _called(kind: type) -> str:
    """Return the name of a type, with its module where that is not Python's own."""
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    name = f"{module}{kind.__qualname__}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _shown(value: Any) -> str:
    text = ascii(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def is_frame(answer: Any) -> bool:
    """Return whether an answer is a data frame; none is where pandas was never imported."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(answer, pandas.DataFrame)
