"""YAML of plain values, such as MLflow's MLmodel: mappings, lists, text and small numbers.

YAML says more than that, and its reader, which is in C, believes all of it: it crashes on lists
that lie deep within each other, and takes for ever over some numbers. So its events are looked at
first, one by one, and values are made only of what a program writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from brinery.pickles.bounds import Broken

_MAX_BYTES = 10_000_000
_MAX_DEPTH = 60
_MAX_VALUES = 200_000

# A number of more characters than this is none: to the base of sixty it would take for ever.
_MAX_NUMBER = 100
_NUMBER = re.compile(r"[-+.0-9][-+.:\w]*")

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = (None, "!", f"{_TAG}map", f"{_TAG}seq", f"{_TAG}str")
_MERGE = "<<"

_NO_YAML = "it is no YAML of plain values"


def read(file: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises:
        Broken: it is too large or too deep, holds other than plain values, or no mapping.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        text = stream.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise Broken(f"it is larger than {_MAX_BYTES:,} bytes")
    yaml: Any = import_module("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check(yaml.parse(text, Loader=loader), yaml)
        stated = yaml.load(text, Loader=loader)
    except (
        *(yaml.YAMLError, ArithmeticError, AttributeError, LookupError),
        *(RecursionError, TypeError, ValueError),
    ):
        raise Broken(_NO_YAML) from None
    if not isinstance(stated, dict):
        raise Broken("it is no YAML mapping")
    return stated


def _check(events: Iterable[Any], yaml: Any) -> None:
    """Make sure that the values are plain, few, and not deep, however often they are referred to.

    Raises:
        Broken: they are not.
    """
    known: dict[str, tuple[int, int]] = {}  # by anchor: how many values, how deep
    around: list[tuple[str | None, int, int]] = [(None, 0, 0)]
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            _check_plain(event)
            around.append((event.anchor, 1, 1))
            if len(around) > _MAX_DEPTH:
                raise Broken("its values lie too deep within each other")
            continue
        if isinstance(event, yaml.ScalarEvent):
            _check_plain(event)
            _check_text(event)
            anchor, count, depth = event.anchor, 1, 1
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in known:
                raise Broken("it refers to what is not there yet")
            anchor, (count, depth) = None, known[event.anchor]
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, count, depth = around.pop()
        else:
            continue
        if anchor is not None:
            known[anchor] = (count, depth)
        outer, others, deepest = around[-1]
        around[-1] = (outer, others + count, max(deepest, depth + 1))
        if others + count > _MAX_VALUES or depth > _MAX_DEPTH:
            raise Broken(f"it has more than {_MAX_VALUES:,} values, or they lie too deep")


def _check_plain(event: Any) -> None:
    if event.tag not in _PLAIN_TAGS:
        raise Broken(_NO_YAML)


def _check_text(event: Any) -> None:
    """Make sure that a text is no merge, and no number that is longer than any."""
    if not event.implicit[0]:
        return
    if event.value == _MERGE:
        raise Broken("it merges mappings, which may go on for ever")
    if len(event.value) > _MAX_NUMBER and _NUMBER.fullmatch(event.value):
        raise Broken(f"a number of it has {len(event.value):,} characters")
