"""A folder read file by file; one of MLflow's is code too, wherever its MLmodel says so.

MLflow imports the module that an MLmodel names as loader, puts the model's own `code` folder first
on the import path, and runs scripts it calls models. Each of these is a name that needs trust.
"""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from brinery.pickles import code, natives, parts, plain_yaml
from brinery.pickles.bounds import Broken, TooMuch
from brinery.pickles.digest import files
from brinery.pickles.evidence import Evidence
from brinery.records.scan import Global

MLMODEL = "MLmodel"

_MAX_SHOWN = 20
_MAX_NAME = 300
_IMPORTED = (".py", ".pyc", ".pyd", ".so")

# MLflow's loaders whose models this scan can read; what they load is in the folder's own files.
_LOADERS = {
    f"mlflow.{name}"
    for name in (
        *("catboost", "lightgbm", "onnx", "pyfunc.model", "sklearn", "statsmodels", "xgboost"),
    )
}

# Under a flavor: whose version is stated, and which of its values are paths.
_VERSIONS = {
    "sklearn_version": "scikit-learn",
    "xgb_version": "xgboost",
    "lgb_version": "lightgbm",
    "catboost_version": "catboost",
    "onnx_version": "onnx",
    "statsmodels_version": "statsmodels",
    "keras_version": "keras",
    "pytorch_version": "torch",
    "cloudpickle_version": "cloudpickle",
}
_PATHS = ("data", "code", "model_path", "pickled_model", "python_model", "model_code_path")
_CLASSES = ("model_class", "keras_module", "loader_module_class")


def read(folder: Path, evidence: Evidence) -> str | None:
    """Return `mlflow`, or `unknown` for another folder with models in it; None where it has none.

    Raises:
        ModelFileError: it holds what is no file.
        TooMuch: it is larger than any honest one.
    """
    listed = list(files(folder))
    names = [file.relative_to(folder).as_posix() for file in listed]
    is_mlflow = MLMODEL in names
    if is_mlflow:
        _mlmodel(folder / MLMODEL, names, evidence)
    models = 0
    for file, name in zip(listed, names, strict=True):
        evidence.budget.spend_member()
        above = name.removesuffix(MLMODEL)
        if name.endswith(f"/{MLMODEL}"):
            part = evidence.inner(parts.shown(name))
            _mlmodel(file, [n.removeprefix(above) for n in names if n.startswith(above)], part)
            evidence.adopt(part)
        elif name != MLMODEL:
            models += _file(file, name, evidence)
    if is_mlflow:
        return "mlflow"
    return "unknown" if models else None


def _file(file: Path, name: str, evidence: Evidence) -> bool:
    """Return whether a file of a folder is a model's, having noted what it says."""
    part = evidence.inner(parts.shown(name))
    found = None
    if file.stat().st_size:
        with file.open("rb") as stream:
            try:
                found = parts.read(stream, part)
            except Broken as broken:
                part.problem(str(broken))
            except parts.Unread as unread:
                part.problem(f"it is {unread}, which is not read")
            except TooMuch:
                evidence.adopt(part)
                raise
    if found is not None or part.problems:
        evidence.adopt(part)
    return found is not None


def _mlmodel(file: Path, names: list[str], evidence: Evidence) -> None:
    """Note what an MLmodel says, and what it would have MLflow import."""
    try:
        stated = plain_yaml.read(file)
    except Broken as broken:
        evidence.problem(f"{MLMODEL}: {broken}")
        return
    flavors = stated.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        evidence.problem(f"{MLMODEL}: it names no flavor")
        return
    if isinstance(stated.get("mlflow_version"), str):
        evidence.version("mlflow", stated["mlflow_version"])
    _columns(stated.get("signature"), evidence)
    for flavor in flavors.values():
        if isinstance(flavor, dict):
            _flavor(flavor, evidence)
    pyfunc = flavors.get("python_function")
    if isinstance(pyfunc, dict):
        _pyfunc(pyfunc, evidence)
    brought = [one.get("code") for one in flavors.values() if isinstance(one, dict)]
    if not all(isinstance(one, str | None) for one in brought):
        evidence.problem(f"{MLMODEL}: its code is no path")
    for name in sorted({_text(one) for one in brought} - {""}):
        _code(name, names, evidence)


def _flavor(flavor: dict[str, Any], evidence: Evidence) -> None:
    for key, distribution in _VERSIONS.items():
        if isinstance(flavor.get(key), str):
            evidence.version(distribution, flavor[key])
    for key in _PATHS:
        path = _text(flavor.get(key))
        plain = PurePosixPath(path.replace("\\", "/"))
        if plain.is_absolute() or ".." in plain.parts:
            evidence.problem(f"{MLMODEL}: {key} lies outside of the folder: {path[:100]!a}")
    for key in _CLASSES:
        name = _text(flavor.get(key))
        if name:
            asked = _dotted(name)
            evidence.ask(asked, key)


def _pyfunc(flavor: dict[str, Any], evidence: Evidence) -> None:
    """Note the module that MLflow would import to load a model, and a script it would run."""
    loader = _text(flavor.get("loader_module"))
    if loader not in _LOADERS:
        asked = Global(_shown(loader) or "?", "_load_pyfunc")
        evidence.ask(asked, "loader_module")
        evidence.doubt(asked, "its MLmodel has MLflow import this module to load the model")
    script = _text(flavor.get("model_code_path"))
    if script:
        asked = Global(_shown(PurePosixPath(script.replace("\\", "/")).stem) or "?", "__init__")
        evidence.ask(asked, "model_code_path")
        evidence.doubt(asked, f"the model is a script that MLflow runs: {_shown(script)}")
    python = _text(flavor.get("python_version"))
    if python and python.isascii() and python.isprintable():
        evidence.python[code.EXACT] = python[:20]


def _code(folder: str, names: list[str], evidence: Evidence) -> None:
    """Note the modules that a model's folder of code brings, by package."""
    inside = posixpath.normpath(folder.replace("\\", "/"))
    start = "" if inside == "." else inside.strip("/") + "/"
    modules: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(start) and name.endswith(_IMPORTED):
            path = PurePosixPath(name[len(start) :])
            parts = [part for part in path.parts[:-1] if part != "__pycache__"]
            dotted = [*parts, path.name.partition(".")[0]]
            if dotted[-1] == "__init__" and len(dotted) > 1:
                dotted.pop()
            modules.setdefault(dotted[0], []).append(".".join(dotted))
    for package, found in sorted(modules.items()):
        asked = Global(_shown(package) or "?", "__init__")
        listed = ", ".join(map(_shown, sorted(set(found))[:_MAX_SHOWN]))
        evidence.ask(asked, "code")
        evidence.doubt(asked, f"its source is in the model's folder {folder}: {listed}")


def _columns(signature: Any, evidence: Evidence) -> None:
    """Note the columns of a signature."""
    text = signature.get("inputs") if isinstance(signature, dict) else None
    if not isinstance(text, str):
        return
    try:
        natives.check_modest(text.encode("utf-8", "replace"))
        inputs = msgspec.json.decode(text)
    except (Broken, msgspec.DecodeError, UnicodeError, RecursionError):
        return
    if not isinstance(inputs, list):
        return
    columns = [one.get("name") for one in inputs if isinstance(one, dict)]
    if columns and all(isinstance(name, str) for name in columns):
        evidence.feature_names = tuple(str(name) for name in columns)


def _dotted(name: str) -> Global:
    module, _, attribute = _shown(name).rpartition(".")
    return Global(module or "?", attribute or "?")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _shown(text: str) -> str:
    return (text if text.isprintable() else ascii(text)[1:-1])[:_MAX_NAME]
