from __future__ import annotations

import sys
from importlib.metadata import version

from brinery.flavors.environment import imported_modules, used_packages


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
