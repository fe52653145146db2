"""`--set NAME=value` for code that takes no arguments: another literal at the top level.

The first place that gives a name a literal value, outside of functions, is changed in the text; all
else stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from brinery.errors import InvalidNotebook
from brinery.pipeline.notebook_cells import Cell, plain
from brinery.pipeline.notebook_source import Source, edited

_TRUTHS: Final = {"true": True, "false": False}


def settable(cells: Iterable[Cell]) -> dict[str, object]:
    """Return the names that are given a literal at the top level, each with the first one."""
    found: dict[str, object] = {}
    for cell in cells:
        for name, node in _literals(_source(cell)):
            found.setdefault(name, ast.literal_eval(node))
    return found


def with_values(cells: Iterable[Cell], values: Mapping[str, str]) -> tuple[Cell, ...]:
    """Return cells in which names have other values; names that have no literal are left alone.

    Args:
        cells: in order.
        values: name to a value, as a command line has it.

    Raises:
        InvalidNotebook: a value is not of the type that the name has.
    """
    waiting = dict(values)
    changed = []
    for cell in cells:
        source = _source(cell)
        edits = []
        for name, node in _literals(source):
            if name in waiting:
                value = _like(ast.literal_eval(node), waiting.pop(name), name)
                edits.append(source.replaced(node, repr(value)))
        changed.append(replace(cell, text=edited(source.text, edits)) if edits else cell)
    return tuple(changed)


def _source(cell: Cell) -> Source:
    """Return a cell as Python; an empty one where it is prose, or no Python."""
    for text in (cell.text, plain(cell).text) if cell.code else ():
        source = Source(text=text, first_lines=(1,), numbers=(cell.number,))
        with suppress(SyntaxError):
            if source.tree:
                return source
    return Source(text="", first_lines=(1,), numbers=(cell.number,))


def text_with_values(text: str, values: Mapping[str, str]) -> str:
    """Return a script in which names have other values; it keeps its marks.

    Raises:
        InvalidNotebook: it is no Python, or a value is not of the type that the name has.
    """
    (cell,) = with_values([Cell(number=1, code=True, text=text)], values)
    return cell.text.rstrip("\n") + "\n"


def options(text: str) -> set[str]:
    """Return the names of the arguments that a script declares: `--rate` of any library."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            for one in node.args:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    option = one.value.partition("/")[0].strip()
                    if option.startswith("--") and option[2:3].isalpha() and " " not in option:
                        found.add(option)
    return found


def _literals(source: Source) -> list[tuple[str, ast.expr]]:
    """Return the names that are given literals at the top level, in order."""
    found = []
    for node in source.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        try:
            ast.literal_eval(value)
        except ValueError:
            continue
        found.append((name, value))
    return found


def _like(before: object, given: str, name: str) -> object:
    """Return what a command line has as a value of the type that stood there.

    Raises:
        InvalidNotebook: it is none.
    """
    if isinstance(before, str):
        return given
    if isinstance(before, bool) and given.lower() in _TRUTHS:
        return _TRUTHS[given.lower()]
    try:
        value = ast.literal_eval(given)
    except (ValueError, SyntaxError):
        value = None if before is None and given == "None" else given
    number = isinstance(before, int | float) and not isinstance(before, bool)
    fits = before is None or (
        isinstance(value, int | float) and not isinstance(value, bool)
        if number
        else isinstance(value, type(before))
    )
    if not fits:
        raise InvalidNotebook(
            f"--set {name}={given}: {name} is {before!r}, and '{given}' is of another type"
        )
    return value
