"""What of a notebook is for the eyes only: plots, looks at tables, a tracking server of one's own.

A piece is left out only where nothing that stays needs a name that it gives. Figures that are saved
or logged stay, with all that draws them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from brinery.pipeline.notebook_source import (
    Source,
    alias_name,
    bodies,
    bound,
    chain,
    loaded,
    shares_a_line,
    statements,
)
from brinery.records.conversion import DropRule

_PLOT_MODULES: Final = {
    "altair", "bokeh", "folium", "ggplot", "holoviews", "hvplot", "matplotlib", "missingno",
    "mpl_toolkits", "plotly", "plotnine", "pylab", "seaborn", "wordcloud", "yellowbrick",
    "cufflinks", "chart_studio",
}  # fmt: skip
_DRAWS: Final = {"plot", "hist", "boxplot", "hist2d", "scatter_matrix", "iplot", "hvplot"}
_SAVES: Final = {"savefig", "log_figure", "write_html", "write_image", "save_fig"}
_LOOKS: Final = {
    "head", "tail", "describe", "info", "sample", "value_counts", "nunique", "unique", "dtypes",
    "shape", "columns", "index", "isnull", "isna", "notnull", "corr", "cov", "memory_usage", "ndim",
    "size", "count", "sum", "mean", "median", "std", "var", "min", "max", "quantile", "skew",
    "mode", "any", "all", "nlargest", "nsmallest", "sort_values", "sort_index", "groupby", "T",
    "transpose", "round", "style", "duplicated", "crosstab", "pivot_table", "agg", "loc", "iloc",
    "iat", "at", "to_frame", "keys", "items", "values", "get_params", "feature_names_in_",
}  # fmt: skip
_LOOK_FUNCTIONS: Final = {"display", "type", "len", "help", "dir", "id", "repr", "Image", "HTML"}
_SETTINGS: Final = {"set_option", "options"}
_TRACKING: Final = {"set_tracking_uri", "set_registry_uri", "set_experiment"}


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A statement that is left out.

    Attributes:
        node: the statement.
        rule: why.
        alone: whether its block would be empty without it.
    """

    node: ast.stmt
    rule: DropRule
    alone: bool


def leaving(source: Source, *, keep: frozenset[DropRule] = frozenset()) -> list[Leaving]:
    """Return the statements that are for the eyes only, imports aside; in order."""
    rules = _Rules(source.tree, keep)
    found = list(_found(source.tree.body, rules, inner=False))
    saved = {source.cell(one) for one in statements(source.tree.body) if _saves(one)}
    while True:
        stay = _kept_by_need(source, found)
        pinned = saved | {source.cell(one.node) for one in found if one.node in stay}
        rest = [
            one
            for one in found
            if one.node not in stay
            and not (
                one.rule is DropRule.PLOT and source.cell(one.node) in pinned and not _shows(one)
            )
        ]
        away = {one.node for one in rest}
        rest = [one for one in rest if not shares_a_line(source, one.node, away=away)]
        if len(rest) == len(found):
            return found
        found = rest


def _found(block: list[ast.stmt], rules: _Rules, *, inner: bool) -> Iterator[Leaving]:
    verdicts = [rules.verdict(node) for node in block]
    whole = inner and all(verdicts)
    for at, (node, rule) in enumerate(zip(block, verdicts, strict=True)):
        if rule is not None:
            yield Leaving(node=node, rule=rule, alone=whole and at == len(block) - 1)
            continue
        for within in bodies(node):
            yield from _found(within, rules, inner=True)


def _kept_by_need(source: Source, found: Iterable[Leaving]) -> set[ast.stmt]:
    """Return what gives a name that something needs which stays."""
    away = {one.node for one in found}
    needed = _needed(source.tree.body, away)
    return {node for node in away if bound(node) & needed}


def _needed(block: list[ast.stmt], away: set[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in block:
        if node in away or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        inner = bodies(node)
        if not inner:
            names |= loaded(node)
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ExceptHandler):
                names |= loaded(child.type) if child.type else set()
            elif not isinstance(child, ast.stmt | ast.match_case):
                names |= loaded(child)
        for one in inner:
            names |= _needed(one, away)
    return names


def needed(source: Source, left: Iterable[Leaving]) -> set[str]:
    """Return the names that are read by what stays."""
    return _needed(source.tree.body, {one.node for one in left})


def _saves(node: ast.stmt) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr in _SAVES for one in ast.walk(node))


def _shows(one: Leaving) -> bool:
    return isinstance(one.node, ast.Expr) and chain(one.node.value)[1][-1:] == ("show",)


class _Rules:
    """Which statements are for the eyes, by the names that plotting libraries have here."""

    def __init__(self, tree: ast.Module, keep: frozenset[DropRule]) -> None:
        self._keep = keep
        self._plots = _plot_imports(tree)
        self._mlflow = _imported(tree, {"mlflow"})
        self._pandas = _imported(tree, {"pandas"})
        before = -1
        while before != len(self._plots):
            before = len(self._plots)
            self._plots |= set(self._further(tree))

    def _further(self, tree: ast.Module) -> Iterator[str]:
        """Yield names that only ever hold figures, axes, or functions that draw."""
        for node in statements(tree.body):
            match node:
                case ast.Assign(value=value) if self._draws(value):
                    yield from bound(node)
                case ast.FunctionDef() if self._only_draws(node):
                    yield node.name
                case ast.With(items=items):
                    for item in items:
                        if item.optional_vars is not None and self._draws(item.context_expr):
                            yield from bound(item.optional_vars)
                case ast.For(iter=iterated, target=target) if self._over_axes(iterated):
                    yield from self._axes(iterated, target)

    def _over_axes(self, iterated: ast.expr) -> bool:
        return bool(loaded(iterated) & self._plots)

    def _axes(self, iterated: ast.expr, target: ast.expr) -> Iterator[str]:
        """Yield the loop's names that run over axes: `zip(axes.flat, columns)` has one of two."""
        match iterated, target:
            case ast.Call(func=ast.Name(id="zip"), args=parts), ast.Tuple(elts=names):
                for part, name in zip(parts, names, strict=False):
                    if chain(part)[0] in self._plots:
                        yield from bound(name)
            case ast.Call(func=ast.Name(id="enumerate"), args=[part, *_]), ast.Tuple(
                elts=[_, name]
            ):
                yield from self._axes(part, name)
            case _ if chain(iterated)[0] in self._plots:
                yield from bound(target)

    def verdict(self, node: ast.stmt) -> DropRule | None:
        """Return why a statement is left out; None where it stays."""
        rule = self._verdict(node)
        return None if rule in self._keep else rule

    def _verdict(self, node: ast.stmt) -> DropRule | None:
        match node:
            case ast.Expr(value=value):
                return self._of_expression(value)
            case ast.Assign(targets=targets, value=value):
                return self._of_assignment(targets, value)
            case ast.FunctionDef(name=name) if name in self._plots and self._only_draws(node):
                return DropRule.PLOT
            case ast.For() | ast.While() | ast.If() | ast.With() | ast.Try():
                rules = [self._verdict(one) for block in bodies(node) for one in block]
                return rules[0] if all(rules) else None
            case _:
                return None

    def _of_assignment(self, targets: list[ast.expr], value: ast.expr) -> DropRule | None:
        if self._draws(value):
            return DropRule.PLOT
        names = [chain(target) for target in targets]
        if all(attributes and name in self._plots for name, attributes in names):
            return DropRule.PLOT
        if all(
            name in self._pandas and attributes[:1] == ("options",) for name, attributes in names
        ):
            return DropRule.EXPLORE
        keys = [one.value for t in targets for one in ast.walk(t) if isinstance(one, ast.Constant)]
        return DropRule.TRACKING if keys == ["MLFLOW_TRACKING_URI"] else None

    def _of_expression(self, value: ast.expr) -> DropRule | None:
        name, attributes = chain(value)
        if self._draws(value):
            return DropRule.PLOT
        if name in self._mlflow and set(attributes) & _TRACKING:
            return DropRule.TRACKING
        if name in self._pandas and attributes[:1] and attributes[0] in _SETTINGS:
            return DropRule.EXPLORE
        if isinstance(value, ast.Call) and name == "print" and not attributes:
            looks = [one for one in value.args if not isinstance(one, ast.Constant)]
            shown = bool(looks) and all(_prints_a_look(one) for one in looks)
            return DropRule.EXPLORE if shown else None
        return DropRule.EXPLORE if _is_a_look(value) else None

    def _draws(self, value: ast.expr) -> bool:
        name, attributes = chain(value)
        if name in self._plots:
            return True
        if isinstance(value, ast.Tuple):
            return bool(value.elts) and all(self._draws(one) for one in value.elts)
        called = isinstance(value, ast.Call | ast.Subscript)
        return called and name not in self._mlflow and bool(set(attributes) & _DRAWS)

    def _only_draws(self, node: ast.FunctionDef) -> bool:
        """Return whether a function has no other end than a figure."""
        drawn = False
        for one in statements(node.body):
            match one:
                case ast.Return(value=value):
                    if value is not None and not self._draws(value):
                        return False
                case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Continue() | ast.Break():
                    continue
                case ast.Expr(value=value):
                    if self._of_expression(value) is None:
                        return False
                    drawn = drawn or self._draws(value)
                case ast.Assign(targets=targets):
                    if not all(self._is_local(target) for target in targets):
                        return False
                case ast.For() | ast.If() | ast.With():
                    continue
                case _:
                    return False
        return drawn

    def _is_local(self, target: ast.expr) -> bool:
        name, attributes = chain(target)
        return isinstance(target, ast.Name | ast.Tuple) or (
            bool(attributes) and name in self._plots
        )


def _prints_a_look(value: ast.expr) -> bool:
    """Return whether a look is printed: a bare name may be a result, and what is computed is."""
    if isinstance(value, ast.JoinedStr):
        inner = [one.value for one in value.values if isinstance(one, ast.FormattedValue)]
        return bool(inner) and all(_prints_a_look(one) for one in inner)
    attributes = chain(value)[1]
    looks = {"head", "tail", "describe", "info", "dtypes", "shape", "columns", "value_counts"}
    looks |= {"isnull", "isna", "nunique", "unique"}
    return bool(set(attributes) & looks)


def _is_a_look(value: ast.expr) -> bool:
    """Return whether an expression only shows something, at the end of its cell."""
    match value:
        case ast.Call(func=ast.Name(id=name)):
            return name in _LOOK_FUNCTIONS
        case ast.Call():
            name, attributes = chain(value)
            changes = any(one.arg == "inplace" for one in value.keywords)
            return not changes and attributes[-1:] != () and attributes[-1] in _LOOKS
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Compare():
            return not any(isinstance(one, ast.Call) for one in ast.walk(value)) or (
                set(chain(value)[1]) <= _LOOKS
            )
        case ast.Constant() | ast.JoinedStr() | ast.BinOp() | ast.UnaryOp() | ast.List():
            return False
        case _:
            return False


def _plot_imports(tree: ast.Module) -> set[str]:
    """Return the names under which what draws was imported."""
    names = _imported(tree, _PLOT_MODULES)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {
                alias_name(alias)
                for alias in node.names
                if node.module == "pandas.plotting"
                or ((node.module or "").startswith("sklearn") and _is_display(alias.name))
            }
    return names


def _is_display(name: str) -> bool:
    return name.endswith("Display") or name.startswith("plot_")


def _imported(tree: ast.Module, modules: set[str]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias_name(a) for a in node.names if a.name.partition(".")[0] in modules}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            root = (node.module or "").partition(".")[0]
            names |= {alias_name(a) for a in node.names} if root in modules else set()
    return names
