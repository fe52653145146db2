"""Whether a pickle tells an array's type as numpy does: numpy believes whatever it is told.

A type whose field lies outside of its item reads memory that is not the array's, and one that says
of objects that they are none takes bytes for their addresses. So a type is to be told once, whole,
and before anything is made of it; and the dictionary of its fields, which numpy keeps as it is, is
not to be changed again.
"""

from __future__ import annotations

import math
from typing import Any

from brinery.pickles import arrays
from brinery.pickles.bounds import Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert
from brinery.records.scan import Global

_DTYPE = Global("numpy", "dtype")
_CLASSES = "numpy.dtypes"
_ENCODE = Global("_codecs", "encode")
# Of records and of what is told by its fields alone, numpy writes the class instead of a text.
_VOIDS = frozenset({Global("numpy", "record"), Global("numpy", "void")})

# The parts of the tuple that `numpy.dtype.__setstate__` takes.
_LENGTHS = (8, 9)
_BASE, _NAMES, _FIELDS, _ITEMSIZE, _ALIGNMENT, _FLAGS = range(2, 8)
_ORDERS = ("<", ">", "|", "=")
_ALIGNMENTS = (1, 2, 4, 8, 16, 32)
_FLAGS_OF_OBJECTS = 63
_HOLDS, _AS_LIST, _POINTS, _NEEDS_PYTHON = 1, 2, 4, 16
_ALL_OF_OBJECTS = _HOLDS | _AS_LIST | _NEEDS_PYTHON
_CHARACTER_BYTES = {"S": 1, "U": 4}
_MAX_BYTES = 1 << 31

STATED = "an array has a type that contradicts itself"
TOLD_AGAIN = "an array's type is told after it was used, which no pickler does"
CHANGED = "the fields of an array's type are changed"
TWICE = "an array is told twice what it holds"


def is_type(origin: Global) -> bool:
    """Return whether what a name makes is the type of an array."""
    return origin == _DTYPE or origin.module == _CLASSES


def note_made(made: Inert, evidence: Evidence) -> None:
    """Note what was made: a type may be told as long as nothing else was."""
    if made.origin == _ENCODE and all(type(given) is str for given in made.arguments):
        return  # the bytes of protocols before 3, in what is told of times
    if not is_type(made.origin):
        evidence.fresh.clear()
        return
    if not made.arguments or not isinstance(made.arguments[0], str | Global):
        evidence.problem("an array has a type that numpy does not write")
        return
    evidence.fresh.add(id(made))


def note_state(made: Inert, state: Any, *, evidence: Evidence) -> None:
    """Note what is wrong with a state that is about to be given to a type, an array, or another."""
    if not is_type(made.origin):
        evidence.fresh.clear()
        if made.state is not None and arrays.is_array(made.origin):
            evidence.problem(TWICE)
        return
    if id(made) not in evidence.fresh:
        evidence.problem(TOLD_AGAIN)
        return
    evidence.fresh.discard(id(made))
    try:
        fits = _fits(made, state)
    except Broken:
        fits = False
    if not fits:
        evidence.problem(STATED)
    elif isinstance(state[_FIELDS], dict):
        evidence.sealed[id(state[_FIELDS])] = state[_FIELDS]


def _fits(made: Inert, state: Any) -> bool:
    """Return whether a state is one that numpy writes for a type of this kind.

    Raises:
        Broken: a type within it cannot be read.
    """
    if not isinstance(state, tuple) or len(state) not in _LENGTHS or state[1] not in _ORDERS:
        return False
    spec = made.arguments[0]
    kind, _, _ = arrays.item(Inert(_DTYPE, ("V1" if spec in _VOIDS else spec,)))
    base, names, fields, size, alignment, flags = state[_BASE : _FLAGS + 1]
    if any(type(each) is not int for each in (size, alignment, flags)):
        return False
    if kind == "V":
        return alignment in _ALIGNMENTS and 0 <= size < _MAX_BYTES and _fits_void(state)
    if (base, names, fields) != (None, None, None):
        return False
    if kind in _CHARACTER_BYTES:
        whole = 0 <= size < _MAX_BYTES and size % _CHARACTER_BYTES[kind] == 0
        return whole and alignment in _ALIGNMENTS and not flags & (_ALL_OF_OBJECTS | _POINTS)
    return (size, alignment) == (-1, -1) and flags == (_FLAGS_OF_OBJECTS if kind == "O" else 0)


def _fits_void(state: tuple[Any, ...]) -> bool:
    """Return whether an item of parts is as large, and holds objects, as its parts say."""
    base, names, fields, size, _, flags = state[_BASE : _FLAGS + 1]
    parts: list[tuple[int, int, bool]] | None = []
    if base is not None:
        parts = _repeated(base) if names is None and fields is None else None
        if parts and parts[0][1] != size:
            return False
    elif names is not None or fields is not None:
        parts = _placed(names, fields)
    if parts is None or any(start < 0 or start + length > size for start, length, _ in parts):
        return False
    objects = any(holds for _, _, holds in parts)
    if objects and _overlap(parts):
        return False
    said = flags & (_ALL_OF_OBJECTS if objects else _HOLDS | _AS_LIST | _POINTS)
    return bool(said == (_ALL_OF_OBJECTS if objects else 0))


def _repeated(base: Any) -> list[tuple[int, int, bool]] | None:
    """Return the one part of an item that is an array of its own; None where it is told wrongly."""
    if not isinstance(base, tuple) or len(base) != 2:  # noqa: PLR2004 - a type and a shape
        return None
    inner, shape = base
    lengths = shape if isinstance(shape, tuple) else (shape,)
    if any(type(each) is not int or not 0 <= each < _MAX_BYTES for each in lengths):
        return None
    size, holds = _inner(inner)
    return [(0, size * math.prod(lengths[: arrays.MAX_DIMENSIONS]), holds)]


def _placed(names: Any, fields: Any) -> list[tuple[int, int, bool]] | None:
    """Return where each field begins, its bytes, and whether it holds objects.

    A title is another key for the same field, and numpy writes it as one.
    """
    if not isinstance(names, tuple) or not isinstance(fields, dict):
        return None
    if any(type(name) is not str for name in names) or len(set(names)) != len(names):
        return None
    if not set(names) <= set(fields) or not all(map(_is_field, fields.values())):
        return None
    titled = {told[2]: name for name, told in fields.items() if name in names and told[2:]}
    for key in set(fields) - set(names):
        told, same = fields[key], fields.get(titled.get(key))
        if same is None or told[0] is not same[0] or told[1] != same[1]:
            return None
    return [(fields[name][1], *_inner(fields[name][0])) for name in names]


def _is_field(told: Any) -> bool:
    """Return whether it is a type, a place, and perhaps a title."""
    if not isinstance(told, tuple) or len(told) not in (2, 3) or type(told[1]) is not int:
        return False
    return all(type(title) is str for title in told[2:])


def _inner(dtype: Any) -> tuple[int, bool]:
    """Return how many bytes a part of another type has, and whether it holds objects.

    Raises:
        Broken: it was not told yet, or is none that can be a part.
    """
    if not isinstance(dtype, Inert) or dtype.origin != _DTYPE or dtype.state is None:
        raise Broken(STATED)
    spec = dtype.arguments[0] if dtype.arguments else None
    if spec in _VOIDS:
        told = Inert(_DTYPE, ("V1",))
        told.build(dtype.state)
        dtype = told
    _, size, holds = arrays.item(dtype)
    return size, holds


def _overlap(parts: list[tuple[int, int, bool]]) -> bool:
    """Return whether any two parts of an item lie on each other."""
    end = 0
    for start, length, _ in sorted(parts):
        if start < end:
            return True
        end = start + length
    return False
