"""The stand-in for an object that a pickle wanted made, and how to walk over what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from brinery.pickles.bounds import MAX_NESTED
from brinery.records.scan import Global

_MAX_COUNTED = 2_000_000

# What is made without a name being asked for: sets, and what the pickle does not hold.
SET, FROZENSET = Global("builtins", "set"), Global("builtins", "frozenset")
OUTSIDE = Global("builtins", "object")
_UNNAMED = (SET, FROZENSET, OUTSIDE)
_END = object()
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Inert:
    """An object that stands where a pickle wanted one made.

    There may be millions: what most of them lack takes no memory until it is there.

    Attributes:
        origin: what was asked to make it.
        arguments: what that was called with.
        state: what it was given afterwards, the last time, or None.
        attributes: of all its states, by name.
        items: what was put into it.
        array: the bytes of a joblib array, where they are few, or the list of its objects; of one
            that skops stores, what gives its values.
    """

    __slots__ = (
        *("arguments", "array", "origin", "state"),
        *("_attributes", "_is_own", "_items"),
    )

    def __init__(self, origin: Global, arguments: tuple[Any, ...] = ()) -> None:
        self.origin = origin
        self.arguments = arguments
        self.state: Any = None
        self.array: Any = None
        self._attributes: dict[Any, Any] | None = None
        self._is_own = False  # else the attributes are the state, which the pickle may go on with
        self._items: list[Any] | None = None

    @property
    def attributes(self) -> Mapping[Any, Any]:
        """Return the attributes of all states."""
        return _NOTHING if self._attributes is None else self._attributes

    @property
    def items(self) -> Collection[Any]:
        """Return what was put into it."""
        return () if self._items is None else self._items

    @property
    def named(self) -> bool:
        """Return whether the pickle asked for a name to make it with."""
        return not any(self.origin is origin for origin in _UNNAMED)

    def append(self, item: Any) -> None:
        """Take an item."""
        self.extend((item,))

    def extend(self, items: Any) -> None:
        """Take items."""
        if self._items is not None:
            self._items.extend(items)
        elif items:
            self._items = list(items)

    def build(self, state: Any) -> None:
        """Take a state: attributes, or attributes and slots, or what only its class knows."""
        self.state = state
        slots: Any = None
        if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - (state, slots)
            state, slots = state
        for given in (state, slots):
            if isinstance(given, dict) and given and given is not self._attributes:
                self._take(given)

    def _take(self, given: dict[Any, Any]) -> None:
        """Take attributes: the first state as it is, a copy of it before others are added."""
        if self._attributes is None:
            self._attributes = given
            return
        if not self._is_own:
            self._attributes, self._is_own = dict(self._attributes), True
        self._attributes.update(given)


HOLDERS = (dict, list, tuple, Inert)


def parts(value: Any) -> Iterator[Any]:
    """Return what a value holds, one level down."""
    if isinstance(value, dict):
        return iter(value.values())
    if isinstance(value, list | tuple):
        return iter(value)
    if isinstance(value, Inert):
        array = () if isinstance(value.array, bytes) else (value.array,)
        return chain(value.arguments, (value.state,), value.items, array)
    return iter(())


class Expanded(NamedTuple):
    """What a value is when it is written out.

    Attributes:
        size: of how many objects it consists.
        depth: how deep they lie within each other.
        steps: how many values were looked at to find out.
    """

    size: int
    depth: int
    steps: int


def expanded(root: Any, *, most: int, weigh: Callable[[Any], int] | None = None) -> Expanded:
    """Return of how many objects a value consists, and how deep they lie within each other.

    Each object counts as often as it is referred to. Counting stops, and the count is 0, where
    they lie too deep, or where there are so many different ones that it would take too much memory.

    Args:
        root: what is counted.
        most: where the count stops.
        weigh: gives how many more an object counts as than itself and what it holds.
    """
    sizes: dict[int, int] = {}
    waiting: list[tuple[int, Iterator[Any]]] = []
    counts = [0]
    value, depth, steps = root, 0, 0
    rest: Iterator[Any] = iter(())
    while True:
        steps += 1
        if not isinstance(value, HOLDERS):
            counts[-1] += 1
        elif (key := id(value)) not in sizes:
            sizes[key] = 1  # a value within itself counts once
            waiting.append((key, rest))
            counts.append(1 + weigh(value) if weigh else 1)
            rest = parts(value)
            depth = max(depth, len(waiting))
            if depth > MAX_NESTED:
                return Expanded(0, depth, steps)
        else:
            counts[-1] += sizes[key]
        if len(sizes) > _MAX_COUNTED:
            return Expanded(0, depth, steps)
        while (value := next(rest, _END)) is _END:
            if not waiting:
                return Expanded(min(counts[0], most), depth, steps)
            key, rest = waiting.pop()
            sizes[key] = min(counts.pop(), most)
            counts[-1] += sizes[key]
