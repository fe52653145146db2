"""The code of a model's process runs on the Python the model was written with: 3.9 and later."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brinery.flavors import catalog
from brinery.records.requirements import Requirements
from brinery.store.environments import CHILD, Environments
from brinery.store.interpreters import OLDEST

SOURCE = Path(__file__).parents[2] / "src"
LAUNCH = SOURCE / "brinery" / "pickles" / "launch.py"

# Imported by `launch` by name, and what the catalog names.
ROOTS = (
    "brinery.pickles.launch",
    "brinery.pickles.confinement",
    "brinery.pickles.frames",
    "brinery.flavors.host",
    "brinery.scorers.child",
    *(value.partition(":")[0] for value in catalog.OURS.values()),
)

# What came after 3.9, by the name it is used under.
LATER_NAMES = {
    *("StrEnum", "Self", "assert_never", "TypeAlias", "ParamSpec", "override", "EllipsisType"),
    *("NoneType", "UTC", "file_digest", "pairwise", "batched", "ExceptionGroup", "tomllib"),
    *("aclosing", "bit_count", "anext", "aiter", "add_note", "TypeGuard", "Unpack"),
    *("stdlib_module_names", "orig_argv", "packages_distributions"),
}
LATER_ARGUMENTS = {"zip": {"strict"}, "dataclass": {"kw_only", "slots"}, "field": {"kw_only"}}


def path_of(module: str) -> Path | None:
    """The file of a module of ours; None where it is none."""
    base = SOURCE.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that code imports when it runs, or may import later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def running(path: Path) -> ast.Module:
    """The code of a file without what only a type checker reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return tree


def closure() -> dict[str, Path]:
    """Every module of ours that the process of a model may import."""
    found: dict[str, Path] = {}
    waiting = list(ROOTS)
    while waiting:
        module = waiting.pop()
        path = path_of(module)
        if module in found or path is None or not module.startswith("brinery"):
            continue
        found[module] = path
        parts = module.split(".")
        waiting += [".".join(parts[:count]) for count in range(1, len(parts))]
        if module != "brinery":  # its own names are imported when they are asked for
            waiting += imported(running(path))
    return found


CLOSURE = closure()


@pytest.mark.parametrize("module", sorted(CLOSURE))
def test_syntax(module: str) -> None:
    """Every module that the process may import is written in the Python of then."""
    text = CLOSURE[module].read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=OLDEST)
    assert sorted(_later(tree)) == []


def _later(tree: ast.Module) -> Iterator[str]:
    """What of the code is of a later Python."""
    for node in ast.walk(tree):
        named = (
            [node.attr]
            if isinstance(node, ast.Attribute)
            else [node.id]
            if isinstance(node, ast.Name)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        yield from (f"{node.lineno}: {name}" for name in named if name in LATER_NAMES)  # type: ignore[attr-defined]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            given = {keyword.arg for keyword in node.keywords}
            if given & LATER_ARGUMENTS.get(called, set()):
                yield f"{node.lineno}: {called}"
            if called in {"isinstance", "issubclass"} and isinstance(node.args[1], ast.BinOp):
                yield f"{node.lineno}: {called} of A | B"
        if isinstance(node, ast.ClassDef) and any("Struct" in ast.unparse(b) for b in node.bases):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and "|" in ast.unparse(field.annotation):
                    yield f"{field.lineno}: A | B, which msgspec evaluates"


def test_what_is_later_is_found() -> None:
    """The check above sees what it is made to see."""
    bad = (
        "from enum import StrEnum\nimport sys\nsys.stdlib_module_names\n"
        "zip(a, b, strict=True)\nisinstance(a, int | str)\n"
        "class A(Struct, frozen=True):\n    b: int | None = None\n"
    )
    assert len(list(_later(ast.parse(bad)))) == 5
    with pytest.raises(SyntaxError):
        ast.parse("match a:\n    case 1: pass\n", feature_version=OLDEST)


def test_closure() -> None:
    """The process is not given what only the parent needs."""
    assert {"brinery.flavors.host", "brinery.errors", "brinery.pickles.unpickle"} <= set(CLOSURE)
    rooms = {module.split(".")[1] for module in CLOSURE if "." in module}
    assert rooms <= {"errors", "records", "pickles", "flavors", "scorers"}


def test_what_it_needs_is_installed() -> None:
    """What the process imports of others at once is what every built environment has."""
    needed = {re.split(r"[<>=]", line)[0] for line in CHILD}
    found: set[str] = set()
    for module, path in CLOSURE.items():
        if module.startswith("brinery.flavors") and module.split(".")[-1] == "__init__":
            continue
        for node in running(path).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found |= {name.partition(".")[0] for name in imported(node)}
    assert found - set(sys.stdlib_module_names) - {"brinery", "__future__"} <= needed


IMPORT_ALL = """
import importlib, importlib.util, os, sys
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "brinery", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
)
package = importlib.util.module_from_spec(spec)
sys.modules["brinery"] = package
spec.loader.exec_module(package)
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sys.version_info[:2], sep=".")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("python", "version"), [("3.9", "0.24.2"), ("3.10", "1.0.2")])
def test_imports(python: str, version: str, environments: Environments) -> None:
    """A real Python of then imports all of it."""
    beneath = ("numpy<1.24", "pandas<2", f"scikit-learn=={version}", "scipy<1.9")
    program = environments.ensure(environments.build(Requirements(packages=beneath)))
    modules = sorted(set(CLOSURE) - {"brinery.pickles.launch"})
    command = [str(program), "-c", IMPORT_ALL, str(SOURCE / "brinery"), *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == python
