"""A loaded model written in another format, in the model's process.

What a format cannot hold is an error that says so; whether the written file answers as the model
does is found out by its reader, not here.
"""

from __future__ import annotations

from typing import Any

from brinery.errors import LibraryMissing, NotExportable
from brinery.flavors import converters
from brinery.flavors.messages import Export
from brinery.pickles.refusals import reason


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


# By format and flavor; any flavor that has no line of its own is the empty one.
_WRITERS = {
    **{("skops", flavor): _skops for flavor in ("scikit-learn", "xgboost", "lightgbm", "catboost")},
    ("joblib", ""): _joblib,
    ("onnx", "scikit-learn"): converters.scikit_learn,
    ("onnx", "xgboost"): converters.xgboost,
    ("onnx", "lightgbm"): converters.lightgbm,
    ("onnx", "catboost"): converters.catboost,
    ("native", "xgboost"): _own_file,
    ("native", "lightgbm"): _lightgbm,
    ("native", "catboost"): _own_file,
}
_EXTRAS = {"onnx": "brinery[onnx]", "skops": "brinery[skops]"}
