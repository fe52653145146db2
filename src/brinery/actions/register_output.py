"""Register what a step left as a model: found in its folder, and imported like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Unpack

from brinery.actions.import_model import import_model
from brinery.actions.submission import ImportOptions
from brinery.errors import ModelFileMissing
from brinery.records.version import Version
from brinery.store.frames import Data

_SHOWN: Final = 5
_MLMODEL: Final = "MLmodel"
_MODELS: Final = frozenset(
    {
        ".pkl",
        ".pickle",
        ".sav",
        ".joblib",
        ".cloudpickle",
        ".onnx",
        ".skops",
        ".cbm",
        ".ubj",
        ".bst",
        ".xgb",
        ".lgb",
        ".pt",
        ".pth",
        ".safetensors",
    }
)


def register_output(
    output: Path, *, name: str, data: Data | None = None, **options: Unpack[ImportOptions]
) -> Version:
    """Return the version that a model among the outputs of a step has become.

    It goes the way of every model: scanned, loaded in its own process, evaluated, stored, and
    compared with what was stored.

    Args:
        output: a model file, an MLflow model folder, or a folder with one of them.
        name: of the registered model.
        data: what it is evaluated on; only bare weights come without.
        options: as `import_model` has them.

    Raises:
        ModelFileMissing: there is no model in the folder, or more than one.
        UserError: as `import_model` has it.
    """
    return import_model(model_in(output, name=name), name=name, data=data, **options)


def model_in(output: Path, *, name: str) -> Path:
    """Return the one model in what a step left.

    Args:
        output: a model file, an MLflow model folder, or a folder with one of them.
        name: that it is to be registered under, for the hint.

    Raises:
        ModelFileMissing: there is no model in the folder, or more than one.
    """
    found = _models_in(output)
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(output)) for path in found[:_SHOWN])
        raise ModelFileMissing(
            f"{output} holds {'several models: ' + names if found else 'no model'}",
            hint=f"brinery import {found[0] if found else 'FILE'} --name {name} --data FILE",
        )
    return found[0]


def _models_in(output: Path) -> list[Path]:
    """Return the models in what a step left: folders of MLflow's, or else files; sorted.

    Args:
        output: a file, which is taken for a model whatever it is called, or a folder.
    """
    if output.is_file() or (output / _MLMODEL).is_file():
        return [output]
    folders = sorted(path.parent for path in output.rglob(_MLMODEL))
    if folders:
        return folders
    files = sorted(path for path in output.rglob("*") if path.is_file())
    known = [path for path in files if path.suffix.lower() in _MODELS]
    return known or (files if len(files) == 1 else [])
