"""Whether the arrays of a loaded model fit together, asked before its first prediction.

A pickle of nothing but known classes can hold a tree whose nodes point outside of it: it passes
every scan, loads, and ends the process that predicts with it, or answers from memory that is not
the model's. So every object that compiled code reads without looking is looked at here: its index
ranges, shapes and dtypes. The walk reads attributes where they lie and calls no method of the
model's own classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from brinery.errors import CorruptModel
from brinery.flavors import boosters, shapes, trees
from brinery.flavors.corruption import Corrupt, refused

_MAX_PARTS = 20_000_000
_PLAIN = frozenset({str, int, float, bool, bytes, complex, type(None), type, slice, range})

# Of a class by its own name or that of one it inherits from: what is looked at.
CHECKS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    **trees.CHECKS,
    **shapes.CHECKS,
    **boosters.CHECKS,
}


def check(model: Any, *, file: str) -> None:
    """Return only where nothing of a model's arrays would crash the library that reads them.

    Args:
        model: a loaded model, of any framework.
        file: its name, for the message.

    Raises:
        CorruptModel: two arrays contradict each other, or an index points outside of what it is
            of; the message names the part.
    """
    for part, state in parts(model, file=file):
        for base in type(part).__mro__:
            look = CHECKS.get(f"{base.__module__}.{base.__qualname__}")
            if look is None:
                continue
            try:
                look(part, state)
            except (Corrupt, TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
                raise refused(file, type(part).__name__, error=error) from None


def parts(model: Any, *, file: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield every object that a model is made of with its attributes, each once.

    Raises:
        CorruptModel: there are too many to be looked at.
    """
    waiting, seen, left = [model], {id(model)}, _MAX_PARTS
    while waiting:
        part = waiting.pop()
        state = _attributes(part)
        yield part, state
        for within in _within(part, state):
            left -= 1
            # By identity: numbers and texts are most of a vocabulary, and hold nothing.
            if type(within) not in _PLAIN and id(within) not in seen:
                seen.add(id(within))
                waiting.append(within)
        if left < 0:
            raise CorruptModel(
                f"{file} is made of more than {_MAX_PARTS:,} parts, too many to be checked",
                hint="pickle the fitted model without its training data",
            )


def _attributes(part: Any) -> dict[str, Any]:
    """Return the attributes of an object as they lie in it."""
    # By its type: what an object says of its class is asked of the object.
    if issubclass(type(part), (list, tuple, set, frozenset, np.ndarray)):
        return {}
    try:
        state = object.__getattribute__(part, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return state if type(state) is dict else {}


def _within(part: Any, state: dict[str, Any]) -> Iterable[Any]:
    """Return what an object holds: its attributes, items, keys or cells."""
    kind = type(part)
    # The classes' own methods are passed by: a subclass may have any.
    for held in (list, tuple, set, frozenset):
        if issubclass(kind, held):
            return held.__iter__(part)
    if issubclass(kind, dict):
        return (*dict.values(part), *dict.keys(part), *state.values())
    if issubclass(kind, np.ndarray):
        return np.asarray(part).ravel().tolist() if part.dtype == object else ()
    foreign = issubclass(kind, type) or kind.__module__ == "builtins"
    return () if foreign or kind.__module__.startswith("pandas.") else state.values()
