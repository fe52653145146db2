"""How an MLflow program loads a model that MLflow itself has no loader for.

A copy of this file lies in every version that needs it, and MLflow imports it there: in a program
of the user's, never in ours. So it reads the standard library and what the model needs, and
nothing of Brinery.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any


def _load_pyfunc(data_path: str) -> _Model:
    """Return the model, which MLflow asks to predict."""
    path = Path(data_path)
    for folder in (path.parent / "code", path / "code"):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    if path.is_dir():
        return _Model(_of_folder(path))
    if path.suffix == ".json":
        return _Model(_of_target(json.loads(path.read_text(encoding="utf-8"))["target"]))
    if path.suffix == ".onnx":
        return _Model(_OnnxGraph(path))
    if path.suffix == ".skops":
        return _Model(_of_skops(path))
    with path.open("rb") as stream:
        return _Model(pickle.load(stream))  # noqa: S301 - in the user's program, as MLflow does


class _Model:
    """What MLflow's `pyfunc` holds: anything that predicts, behind one method."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def get_raw_model(self) -> Any:
        """Return the model itself."""
        return self._model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return the model's answers for a frame."""
        del params  # no model that comes here takes any
        if type(self._model).__module__ == "xgboost.core":
            data = importlib.import_module("xgboost").DMatrix(data)
        elif type(self._model).__module__.startswith("statsmodels."):
            data = _with_constant(self._model.model, data)
        predict = getattr(self._model, "predict", None)
        if predict is None and hasattr(self._model, "transform"):
            return _transformed(self._model, data)
        return (predict or self._model)(data)


def _transformed(model: Any, data: Any) -> Any:
    """Return what a transformer makes of a frame; a sparse table is filled out."""
    first = model
    while parts := getattr(first, "steps", None) or getattr(first, "transformer_list", None):
        first = parts[0][1]
    if hasattr(first, "build_analyzer") and hasattr(data, "iloc"):
        data = data.iloc[:, 0]  # it takes texts, and not columns
    made = model.transform(data)
    return made.toarray() if hasattr(made, "toarray") else made


def _with_constant(inner: Any, data: Any) -> Any:
    """Return a frame with the constant that `add_constant` put among a model's plain columns."""
    place = getattr(inner.data, "const_idx", None)
    if getattr(inner, "formula", None) or place is None:
        return data
    if inner.exog_names[place] != "const" or "const" in data:
        return data
    made = data.copy()
    made.insert(place, "const", 1.0)
    return made


class _OnnxGraph:
    """A graph in ONNX whose answer is its first output, the labels of a classifier or a table.

    MLflow's loader expects one output, of one column.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        onnxruntime = importlib.import_module("onnxruntime")
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def predict(self, frame: Any) -> Any:
        """Return the answer for each row of a frame."""
        wanted = self._session.get_inputs()
        if len(wanted) == 1:
            given = {wanted[0].name: _typed(frame.to_numpy(), wanted[0].type)}
        else:
            given = {each.name: _typed(frame[[each.name]].to_numpy(), each.type) for each in wanted}
        return self._session.run([self._session.get_outputs()[0].name], given)[0]


def _typed(values: Any, kind: str) -> Any:
    """Return an array as an input of ONNX takes it."""
    if "string" in kind:
        return values.astype(str).astype(object)
    names = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64"}
    return values.astype(names.get(kind, values.dtype))


def _of_skops(path: Path) -> Any:
    """Return the model of a skops file, made of the types that were accepted at import."""
    yaml = importlib.import_module("yaml")
    stated = yaml.safe_load((path.parent / "MLmodel").read_text(encoding="utf-8"))
    trusted = stated["flavors"]["sklearn"]["skops_trusted_types"]
    return importlib.import_module("skops.io").load(path, trusted=trusted)


def _of_target(target: str) -> Any:
    """Return what `module:function` or `module:Class` means; a class is instantiated."""
    module, _, name = target.partition(":")
    found = getattr(importlib.import_module(module), name)
    return found() if isinstance(found, type) else found


def _of_folder(folder: Path) -> Any:
    """Return the model of an MLflow folder within, by that folder's own loader."""
    yaml = importlib.import_module("yaml")
    stated = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    function = stated["flavors"]["python_function"]
    loader = importlib.import_module(function["loader_module"])
    config = [function["config"]] if function.get("config") else []
    return loader._load_pyfunc(str(folder / function.get("data", "")), *config)  # noqa: SLF001 - MLflow's interface of loaders
