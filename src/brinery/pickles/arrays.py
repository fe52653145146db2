"""How numpy's arrays lie in joblib's files and in npy files, read without numpy."""

from __future__ import annotations

import math
import re
import struct
from typing import Any

from msgspec import Struct

from brinery.pickles.bounds import Broken
from brinery.pickles.inert import SET, Inert
from brinery.records.scan import Global

_TYPE = re.compile(r"[<>|=]?(([a-zA-Z])([0-9]{1,12}))")
# What numpy writes itself: another spelling may be of another size than it looks.
_NUMBERS = frozenset(
    "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 f16 c8 c16 c32 m8 M8 O8".split()  # noqa: SIM905 - a table
)
_SIZED_BY_STATE = "SUV"
# What joblib tells of an array, and no more: it would stand before a method of its class.
_ALIGNMENT = "numpy_array_alignment_bytes"
_TOLD = frozenset({"allow_mmap", "dtype", "order", "shape", "subclass", _ALIGNMENT})
_DTYPE = Global("numpy", "dtype")
_MADE = frozenset(
    {"MaskedArray", "_frombuffer", "_mareconstruct", "_reconstruct", "matrix", "ndarray"}
    | {"recarray"}
)
_OBJECT = Global("builtins", "object")  # what makes objects before protocol 2
_STRINGS = Global("numpy._core._internal", "_convert_to_stringdtype_kwargs")
_STATE_LENGTHS = (8, 9)  # the last may be what numpy knows of times
MAX_DIMENSIONS = 64
_MAX_COUNT = 1 << 62

_WRAPPERS = ("NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper")

# Of the tuple that numpy.dtype.__setstate__ takes: byte order, fields, bytes of one item, flags,
# of which the first says that it holds Python objects.
_ORDER, _FIELDS, _ITEMSIZE, _FLAGS = 1, 4, 5, 7
_HOLDS_OBJECTS = 1

# Struct's letter by numpy's kind and size.
_LETTERS = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip
_MAX_DECODED = 1000

# Where shape, type, order and content lie in the states of arrays, by their length: of numpy's
# from long ago, numpy's own, and a masked array's.
_ARRAY_STATES = {4: slice(4), 5: slice(1, 5), 7: slice(1, 5)}
_LISTS = (Global("builtins", "list"), SET)


class Layout(Struct, frozen=True):
    """How an array lies in a stream.

    Attributes:
        size_bytes: of its numbers.
        holds_objects: whether it is a pickle instead.
        aligned: whether padding comes before it, and a byte that says how much.
        is_text: whether its bytes may be something else than numbers.
    """

    size_bytes: int
    holds_objects: bool
    aligned: bool
    is_text: bool


def is_array(origin: Global) -> bool:
    """Return whether what a name makes is an array of numpy's."""
    return origin.name in _MADE and origin.module.partition(".")[0] == "numpy"


def is_wrapper(origin: Global) -> bool:
    """Return whether joblib reads an array after such an object, whatever module it is named in."""
    return origin.name.rpartition(".")[2] in _WRAPPERS


def layout(wrapper: Inert) -> Layout:
    """Return how the array lies that follows one of joblib's wrappers.

    Raises:
        Broken: the wrapper does not say, contradicts itself, or names another file.
    """
    held = wrapper.state
    if wrapper.origin.name.endswith("NDArrayWrapper") or "filename" in wrapper.attributes:
        raise Broken("its arrays lie in other files")
    if not isinstance(held, dict) or not _TOLD.issuperset(held) or not _is_blank(wrapper):
        raise Broken("an array is told of in a way that joblib does not write")
    dtype, shape, alignment = held.get("dtype"), held.get("shape"), held.get(_ALIGNMENT)
    if not isinstance(dtype, Inert) or not isinstance(shape, tuple):
        raise Broken("an array has no type or no shape")
    if alignment is not None and type(alignment) is not int:
        raise Broken("an array is told of in a way that joblib does not write")
    kind, itemsize, objects = item(dtype)
    return Layout(
        size_bytes=itemsize * _product(shape),
        holds_objects=objects,
        aligned=alignment is not None,
        is_text=kind in "SV" or (kind in "uib" and itemsize == 1),
    )


def _is_blank(wrapper: Inert) -> bool:
    """Return whether a wrapper was made without what its constructor would set beside its state."""
    given = tuple(value for value in wrapper.arguments if value is not None)
    return given in ((), (_OBJECT,)) and not wrapper.items


def item(dtype: Inert) -> tuple[str, int, bool]:
    """Return an array type's kind, the bytes of one item, and whether it holds Python objects."""
    if dtype.origin == _STRINGS and dtype.state is None:
        return "T", 0, True
    stated = dtype.arguments[0] if dtype.arguments else None
    found = _TYPE.fullmatch(stated) if isinstance(stated, str) else None
    if found is None or dtype.origin != _DTYPE:
        raise Broken("an array has a type that cannot be read")
    kind, itemsize = found[2], int(found[3]) * (4 if found[2] == "U" else 1)
    if found[1] not in _NUMBERS and kind not in _SIZED_BY_STATE:
        raise Broken("an array has a type that numpy does not write")
    state = dtype.state
    if state is None:
        return kind, itemsize, kind == "O"
    if not isinstance(state, tuple) or len(state) not in _STATE_LENGTHS:
        raise Broken("an array has a type that cannot be read")
    flags, sized = state[_FLAGS], state[_ITEMSIZE]
    if type(flags) is not int or type(sized) is not int:
        raise Broken("an array has a type that cannot be read")
    objects = bool(flags & _HOLDS_OBJECTS)
    if objects is not (kind == "O" or (kind == "V" and _has_objects(state, depth=0))):
        raise Broken("an array has a type that contradicts itself")
    if kind in _SIZED_BY_STATE:
        if sized < 0:
            raise Broken("an array has items of no size")
        itemsize = sized
    return kind, itemsize, objects


def _product(lengths: tuple[Any, ...]) -> int:
    """Return how many items an array of such a shape has.

    Raises:
        Broken: it is no shape, or larger than any array.
    """
    if len(lengths) > MAX_DIMENSIONS or any(type(each) is not int for each in lengths):
        raise Broken("an array has a shape that cannot be read")
    if not all(0 <= each < _MAX_COUNT for each in lengths):
        raise Broken("an array has a shape that cannot be read")
    return math.prod(lengths)


def _has_objects(state: tuple[Any, ...], *, depth: int) -> bool:
    """Return whether a field of a structured type, or what it is an array of, is of objects."""
    if depth > 20:  # noqa: PLR2004 - numpy itself takes no more
        raise Broken("an array has a type of more parts than can be")
    base = state[2]
    inner = [base[0]] if isinstance(base, tuple) and base else []
    fields = state[_FIELDS]
    if isinstance(fields, dict):
        inner += [field[0] for field in fields.values() if isinstance(field, tuple) and field]
    for dtype in inner:
        if not isinstance(dtype, Inert):
            continue
        if dtype.arguments and str(dtype.arguments[0]).lstrip("<>|=").startswith("O"):
            return True
        known = isinstance(dtype.state, tuple) and len(dtype.state) > _FIELDS
        if known and _has_objects(dtype.state, depth=depth + 1):
            return True
    return False


def values(array: Any) -> tuple[Any, ...] | None:
    """Return what a small array of numbers, text or objects holds; None where it cannot be told.

    Args:
        array: a stand-in for a numpy array, from a pickle or of joblib; or a list.
    """
    if isinstance(array, Inert) and callable(array.array):
        stored: tuple[Any, ...] | None = array.array()
        return stored
    dtype, held = _content(array)
    if isinstance(held, Inert) and _content(held) != (None, None):
        return values(held)
    if isinstance(held, Inert) and held.arguments:
        held = held.arguments[0]  # protocols before 3 have bytes as text that is encoded
    if isinstance(held, str):
        held = held.encode("latin-1", "replace")
    if isinstance(held, list):
        return tuple(held[:_MAX_DECODED])
    if not isinstance(held, bytes | bytearray) or not isinstance(dtype, Inert):
        return None
    try:
        return _decoded(bytes(held), dtype)
    except (Broken, struct.error, UnicodeError, ValueError):
        return None


def contradicts(state: Any) -> bool:
    """Return whether a state is that of an array whose list has another length than its shape.

    numpy believes the shape, and makes room for it before it looks at the list.
    """
    if not isinstance(state, tuple) or len(state) not in _ARRAY_STATES:
        return False
    shape, _, _, held = state[_ARRAY_STATES[len(state)]]
    if isinstance(held, Inert):
        return held.origin in _LISTS
    return isinstance(held, list) and isinstance(shape, tuple) and len(held) != _product(shape)


def _content(array: Any) -> tuple[Any, Any]:
    """Return an array's type and its bytes or objects; None and None where it is no array."""
    if isinstance(array, list):
        return None, array
    if not isinstance(array, Inert):
        return None, None
    if is_wrapper(array.origin):
        return array.attributes.get("dtype"), array.array
    if isinstance(array.state, tuple) and len(array.state) == 5:  # noqa: PLR2004 - numpy's
        return array.state[2], array.state[4]
    if array.origin.name == "_frombuffer" and len(array.arguments) > 1:
        return array.arguments[1], array.arguments[0]
    return None, None


def decoded(held: bytes, descr: str) -> tuple[Any, ...] | None:
    """Return what the bytes of a small array are, by its type as npy files state it."""
    try:
        return _decoded(held, Inert(_DTYPE, (descr,)))
    except (Broken, struct.error, UnicodeError, ValueError):
        return None


def _decoded(held: bytes, dtype: Inert) -> tuple[Any, ...] | None:
    kind, itemsize, _ = item(dtype)
    state = dtype.state
    told = state[_ORDER] if isinstance(state, tuple) else dtype.arguments[0][:1]
    order = ">" if told == ">" else "<"
    if itemsize <= 0 or len(held) // itemsize > _MAX_DECODED:
        return None
    items = [held[place : place + itemsize] for place in range(0, len(held), itemsize)]
    if kind == "U":
        code = "utf-32-be" if order == ">" else "utf-32-le"
        return tuple(each.decode(code).rstrip("\0") for each in items)
    if kind == "S":
        return tuple(each.rstrip(b"\0").decode("utf-8", "replace") for each in items)
    letter = _LETTERS.get(f"{kind}{itemsize}")
    if letter is None:
        return None
    return tuple(struct.unpack(f"{order}{letter}", each)[0] for each in items)
