"""A workspace in which `dataiku` is Brinery's, for the tests of one module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import brinery

PAGE = "https://data.example.org/bank.csv"
FILES = "https://files.example.org/"
# The releases of the tutorials' time.
CONDA = """\
dependencies:
  - python=3.9
  - pip
  - pip:
      - mlflow==2.17.2
      - scikit-learn==1.0.2
      - numpy==1.23.5
      - pandas==1.5.3
      - xgboost==1.5.2
      - requests
"""


@dataclass(frozen=True)
class Shimmed:
    """What a script sees.

    Attributes:
        dataiku: the module.
        workspace: whose data it is.
    """

    dataiku: Any
    workspace: Path

    def module(self, name: str) -> Any:
        """A module that scripts import."""
        return import_module(name)

    @property
    def project(self) -> Any:
        """The default project, of `dataikuapi`."""
        return self.dataiku.api_client().get_default_project()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environments that these tests share: each is built once, for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "built"  # noqa: TID251 - told by xdist
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def shimmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shimmed]:
    """A workspace of the module's own; tests write to it under names of their own."""
    workspace = tmp_path_factory.mktemp("marketing")
    (workspace / "brinery.toml").touch()
    (workspace / "lib" / "python").mkdir(parents=True)
    (workspace / "lib" / "python" / "marketing_rules.py").write_text("LIMIT = 7\n")
    bank = workspace / "bank.csv"
    bank.write_text("age;y\n30;no\n40;yes\n")
    mirrors = {PAGE: str(bank), FILES: str(workspace)}
    before = _variables()
    with brinery.shims(workspace=workspace, mirrors=mirrors):
        yield Shimmed(import_module("dataiku"), workspace)
    assert _variables() == before


def _variables() -> dict[str, str]:
    """What MLflow and the modules are told by."""
    names = ("MLFLOW", "BRINERY", "NO_PROXY", "no_proxy")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}  # noqa: TID251 - compared
