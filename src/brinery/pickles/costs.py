"""What it takes to make what a file asks for, in memory and in time, before a byte of it is read.

A number of a few bytes may ask for gigabytes; a range is nothing until something goes through it;
a value that refers to itself again and again is small until it is hashed. What honest models ask
for stays far below, and all that a file asks for is counted together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from brinery.pickles import arrays
from brinery.pickles.bounds import (
    KEEP_BYTES,
    MAX_EXPANDED,
    MAX_MADE_BYTES,
    MAX_NESTED,
    MAX_PATTERN_CHARACTERS,
    Broken,
    TooMuch,
)
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import HOLDERS, Inert, expanded
from brinery.records.scan import Global

_BYTES = (Global("builtins", "bytes"), Global("builtins", "bytearray"))
_AS_LONG = (*_BYTES, Global("_codecs", "encode"))  # what is as long as the text it is made of

# numpy's arrays, and its items that are as large as they are told to be.
_ARRAYS = frozenset(
    {"MaskedArray", "_mareconstruct", "_reconstruct", "bytes_", "matrix", "ndarray", "recarray"}
    | {"record", "scalar", "void"}
)
_SHAPED = (Global("numpy", "dtype"), *_AS_LONG)  # what may be told beside a shape
_ITEM_BYTES = 16

_INT, _RANGE = Global("builtins", "int"), Global("builtins", "range")
_DECIMAL, _FRACTION = Global("decimal", "Decimal"), Global("fractions", "Fraction")
_PATTERN = Global("re", "_compile")
# Numbers as they are written when they are pickled: another text may stand for a number that takes
# for ever to work out.
_WRITTEN = {
    _FRACTION: re.compile(r"-?[0-9]+(?:/[0-9]+)?"),
    _DECIMAL: re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?(?:E[+-]?[0-9]{1,3})?|Infinity|s?NaN[0-9]*)"),
}

# What keeps a range as it is, rather than going through it.
_KEEPING = frozenset({"BlockManager", "SingleBlockManager"})
_RANGE_ITEM = 8  # objects that one number of a range counts as: it takes as much memory
_UNKNOWN = 1 << 62
_HASHED_DEEPLY = frozenset({Inert, tuple})
_FEW = 10


def of_call(asked: Global, given: tuple[Any, ...], *, evidence: Evidence) -> str:
    """Return in words that a call takes more than any honest one; empty where it does not.

    Args:
        asked: what is called, or the class of what it makes.
        given: what it is given; keywords are a dictionary among it.
        evidence: counts what is made.

    Raises:
        TooMuch: all calls together take more than those of any honest file.
    """
    told = [*given, *(value for each in given if isinstance(each, dict) for value in each.values())]
    if asked == _PATTERN:
        return _of_pattern(given, evidence)
    if asked == _RANGE and range_items(Inert(_RANGE, given)) > MAX_MADE_BYTES:
        return f"it asks {asked} for a number larger than any honest one"
    if _is_number(asked, told):
        return f"it asks {asked} for a number larger than any honest one"
    count = 0
    if asked in _BYTES:
        count, words = _lengths(told, _AS_LONG), "bytes at once"
    elif asked.name in _ARRAYS and asked.module.partition(".")[0] == "numpy":
        count, words = _of_array(asked, told), "bytes for its items at once"
    if count > MAX_MADE_BYTES:
        shown = f"{count:,}" if count < _UNKNOWN else "any number of"
        return f"it asks {asked} for {shown} {words}"
    evidence.budget.spend_made(count)
    return ""


def of_arguments(asked: Global, given: tuple[Any, ...], *, evidence: Evidence) -> None:
    """Count what a call may go through: all that it is given, ranges to their end.

    Raises:
        TooMuch: all calls together go through more than those of any honest file.
    """
    if any(isinstance(each, HOLDERS) for each in given):
        _walk(given, evidence, keeps=asked.name in _KEEPING)


def of_state(state: Any, evidence: Evidence) -> None:
    """Note what takes more than any honest state: some classes go through a tuple's parts.

    Raises:
        Broken: an array is told of that cannot be.
        TooMuch: all of them together go through more than those of any honest file.
    """
    if not isinstance(state, tuple):
        return
    if arrays.contradicts(state):
        evidence.problem("an array has another number of objects than its shape says")
    for part in state[:_FEW]:
        if range_items(part):
            _walk(part, evidence)


def of_hashing(values: Sequence[Any], evidence: Evidence) -> None:
    """Count what is gone through to hash values, which are keys or are put into a set.

    Raises:
        TooMuch: it is more than in any honest file.
    """
    if _HASHED_DEEPLY.isdisjoint(map(type, values)):
        return  # of very many keys nearly all are text
    for value in values:
        if isinstance(value, Inert) or (isinstance(value, tuple) and not _is_plain(value)):
            _walk(value, evidence)


def _is_plain(value: tuple[Any, ...]) -> bool:
    return len(value) < _FEW and not any(isinstance(each, HOLDERS) for each in value)


def _walk(value: Any, evidence: Evidence, *, keeps: bool = False) -> None:
    """Count of how many objects a value consists, each as often as it is referred to."""
    found = expanded(value, most=2 * MAX_EXPANDED, weigh=None if keeps else _weight)
    evidence.budget.spend_steps(found.steps)
    if found.depth > MAX_NESTED:
        raise TooMuch(f"a value of it lies more than {MAX_NESTED:,} deep within itself")
    if not found.size:
        raise TooMuch("a call or a key of it is more objects than can be counted")
    evidence.budget.spend_objects(found.size)


def _weight(value: Any) -> int:
    return _RANGE_ITEM * range_items(value)


def range_items(value: Any) -> int:
    """Return how many numbers a range gives, whether Python's or pandas'; 0 of anything else."""
    if not isinstance(value, Inert):
        return 0
    if value.origin == _RANGE:
        bounds = list(value.arguments)
    elif value.origin.name == "RangeIndex":
        told = next((each for each in value.arguments if isinstance(each, dict)), None)
        given = list(value.arguments) if told is None else map(told.get, ("start", "stop", "step"))
        bounds = [each for each in given if each is not None and type(each) is not str]
    else:
        return 0
    if any(type(each) is not int for each in bounds):
        return _UNKNOWN
    try:
        through = range(*bounds)
    except (TypeError, ValueError):
        return 0  # it fails
    return max(-((through.start - through.stop) // through.step), 0)


def _of_pattern(given: tuple[Any, ...], evidence: Evidence) -> str:
    """Return in words that a regular expression may take for ever to compile; empty if not."""
    pattern = given[0] if given else ""
    cut = isinstance(pattern, bytes) and not 0 < len(pattern) < KEEP_BYTES
    if cut or not isinstance(pattern, str | bytes) or len(pattern) > MAX_PATTERN_CHARACTERS:
        return "it asks for a regular expression longer than any honest one"
    evidence.budget.spend_pattern(len(pattern))
    return ""


def _is_number(asked: Global, told: list[Any]) -> bool:
    """Return whether a call makes a number, of another one or in a way that no pickler writes."""
    written = _WRITTEN.get(asked)
    if written is None:
        return (asked == _INT or _INT in told) and any(isinstance(each, Inert) for each in told)
    texts = [each for each in told if isinstance(each, str)]
    return any(written.fullmatch(text) is None for text in texts) or any(
        type(each) is not int and type(each) is not str for each in told
    )


def _of_array(asked: Global, told: list[Any]) -> int:
    """Return how many bytes numpy makes room for when it is asked for an array, or for an item."""
    if asked.name == "scalar":
        return _item_bytes(told) if len(told) == 1 else 0  # else it is as long as its bytes
    count = _lengths(told, _SHAPED)
    return min(count * _item_bytes(told), _UNKNOWN) if count else 0


def _lengths(told: Iterable[Any], harmless: tuple[Global, ...]) -> int:
    """Return the largest number that is told, or product of those of a shape; `_UNKNOWN` if none.

    Args:
        told: what a call is given.
        harmless: what may make an object among it.
    """
    most = 0
    for each in told:
        if isinstance(each, int):
            most = max(most, each)
        elif isinstance(each, Inert) and each.origin not in harmless:
            return _UNKNOWN
        elif isinstance(each, tuple | list):
            if any(isinstance(one, HOLDERS) for one in each):
                return _UNKNOWN
            lengths = [one for one in each if isinstance(one, int)]
            most = max(most, math.prod(lengths[: arrays.MAX_DIMENSIONS]) if lengths else 0)
    return min(most, _UNKNOWN)


def _item_bytes(told: Iterable[Any]) -> int:
    """Return how large one item of an array is, at least `_ITEM_BYTES`; `_UNKNOWN` if not told."""
    size = _ITEM_BYTES
    for each in told:
        if isinstance(each, str) and len(each) > 1:
            each = Inert(_SHAPED[0], (each,))  # noqa: PLW2901 - the type that it stands for
        if isinstance(each, Inert) and each.origin == _SHAPED[0]:
            try:
                size = max(size, arrays.item(each)[1])
            except Broken:
                return _UNKNOWN
    return size
