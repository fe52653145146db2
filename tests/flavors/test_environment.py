from __future__ import annotations

import platform
import sys
import sysconfig
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

import pytest

from brinery.flavors.environment import imported_modules, python, used_packages


def test_named_and_loaded() -> None:
    """What the pickle names and what that has loaded is listed, at its exact version."""
    loaded = frozenset({"sklearn", "numpy", "scipy", "joblib", "threadpoolctl"})
    found = used_packages(("sklearn",), loaded)
    assert found["scikit-learn"] == version("scikit-learn")
    assert {"numpy", "scipy", "joblib", "threadpoolctl"} <= set(found)
    assert list(found) == sorted(found)


def test_requirements_of_requirements() -> None:
    """What a requirement itself requires is followed."""
    found = used_packages(("pandas",), frozenset({"pandas", "dateutil", "six"}))
    assert set(found) == {"pandas", "python-dateutil", "six"}


def test_not_loaded() -> None:
    """A requirement that this process never imported is left out."""
    assert set(used_packages(("sklearn",), frozenset({"sklearn", "numpy"}))) == {
        "numpy",
        "scikit-learn",
    }


def test_not_required() -> None:
    """What is loaded for other reasons is left out, and so is Brinery itself."""
    loaded = frozenset({"sklearn", "numpy", "msgspec", "pytest", "brinery"})
    assert set(used_packages(("numpy", "brinery"), loaded)) == {"numpy"}


def test_modules_without_a_distribution() -> None:
    """The standard library and a module in a folder belong to no distribution."""
    assert used_packages(("builtins", "collections", "my_model"), frozenset({"my_model"})) == {}


def test_imported_modules() -> None:
    """The modules of this process are its top-level ones, the standard library left out."""
    found = imported_modules()
    assert {"brinery", "pytest"} <= found
    assert found <= {module.partition(".")[0] for module in sys.modules}
    assert not {"sys", "json", "collections"} & found
    assert not any("." in name for name in found)


def test_modules_of_every_distribution() -> None:
    """The distribution of a module is found wherever Python's own search, which is slow, does."""
    modules = frozenset(
        {"sklearn", "numpy", "yaml", "dateutil", "six", "PIL", "xgboost", "msgspec"}
    )
    known = packages_distributions()
    for module in modules & known.keys():
        assert set(used_packages((module,), frozenset({module}))) == {
            name.lower().replace("_", "-") for name in known[module]
        }


OWN = {
    "my_model": "import my_steps\nfrom typing import TYPE_CHECKING\nimport brinery, nothing_such\n"
    "if TYPE_CHECKING:\n    import pyarrow\n",
    "my_steps": "def scale(x):\n    import msgspec.json as json\n    from .other import granian\n",
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own modules, as imported; nothing in them runs here."""
    for name, source in OWN.items():
        file = tmp_path / f"{name}.py"
        file.write_text(source)
        module = ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("own")
def test_what_own_modules_import() -> None:
    """What the user's modules import is told by their sources, whoever had imported it before."""
    before = frozenset({"numpy", "msgspec", "pyarrow", "granian", "brinery"})
    loaded = before | {"my_model", "my_steps"}
    assert set(used_packages(("my_model",), loaded, before=before)) == {"msgspec"}
    assert set(used_packages(("my_model",), loaded, before=loaded)) == {"msgspec"}


@pytest.mark.parametrize("carrier", ["cloudpickle", "unread_model"])
def test_what_carried_code_imports(carrier: str) -> None:
    """Of functions by value, and of modules without a source, all that came since is theirs."""
    before = frozenset({"numpy", "msgspec", "pyarrow"})
    loaded = before | {carrier, "scipy", "pandas"}
    found = used_packages((carrier, "builtins"), loaded, before=before)
    assert {"numpy", "pandas", "scipy"} <= set(found)
    assert not {"msgspec", "pyarrow"} & set(found)
    stated = used_packages(("sklearn", "builtins", "copy_reg"), loaded | {"sklearn"}, before=before)
    assert set(stated) == {"scikit-learn", "numpy", "scipy"}


def test_python() -> None:
    """The Python, its platform and its C library are what the process says of itself."""
    found, where, libc = python()
    assert (found, where) == (platform.python_version(), sysconfig.get_platform())
    assert libc == " ".join(platform.libc_ver()).strip()
