"""The code that travels: what a model needs, renamed, and nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.package.conftest import ROW, Iris

from brinery.package import composing, sources, writer
from brinery.package.runtime.library_engine import FLAVORS
from brinery.records.artifact import Artifact
from brinery.records.package import Target


def test_a_package_runs_without_brinery(iris: Iris, tmp_path: Path) -> None:
    """In a fresh interpreter it answers, and imports neither Brinery, pandas nor scikit-learn."""
    writer.fill(tmp_path, iris.files(Target.GCF))
    numpy, msgspec = (
        Path(str(sys.modules[n].__file__)).parent.parent for n in ("numpy", "msgspec")
    )
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]\n"
        f"sys.path += {[str(numpy), str(msgspec)]!r}\n"
        f"from iris_model import predict; print(predict({ROW!r}))\n"
        "print([n for n in ('brinery', 'pandas', 'sklearn', 'pyarrow') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["{'predicted_class': 0}", "[]"], done.stderr


@pytest.mark.parametrize("flavor", FLAVORS)
def test_nothing_asks_for_brinery(iris: Iris, flavor: str) -> None:
    """No import and no name that is looked up leads back to Brinery, with either engine."""
    artifact = Artifact(flavor=flavor, format=flavor, file="m", sha256="")
    library = sources.library_code(artifact, module="iris_model")
    for path, data in {**iris.contents.code, **library}.items():
        if not path.endswith(".py"):
            continue
        text = data.decode()
        ast.parse(text)
        assert not re.search(r"^\s*(from|import) brinery\b", text, re.MULTILINE), path
        assert not re.search(r"[\"']brinery\.\w+\.\w+", text), path


def test_only_the_nodes_of_the_model_travel(iris: Iris) -> None:
    """A logistic regression takes no forest, no booster and no text along."""
    named = {Path(path).stem for path in iris.contents.code if "/scorers/" in path}
    assert {"linear", "scaling", "catalog", "scorer"} <= named
    assert not named & {"forests", "xgboost", "lightgbm", "text", "library", "child", "compiler"}


def test_it_runs_on_old_pythons(iris: Iris) -> None:
    """Its syntax is that of Python 3.9, for the models that need one; with either engine."""
    codes = [iris.contents.code]
    for flavor in FLAVORS:
        artifact = Artifact(flavor=flavor, format=flavor, file="m", sha256="")
        codes.append(sources.library_code(artifact, module="iris_model"))
    for path, data in (item for code in codes for item in code.items()):
        if path.endswith(".py"):
            ast.parse(data, feature_version=(3, 9))


def test_a_scorer_says_what_it_is_compiled_for(iris: Iris) -> None:
    """Where the kernel is there, the wheel is for Linux and its C library, and no other."""
    assert re.fullmatch(r"(manylinux_2_\d+_x86_64)?", iris.contents.compiled)
    (wheel,) = (name for name in iris.files(Target.WHEEL) if name.endswith(".whl"))
    assert wheel == f"iris_model-1-py3-none-{iris.contents.compiled or 'any'}.whl"


def test_every_target_is_there() -> None:
    """Each target is rendered by one module."""
    assert set(composing.PLATFORMS) == set(Target)
