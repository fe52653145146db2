"""The model's own library answers: its file is loaded, and it may ask for no name but its own.

The names are those that were read in the file and accepted when the model was imported.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brinery.errors import BrineryError
from brinery.flavors import naming
from brinery.flavors.interface import Flavor, Source
from brinery.package.runtime.engine import Refused
from brinery.package.runtime.facts import Facts
from brinery.pickles import digest
from brinery.pickles.unpickle import enter_child, unpickle
from brinery.records.artifact import Artifact
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType

_PICKLES = ("pickle", "joblib")
_STANDING_IN = ("callable", "mlflow")
_CODE = "code"


class LibraryEngine:
    """Answers by a model and its library.

    Args:
        folder: that its file lies in.
        facts: of the package.

    Raises:
        RuntimeError: its file is another than the one that was packaged.
        Exception: whatever loading it raises.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        path, artifact = folder / facts.engine_file, facts.artifact
        if digest.digest(path) != facts.engine_sha256:
            raise RuntimeError(f"{path.name} is not what was packaged")
        code = (folder / _CODE,) if artifact.code else ()
        sys.path[:0] = map(str, code)
        self._flavor = _flavor(artifact.flavor)
        self._flavor.several = bool(artifact.outputs)
        self._facts = facts
        self._lock = threading.Lock()
        enter_child()
        if artifact.format in _PICKLES:
            self._model = unpickle(path, artifact.globals)
        else:
            loader = _flavor(loader_of(artifact))
            self._model = loader.load(
                Source(path=path, format=artifact.format, globals=artifact.globals, code=code)
            )
        wanted = self._flavor.wants_frame(self._model)
        self._frame = artifact.frame if wanted is None else wanted

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores:
        """Return the answers for some rows.

        Raises:
            Refused: the model raises.
        """
        try:
            with self._lock:
                found = self._flavor.score(self._model, self._given(columns, n_rows))
            return naming.given(found, self._facts.artifact)
        except BrineryError as error:
            raise Refused(error.message) from None
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            raise Refused(f"the model raised {type(error).__name__}: {error}") from None

    def _given(self, columns: Mapping[str, Sequence[Any]], n_rows: int) -> Any:
        """Return what the model is given: a frame, or an array where it was fitted without names.

        It is what its process is given where it was imported: a missing value is NaN in every
        column, and a whole number stays one where none is missing.
        """
        types = {column.name: column.type for column in self._facts.signature.columns}
        names = self._facts.feature_names or tuple(types)
        missing = [None] * n_rows
        frame = pd.DataFrame(
            {
                name: _series(columns.get(name, missing), types.get(name, ColumnType.NUMBER))
                for name in names
            }
        )
        if self._facts.feature_names or self._frame is not False:
            return frame
        return np.ascontiguousarray(frame.to_numpy())


def _series(values: Sequence[Any], kind: ColumnType) -> Any:
    """Return a column as Arrow gives it to pandas."""
    holes = any(value is None for value in values)
    given = [float("nan") if value is None else value for value in values]
    if kind is ColumnType.DATETIME:
        return pd.Series(np.array([*values], dtype="datetime64[us]"))
    if kind is ColumnType.STRING:
        return pd.Series(given, dtype=None if any(type(v) is str for v in given) else object)
    if kind is ColumnType.BOOLEAN:
        return pd.Series(given, dtype=object if holes else bool)
    whole = kind is ColumnType.INTEGER and not holes
    return pd.Series(given, dtype=np.int64 if whole else np.float64)


def loader_of(artifact: Artifact) -> str:
    """Return the flavor that loads a file which is no pickle: another one may take what it holds.

    A name of the user's own, or a folder of MLflow's, may stand for a model of any framework.
    """
    return artifact.format if artifact.format in _STANDING_IN else artifact.flavor


def _flavor(name: str) -> Flavor:
    """Return a flavor of the package by its name."""
    module, _, kind = FLAVORS[name].partition(":")
    found: Flavor = getattr(import_module(module), kind)()
    return found


FLAVORS = {
    "xgboost": "brinery.flavors.xgboost:XGBoost",
    "lightgbm": "brinery.flavors.lightgbm:LightGBM",
    "catboost": "brinery.flavors.catboost:CatBoost",
    "onnx": "brinery.flavors.onnx:Onnx",
    "callable": "brinery.flavors.callable:CallableFile",
    "mlflow": "brinery.flavors.pyfunc:MlflowFolder",
    "statsmodels": "brinery.flavors.statsmodels:Statsmodels",
    "scikit-learn": "brinery.flavors.scikit_learn:ScikitLearn",
    "python": "brinery.flavors.python:PlainPython",
}

Engine = LibraryEngine
