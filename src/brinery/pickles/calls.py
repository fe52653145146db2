"""What a call that a pickle asks for makes, and whether it is given what an honest pickle gives.

A function on a list of safe names may still be turned into something else by its arguments: one
makes an object of whatever class it is given, another calls whatever function it is given. What
honest pickles give is stated here, as recorded from models fitted with many versions; a class or a
function in any other place needs the user's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from brinery.pickles.attributes import is_class, is_dictionary, strange_items, strange_name
from brinery.pickles.inert import Inert
from brinery.pickles.policy import listed
from brinery.records.scan import Global

_ANY = re.compile(r".*")
_INDEX = re.compile(r"pandas\.(core\.indexes\..+|\w*Index)")
_MISSING = re.compile(r"pandas\.(_libs\.missing\.)?(NA|NAType)")

# Functions that make an object of the class they are given first, and the classes they are given.
_MAKERS = {
    "copyreg._reconstructor": _ANY,
    "copyreg.__newobj__": _ANY,
    "copyreg.__newobj_ex__": _ANY,
    "numpy.core.multiarray._reconstruct": _ANY,  # of ndarray and what derives from it: it asks
    "numpy._core.multiarray._reconstruct": _ANY,
    "numpy.ma.core._mareconstruct": re.compile(r"numpy\.ma\..+"),
    "numpy.random._pickle.__bit_generator_ctor": re.compile(r"numpy\.random\..+"),
    "pandas.core.indexes.base._new_Index": _INDEX,
    "pandas.core.indexes.datetimes._new_DatetimeIndex": _INDEX,
    "pandas.core.indexes.interval._new_IntervalIndex": _INDEX,
    "pandas.core.indexes.timedeltas._new_TimedeltaIndex": _INDEX,
}
_NEW_OBJECT = "newObj"  # of Cython's classes, in the module of the class
_CYTHON = "__pyx_unpickle_"  # which make no object but of the class in their name

# Other classes and functions that a call is given, by the place of the argument.
_GIVEN = {
    ("copyreg._reconstructor", 1): re.compile(
        r"builtins\.(dict|float|int|list|object|str|tuple)"  # what makes the object
    ),
    ("builtins.getattr", 0): _ANY,  # judged by itself
    ("collections.defaultdict", 0): re.compile(
        r"builtins\.(bool|dict|float|int|list|set|str|tuple)|collections\.OrderedDict"
    ),
    ("functools.partial", 0): _ANY,  # calling it is judged where it is called
    ("pandas.StringDtype", 1): _MISSING,
    ("pandas.core.arrays.string_.StringDtype", 1): _MISSING,
    ("numpy.dtype", 0): re.compile(r"numpy\.\w+"),
    ("numpy.ma.core._mareconstruct", 1): re.compile(r"numpy\.ndarray"),
    **{
        (f"numpy.random._pickle.{name}", 1): re.compile(
            r"numpy\.random\._pickle\.__bit_generator_ctor"
        )
        for name in ("__generator_ctor", "__randomstate_ctor")
    },
}

# What must be such a name, or nothing: they call it.
_CALLED = {("collections.defaultdict", 0), ("copyreg._reconstructor", 1)} | {
    key for key in _GIVEN if key[0].endswith("_ctor")
}

# Classes that are given something when an object of them is made without their constructor.
_NEW = frozenset({"NEWOBJ", "NEWOBJ_EX"})
_NEW_WITH = re.compile(
    r"sklearn\._loss\.glm_distribution\.DistributionBoundary"
    r"|sklearn\.impute\._iterative\._ImputerTriplet"
    r"|statsmodels\.tsa\.arima_model\.AR(I)?MA"
)

# What goes through what it is given, and the only objects that are honest there.
_ITERATES = re.compile(
    r"builtins\.(bytearray|bytes|dict|frozenset|list|set|tuple)|collections\.\w+|types\.\w+"
)
_BYTES = re.compile(r"_codecs\.encode|builtins\.(bytearray|bytes)")
_PARTIAL = "functools.partial"
_RECONSTRUCTOR = "copyreg._reconstructor"

# How pandas spells a time zone that it reads from a file of any name.
_FROM_FILE = "dateutil/"

_CODECS = {"ascii", "latin-1", "latin1", "utf-8", "utf8"}
_ENCODE = "_codecs.encode"
_PAIR = 2
_LOOKED_AT = 100

WORD = "it is given a class or a function that no honest pickle gives it"
OBJECT = "it is given an object, which runs code of that object's class"
NEW = "an object of it is made of what no honest pickle gives it"


def made(asked: Global, given: tuple[Any, ...]) -> tuple[Global, tuple[Any, ...]]:
    """Return the class of what a call makes, and what that class is given.

    Where the function is none that makes an object of a class it is given, it is the function.
    """
    if not given or not isinstance(given[0], Global) or not _makes(asked):
        return asked, given
    if asked.name == "__newobj_ex__":
        inner = given[1] if len(given) > 1 else ()
        inner = inner if isinstance(inner, tuple) else (inner,)
        return given[0], (*inner, *given[2:])
    return given[0], given[1:]


def strange(asked: Global, given: tuple[Any, ...], *, how: str) -> str:
    """Return in words what is odd about what a call is given; empty where nothing is.

    Args:
        asked: what is called.
        given: what it is called with.
        how: the opcode that calls it.
    """
    text = str(asked)
    if words := _strange_object(asked, given, how):
        return words
    if any(isinstance(each, str) and _FROM_FILE in each for each in _all_within(given)):
        return "it is given a time zone that lies in a file"
    if text == _ENCODE and not (len(given) == _PAIR and given[1] in _CODECS):
        return "it encodes text in a way that no pickle does"
    makes = _makes(asked)
    if makes and _strange_class(asked, given):
        return WORD
    first = 1 if makes else 0
    for place, value in enumerate(given[first:_LOOKED_AT], first):
        if _strange_argument((text, place), value):
            return WORD
    return ""


def _strange_object(asked: Global, given: tuple[Any, ...], how: str) -> str:
    """Return in words what is odd about what an object is made of; empty where nothing is."""
    text = str(asked)
    origin, rest = made(asked, given)
    if text == _RECONSTRUCTOR:
        if any(isinstance(each, Inert) for each in rest):
            return OBJECT
    elif how in _NEW or (origin != asked and asked.module == "copyreg"):
        known = listed(origin) is None or _NEW_WITH.fullmatch(str(origin))
        if not known and any(each is not None and each != {} for each in rest):
            return NEW
    if _ITERATES.fullmatch(str(origin)) and any(_is_object(each) for each in rest):
        return OBJECT
    if text == _PARTIAL and given and _strange_kept(given[0]):
        return "it keeps what is no function, to be called"
    for each in rest if origin.module != "collections" else ():
        if isinstance(each, dict):
            strange = strange_items(origin, each.items()) if is_dictionary(origin) else ""
            if words := strange or strange_name(key for key in each if type(key) is str):
                return words
    return ""


def _strange_kept(kept: Any) -> bool:
    """Return whether what a partial keeps is a class, or an object that can be called."""
    return is_class(kept) if isinstance(kept, Global) else True


def _is_object(value: Any) -> bool:
    """Return whether a value is an object other than bytes."""
    return isinstance(value, Inert) and _BYTES.fullmatch(str(value.origin)) is None


def _strange_argument(place: tuple[str, int], value: Any) -> bool:
    """Return whether a value is, or holds, a class or a function that is not given there."""
    pattern = _GIVEN.get(place)
    if isinstance(value, Global) or (place in _CALLED and value is not None):
        return not _fits(value, pattern)
    return any(isinstance(each, Global) for each in _within(value))


def _makes(asked: Global) -> bool:
    """Return whether a function makes an object of the class that it is given first."""
    return str(asked) in _MAKERS or asked.name == _NEW_OBJECT or asked.name.startswith(_CYTHON)


def _strange_class(asked: Global, given: tuple[Any, ...]) -> bool:
    """Return whether the first argument of such a function is no class that it is given."""
    first = given[0] if given else None
    if not isinstance(first, Global):
        return asked.name != "__bit_generator_ctor" or not isinstance(first, str)
    if asked.name == _NEW_OBJECT:
        return first.module != asked.module
    return _MAKERS.get(str(asked), _ANY).fullmatch(str(first)) is None


def _fits(value: Any, pattern: re.Pattern[str] | None) -> bool:
    """Return whether a value is a name that is given in its place."""
    return (
        pattern is not None
        and isinstance(value, Global)
        and pattern.fullmatch(str(value)) is not None
    )


def _all_within(given: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the first arguments, and the values of those that are dictionaries."""
    for each in given[:_LOOKED_AT]:
        yield each
        if isinstance(each, dict):
            yield from _within(each)


def _within(value: Any) -> list[Any]:
    """Return the first values that lie in a container."""
    if isinstance(value, dict):
        return list(islice(value.values(), _LOOKED_AT))
    return list(value[:_LOOKED_AT]) if isinstance(value, tuple | list) else []
