"""Compatibility steps: what is changed in a library, and when.

A step is a function of a module that was just imported. `STEPS` names the module it waits for and
where the function is; that is imported with it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from brinery_shims import libraries, setup

# Step, the module that it waits for, and the module of ours that has its `apply`.
STEPS: Tuple[Tuple[str, str, str], ...] = (
    ("sklearn-cloudpickle", "mlflow.sklearn", "brinery_shims.mlflow_skops"),
    ("xgboost-labels", "xgboost.sklearn", "brinery_shims.xgboost_labels"),
    ("pickle-check", "pickle", "brinery_shims.pickle_loading"),
    ("pickle-check", "joblib", "brinery_shims.pickle_loading"),
    ("mirror", "requests.adapters", "brinery_shims.mirrors"),
    ("mirror", "urllib.request", "brinery_shims.mirrors"),
)

Undo = Callable[[], None]


class Hooks:
    """Stands first in the line of finders, and finds nothing itself."""

    def __init__(self) -> None:
        self._undo: List[Undo] = []
        self._waiting: Dict[str, List[str]] = {}
        self._libraries = libraries.modules()
        for step, module, ours in STEPS:
            if not setup.switched_off(step):
                self._waiting.setdefault(module, []).append(ours)

    def find_spec(self, name: str, *where: Any) -> Any:
        """Return how a module is loaded that a step waits for; None for any other."""
        if name in self._libraries:
            folder = self._libraries.pop(name)
            libraries.found(name, folder=folder, spec=self._spec(name, *where))
            return None
        if name not in self._waiting:
            return None
        spec = self._spec(name, *where)
        if spec is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec

    def _spec(self, name: str, *where: Any) -> Any:
        """Return how a module would be loaded without us."""
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, *where)
            if spec is not None and spec.loader is not None:
                return spec
        return None

    def loaded(self, module: ModuleType) -> None:
        """Take the steps that waited for a module."""
        for ours in self._waiting.pop(module.__name__, ()):
            undo: Optional[Undo] = import_module(ours).apply(module)
            if undo is not None:
                self._undo.append(undo)

    def install(self) -> None:
        """Wait for modules, and take the steps of those that are there."""
        sys.meta_path.insert(0, self)
        for name in list(self._waiting):
            if name in sys.modules:
                self.loaded(sys.modules[name])

    def undone_by(self, undo: Undo) -> None:
        """Have something undone with the steps."""
        self._undo.append(undo)

    def remove(self) -> None:
        """Undo what was done."""
        sys.meta_path.remove(self)
        while self._undo:
            self._undo.pop()()


class _Loader:
    """A loader that tells when it has loaded."""

    def __init__(self, loader: Any, hooks: Hooks) -> None:
        self._loader = loader
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        """Return what the loader itself makes."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load a module, and take the steps that waited for it."""
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._hooks.loaded(module)


def install() -> Hooks:
    """Return the hooks, which are there now."""
    made = Hooks()
    made.install()
    if not setup.switched_off("old-libraries"):
        from brinery_shims import old_libraries

        made.undone_by(old_libraries.install())
    return made
