"""What a model says of itself before it is one: its parts, its columns, what it tells apart.

It reads stand-ins, follows no reference twice, and stops long before a hostile one would end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from brinery.pickles import arrays
from brinery.pickles.bounds import MAX_EXPANDED, MAX_NESTED
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert, expanded, parts
from brinery.records.scan import TIMES, Global, Node

_MAX_NODES = 500
_MAX_LEVELS = 12
_MAX_SEARCHED = 100_000
_MAX_LABEL = 80

# Where estimators keep those that they are made of; of each line the first that is there.
_PARTS = (
    ("steps",),
    ("transformers_", "transformers"),
    ("transformer_list",),
    (
        "best_estimator_",
        "estimators_",
        "calibrated_classifiers_",
        "estimator_",
        "estimators",
        "estimator",
        "base_estimator",
        "clf",
    ),
    ("final_estimator_", "final_estimator"),
    ("regressor_", "regressor"),
    ("classifier_", "classifier"),
    ("transformer_", "transformer"),
    ("_Booster",),
    ("_results",),
    ("model",),
    ("python_model",),
)
_FEATURES = ("feature_names_in_", "feature_names", "_feature_name", "exog_names")
# Where `feature_names` are the columns that it makes, rather than those that it is given.
_MAKES_COLUMNS = "category_encoders"
_CLASSES = ("classes_", "_classes")
_NO_PART = ("numpy", "pandas", "scipy", "builtins", "collections", "copyreg", "datetime")


def describe(held: Any, evidence: Evidence) -> None:
    """Note what the object that a pickle holds says of itself."""
    evidence.outermost = evidence.outermost or outermost(held)
    size, depth, _ = expanded(held, most=MAX_EXPANDED)
    if depth > MAX_NESTED:
        evidence.problem(f"what it holds lies more than {MAX_NESTED:,} deep within itself")
        return
    if size >= MAX_EXPANDED:
        evidence.problem(
            f"what it holds refers to itself so often that it is more than {MAX_EXPANDED:,} "
            "objects when written out: no honest model is"
        )
        return
    evidence.tree = evidence.tree or tree(held)
    if evidence.feature_names is None:
        evidence.feature_names = feature_names(held)
    if evidence.classes is None:
        evidence.classes = classes(held)


def outermost(held: Any) -> str:
    """Return the class of an object, or the name of a built-in type."""
    if isinstance(held, Inert):
        return str(held.origin) if held.named else held.origin.name
    return "type" if isinstance(held, Global) else type(held).__name__


def tree(held: Any) -> Node | None:
    """Return the classes that a model is made of; None where it is no object."""
    if not isinstance(held, Inert) or not held.named:
        return None
    return _node(held, "", [_MAX_NODES], seen=frozenset())


def _node(held: Inert, label: str, left: list[int], *, seen: frozenset[int]) -> Node:
    left[0] -= 1
    within: list[Node] = []
    if len(seen) < _MAX_LEVELS and id(held) not in seen:
        for name, part in _estimators(held):
            if left[0] <= 0:
                break
            within.append(_node(part, name, left, seen=seen | {id(held)}))
    return Node(name=str(held.origin), label=label[:_MAX_LABEL], parts=tuple(within))


def _estimators(held: Inert) -> Iterator[tuple[str, Inert]]:
    """Yield the parts of an estimator with their names; many of one class are one, with a count."""
    for group in _PARTS:
        for name in group:
            found = list(_named(held.attributes.get(name)))
            if found:
                yield from _collapsed(found)
                break


def _collapsed(found: list[tuple[str, Inert]]) -> Iterator[tuple[str, Inert]]:
    kinds = {part.origin for _, part in found}
    if len(found) > 1 and len(kinds) == 1 and not any(name for name, _ in found):
        yield f"{TIMES} {len(found)}", found[0][1]
    else:
        yield from found


def _named(value: Any) -> Iterator[tuple[str, Inert]]:
    """Yield the objects of a list of steps, of an array of trees, or of one attribute."""
    if isinstance(value, Inert):
        listed = arrays.values(value)
        if listed is not None:
            yield from _named(list(listed))
        elif value.origin.module.partition(".")[0] not in _NO_PART:
            yield "", value
        return
    if not isinstance(value, list | tuple):
        return
    for item in value:
        if isinstance(item, tuple) and len(item) in (2, 3) and isinstance(item[0], str):
            if isinstance(item[1], Inert):
                yield item[0] if item[0].isprintable() else ascii(item[0]), item[1]
        elif isinstance(item, Inert):
            yield from _named(item)


def feature_names(held: Any) -> tuple[str, ...] | None:
    """Return the columns that the outermost part with any was fitted on; None where none says.

    Of a pipeline that is its first step: what the others were fitted on may be made within it.
    """
    for part in _breadth_first(_step(held, 0)):
        for name in _FEATURES:
            if name == "feature_names" and part.origin.module.startswith(_MAKES_COLUMNS):
                continue
            found = arrays.values(part.attributes.get(name))
            if found and all(isinstance(column, str) for column in found):
                return tuple(found)
    return None


def classes(held: Any) -> tuple[str, ...] | None:
    """Return the classes that the last step of a model tells apart, as text."""
    for part in _breadth_first(_step(held, -1)):
        for name in _CLASSES:
            found = arrays.values(part.attributes.get(name))
            if found and all(isinstance(one, str | int | float | bool) for one in found):
                return tuple(map(str, found))
    return None


def _step(held: Any, place: int) -> Any:
    """Return a step of a pipeline, however deep: 0 is what reads the columns, -1 what predicts."""
    for _ in range(_MAX_LEVELS):
        if not isinstance(held, Inert):
            break
        steps = list(_named(held.attributes.get("steps")))
        best = held.attributes.get("best_estimator_")
        if steps:
            held = steps[place][1]
        elif isinstance(best, Inert):
            held = best
        else:
            break
    return held


def _breadth_first(held: Any) -> Iterator[Inert]:
    """Yield the stand-ins within a value, the outer ones first, each once."""
    waiting: deque[Any] = deque([held])
    seen: set[int] = set()
    for _ in range(_MAX_SEARCHED):
        if not waiting:
            return
        value = waiting.popleft()
        if id(value) in seen or not isinstance(value, Inert | dict | list | tuple):
            continue
        seen.add(id(value))
        if isinstance(value, Inert):
            yield value
        waiting.extend(islice(parts(value), max(_MAX_SEARCHED - len(waiting), 0)))
