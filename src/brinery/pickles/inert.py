"""The stand-in for an object that a pickle wanted made, and how to walk over what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brinery.pickles.bounds import MAX_NESTED
from brinery.records.scan import Global

_MAX_COUNTED = 2_000_000

# What is made without a name being asked for: sets, and what the pickle does not hold.
SET, FROZENSET = Global("builtins", "set"), Global("builtins", "frozenset")
OUTSIDE = Global("builtins", "object")
_UNNAMED = (SET, FROZENSET, OUTSIDE)
_END = object()


class Inert:
    """An object that stands where a pickle wanted one made.

    Attributes:
        origin: what was asked to make it.
        arguments: what that was called with.
        state: what it was given afterwards, the last time, or None.
        attributes: of all its states, by name.
        slots: the attributes that would be set one by one.
        items: what was put into it.
        array: the bytes of a joblib array, where they are few, or the list of its objects.
    """

    __slots__ = ("arguments", "array", "attributes", "items", "origin", "slots", "state")

    def __init__(self, origin: Global, arguments: tuple[Any, ...] = ()) -> None:
        self.origin = origin
        self.arguments = arguments
        self.state: Any = None
        self.attributes: dict[Any, Any] = {}
        self.slots: tuple[str, ...] = ()
        self.items: list[Any] = []
        self.array: Any = None

    @property
    def named(self) -> bool:
        """Return whether the pickle asked for a name to make it with."""
        return not any(self.origin is origin for origin in _UNNAMED)

    def append(self, item: Any) -> None:
        """Take an item."""
        self.items.append(item)

    def extend(self, items: Any) -> None:
        """Take items."""
        self.items.extend(items)

    def build(self, state: Any) -> None:
        """Take a state: attributes, or attributes and slots, or what only its class knows."""
        self.state = state
        slots: Any = None
        if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - (state, slots)
            state, slots = state
        for given in (state, slots):
            if isinstance(given, dict):
                self.attributes = {**self.attributes, **given} if self.attributes else given
        if isinstance(slots, dict):
            self.slots += tuple(name for name in slots if isinstance(name, str))


_HOLDERS = (dict, list, tuple, Inert)


def parts(value: Any) -> Iterator[Any]:
    """Yield what a value holds, one level down."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, Inert):
        yield from value.arguments
        yield value.state
        yield from value.items
        if not isinstance(value.array, bytes):
            yield value.array


def expanded(root: Any, *, most: int) -> tuple[int, int]:
    """Return of how many objects a value consists, and how deep they lie within each other.

    Each object counts as often as it is referred to. Counting stops, and the count is 0, where
    they lie too deep, or where there are so many different ones that it would take too much memory.

    Args:
        root: what is counted.
        most: where the count stops.
    """
    sizes: dict[int, int] = {}
    waiting: list[tuple[int, Iterator[Any]]] = []
    counts = [0]
    value, depth = root, 0
    rest: Iterator[Any] = iter(())
    while True:
        if not isinstance(value, _HOLDERS):
            counts[-1] += 1
        elif (key := id(value)) not in sizes:
            sizes[key] = 1  # a value within itself counts once
            waiting.append((key, rest))
            counts.append(1)
            rest = parts(value)
            depth = max(depth, len(waiting))
            if depth > MAX_NESTED:
                return 0, depth
        else:
            counts[-1] += sizes[key]
        if len(sizes) > _MAX_COUNTED:
            return 0, depth
        while (value := next(rest, _END)) is _END:
            if not waiting:
                return min(counts[0], most), depth
            key, rest = waiting.pop()
            sizes[key] = min(counts.pop(), most)
            counts[-1] += sizes[key]
