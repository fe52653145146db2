"""Values that are plainly right, made parts at once.

What is refused here, or may be, is read again by `part_models`, which can say why: this reader only
ever says yes. So it may be stricter than the models are, and never less strict, nor does it make
anything else of a value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from brinery.specs.parts import Before, Chosen, Key, Part, Tag

_Part = TypeVar("_Part", bound=Part)
# What is made of a value, by its very type; a value of a type that is absent is in doubt.
_Table = dict[type, Callable[[Any], Any]]

# A whole number that a float has exactly.
_EXACT: Final = 2**53


def read(kind: type[_Part], stated: object) -> _Part | None:
    """Return values as a part; None where they must be looked at more closely."""
    if type(stated) is not dict:
        return None
    try:
        return _made(kind, stated)
    except (KeyError, ValueError):
        return None


def _made(kind: type[_Part], stated: dict[str, Any]) -> _Part:
    """Return values as a part.

    Raises:
        KeyError: a field is not known, or a value is of a type that is in doubt.
        ValueError: a value is in doubt.
    """
    known = _KNOWN.get(kind)
    if known is None:
        known = _KNOWN[kind] = _Fields(kind)
    held = {}
    for key, value in stated.items():
        name, table = known[key]
        held[name] = table[type(value)](value)
    made = kind.__new__(kind)
    made.__dict__.update(held)
    return made


class _Fields(dict[str, tuple[str, _Table]]):
    """The name and the table of each field by its key, made when it is first met."""

    def __init__(self, kind: type[Part]) -> None:
        super().__init__()
        self._open = {key: (name, each) for name, (key, each) in kind.fields.items()}

    def __missing__(self, key: str) -> tuple[str, _Table]:
        name, annotation = self._open[key]
        self[key] = made = name, _table(annotation)
        return made


# By their kind.
_KNOWN: Final[dict[type[Part], _Fields]] = {}


class _Anything(_Table):
    """The table of what may be anything."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        return _same


def _same(given: object) -> object:
    return given


def _float(given: int) -> float:
    if not -_EXACT <= given <= _EXACT:
        raise ValueError
    return float(given)


_PLAIN: Final[dict[Any, _Table]] = {
    str: {str: _same},
    bool: {bool: _same},
    int: {int: _same},
    float: {float: _same, int: _float},
    NoneType: {NoneType: _same},
    Any: _Anything(),
}


def _table(annotation: Any) -> _Table:  # noqa: PLR0911 - one for each form
    """Return what is made of values of an annotation; nothing, where that is not known."""
    inner = get_args(annotation)
    match get_origin(annotation):
        case None if annotation in _PLAIN:
            return _PLAIN[annotation]
        case None if isinstance(annotation, type) and issubclass(annotation, Part):
            return {dict: partial(_made, annotation)}
        case origin if origin is Annotated:
            return _marked(*inner)
        case origin if origin is Literal:
            return {str: partial(_one_of, frozenset(inner))}
        case origin if origin in (Union, UnionType):
            return _either(inner)
        case origin if origin is list:
            return {list: partial(_each, _table(inner[0]))}
        case origin if origin is dict and inner[0] is str:
            return {dict: partial(_by_name, _table(inner[1]))}
    return {}


def _marked(base: Any, *marks: object) -> _Table:
    """Return the table of an annotation with marks, the innermost first."""
    made: _Table | None = None
    for mark in marks:
        if isinstance(mark, Chosen):
            made = _of_kinds(base, mark)
        elif isinstance(mark, Before):
            changed = partial(_changed, mark.change, _table(base) if made is None else made)
            made = dict.fromkeys(mark.takes, changed)
        elif not isinstance(mark, (Key, Tag)):
            return {}
    return _table(base) if made is None else made


def _of_kinds(base: Any, chosen: Chosen) -> _Table:
    """Return the table of what is one of several kinds."""
    tables = {}
    for one in get_args(base):
        (name,) = [mark.name for mark in get_args(one)[1:] if isinstance(mark, Tag)]
        tables[name] = _table(one)
    tagged = partial(_tagged, chosen.by, tables)
    return {kind: tagged for table in tables.values() for kind in table}


def _either(inner: tuple[Any, ...]) -> _Table:
    """Return the table of what is of one of several types; what two of them take is in doubt."""
    several = sum(one is not NoneType for one in inner) > 1
    found: _Table = {}
    twice = set()
    for one in inner:
        for kind, reader in _table(one).items():
            # A whole number among floats and others stays one, or does not.
            if not (several and reader is _float):
                twice |= {kind} & found.keys()
                found[kind] = reader
    return {kind: reader for kind, reader in found.items() if kind not in twice}


def _one_of(known: frozenset[object], given: str) -> str:
    if given not in known:
        raise ValueError
    return given


def _changed(change: Callable[[Any], object], table: _Table, given: object) -> object:
    made = change(given)
    return table[type(made)](made)


def _tagged(by: Callable[[object], str], tables: dict[str, _Table], given: object) -> object:
    return tables[by(given)][type(given)](given)


def _each(table: _Table, given: list[Any]) -> list[Any]:
    return [table[type(one)](one) for one in given]


def _by_name(table: _Table, given: dict[Any, Any]) -> dict[str, Any]:
    if not all(type(name) is str for name in given):
        raise ValueError
    return {name: table[type(one)](one) for name, one in given.items()}
