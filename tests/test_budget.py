"""The house budget: what keeps every file short enough to be read with pleasure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

SOURCE = Path(__file__).parent.parent / "src" / "brinery"
FILES = sorted(SOURCE.rglob("*.py"))

MAX_FILE_LINES = 600
MAX_CLASS_LINES = 350
MAX_METHODS = 20
MAX_FUNCTION_LINES = 80
MAX_FUNCTION_P95_LINES = 45
MAX_PARAMETERS = 8
MAX_POSITIONAL = 2
MAX_POSITIONAL_PRIVATE = 3  # within one module, and in what a protocol of others fixes
MAX_DEPTH = 2
HOMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
LAZY_ROOMS = {"flavors", "runners", "registry", "cli", "shims"}
# These have the modules, methods and parameters of the packages that they stand for (decision 018).
MIRRORS = ("shims/dataiku/", "shims/dataikuapi/")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in FILES:
        yield str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))


def _functions() -> Iterator[tuple[str, Function]]:
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.lineno} {node.name}", node


def _lines(node: Function | ast.ClassDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_files_are_short() -> None:
    """No file is longer than 600 lines."""
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert [name for name, lines in lengths.items() if lines > MAX_FILE_LINES] == []


def test_classes_are_small() -> None:
    """No class has more than 350 lines or 20 methods."""
    over = []
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not name.startswith(MIRRORS):
                methods = sum(isinstance(item, Function) for item in node.body)
                if _lines(node) > MAX_CLASS_LINES or methods > MAX_METHODS:
                    over.append(f"{name}:{node.lineno} {node.name}")
    assert not over, "\n".join(over)


def test_functions_are_short() -> None:
    """No function is longer than 80 lines, and 19 of 20 have at most 45."""
    lengths = {name: _lines(node) for name, node in _functions()}
    assert [name for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES] == []
    assert quantiles(lengths.values(), n=20)[-1] <= MAX_FUNCTION_P95_LINES


def test_functions_take_few_parameters() -> None:
    """No function takes more than 8 parameters; after the second they are keyword-only."""
    over = []
    for name, node in _functions():
        if name.startswith(MIRRORS):
            continue
        taken = node.args
        positional = [a for a in taken.posonlyargs + taken.args if a.arg not in ("self", "cls")]
        most = MAX_POSITIONAL_PRIVATE if node.name.startswith("_") else MAX_POSITIONAL
        if len(positional) + len(taken.kwonlyargs) > MAX_PARAMETERS or len(positional) > most:
            over.append(name)
    assert not over, "\n".join(over)


def test_packages_are_flat() -> None:
    """No package lies deeper than a room and one folder of data in it."""
    ours = [p.relative_to(SOURCE) for p in FILES]
    ours = [p for p in ours if not p.as_posix().startswith(MIRRORS)]
    assert [p for p in ours if len(p.parts) - 1 > MAX_DEPTH] == []


def test_every_module_is_a_noun() -> None:
    """No module is a drawer for what has no home."""
    ours = [p.relative_to(SOURCE) for p in FILES]
    ours = [p for p in ours if not p.as_posix().startswith(MIRRORS)]
    assert [p for p in ours if HOMELESS & set(p.with_suffix("").parts)] == []


def test_imports_stand_at_the_top() -> None:
    """Only adapters import inside functions: a framework, or what a command needs."""
    over = []
    for name, node in _functions():
        room = Path(name.partition(":")[0]).parts[0]
        inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
        if inner and room not in LAZY_ROOMS:
            over.append(name)
    assert not over, "\n".join(over)
