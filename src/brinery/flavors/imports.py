"""What code imports, read in it and not run: sources of modules, functions carried by value.

A model's process has imported numpy, pandas and more before it loads a model. So what is imported
afterwards is not all that the model's own code needs, and the code itself is asked.
"""

from __future__ import annotations

import ast
import dis
import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_IMPORT = "IMPORT_NAME"
_FOR_TYPES = "TYPE_CHECKING"

# A model that is larger is looked at in part: its functions lie near its top.
_MOST_OBJECTS = 100_000


def of_modules(names: Iterable[str]) -> frozenset[str]:
    """Return the top-level modules that the sources of imported modules import.

    An import within a function counts; one for type checkers alone does not.

    Args:
        names: top-level modules; those within are read too.
    """
    wanted = frozenset(names)
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in wanted:
            found.update(_of_source(getattr(module, "__file__", None)))
    return frozenset(found)


def of_carried(model: Any) -> frozenset[str]:
    """Return the top-level modules that functions and classes need which a model carries by value.

    They are those that its globals refer to, and those that its instructions import.
    """
    found: set[str] = set()
    seen, waiting = {id(model)}, [model]
    while waiting and len(seen) < _MOST_OBJECTS:
        one = waiting.pop()
        with suppress(Exception):  # a class of the model's own may hide what it is
            found.update(_top_levels(one))
            for held in _held(one):
                if id(held) not in seen:
                    seen.add(id(held))
                    waiting.append(held)
    return frozenset(found)


def _of_source(file: Any) -> Iterator[str]:
    """Yield the top-level modules that a Python file imports; none where it cannot be read."""
    if not isinstance(file, str) or not file.endswith(".py"):
        return
    try:
        waiting: list[ast.AST] = [ast.parse(Path(file).read_bytes())]
    except (OSError, SyntaxError, ValueError):
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (_top(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield _top(node.module)
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _is_for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == _FOR_TYPES


def _top_levels(one: Any) -> Iterator[str]:
    """Yield the top-level modules that one object of a model needs by itself."""
    if type(one) is ModuleType:
        yield _top(one.__name__)
    elif isinstance(one, type) or type(one) is FunctionType:
        if not _is_importable(one):
            yield from _of_code(one.__code__) if type(one) is FunctionType else ()
        elif isinstance(one.__module__, str):
            yield _top(one.__module__)
    else:
        named = getattr(type(one), "__module__", None)
        owner = one.__module__ if named == "builtins" and hasattr(one, "__module__") else named
        if isinstance(owner, str):
            yield _top(owner)


def _of_code(code: CodeType) -> Iterator[str]:
    """Yield the top-level modules that instructions import, in functions within too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == _IMPORT and instruction.argval:
            yield _top(str(instruction.argval))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)


def _held(one: Any) -> list[Any]:
    """Return the objects that an object refers to; none of what can be imported."""
    if isinstance(one, ModuleType):
        return []
    if (isinstance(one, type) or type(one) is FunctionType) and _is_importable(one):
        return []
    if type(one) is np.ndarray:
        return list(one.ravel()) if one.dtype == object else []
    held = gc.get_referents(one)
    if type(one) is FunctionType and _is_of_a_module(one):
        return [each for each in held if each is not one.__globals__]
    return held


def _is_of_a_module(function: FunctionType) -> bool:
    """Return whether the globals of a function are a whole module's, and not its own few."""
    module = sys.modules.get(function.__globals__.get("__name__", ""))
    return function.__globals__ is getattr(module, "__dict__", None)


def _is_importable(one: Any) -> bool:
    """Return whether a class or function is the one that its module has under its name."""
    place: Any = sys.modules.get(one.__module__)
    for name in one.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is one


def _top(name: str) -> str:
    return name.partition(".")[0]
