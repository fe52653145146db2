"""Which flavors there are: ours, and those that other packages bring by an entry point.

Ours are found without an entry point too: the process of a model may be a Python in which Brinery
is not installed. `pyproject.toml` states the same table, and a test holds the two together.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module, metadata
from typing import Any

from brinery.errors import LibraryMissing, NotAModel
from brinery.flavors.interface import Flavor

GROUP = "brinery.flavors"

# The most specific first: what follows scikit-learn's interface is taken by its own framework, and
# what predicts somehow by the last.
OURS = {
    "xgboost": "brinery.flavors.xgboost:XGBoost",
    "lightgbm": "brinery.flavors.lightgbm:LightGBM",
    "catboost": "brinery.flavors.catboost:CatBoost",
    "onnx": "brinery.flavors.onnx:Onnx",
    "statsmodels": "brinery.flavors.statsmodels:Statsmodels",
    "torch": "brinery.flavors.torch:Torch",
    "safetensors": "brinery.flavors.safetensors:Safetensors",
    "mlflow": "brinery.flavors.pyfunc:MlflowFolder",
    "callable": "brinery.flavors.callable:CallableFile",
    "scikit-learn": "brinery.flavors.scikit_learn:ScikitLearn",
    "python": "brinery.flavors.python:PlainPython",
}


@lru_cache(maxsize=1)
def flavors() -> tuple[Flavor, ...]:
    """Return every flavor, those of other packages first.

    One of them that cannot be imported is left out with a warning: it would else keep every model
    from loading.
    """
    found = []
    for name, value in _installed():
        try:
            found.append(_made(value))
        except Exception as error:  # noqa: BLE001 - another package's module may raise anything
            warnings.warn(f"the flavor {name} ({value}) is left out: {error}", stacklevel=2)
    return (*found, *map(_made, OURS.values()))


def loader(form: str) -> Flavor | None:
    """Return the flavor that loads files of a format itself; None where it is a pickle's."""
    return next((flavor for flavor in flavors() if form in flavor.formats), None)


def owner(model: Any, name: str = "") -> Flavor | None:
    """Return the flavor that takes a loaded object; None where none does.

    Args:
        model: the object.
        name: the flavor that must take it; any when empty.

    Raises:
        LibraryMissing: there is no flavor of that name here.
        NotAModel: it does not take the object.
    """
    if not name:
        return next((flavor for flavor in flavors() if flavor.sniff(model)), None)
    named = next((flavor for flavor in flavors() if flavor.name == name), None)
    if named is None:
        raise LibraryMissing(
            f"the model was loaded by the flavor '{name}', which is not installed",
            hint=f"pip install the package that brings the flavor '{name}'",
        )
    if not named.sniff(model):
        what = type(model)
        raise NotAModel(f"{what.__module__}.{what.__qualname__} is no model of {name}")
    return named


def _installed() -> list[tuple[str, str]]:
    """Return name and value of the entry points of other packages, sorted."""
    found: Any = metadata.entry_points()
    # Before Python 3.10 it was a dictionary by group.
    points: Iterable[Any] = (
        found.select(group=GROUP) if hasattr(found, "select") else found.get(GROUP, ())
    )
    named = {(point.name, point.value) for point in points}
    return sorted((name, value) for name, value in named if name not in OURS)


def _made(value: str) -> Flavor:
    """Return the flavor that an entry point's value names, `module:Class`."""
    module, _, name = value.partition(":")
    flavor: Flavor = getattr(import_module(module), name)()
    return flavor
