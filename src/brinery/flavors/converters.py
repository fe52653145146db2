"""Models as ONNX graphs, by the converters of other projects, in the model's process.

skl2onnx knows scikit-learn, onnxmltools tells it of XGBoost and LightGBM, CatBoost writes its own.
What a converter is known to write wrongly is refused here, in words; whether a graph answers as its
model does is found out by its reader.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brinery.errors import NotExportable
from brinery.flavors.messages import Export
from brinery.records.signature import ColumnType

_SINGLE = "X"
# Some converters, that of IsolationForest among them, know older operators only.
_OLDER_OPERATORS = {"": 18, "ai.onnx.ml": 3}
_NUMBERS = {ColumnType.NUMBER.value, ColumnType.INTEGER.value, ColumnType.BOOLEAN.value}
_KEEP = "--to native and --to joblib keep it as it is"


def catboost(model: Any, asked: Export) -> None:
    """Write a model of CatBoost, which knows ONNX itself."""
    model.save_model(asked.path, format="onnx")


def scikit_learn(model: Any, asked: Export) -> None:
    """Write an estimator or pipeline of scikit-learn, XGBoost and LightGBM among its steps.

    Its numbers become float32. Steps that tell columns apart take an input per column; others take
    one table of numbers.

    Raises:
        NotExportable: a column or a step is none that ONNX holds.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common import data_types as types

    kinds = {
        ColumnType.NUMBER.value: types.FloatTensorType,
        ColumnType.INTEGER.value: types.FloatTensorType,
        ColumnType.STRING.value: types.StringTensorType,
        ColumnType.BOOLEAN.value: types.BooleanTensorType,
    }
    _register()
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
        graph = convert_sklearn(
            model, initial_types=takes, options=options, target_opset=_OLDER_OPERATORS
        )
    if not likely and hasattr(model, "classes_"):
        del graph.graph.output[1:]  # margins, which a reader would take for probabilities
    Path(asked.path).write_bytes(graph.SerializeToString())


def xgboost(model: Any, asked: Export) -> None:
    """Write an estimator or booster of XGBoost, as a graph that takes one table of numbers.

    Raises:
        NotExportable: it has categories, or its trees are of a kind that onnxmltools does not know.
    """
    import xgboost as library

    if not hasattr(model, "get_booster"):
        learner = json.loads(model.save_config())["learner"]
        objective = str(learner["objective"]["name"])
        tells = objective.startswith(("binary:", "multi:"))
        estimator = library.XGBClassifier() if tells else library.XGBRegressor()
        estimator.load_model(bytearray(model.save_raw()))
        model = estimator
    scikit_learn(model, _table(asked))


def lightgbm(model: Any, asked: Export) -> None:
    """Write an estimator or booster of LightGBM, as a graph that takes one table of numbers.

    Raises:
        NotExportable: it has categories, or its trees are of a kind that onnxmltools does not know.
    """
    if hasattr(model, "fit"):
        scikit_learn(model, _table(asked))
        return
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    _check_lightgbm(model)
    takes = [(_SINGLE, FloatTensorType([None, len(_table(asked).columns)]))]
    graph = convert_lightgbm(model, initial_types=takes, zipmap=False)
    Path(asked.path).write_bytes(graph.SerializeToString())


def _table(asked: Export) -> Export:
    """Return what is asked for of a model that takes one table of numbers.

    Raises:
        NotExportable: a column of it is no number.
    """
    if others := [(name, kind) for name, kind in asked.columns if kind not in _NUMBERS]:
        raise NotExportable(
            "as ONNX a boosted model takes numbers only, and the column {} is of type {}".format(
                *others[0]
            ),
            hint=_KEEP,
        )
    return Export(path=asked.path, to=asked.to, columns=asked.columns)


def _register() -> None:
    """Tell skl2onnx of the estimators of XGBoost and LightGBM, where a model brought them along.

    Raises:
        ImportError: it did, and onnxmltools is not installed.
    """
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator as shapes

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    tells = (shapes.calculate_linear_classifier_output_shapes, options)
    values = (shapes.calculate_linear_regressor_output_shapes, None)
    for module, classes, convert in (
        ("xgboost", ("XGBClassifier", "XGBRFClassifier"), _convert_xgboost),
        ("xgboost", ("XGBRegressor", "XGBRFRegressor"), _convert_xgboost),
        ("lightgbm", ("LGBMClassifier",), _convert_lightgbm),
        ("lightgbm", ("LGBMRegressor", "LGBMRanker"), _convert_lightgbm),
    ):
        for name in classes if module in sys.modules else ():
            estimator = getattr(sys.modules[module], name)
            shape, known = tells if "Classifier" in name else values
            update_registered_converter(estimator, name, shape, convert, options=known)


def _convert_xgboost(scope: Any, operator: Any, container: Any) -> None:
    """Add a node for an estimator of XGBoost to a graph."""
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost

    booster = operator.raw_operator.get_booster()
    learner = json.loads(booster.save_config())["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind != "gbtree":
        raise NotExportable(f"onnxmltools does not know XGBoost's {kind}", hint=_KEEP)
    model = learner["gradient_booster"]["gbtree_model_param"]
    if int(model.get("num_parallel_tree", 1)) > 1 and learner["objective"]["name"][:5] == "multi":
        raise NotExportable(
            "onnxmltools takes the trees of a random forest of several classes for one class each",
            hint=_KEEP,
        )
    with _nameless(booster):
        convert_xgboost(scope, operator, container)


@contextmanager
def _nameless(booster: Any) -> Iterator[None]:
    """Have a booster tell its columns by number while the block runs: its converter reads those."""
    names, kinds = booster.feature_names, booster.feature_types
    booster.feature_names = None
    try:
        yield
    finally:
        booster.feature_names, booster.feature_types = names, kinds


def _convert_lightgbm(scope: Any, operator: Any, container: Any) -> None:
    """Add a node for an estimator of LightGBM to a graph."""
    from onnxmltools.convert.lightgbm.operator_converters import LightGbm

    _check_lightgbm(operator.raw_operator.booster_)
    LightGbm.convert_lightgbm(scope, operator, container)


def _check_lightgbm(booster: Any) -> None:
    """Raise where a booster's trees are added up as onnxmltools does not know.

    Raises:
        NotExportable: they are.
    """
    head = booster.model_to_string(num_iteration=1).partition("\nTree=")[0].splitlines()
    what = ""
    if "average_output" in head:
        what = "random forests"
    elif any(line.startswith("objective=multiclassova") for line in head):
        what = "classes that are told apart one against all others"
    if what:
        raise NotExportable(f"onnxmltools writes LightGBM's {what} wrongly", hint=_KEEP)
