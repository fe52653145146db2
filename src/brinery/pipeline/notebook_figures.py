"""What a script shows or sets that MLflow should know: metrics it prints, values it sets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from brinery.pipeline.notebook_access import constants
from brinery.pipeline.notebook_source import (
    Edit,
    Source,
    alias_name,
    chain,
    shares_a_line,
    statements,
)
from brinery.records.conversion import Metric, Parameter

_SCALAR: Final = re.compile(
    r"(?:_score|_error|_loss|_deviance|_corrcoef|_index)$|^(?:auc|hamming_loss)$"
)
_NO_SCALAR: Final = {"cross_val_score", "max_error_curve"}
_KNOWN_NAMES: Final = re.compile(
    r"(?:^|_)(?:mse|rmse|mae|mape|smape|r2|r_squared|accuracy|acc|auc|roc_auc|f1|precision|recall"
    r"|log_?loss|rmsle)(?:_|$)",
    re.IGNORECASE,
)
_KEEPS: Final = {"sqrt", "round", "abs", "float", "mean", "max", "min", "std", "item"}
_TAKES: Final = {
    "train_test_split", "KFold", "sample", "cross_val_score", "cross_validate", "fit", "train",
    "cv",
}  # fmt: skip
_HALF: Final = 0.5
_MANY: Final[tuple[tuple[str, object], ...]] = (("multioutput", "raw_values"), ("average", None))


@dataclass(frozen=True, kw_only=True)
class Logged:
    """Metrics, and the edits that log them.

    Attributes:
        metrics: in order.
        edits: a line after each statement that shows one.
    """

    metrics: tuple[Metric, ...]
    edits: tuple[Edit, ...]


def metrics(source: Source, left: set[ast.stmt]) -> Logged:
    """Return the metrics that a script prints, or ends a cell with; what is left out aside."""
    finder = _Metrics(source.tree)
    found: list[Metric] = []
    edits: list[Edit] = []
    for node in statements(source.tree.body):
        if node in left or not isinstance(node, ast.Expr):
            continue
        lines = []
        for name, expression in finder.shown(node.value):
            lines.append(f'mlflow.log_metric("{name}", {expression})')
            found.append(Metric(name=name, expression=expression, cell=source.cell(node)))
        if lines and shares_a_line(source, node):
            end = source.end(node)
            edits.append(Edit(begin=end, end=end, text="".join(f"; {line}" for line in lines)))
        elif lines:
            _, end, (text, *_) = source.block(node.lineno, node.end_lineno or node.lineno)
            indent = text[: len(text) - len(text.lstrip())]
            edits.append(Edit(begin=end, end=end, text="".join(f"{indent}{x}\n" for x in lines)))
    return Logged(metrics=tuple(found), edits=tuple(edits))


class _Metrics:
    """Which expressions are figures of merit, by what was imported and what variables hold."""

    def __init__(self, tree: ast.Module) -> None:
        self._functions: dict[str, str] = {}
        self._modules: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "sklearn.metrics":
                self._functions |= {alias_name(alias): alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module == "sklearn":
                self._modules |= {alias_name(a) for a in node.names if a.name == "metrics"}
            elif isinstance(node, ast.Import):
                self._modules |= {alias_name(a) for a in node.names if a.name.startswith("sklearn")}
        self._variables: set[str] = set()
        self._many: set[str] = set()
        for node in statements(tree.body):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._remember(name, value)
                case _:
                    continue
        self._told = _already_logged(tree)
        self._names: dict[str, str] = {}

    def _remember(self, name: str, value: ast.expr) -> None:
        if chain(value) == ("cross_val_score", ()):
            self._many.add(name)
        elif self._is_figure(value) or (_KNOWN_NAMES.search(name) and _is_mean(value)):
            self._variables.add(name)

    def shown(self, value: ast.expr) -> Iterator[tuple[str, str]]:
        """Yield name and expression of each figure that a statement shows."""
        prints = isinstance(value, ast.Call) and chain(value) == ("print", ())
        if not (prints or self._is_figure(value)):
            return
        label = _label(value)
        for node in self._outermost(value):
            expression = ast.unparse(node)
            name = self._name(node)
            if name in self._told or expression in self._names.values():
                continue
            if name in self._names:
                name = label if label and label not in self._names else _next(name, self._names)
            self._names[name] = expression
            yield name, expression

    def _outermost(self, node: ast.AST) -> Iterator[ast.expr]:
        if isinstance(node, ast.expr) and self._is_figure(node):
            yield node
            return
        for child in ast.iter_child_nodes(node):
            yield from self._outermost(child)

    def _is_figure(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self._variables
            case ast.BinOp(left=left, right=right):
                sides = [one for one in (left, right) if not isinstance(one, ast.Constant)]
                is_text = any(isinstance(one, ast.JoinedStr) for one in sides) or any(
                    isinstance(one, ast.Constant) and isinstance(one.value, str)
                    for one in (left, right)
                )
                return bool(sides) and not is_text and all(map(self._is_figure, sides))
            case ast.Call(func=ast.Attribute(attr="score", value=owner), args=[_, _, *_]):
                return chain(owner)[0] not in self._modules
            case ast.Call(func=ast.Attribute(attr="mean" | "std", value=owner), args=[]):
                name, attributes = chain(owner)
                return not attributes and (name in self._many or name == "cross_val_score")
            case ast.Call():
                return self._is_called(node)
            case _:
                return False

    def _is_called(self, node: ast.Call) -> bool:
        if self._function(node):
            return not any(
                isinstance(one.value, ast.Constant) and (one.arg, one.value.value) in _MANY
                for one in node.keywords
            )
        return _last(node) in _KEEPS and bool(node.args) and self._is_figure(node.args[0])

    def _function(self, node: ast.Call) -> str:
        """Return the name of the function of sklearn.metrics that is called; empty for others."""
        name, attributes = chain(node.func)
        called = attributes[-1] if attributes and name in self._modules else ""
        called = called or ("" if attributes else self._functions.get(name, ""))
        return called if _SCALAR.search(called) and called not in _NO_SCALAR else ""

    def _name(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Call() if self._function(node):
                return self._function(node)
            case ast.Call(args=[first, *_]) if _last(node) in _KEEPS:
                inner, root = self._name(first), _last(node) == "sqrt"
            case ast.Call(func=ast.Attribute(attr=last, value=owner)):
                return f"{chain(owner)[0] or 'model'}_{last}"
            case ast.BinOp(left=left, right=right, op=sign):
                inner = self._name(right if isinstance(left, ast.Constant) else left)
                power = right.value if isinstance(right, ast.Constant) else None
                root = isinstance(sign, ast.Pow) and power == _HALF
            case _:
                return "metric"
        return f"root_{inner}" if root else inner


def _last(node: ast.Call) -> str:
    """Return the last name of what is called: `sqrt` of `np.sqrt(x)`."""
    name, attributes = chain(node.func)
    return attributes[-1] if attributes else name


def _is_mean(node: ast.expr) -> bool:
    """Return whether an expression is one number, being a mean or its root."""
    if not isinstance(node, ast.Call) or any(one.arg == "axis" for one in node.keywords):
        return False
    if _last(node) in {"sqrt", "float", "round"} and node.args:
        return _is_mean(node.args[0])
    return _last(node) in {"mean", "item"}


def _next(name: str, taken: dict[str, str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _label(value: ast.expr) -> str:
    """Return the text that is printed before a figure, as a name."""
    texts = [one.value for one in ast.walk(value) if isinstance(one, ast.Constant)]
    words = next((one for one in texts if isinstance(one, str)), "")
    plain = re.split(r"[%{]", words)[0]
    return re.sub(r"\W+", "_", plain, flags=re.ASCII).strip("_").lower()


def _already_logged(tree: ast.Module) -> set[str]:
    """Return the names of metrics that a script logs itself."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and chain(node.func)[1][-1:] in (
            ("log_metric",),
            ("log_metrics",),
        ):
            found |= {
                one.value
                for argument in node.args[:1]
                for one in ast.walk(argument)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


@dataclass(frozen=True, kw_only=True)
class Set:
    """A value at the top of a script that an estimator is given.

    Attributes:
        parameter: it.
        node: the literal.
    """

    parameter: Parameter
    node: ast.expr


def parameters(source: Source, left: set[ast.stmt]) -> list[Set]:
    """Return the values that are set once at the top level and given to what learns."""
    given = _given(source.tree, left)
    found = []
    for name, value in constants(source.tree).values.items():
        if name not in given:
            continue
        try:
            literal = ast.literal_eval(value)
        except ValueError:
            continue
        if isinstance(literal, bool | int | float | str):
            kind = type(literal).__name__
            text = literal if isinstance(literal, str) else ast.unparse(value)
            found.append(
                Set(parameter=Parameter(name=name, type=kind, value=str(text)), node=value)
            )
    return found


def _given(tree: ast.Module, left: set[ast.stmt]) -> set[str]:
    """Return the names that are arguments of classes and functions of other packages."""
    imported = {
        alias_name(alias)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    away = {id(one) for node in left for one in ast.walk(node)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or id(node) in away:
            continue
        name, attributes = chain(node.func)
        called = (attributes or (name,))[-1]
        learns = called in _TAKES or (called[:1].isupper() and name in imported)
        if learns and called not in {"Path", "PurePath"}:
            values = [*node.args, *(one.value for one in node.keywords)]
            found |= {one.id for one in values if isinstance(one, ast.Name)}
    return found
