"""A notebook made a job: what is for the eyes left out, paths and settings made arguments.

All of it is done on the text, at the places that the syntax tree names, so that comments and the
form of what stays are kept. What is left out stands there as a comment, and `restored` undoes it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from brinery.pipeline import notebook_cells
from brinery.pipeline.notebook_cells import KEPT, MARK
from brinery.pipeline.notebook_figures import Logged, Set, metrics, parameters
from brinery.pipeline.notebook_job import Layout, conda_text, job_text
from brinery.pipeline.notebook_packages import Stated, choose, included, modules, unused
from brinery.pipeline.notebook_ports import Names, Ports, ports
from brinery.pipeline.notebook_rules import Leaving, leaving, needed
from brinery.pipeline.notebook_settings import with_values
from brinery.pipeline.notebook_source import (
    Edit,
    Source,
    alias_name,
    bound,
    edited,
    joined,
    loaded,
    statements,
)
from brinery.records.conversion import Conversion, Dropped, DropRule, Port

_MARKED: Final = re.compile(rf"\s*{re.escape(MARK)}(\w+) \(cell (\d+)\)")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is asked of the machine that the notebook lies on.

    Attributes:
        kind: what is found at a path of the notebook: `file`, `folder`, or empty.
        beside: whether a module of a name lies beside the notebook.
        installed: the version that a distribution has here; empty for none.
        python: the version of Python here.
    """

    kind: Callable[[str], str]
    beside: Callable[[str], bool]
    installed: Callable[[str], str]
    python: str


def convert(
    text: str,
    layout: Layout,
    *,
    listed: Stated,
    around: Surroundings,
    keep: frozenset[DropRule] = frozenset(),
    values: Mapping[str, str] | None = None,
) -> Conversion:
    """Return what a notebook becomes.

    Args:
        text: of the notebook, or of a script.
        layout: where the files will lie.
        listed: what the data scientist's list has.
        around: what is found on this machine.
        keep: rules that leave nothing out.
        values: names to the values that they have instead of their literals.

    Raises:
        InvalidNotebook: it is no notebook, or a cell of it is no Python.
    """
    notebook = notebook_cells.read(text, layout.notebook)
    source = joined(with_values(notebook.cells, values or {}), layout.notebook)
    left = leaving(source, keep=keep)
    away = {one.node for one in left}
    logged = metrics(source, away)
    names = Names()
    settings = parameters(source, away)
    kept_values = [one for one in settings if names.draw(one.parameter.name) == one.parameter.name]
    taken = bound_names(source.tree)
    arguments, parser = _free("args", taken), _free("parser", taken)
    found = ports(source, away, kind=around.kind, names=names, arguments=arguments)
    kept_values = _apart(kept_values, found.edits, source)
    parts = _Parts(left=left, logged=logged, values=kept_values, ports=found)
    script = _script(source, parts, layout=layout, words=(arguments, parser), keep=keep)
    tree = ast.parse(script)
    chosen = choose(
        tree,
        listed,
        beside=around.beside,
        installed=around.installed,
        added=frozenset({"mlflow"} - set(modules(source.tree))),
    )
    given = [one.parameter for one in kept_values]
    python = listed.python or ".".join((notebook.python or around.python).split(".")[:2])
    return Conversion(
        script=script,
        job=job_text(layout, inputs=found.inputs, outputs=found.outputs, parameters=given),
        conda=conda_text(layout.name, chosen.packages, python=python, channels=listed.channels),
        dropped=tuple(_dropped(script)),
        inputs=found.inputs,
        outputs=found.outputs,
        parameters=tuple(given),
        metrics=logged.metrics,
        packages=chosen.packages,
        removed=chosen.removed,
        modules=chosen.local,
        notes=(*found.notes, *_lost(script, tree), *chosen.notes),
    )


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What was found out about a source."""

    left: Sequence[Leaving]
    logged: Logged
    values: Sequence[Set]
    ports: Ports


def _lost(script: str, tree: ast.Module) -> Iterator[str]:
    """Yield a note for each name that magic gave, and that something needs."""
    read = loaded(tree)
    for one in _dropped(script):
        name = one.text.partition("=")[0].strip()
        if one.rule is DropRule.MAGIC and name in read:
            yield f"cell {one.cell}: {one.text} is no Python, and {name} is needed: set it yourself"


def bound_names(tree: ast.Module) -> set[str]:
    """Return every name that a script gives a value."""
    return {name for node in statements(tree.body) for name in bound(node)}


def _free(wish: str, taken: set[str]) -> str:
    return next(name for name in (wish, f"job_{wish}", f"job_{wish}_") if name not in taken)


def _apart(values: list[Set], edits: Iterable[Edit], source: Source) -> list[Set]:
    """Return the settings that are no paths as well."""
    begins = {edit.begin for edit in edits}
    return [one for one in values if source.begin(one.node) not in begins]


def _script(
    source: Source,
    parts: _Parts,
    *,
    layout: Layout,
    words: tuple[str, str],
    keep: frozenset[DropRule],
) -> str:
    arguments = words[0]
    edits = [*parts.ports.edits, *parts.logged.edits]
    edits += [
        source.replaced(one.node, f"{arguments}.{one.parameter.name}") for one in parts.values
    ]
    required = {"argparse"} if parts.values or parts.ports.inputs or parts.ports.outputs else set()
    required |= {"os"} if any("os." in one.text for one in edits) else set()
    required |= {"mlflow"} if parts.logged.metrics or parts.values else set()
    names = needed(source, parts.left) | required
    left = list(parts.left)
    if DropRule.IMPORT not in keep:
        whole, halves = unused(source, names)
        left += [Leaving(node=node, rule=DropRule.IMPORT, alone=False) for node in whole]
        edits += halves
    edits += included(source, [one.node for one in left])
    edits += _comments(source, left)
    away = {one.node for one in left}
    at, bound_here = _after_imports(source, away)
    header = _header(parts, sorted(required - bound_here), words=words)
    edits.append(Edit(begin=at, end=at, text=header))
    title = f"# Made of {layout.notebook} by `brinery notebook convert`.\n"
    # What is left out covers what else was to be done with it.
    wide = [one for one in edits if one.text.lstrip().startswith((MARK, "pass\n"))]
    inner = [one for one in edits if one not in wide and not _covered(one, wide)]
    return title + edited(source.text, [*wide, *inner]).rstrip() + "\n"


def _covered(edit: Edit, wide: Iterable[Edit]) -> bool:
    """Return whether an edit is of text that is left out; what is put before or behind is not."""
    return any(
        one.begin < edit.begin < one.end or one.begin <= edit.begin < edit.end <= one.end
        for one in wide
    )


def _comments(source: Source, left: Sequence[Leaving]) -> Iterator[Edit]:
    """Yield the edits that make comments of what is left out; neighbours become one."""
    groups: list[list[Leaving]] = []
    for one in sorted(left, key=lambda each: source.rows(each.node)):
        last = groups[-1][-1] if groups else None
        if last is not None and _neighbours(source, last, one):
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        first, last_row = source.rows(group[0].node)[0], source.rows(group[-1].node)[1]
        begin, end, lines = source.block(first, last_row)
        text = notebook_cells.commented(
            lines, group[0].rule.value, number=source.cell(group[0].node)
        )
        indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        filled = [f"{indent}pass"] if group[-1].alone else []
        yield Edit(begin=begin, end=end, text="\n".join([*filled, *text]) + "\n")


def _neighbours(source: Source, one: Leaving, other: Leaving) -> bool:
    """Return whether two pieces are of one rule, one cell and one block, with nothing between."""
    first, last = source.rows(one.node)[1] + 1, source.rows(other.node)[0] - 1
    between = "".join(source.block(first, last)[2]).strip() if first <= last else ""
    return (
        one.rule is other.rule
        and source.cell(one.node) == source.cell(other.node)
        and one.node.col_offset == other.node.col_offset
        and not one.alone
        and not between
    )


def _after_imports(source: Source, away: set[ast.stmt]) -> tuple[int, set[str]]:
    """Return where the arguments are read, behind the first imports, and what these give names."""
    at, names = 0, set()
    for node in source.tree.body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        at = source.block(node.lineno, node.end_lineno or node.lineno)[1]
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in away:
            names |= {alias_name(alias) for alias in node.names if alias.asname is None}
    return at, names


def _header(parts: _Parts, imports: Sequence[str], *, words: tuple[str, str]) -> str:
    arguments, parser = words
    lines = [f"import {name}" for name in imports]
    if parts.values or parts.ports.inputs or parts.ports.outputs:
        lines += ["", f"{parser} = argparse.ArgumentParser()"]
        added = [_of_path(one, "input") for one in parts.ports.inputs]
        added += [_of_value(one) for one in parts.values]
        added += [_of_path(one, "output") for one in parts.ports.outputs]
        lines += [f"{parser}.add_argument({one})" for one in added]
        lines.append(f"{arguments} = {parser}.parse_args()")
    if parts.values:
        names = [one.parameter.name for one in parts.values]
        lines += ["", "mlflow.log_params("]
        lines += [
            "    {",
            *(f'        "{name}": {arguments}.{name},' for name in names),
            "    }",
            ")",
        ]
    return "\n".join([*lines, ""]) if lines else ""


def _of_path(port: Port, word: str) -> str:
    path = json.dumps(port.path, ensure_ascii=False)
    return f'"--{port.name}", type=str, default={path}, help="{word}: {port.type.value}"'


def _of_value(one: Set) -> str:
    kind, name = one.parameter.type, one.parameter.name
    reader = 'lambda text: text == "True"' if kind == "bool" else kind
    text = one.parameter.value
    value = json.dumps(text, ensure_ascii=False) if kind == "str" else text
    return f'"--{name}", type={reader}, default={value}'


def _dropped(script: str) -> Iterator[Dropped]:
    for rule, cell, _, lines in _blocks(script):
        yield Dropped(rule=rule, cell=cell, text="\n".join(lines))


def _blocks(script: str) -> Iterator[tuple[DropRule, int, int, list[str]]]:
    """Yield each comment that something was left out in: rule, cell, its line, what it was."""
    lines = script.splitlines()
    for at, line in enumerate(lines):
        mark = _MARKED.match(line)
        if mark is None:
            continue
        body: list[str] = []
        for follows in lines[at + 1 :]:
            text = follows.lstrip()
            if not text.startswith(KEPT.rstrip()):
                break
            body.append(text.removeprefix(KEPT.rstrip()).removeprefix(" "))
        yield DropRule(mark.group(1)), int(mark.group(2)), at, body


def restored(script: str, rules: frozenset[DropRule]) -> tuple[str, tuple[Dropped, ...]]:
    """Return a script in which what was left out stands again, and what that is.

    What only IPython understands stays a comment, for Python has no word for it. Imports come back
    with what needs them.

    Args:
        script: that `convert` wrote.
        rules: whose pieces come back; none for all.
    """
    wanted = (rules or frozenset(DropRule)) - {DropRule.MAGIC}
    text, first = _put_back(script, lambda one: one.rule in wanted - {DropRule.IMPORT})
    read = {one.id for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Name)}
    by_wish = DropRule.IMPORT in rules

    def is_needed(one: Dropped) -> bool:
        gives = set().union(*(bound(node) for node in ast.parse(one.text).body))
        return one.rule is DropRule.IMPORT and (by_wish or bool(gives & read))

    text, second = _put_back(text, is_needed)
    return text, (*first, *second)


def _put_back(script: str, wanted: Callable[[Dropped], bool]) -> tuple[str, tuple[Dropped, ...]]:
    lines = script.splitlines()
    back = []
    for rule, cell, at, body in reversed(list(_blocks(script))):
        one = Dropped(rule=rule, cell=cell, text="\n".join(body))
        if rule is DropRule.MAGIC or not wanted(one):
            continue
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines[at : at + 1 + len(body)] = [f"{indent}{line}".rstrip() for line in body]
        back.append(one)
    return "\n".join(lines) + "\n", tuple(reversed(back))
