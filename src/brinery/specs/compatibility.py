"""The steps that have scripts for the platform behave here as they do there, by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from brinery.specs.names import nearest

ALL: Final = "all"
LIBRARIES: Final = "project-libraries"

# Name to what is done. Where a step is taken it says so, and `--without NAME` switches it off.
COMPATIBILITY: Final = {
    "default-folder": "an empty folder id means the project's default folder",
    "mirror": "addresses that a script downloads from are answered from files",
    "old-libraries": "a script that fails because its libraries are newer is told so",
    "pickle-check": "a pickle from a managed folder is read before it is loaded",
    LIBRARIES: "modules in lib/python of the project can be imported",
    "sklearn-cloudpickle": "mlflow.sklearn keeps models by cloudpickle, as before MLflow 3.14",
    "xgboost-labels": "XGBClassifier takes any labels, as before xgboost 1.6",
}


def unknown_step(names: Iterable[str]) -> str:
    """Return what is wrong with names of steps, a sentence; empty where nothing is."""
    for name in names:
        if name != ALL and name not in COMPATIBILITY:
            near = nearest(name, [*COMPATIBILITY, ALL])
            return f"{name} is no compatibility step" + (f": did you mean {near}?" if near else "")
    return ""
