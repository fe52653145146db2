"""A loaded model written in another format, in the model's process.

What a format cannot hold is an error that says so; whether the written file answers as the model
does is found out by its reader, not here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brinery.errors import LibraryMissing, NotExportable
from brinery.flavors.messages import Export
from brinery.pickles.refusals import reason
from brinery.records.signature import ColumnType

_SINGLE = "X"


def export(model: Any, flavor: str, *, asked: Export) -> None:
    """Write a model to the path that is asked for.

    Raises:
        NotExportable: the format cannot hold the model; the message says why.
        LibraryMissing: what writes the format is not installed.
    """
    write = _WRITERS.get((asked.to, flavor)) or _WRITERS.get((asked.to, ""))
    if write is None:
        raise NotExportable(f"a model of {flavor} is not written as {asked.to}")
    try:
        write(model, asked)
    except (LibraryMissing, NotExportable):
        raise
    except ImportError as error:
        raise LibraryMissing(
            f"writing {asked.to} needs the module '{error.name}', which is not installed",
            hint=f"pip install '{_EXTRAS.get(asked.to, error.name)}'",
        ) from None
    except Exception as error:  # noqa: BLE001 - a writer of another's may raise anything
        raise NotExportable(
            f"the model cannot be written as {asked.to}: {reason(error)}",
            hint="--to mlflow and --to joblib keep a model as it is",
        ) from None


def _skops(model: Any, asked: Export) -> None:
    import skops.io

    skops.io.dump(model, asked.path)


def _joblib(model: Any, asked: Export) -> None:
    import joblib

    joblib.dump(model, asked.path)


def _own_file(model: Any, asked: Export) -> None:
    """Write an estimator or booster of XGBoost in XGBoost's own format, or one of CatBoost."""
    model.save_model(asked.path)


def _lightgbm(model: Any, asked: Export) -> None:
    getattr(model, "booster_", model).save_model(asked.path)


def _catboost_onnx(model: Any, asked: Export) -> None:
    model.save_model(asked.path, format="onnx")


_OLDER_OPERATORS = {"": 18, "ai.onnx.ml": 3}


def _sklearn_onnx(model: Any, asked: Export) -> None:
    """Write an estimator or pipeline of scikit-learn as ONNX.

    Its numbers become float32. Steps that tell columns apart take an input per column; others take
    one table of numbers.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common import data_types as types

    kinds = {
        ColumnType.NUMBER.value: types.FloatTensorType,
        ColumnType.INTEGER.value: types.FloatTensorType,
        ColumnType.STRING.value: types.StringTensorType,
        ColumnType.BOOLEAN.value: types.BooleanTensorType,
    }
    if unknown := [name for name, kind in asked.columns if kind not in kinds]:
        raise NotExportable(f"ONNX has no type for the column {unknown[0]}")
    if asked.named:
        takes = [(name, kinds[kind]([None, 1])) for name, kind in asked.columns]
    else:
        takes = [(_SINGLE, types.FloatTensorType([None, len(asked.columns)]))]
    likely = hasattr(model, "predict_proba")
    options = {id(model): {"zipmap": False}} if likely else None
    try:
        graph = convert_sklearn(model, initial_types=takes, options=options)
    except RuntimeError:
        # Some converters, that of IsolationForest among them, know older operators only.
        graph = convert_sklearn(
            model, initial_types=takes, options=options, target_opset=_OLDER_OPERATORS
        )
    if not likely and hasattr(model, "classes_"):
        del graph.graph.output[1:]  # margins, which a reader would take for probabilities
    Path(asked.path).write_bytes(graph.SerializeToString())


# By format and flavor; any flavor that has no line of its own is the empty one.
_WRITERS = {
    **{("skops", flavor): _skops for flavor in ("scikit-learn", "xgboost", "lightgbm", "catboost")},
    ("joblib", ""): _joblib,
    ("onnx", "scikit-learn"): _sklearn_onnx,
    ("onnx", "catboost"): _catboost_onnx,
    ("native", "xgboost"): _own_file,
    ("native", "lightgbm"): _lightgbm,
    ("native", "catboost"): _own_file,
}
_EXTRAS = {"onnx": "brinery[onnx]", "skops": "brinery[skops]"}
