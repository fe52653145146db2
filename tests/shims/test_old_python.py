"""The modules of a script's process run on Python 3.8 and later, and import next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tests.store.test_old_python import _later, imported, running

from brinery.actions.job_gateway import MODULES

FILES = sorted(MODULES.rglob("*.py"))
OURS = {"brinery_shims", "dataiku", "dataikuapi"}
OLDEST = (3, 8)
# What a script that does nothing has imported, beside what it imports itself.
MOST_MODULES = 25


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODULES)))
def test_syntax(path: Path) -> None:
    """Each is written in the Python of then, and imports the standard library at its top."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=OLDEST)
    assert sorted(_later(tree)) == []
    assert "from __future__ import annotations" in text or not tree.body[1:]
    top = [one for one in running(path).body if isinstance(one, (ast.Import, ast.ImportFrom))]
    found = {name.partition(".")[0] for one in top for name in imported(one)}
    assert found <= OURS | set(sys.stdlib_module_names)


def loaded(program: str, python: str = sys.executable) -> set[str]:
    """The modules that a program has imported at its end."""
    code = f"import sys; sys.path.insert(0, {str(MODULES)!r})\n{program}\nprint(*sys.modules)"
    command = [python, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_costs_little() -> None:
    """`import dataiku` brings neither pandas nor http, and few modules in all."""
    bare = loaded("import json, typing, types")
    more = loaded("import brinery_shims.start, dataiku, dataikuapi") - bare
    assert not {"pandas", "numpy", "mlflow", "http.client", "email", "ssl", "asyncio"} & more
    assert len([name for name in more if name.partition(".")[0] not in OURS]) <= MOST_MODULES
    assert len(more) <= 2 * MOST_MODULES


@pytest.mark.parametrize("minor", ["3.8", "3.9"])
def test_it_is_imported_by_a_python_of_then(minor: str) -> None:
    """A real Python of then imports every module of ours that needs no library."""
    found = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{minor}.*/bin/python"))
    if not found:
        pytest.skip(f"there is no Python {minor} here")
    names = [
        ".".join(path.relative_to(MODULES).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
    ]
    program = "import importlib\n" + "\n".join(f"importlib.import_module({n!r})" for n in names)
    assert set(names) <= loaded(program, str(found[-1]))
