"""The parts of Brinery that a model needs to answer: modules, found by their imports, renamed.

Nothing is imported to find them: their sources are read. What is not imported when the model
answers stays behind, so that a package holds the nodes of its own model and no others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, json

from brinery.package.runtime import named_engine
from brinery.package.runtime.library_engine import FLAVORS, loader_of
from brinery.records.artifact import Artifact
from brinery.scorers.catalog import NODES
from brinery.scorers.plan import Plan
from brinery.scorers.rows import Rows
from brinery.scorers.scorer import Scorer

_SOURCE = Path(__file__).parent.parent
_RUNTIME = "brinery.package.runtime"
_VENDOR = "_vendor"
_CATALOG = "brinery.scorers.catalog"
_KERNEL = "scorers/libkernel.so"
_NAMED = re.compile(r"\bbrinery\.(?=(errors|flavors|pickles|records|scorers|specs)\b)")
_SHARED = ("engine", "facts", "forms", "service", "wsgi", "console")
_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")


def scorer_code(plan: Plan, artifact: Artifact, *, module: str) -> dict[str, bytes]:
    """Return path to bytes of what answers by a scorer.

    Args:
        plan: of the scorer.
        artifact: the model.
        module: name of the package's Python package.
    """
    families = sorted({NODES[name].__module__ for name in _nodes(plan)})
    engine = "scorer_engine" if single_rows(plan, artifact) is None else "row_engine"
    engine = "named_engine" if named_engine.is_needed(artifact) else engine
    # What answers single rows asks for the scorer by its name, once it needs it.
    roots = [f"{_RUNTIME}.{name}" for name in (*_SHARED, engine, "scorer_engine")]
    code = _renamed(_closure([*roots, *families]), module=module)
    code[f"{_VENDOR}/scorers/catalog.py"] = _catalog(families, module=module)
    if kernel := _kernel():
        code[f"{_VENDOR}/{_KERNEL}"] = kernel
    return _with_entry(code, module=module, engine=engine)


def single_rows(plan: Plan, artifact: Artifact) -> Rows | None:
    """Return what answers single rows without numpy; None where the scorer is to answer them.

    Args:
        plan: of the scorer.
        artifact: the model.
    """
    found = None if named_engine.is_needed(artifact) else Scorer(plan).rows()
    with suppress(ValidationError):
        # JSON has no words for figures that are not finite.
        if found == json.decode(json.encode(found), type=Rows | None):
            return found
    return None


def library_code(artifact: Artifact, *, module: str) -> dict[str, bytes]:
    """Return path to bytes of what answers by a model's own library.

    Args:
        artifact: the model, of one of `FLAVORS`.
        module: name of the package's Python package.
    """
    roots = [f"{_RUNTIME}.{name}" for name in (*_SHARED, "library_engine")]
    flavors = {artifact.flavor, loader_of(artifact)}
    roots += [FLAVORS[flavor].partition(":")[0] for flavor in sorted(flavors)]
    code = _renamed(_closure(roots), module=module)
    return _with_entry(code, module=module, engine="library_engine")


def verifier() -> bytes:
    """Return the program that verifies a package, which needs nothing but Python."""
    return (_SOURCE / "package" / "runtime" / "verify.py").read_bytes()


def compiled_platform() -> str:
    """Return the platform of the compiled part, as a wheel's tag has it; empty where none is."""
    kernel = _kernel()
    if not kernel:
        return ""
    newest = max((int(minor) for minor in _GLIBC.findall(kernel)), default=17)
    return f"manylinux_2_{max(newest, 17)}_x86_64"


@lru_cache(maxsize=1)
def _kernel() -> bytes:
    """Return the compiled kernel; empty where this machine has none, or one of another kind."""
    try:
        found = (_SOURCE / _KERNEL).read_bytes()
    except OSError:
        return b""
    x86_64 = b"\x3e\x00"
    return found if found[:4] == b"\x7fELF" and found[18:20] == x86_64 else b""


def _nodes(value: Any) -> Iterator[str]:
    """Yield the names of the nodes within a plan."""
    if isinstance(value, Struct):
        name = type(value).__name__
        if NODES.get(name) is type(value):
            yield name
        for field in value.__struct_fields__:
            yield from _nodes(getattr(value, field))
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _nodes(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _nodes(one)


def _closure(roots: Iterable[str]) -> dict[str, str]:
    """Return module to source of some modules, and of all that they import when they are."""
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name == _CATALOG:
            continue
        source, imports = _module(name)
        found[name] = source
        waiting += imports
    return found


@lru_cache(maxsize=256)
def _module(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the source of a module, and which of Brinery's modules it imports at its top."""
    path = _path(name)
    if path is None:
        raise RuntimeError(f"{name} is no module of Brinery")
    source = path.read_text(encoding="utf-8")
    return source, tuple(sorted(_imports(ast.parse(source).body)))


def _imports(nodes: Iterable[ast.stmt]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("brinery"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if _path(inner) else str(node.module)
        elif isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            yield from _imports(node.orelse)


def _path(name: str) -> Path | None:
    """Return the file of a module; None for a room, which holds no code of its own here."""
    path = _SOURCE.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None


def _renamed(modules: Mapping[str, str], *, module: str) -> dict[str, bytes]:
    """Return path to bytes of modules, as they import each other in a package."""
    made: dict[str, bytes] = {}
    for name, source in modules.items():
        renamed = source.replace(f"{_RUNTIME}.", f"{module}.")
        renamed = renamed.replace(f"from {_RUNTIME} import", f"from {module} import")
        renamed = renamed.replace("from brinery import", f"from {module}.{_VENDOR} import")
        renamed = _NAMED.sub(f"{module}.{_VENDOR}.", renamed)
        inner = name.removeprefix(f"{_RUNTIME}.")
        parts = [inner] if inner != name else [_VENDOR, *name.split(".")[1:]]
        made[f"{'/'.join(parts)}.py"] = renamed.encode()
        for depth in range(1, len(parts)):
            made[f"{'/'.join(parts[:depth])}/__init__.py"] = b""
    return made


def _catalog(families: Iterable[str], *, module: str) -> bytes:
    """Return the catalog of the nodes of some families."""
    names = ", ".join(family.rpartition(".")[2] for family in families)
    return (
        '"""The kinds of nodes that this model is made of."""\n\n'
        f"from {module}.{_VENDOR}.scorers import {names}\n\n"
        f"NODES = {{node.__name__: node for one in ({names},) for node in one.NODES}}\n"
    ).encode()


def _with_entry(code: dict[str, bytes], *, module: str, engine: str) -> dict[str, bytes]:
    """Return code with what is imported by name: the model is loaded once, with the module."""
    code["__init__.py"] = f'''"""A packaged model: `predict` answers a row, or a list of rows.

The model is loaded once, when this module is imported. What that makes stays: the collector of
garbage, which would look through it again and again, waits until it is done.
"""

import gc

collects = gc.isenabled()
gc.disable()
try:
    from pathlib import Path

    from {module}.{engine} import Engine
    from {module}.service import Service

    service = Service.of(Path(__file__).parent, Engine)
finally:
    if collects:
        gc.enable()

predict = service.predict
respond = service.respond
__version__ = str(service.facts.version)
'''.encode()
    code["__main__.py"] = f'''"""The console command."""

import sys

from {module} import console, service


def main() -> int:
    """Return the exit status."""
    return console.run(service)


if __name__ == "__main__":
    sys.exit(main())
'''.encode()
    code["app.py"] = f'''"""The packaged model as a WSGI application, for a server."""

from {module} import service
from {module}.wsgi import application

app = application(service)
'''.encode()
    return code
