"""A script as text and tree at once: where each statement stands, which cell it is of, and edits.

What is not edited keeps its comments, its blank lines and its form.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from brinery.errors import InvalidNotebook
from brinery.pipeline.notebook_cells import Cell, plain


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Text in place of other text.

    Attributes:
        begin: in characters, from 0.
        end: likewise; nothing is replaced where it is the beginning.
        text: instead.
    """

    begin: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """A script.

    Attributes:
        text: of it.
        first_lines: of each cell, from 1, ascending.
        numbers: of those cells.
    """

    text: str
    first_lines: tuple[int, ...]
    numbers: tuple[int, ...]

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def blocks(self) -> dict[ast.stmt, list[ast.stmt]]:
        """Return the block that each statement stands in."""
        found = {}
        waiting = [self.tree.body]
        while waiting:
            block = waiting.pop()
            for node in block:
                found[node] = block
                waiting += bodies(node)
        return found

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    @cached_property
    def _offsets(self) -> list[int]:
        offsets = [0]
        for line in self._lines:
            offsets.append(offsets[-1] + len(line))
        return offsets

    def cell(self, node: ast.AST) -> int:
        """Return the number of the cell that a node stands in."""
        at = bisect_right(self.first_lines, getattr(node, "lineno", 1)) - 1
        return self.numbers[max(at, 0)]

    def _at(self, line: int, column: int) -> int:
        """Return the character at a line from 1 and a column of bytes."""
        text = self._lines[line - 1]
        return self._offsets[line - 1] + len(text.encode()[:column].decode())

    def begin(self, node: ast.expr | ast.stmt) -> int:
        """Return where a node begins, in characters."""
        return self._at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return where a node ends, in characters."""
        assert node.end_lineno is not None  # noqa: S101 - for the type checker
        assert node.end_col_offset is not None  # noqa: S101 - likewise
        return self._at(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Return a node as it is written."""
        return self.text[self.begin(node) : self.end(node)]

    def rows(self, node: ast.stmt) -> tuple[int, int]:
        """Return the first and the last line of a statement, decorators included."""
        above = [one.lineno for one in getattr(node, "decorator_list", [])]
        assert node.end_lineno is not None  # noqa: S101 - for the type checker
        return min([node.lineno, *above]), node.end_lineno

    def block(self, first: int, last: int) -> tuple[int, int, list[str]]:
        """Return where lines begin and end, and the lines."""
        lines = [line.rstrip("\n") for line in self._lines[first - 1 : last]]
        return self._offsets[first - 1], self._offsets[last], lines

    def replaced(self, node: ast.expr, text: str) -> Edit:
        """Return the edit that puts text in an expression's place."""
        return Edit(begin=self.begin(node), end=self.end(node), text=text)


def joined(cells: Iterable[Cell], name: str) -> Source:
    """Return the script that cells make: prose as comments, magic as comments, a mark before each.

    Raises:
        InvalidNotebook: a cell is no Python.
    """
    lines: list[str] = []
    first_lines: list[int] = []
    numbers: list[int] = []
    for cell in cells:
        body = plain(cell).text if cell.code else _prose(cell.text)
        if not body.strip():
            continue
        if cell.code:
            _check(body, cell.number, name)
        first_lines.append(len(lines) + 1)
        numbers.append(cell.number)
        kind = "" if cell.code else " [markdown]"
        lines += [f"# %%{kind} cell {cell.number}", *body.splitlines(), ""]
    return Source(
        text="\n".join(lines),
        first_lines=tuple(first_lines) or (1,),
        numbers=tuple(numbers) or (1,),
    )


def _prose(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.strip().splitlines())


def _check(text: str, number: int, name: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise InvalidNotebook(
            f"{name}, cell {number}, line {error.lineno}: {error.msg}",
            hint="make the cell run in Jupyter, or delete it",
        ) from None
    except ValueError as error:
        raise InvalidNotebook(f"{name}, cell {number}: {error}") from None


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with edits made; of two that overlap the one that begins later is left out."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda one: (one.begin, one.end)):
        if edit.begin < at:
            continue
        parts += [text[at : edit.begin], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    """Return the blocks within a statement: of a loop, a condition, a try, a function."""
    found = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    found += [handler.body for handler in getattr(node, "handlers", [])]
    found += [case.body for case in getattr(node, "cases", [])]
    return [block for block in found if block and isinstance(block[0], ast.stmt)]


def statements(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and all that are within them."""
    for node in block:
        yield node
        for inner in bodies(node):
            yield from statements(inner)


def bound(node: ast.AST) -> set[str]:
    """Return the names that a statement gives a value, those within functions aside."""
    found: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias_name(alias) for alias in node.names}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        found.add(node.id)
    for child in ast.iter_child_nodes(node):
        found |= bound(child)
    return found


def alias_name(alias: ast.alias) -> str:
    """Return the name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def loaded(node: ast.AST) -> set[str]:
    """Return the names that are read anywhere in a node."""
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load | ast.Del)
    }


def chain(node: ast.expr) -> tuple[str, tuple[str, ...]]:
    """Return the name that an expression begins with, and the attributes that follow it.

    `df["a"].plot.hist(bins=3)` is `df` with `plot` and `hist`; the name is empty where an
    expression begins with something else.
    """
    attributes: list[str] = []
    while True:
        match node:
            case ast.Call(func=inner) | ast.Subscript(value=inner) | ast.Await(value=inner):
                node = inner
            case ast.Attribute(value=inner, attr=name):
                attributes.append(name)
                node = inner
            case ast.Name(id=name):
                return name, tuple(reversed(attributes))
            case _:
                return "", tuple(reversed(attributes))


def shares_a_line(
    source: Source, node: ast.stmt, *, away: Collection[ast.stmt] = frozenset()
) -> bool:
    """Return whether something that stays stands on a line of a statement.

    Args:
        source: the script.
        node: the statement.
        away: statements that do not stay.
    """
    first, last = source.rows(node)
    mates = [
        one
        for one in source.blocks[node]
        if one is node or (source.rows(one)[0] <= last and source.rows(one)[1] >= first)
    ]
    if any(one is not node and one not in away for one in mates):
        return True
    begins = min(source.begin(one) for one in mates)
    ends = max(source.end(one) for one in mates)
    before = source.text[:begins].rpartition("\n")[2]
    after = source.text[ends:].partition("\n")[0].strip().lstrip(";").strip()
    decorated = bool(getattr(node, "decorator_list", []))
    return bool(before.strip() and not decorated) or bool(after and not after.startswith("#"))
