"""MLflow's Python functions: a folder whose model is a `PythonModel`, a script, or a loader.

MLflow's own loader is not used: it unpickles whatever the folder asks for. The pickle of the model
is read with the names that the user accepted, and no others; what its `load_context` reads after
that is its own affair, in the model's process. MLflow is imported because such a model's class is
a subclass of one of MLflow's.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Optional

import pandas as pd

from brinery.errors import ModelFileError, NotAModel, NotTrusted
from brinery.flavors.interface import Given, Source
from brinery.flavors.python import PlainPython
from brinery.pickles import attempts
from brinery.pickles.unpickle import unpickle
from brinery.records.description import ColumnUse
from brinery.records.signature import ColumnType

_OWN_LOADERS = "mlflow.pyfunc."
_COLUMN_TYPES = {
    "integer": ColumnType.INTEGER,
    "long": ColumnType.INTEGER,
    "float": ColumnType.NUMBER,
    "double": ColumnType.NUMBER,
    "string": ColumnType.STRING,
    "boolean": ColumnType.BOOLEAN,
    "datetime": ColumnType.DATETIME,
}
# What MLflow makes of a column before the model sees it, where that is less than a frame holds.
_NARROW = {"float": "float32", "integer": "int32"}


class PythonFunction:
    """A `PythonModel` with its context, or what a loader made, behind one method.

    Args:
        model: has a method `predict`.
        context: a `PythonModelContext`; None where a loader made the model.
        columns: name to MLflow's type, of the inputs that its signature names.

    Attributes:
        model: as it was given.
        columns: as they were given.
    """

    def __init__(self, model: Any, context: Any, columns: dict[str, str]) -> None:
        self.model = model
        self.columns = columns
        self._context = context
        self._parameters = inspect.signature(model.predict).parameters

    def predict(self, given: Given) -> Any:
        """Return the model's answers; it is given the context where its `predict` takes one."""
        if isinstance(given, pd.DataFrame):
            given = _narrowed(given, self.columns)
        first = (self._context,) if self._takes_context else ()
        others = {"params": None} if "params" in self._parameters else {}
        return self.model.predict(*first, given, **others)

    @property
    def _takes_context(self) -> bool:
        """Return whether `predict` takes the context first, by MLflow's own rule."""
        if self._context is None:
            return False
        others = [name for name in self._parameters if name != "params"]
        return "context" in others or len(others) == len(("context", "model_input"))


def _narrowed(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return a frame with the types that MLflow gives its columns before a model sees them."""
    kinds = {
        name: _NARROW[kind]
        for name, kind in columns.items()
        if kind in _NARROW and not frame[name].hasnans
    }
    return frame.astype(kinds) if kinds else frame


class MlflowFolder(PlainPython):
    """The flavor of MLflow model folders that no framework's own file stands for."""

    name = "mlflow"
    module = "mlflow"
    formats = ("mlflow",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object was made from an MLflow folder here."""
        return isinstance(model, PythonFunction)

    def outline(self, model: Any) -> str:
        """Return the class of the user's model, or the name of the function that it is."""
        made = model.model
        function = getattr(made, "func", None)
        return str(getattr(function, "__name__", None) or type(made).__name__)

    def classes(self, model: Any) -> Any:
        """Return `classes_` of the user's model, where it has them."""
        return super().classes(model.model)

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return the names of the inputs in MLflow's signature; None where it has none."""
        return tuple(model.columns) or None

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return the types of the inputs in MLflow's signature."""
        return {
            name: ColumnUse(type=_COLUMN_TYPES.get(kind)) for name, kind in model.columns.items()
        }

    def environment(self, model: Any) -> tuple[str, ...]:
        """Return MLflow, and the packages that the model's classes are defined in."""
        return ("mlflow", "cloudpickle", *super().environment(model.model))

    def version(self, _model: Any) -> str:
        """Return MLflow's version."""
        return str(getattr(sys.modules.get("mlflow"), "__version__", ""))

    def load(self, source: Source) -> Any:
        """Return the model of a folder, its `load_context` done.

        Raises:
            NotTrusted: the user did not vouch for the folder's loader or script.
            NotAModel: the folder does not say how it is loaded.
            Exception: whatever its code raises.
        """
        import yaml

        _import_mlflow()
        folder = source.path
        stated = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        function = stated["flavors"]["python_function"]
        if code := function.get("code"):
            sys.path.insert(0, str(_within(folder, code)))
        columns = _columns(stated)
        loader = str(function.get("loader_module", ""))
        if not loader.startswith(_OWN_LOADERS):
            return PythonFunction(_by_loader(loader, function, source), None, columns)
        if script := function.get("model_code_path"):
            model = _from_script(PurePosixPath(script.replace("\\", "/")).name, function, source)
        elif pickled := function.get("python_model"):
            model = unpickle(_within(folder, pickled), source.globals)
        else:
            raise NotAModel(f"{folder.name} names neither a pickled model nor a script")
        if not hasattr(model, "predict"):
            model = _wrapped(model)
        context = _context(folder, function)
        if hasattr(model, "load_context"):
            with warnings.catch_warnings():
                # The tutorials leave their files open, and their readers can do nothing about it.
                warnings.simplefilter("ignore", ResourceWarning)
                model.load_context(context=context)
        return PythonFunction(model, context, columns)


def _import_mlflow() -> None:
    """Import MLflow, and forget what it tried: it asks for a socket and for `uname` meanwhile.

    Nothing of the model has run by then. A folder with a loader of its own may do without MLflow.
    """
    # Set before MLflow is imported: it reports its use to its makers otherwise.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with suppress(ImportError):
        import mlflow.pyfunc.model  # noqa: F401 - the base of the model's class
    attempts.taken()


def _by_loader(loader: str, function: dict[str, Any], source: Source) -> Any:
    """Return what the folder's own loader makes."""
    _vouched(f"{loader}._load_pyfunc", source)
    data = function.get("data") or ""
    config = [function["config"]] if function.get("config") else []
    return import_module(loader)._load_pyfunc(str(_within(source.path, data)), *config)  # noqa: SLF001 - MLflow's interface of loaders


def _from_script(name: str, function: dict[str, Any], source: Source) -> Any:
    """Return the model that a script of the folder hands to `mlflow.models.set_model`."""
    import mlflow.models.model
    import mlflow.models.model_config

    _vouched(f"{PurePosixPath(name).stem}.__init__", source)
    # MLflow keeps both in variables of its modules; the first is where a script's settings are.
    mlflow.models.model_config.__mlflow_model_config__ = function.get("config")
    spec = importlib.util.spec_from_file_location("brinery_model", _within(source.path, name))
    if spec is None or spec.loader is None:
        raise NotAModel(f"{name} is no Python script")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    model = mlflow.models.model.__mlflow_model__
    if model is None:
        raise NotAModel(f"{name} makes no model", hint="end it with mlflow.models.set_model(model)")
    return model


def _wrapped(model: Any) -> Any:
    """Return a plain function as a model."""
    from brinery.flavors.callable import NamedFunction

    if not callable(model):
        raise NotAModel(f"the folder holds a {type(model).__name__}, which cannot predict")
    return NamedFunction(model, getattr(model, "__name__", "function"))


def _context(folder: Path, function: dict[str, Any]) -> Any:
    """Return the context with the paths of the artifacts in this folder."""
    from mlflow.pyfunc.model import PythonModelContext

    artifacts = {
        str(name): str(_within(folder, said["path"]))
        for name, said in (function.get("artifacts") or {}).items()
    }
    config = function.get("config")
    return PythonModelContext(artifacts, config)  # type: ignore[no-untyped-call]


def _vouched(name: str, source: Source) -> None:
    """Raise where the user did not accept a name."""
    if name not in source.globals:
        raise NotTrusted(f"nobody vouched for {name}", hint=f"--trust {name}")


def _within(folder: Path, name: str) -> Path:
    """Return a path in the folder; raise where it leads elsewhere."""
    path = (folder / name).resolve()
    root = folder.resolve()
    if root != path and root not in path.parents:
        raise ModelFileError(f"the MLmodel of {folder.name} names {name}, which lies elsewhere")
    return path


def _columns(stated: dict[str, Any]) -> dict[str, str]:
    """Return name to MLflow's type of the inputs, where the signature names all of them."""
    inputs = (stated.get("signature") or {}).get("inputs")
    found = json.loads(inputs) if isinstance(inputs, str) else []
    if not found or not all(isinstance(each, dict) and each.get("name") for each in found):
        return {}
    return {str(each["name"]): str(each.get("type", "")) for each in found}
