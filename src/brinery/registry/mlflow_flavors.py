"""Which flavors an MLflow model directory states, so that any MLflow program loads the version.

They say what that framework's own `save_model` would. MLflow has no loader for a pickled booster,
a plain function, a transformer or a classifier in ONNX that is asked with a frame, and that of
statsmodels adds no constant: for those `mlflow_loader` is laid beside the model. What cannot answer
a frame at all gets no `python_function` flavor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brinery.records.version import Candidate
from brinery.registry import mlflow_folder, mlflow_loader

LOADER_FOLDER = "loader"
LOADER_MODULE = "brinery_loader"
LOADER_SOURCE = Path(mlflow_loader.__file__)
CODE_FOLDER = "code"
MODEL_FOLDER_FORMAT = "mlflow"

_SKLEARN = "mlflow.sklearn"
_PLAIN_PICKLE = "model.pkl"
_PYTHON_MODELS = "mlflow.pyfunc."
_BOOSTER = "Booster"
_CLASS = re.compile(r"\w+")
_XGBOOST_CLASSES = {
    "XGBModel",
    "XGBClassifier",
    "XGBRegressor",
    "XGBRanker",
    "XGBRFClassifier",
    "XGBRFRegressor",
}
_CATBOOST_CLASSES = {"CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"}


@dataclass(frozen=True)
class Entries:
    """What an MLmodel says of a model.

    Attributes:
        loader: the module of the `python_function` flavor; empty where there is none.
        options: what else that flavor says.
        native: the framework's own flavor by name.
    """

    loader: str
    options: dict[str, Any] = field(default_factory=dict)
    native: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Return whether the loader is ours, and must lie beside the model."""
        return self.loader == LOADER_MODULE


def entries(candidate: Candidate, directory: Path) -> Entries:
    """Return the flavors of a candidate whose files lie in a directory."""
    artifact = candidate.artifact
    code = CODE_FOLDER if artifact.code else None
    write = _FORMATS.get(artifact.format, _pickled)
    if candidate.description.unscored is not None:
        write = _unscored
    made = write(candidate, directory)
    native = {name: {**said, "code": code} for name, said in made.native.items()}
    options = made.options
    if made.ours:
        options = {**options, "code": LOADER_FOLDER}
    elif code is not None:
        options = {**options, "code": code}
    return Entries(made.loader, options, native)


def _pickled(candidate: Candidate, directory: Path) -> Entries:
    """Return the flavors of a plain pickle, by what it holds."""
    del directory
    file, version = candidate.artifact.file, candidate.description.framework_version
    flavor, booster = candidate.artifact.flavor, _class(candidate) == _BOOSTER
    if flavor == "statsmodels":
        native = {"statsmodels": {"statsmodels_version": version, "data": file}}
        # MLflow's own loader asks for the constant that `add_constant` put among plain columns.
        loader = "mlflow.statsmodels" if "(" in candidate.description.outline else LOADER_MODULE
        return Entries(loader, {"data": file}, native)
    if flavor == "python" or booster:
        return Entries(LOADER_MODULE, {"data": file})
    sklearn = {
        "pickled_model": file,
        "sklearn_version": candidate.environment.packages.get("scikit-learn", version),
        "serialization_format": "cloudpickle",
    }
    native = {"sklearn": sklearn}
    if candidate.description.transforms:
        return Entries(LOADER_MODULE, {"data": file}, native)  # MLflow's own asks for a `predict`
    if flavor == "lightgbm":
        native["lightgbm"] = {
            "lgb_version": version,
            "data": file,
            "model_class": f"lightgbm.sklearn.{_class(candidate)}",
            "serialization_format": "cloudpickle",
        }
    return Entries(_SKLEARN, {"model_path": file, "predict_fn": "predict"}, native)


def _skops(candidate: Candidate, directory: Path) -> Entries:
    """Return the flavors of a skops file, whose names are those the user accepted."""
    del directory
    file = candidate.artifact.file
    native = {
        "sklearn": {
            "pickled_model": file,
            "sklearn_version": candidate.description.framework_version,
            "serialization_format": "skops",
            "skops_trusted_types": list(candidate.artifact.globals),
        }
    }
    if candidate.description.transforms:
        return Entries(LOADER_MODULE, {"data": file}, native)
    return Entries(_SKLEARN, {"model_path": file, "predict_fn": "predict"}, native)


def _xgboost(candidate: Candidate, directory: Path) -> Entries:
    del directory
    file, name = candidate.artifact.file, _class(candidate)
    known = name in _XGBOOST_CLASSES
    native = {
        "xgboost": {
            "xgb_version": candidate.description.framework_version,
            "data": file,
            "model_class": f"xgboost.sklearn.{name}" if known else "xgboost.core.Booster",
            "model_format": candidate.artifact.format.rpartition("-")[2],
        }
    }
    return Entries("mlflow.xgboost", {"data": file}, native)


def _lightgbm(candidate: Candidate, directory: Path) -> Entries:
    del directory
    file = candidate.artifact.file
    native = {
        "lightgbm": {
            "lgb_version": candidate.description.framework_version,
            "data": file,
            "model_class": "lightgbm.basic.Booster",
        }
    }
    return Entries("mlflow.lightgbm", {"data": file}, native)


def _catboost(candidate: Candidate, directory: Path) -> Entries:
    del directory
    file, name = candidate.artifact.file, _class(candidate)
    if name not in _CATBOOST_CLASSES:
        name = "CatBoostClassifier" if candidate.description.classes else "CatBoost"
    native = {
        "catboost": {
            "catboost_version": candidate.description.framework_version,
            "data": file,
            "model_type": name,
            "save_format": "cbm",
        }
    }
    return Entries("mlflow.catboost", {"data": file}, native)


def _onnx(candidate: Candidate, directory: Path) -> Entries:
    del directory
    file = candidate.artifact.file
    native = {
        "onnx": {
            "onnx_version": candidate.environment.packages.get("onnx", ""),
            "data": file,
            "providers": ["CPUExecutionProvider"],
            "onnx_session_options": None,
        }
    }
    description = candidate.description
    labels = bool(description.classes) or description.gives_probabilities
    # MLflow's own makes one column of an output, whatever its shape.
    ours = labels or bool(candidate.signature.outputs)
    return Entries(LOADER_MODULE if ours else "mlflow.onnx", {"data": file}, native)


def _folder(candidate: Candidate, directory: Path) -> Entries:
    """Return the flavors around an MLflow model folder, which stays as it came."""
    name = candidate.artifact.file
    inner = mlflow_folder.read(directory / name)
    if inner.code is not None and candidate.artifact.code:
        return Entries(LOADER_MODULE, {"data": name})  # MLflow itself takes one folder of code
    own_files = inner.loader.startswith(_PYTHON_MODELS) or inner.data is None
    options: dict[str, Any] = {"data": name if own_files else f"{name}/{inner.data}"}
    if inner.code is not None:
        options["code"] = f"{name}/{inner.code}"
    if inner.model_config:
        options["config"] = inner.model_config
    return Entries(inner.loader, options)


def _callable(candidate: Candidate, directory: Path) -> Entries:
    del directory
    return Entries(LOADER_MODULE, {"data": candidate.artifact.file})


def _weights(candidate: Candidate, directory: Path) -> Entries:
    """Return that no program can score a frame with it: it is stored, and says what it is."""
    del directory
    artifact = candidate.artifact
    return Entries("", {}, {"brinery": {"data": artifact.file, "format": artifact.format}})


def _unscored(candidate: Candidate, directory: Path) -> Entries:
    """Return the same of what cannot be asked, and how its framework loads a plain pickle of it."""
    native: dict[str, dict[str, Any]] = {}
    if candidate.artifact.file == _PLAIN_PICKLE:
        native = _pickled(candidate, directory).native
    return Entries("", {}, {**native, **_weights(candidate, directory).native})


_FORMATS = {
    "skops": _skops,
    "xgboost-json": _xgboost,
    "xgboost-ubj": _xgboost,
    "lightgbm-text": _lightgbm,
    "catboost": _catboost,
    "onnx": _onnx,
    MODEL_FOLDER_FORMAT: _folder,
    "callable": _callable,
    "torch": _weights,
    "safetensors": _weights,
}


def _class(candidate: Candidate) -> str:
    """Return the class of the model, without that of its steps."""
    found = _CLASS.match(candidate.description.outline)
    return found.group() if found else ""
