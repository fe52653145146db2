"""How much another version matters, distribution by distribution: data, with the reason.

A rule says what it means that another major or minor version is here than wrote the model, and
separately what it means that the one here is older; another patch is a note. Which table holds
depends on how the model was stored: pickles carry a library's insides, its own format does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from brinery.records.difference import Level

_ERROR, _WARNING, _NOTE = Level.ERROR, Level.WARNING, Level.NOTE


@dataclass(frozen=True)
class Rule:
    """What another version of one distribution means.

    Attributes:
        reason: why it matters.
        major: where the one here has a later major version.
        minor: where it has a later minor version.
        older_major: where it has an earlier major version.
        older_minor: where it has an earlier minor version.
    """

    reason: str
    major: Level = _WARNING
    minor: Level = _NOTE
    older_major: Level = _WARNING
    older_minor: Level = _NOTE


_INSIDES = "its pickles hold the library's insides, which other versions arrange otherwise"

# Of pickles, joblib files and skops files.
PICKLED = {
    "scikit-learn": Rule(
        "its pickles are not made to load across versions", _ERROR, _ERROR, _ERROR, _ERROR
    ),
    "xgboost": Rule(_INSIDES, _ERROR, _WARNING, _ERROR, _ERROR),
    "lightgbm": Rule(_INSIDES, _ERROR, _WARNING, _ERROR, _WARNING),
    "catboost": Rule(_INSIDES, _ERROR, _NOTE, _ERROR, _WARNING),
    "statsmodels": Rule(_INSIDES, _ERROR, _WARNING, _ERROR, _WARNING),
    "category-encoders": Rule(_INSIDES, _ERROR, _WARNING, _ERROR, _WARNING),
    "imbalanced-learn": Rule(_INSIDES, _ERROR, _WARNING, _ERROR, _WARNING),
    "torch": Rule(_INSIDES, _ERROR, _NOTE, _ERROR, _WARNING),
    "numpy": Rule(
        "pickles of numpy 2 name numpy._core, which numpy has since 1.26",
        _NOTE,
        _NOTE,
        _ERROR,
        _NOTE,
    ),
    "pandas": Rule("its frames and indexes are pickled by their insides", _ERROR, _NOTE, _ERROR),
    "scipy": Rule("what its functions return may differ in the last digits"),
    "cloudpickle": Rule("what it carries may name its own functions", _WARNING),
    "joblib": Rule("it reads the files of its earlier versions", _NOTE, _NOTE, _WARNING),
    "mlflow": Rule("a PythonModel is made of its classes", _WARNING),
}

_FORWARD = "its own format is read by later versions, and not always by earlier ones"

# Of what a library wrote in a format of its own.
NATIVE = {
    "xgboost": Rule(_FORWARD, _NOTE, _NOTE, _ERROR, _WARNING),
    "lightgbm": Rule(_FORWARD, _NOTE, _NOTE, _ERROR, _WARNING),
    "catboost": Rule(_FORWARD, _NOTE, _NOTE, _ERROR, _WARNING),
    "onnx": Rule(_FORWARD, _NOTE, _NOTE, _WARNING, _WARNING),
    "onnxruntime": Rule(_FORWARD, _NOTE, _NOTE, _WARNING, _WARNING),
    "torch": Rule(_FORWARD, _NOTE, _NOTE, _ERROR, _WARNING),
    "safetensors": Rule(_FORWARD, _NOTE),
    "keras": Rule(_FORWARD, _ERROR, _NOTE, _ERROR, _WARNING),
}

OTHERS = Rule("it may behave otherwise")

# Bytecode is one minor version's own; a model without code is data to any Python.
CODE = "it carries functions as bytecode, which is not portable"

# Formats of pickles, and of what is as closely bound to a library's insides.
PICKLES = frozenset({"pickle", "joblib", "skops", "mlflow"})

# Format to the distribution that reads it, where no pickle names its modules.
READERS = {
    "xgboost-json": "xgboost",
    "xgboost-ubj": "xgboost",
    "lightgbm-text": "lightgbm",
    "catboost": "catboost",
    "onnx": "onnxruntime",
    "torch": "torch",
    "skops": "skops",
    "safetensors": "safetensors",
    "keras": "keras",
}

# Module to distribution. Nothing else is ever installed for a name that a model file states: a
# module of an unknown name could be anyone's package.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "category_encoders": "category-encoders",
    "imblearn": "imbalanced-learn",
    "skopt": "scikit-optimize",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "catboost": "catboost",
    "cloudpickle": "cloudpickle",
    "joblib": "joblib",
    "lightgbm": "lightgbm",
    "mlflow": "mlflow",
    "numpy": "numpy",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "pandas": "pandas",
    "patsy": "patsy",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "skops": "skops",
    "sksurv": "scikit-survival",
    "statsmodels": "statsmodels",
    "torch": "torch",
    "xgboost": "xgboost",
}

# The same library under another name.
ALSO = {
    "mlflow": ("mlflow-skinny",),
    "onnxruntime": ("onnxruntime-gpu",),
    "xgboost": ("xgboost-cpu",),
}

# What a library needs for its models, and does not ask for.
ALONGSIDE = {"xgboost": ("scikit-learn",), "lightgbm": ("scikit-learn",)}
